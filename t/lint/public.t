# A function is public because another file calls it: one of the project, or a test.

use strict;
use warnings;

use lib 't/lib';
use JailCGI::Source qw(c_files files code_of functions_of);
use Test::More;

my %code = map { $_ => code_of($_) } grep { /\.c$/ } c_files(), files(qr/\.c$/, 't');
my %used;
for my $file (keys %code) {
    $used{$_}{$file} = 1 for $code{$file} =~ /\b(jc_\w+)\b/g;
}
my $functions = 0;
for my $file (grep { !m{^t/} } sort keys %code) {
    my @names = grep { /^jc_/ } map { $_->{name} } grep { $_->{public} } functions_of($file);
    $functions += @names;
    is_deeply([grep { keys %{ $used{$_} } < 2 } @names], [], "$file: what is public is used elsewhere");
}
cmp_ok($functions, '>', 200, 'functions were found');
done_testing;
