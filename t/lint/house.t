# The structure of the source: what t/lint/figures prints, held.

use strict;
use warnings;

use lib 't/lib';
use JailCGI::House qw(calls circles floors folder_of exports out_of_place percentile);
use JailCGI::Source qw(c_files functions_of);
use Test::More;

use constant {
    CIRCLE_MAX  => 3,
    EXPORTS_MAX => 20,
    P90_MAX     => 30,
    ROOMS_MAX   => 6,
    FLOORS_MAX  => 3,
};

my @files     = c_files();
my @functions = map { functions_of($_) } @files;
my $calls     = calls(@functions);
cmp_ok(scalar @functions, '>', 900, 'functions were found');
cmp_ok(scalar keys %$calls, '>', 60, 'and calls from file to file');

# Whoever reads one file of a circle has to read all of it.
is_deeply([grep { @$_ > CIRCLE_MAX } circles($calls)], [],
    'no more than ' . CIRCLE_MAX . ' files call each other in a circle');
my %between;
for my $from (keys %$calls) {
    $between{ folder_of($from) }{ folder_of($_) } = 1
      for grep { folder_of($_) ne folder_of($from) } keys %{ $calls->{$from} };
}
is_deeply([circles(\%between)], [], 'folders do not call each other in a circle');
my %httpd = map { folder_of($_) => 1 } grep { m{^src/httpd/} } @files;
cmp_ok(scalar keys %httpd, '<=', ROOMS_MAX, 'rooms of src/httpd');
cmp_ok(floors(\%between, keys %httpd), '<=', FLOORS_MAX, 'floors of src/httpd');

# A name says where it is.
my @public = grep { $_->{public} && $_->{name} =~ /^jc_/ } @functions;
cmp_ok(scalar @public, '>', 250, 'public functions were found');
is_deeply([map { "$_->{name} in $_->{file}" } out_of_place(@public)], [],
    'a public function is in the file that its name begins with');
my %named;
push @{ $named{ s{.*/}{}r } }, $_ for @files;
is_deeply([grep { @$_ > 1 } values %named], [], 'no file name is given twice');
my %defined;
$defined{ $_->{name} }{ $_->{file} } = 1 for @public;
is_deeply([grep { keys %{ $defined{$_} } > 1 } sort keys %defined], [],
    'no public name means two things');

my $exports = 0;
for my $header (grep { /\.h$/ } @files) {
    my @names = exports($header);
    $exports += @names;
    cmp_ok(scalar @names, '<=', EXPORTS_MAX, "$header: functions that it declares");
}
cmp_ok($exports, '>', 300, 'declarations were found');
cmp_ok(percentile(90, map { $_->{lines} } @functions), '<=', P90_MAX,
    'nine of ten functions are short');
done_testing;
