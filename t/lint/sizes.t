# Sizes. What runs as root, or between clone and exec, has to be small enough that one
# person reads it in two days: each directory has a budget, a little above what it holds.
# A budget is raised in a commit of its own that says why.

use strict;
use warnings;

use lib 't/lib';
use JailCGI::Source qw(c_files code_lines functions_of read_file);
use Test::More;

use constant {
    FUNCTION_MAX => 70,
    FILE_MAX     => 400,
};

# Lines of code of a directory, headers included, by where they run.
my %budget = (
    'src/wire'          => [1290, 'root and others'],
    'src/policy'        => [390,  'root and others'],
    'src/helper'        => [2310, 'root'],
    'src/keeper'        => [125,  'root and the tenant'],
    'src/keeper/build'  => [1920, 'root'],
    'src/keeper/launch' => [1570, 'the tenant, between clone and exec'],
    'src/keeper/serve'  => [1660, 'the tenant'],
    'src/mail'          => [1000, 'the tenant, as a program of its own'],
);

# Files that may be longer, and why.
my %longer = (
    'src/httpd/serve/reason_table.c' => 600,    # one table of sentences
    'src/helper/selftest.c'    => 430,    # half of it are tables
);

my $functions = 0;
for my $file (c_files()) {
    my $lines = () = read_file($file) =~ /\n/g;
    cmp_ok($lines, '<=', $longer{$file} || FILE_MAX, "$file: lines");
    my @functions = functions_of($file);
    $functions += @functions;
    is_deeply(
        [map { "$_->{name}: $_->{lines}" } grep { $_->{lines} > FUNCTION_MAX } @functions],
        [],
        "$file: no function above " . FUNCTION_MAX . ' lines'
    );
}
cmp_ok($functions, '>', 40, 'functions were found');

# A new directory cannot be forgotten, unless it is httpd's.
my %lines;
for my $file (grep { !m{^(?:src/httpd/|mod_)} } c_files()) {
    my ($directory) = $file =~ m{^(.*)/};
    $lines{$directory} += code_lines($file);
}
is_deeply([sort keys %lines], [sort keys %budget], 'each directory has a budget');
my $root = 0;
for my $directory (sort keys %budget) {
    my ($most, $runs_as) = @{ $budget{$directory} };
    cmp_ok($lines{$directory} // 0, '<=', $most, "$directory: lines of code that run as $runs_as");
    cmp_ok($lines{$directory} // 0, '>', $most * 0.9, "$directory: they were counted, and the budget fits");
    $root += $lines{$directory} if $runs_as =~ /root/;
}

# SECURITY.md says in hundreds what there is to read.
my $hundreds = int($root / 100 + 0.5) * 100;
$hundreds =~ s/(\d)(\d{3})$/$1,$2/;
like(read_file('SECURITY.md'), qr/\b\Q$hundreds\E lines of C run as root\b/,
    "SECURITY.md says how many lines run as root: $hundreds");
done_testing;
