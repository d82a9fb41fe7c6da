# The list of system calls that scripts are refused: each with a reason, and the manual
# has the same list. The table as it should be: perl -It/lib t/lint/seccomp.t --print

use strict;
use warnings;

use lib 't/lib';
use JailCGI::Refused qw(refused_calls manual_table);
use JailCGI::Source  qw(read_file);
use Test::More;

if (@ARGV && $ARGV[0] eq '--print') {
    print manual_table();
    exit 0;
}
my @calls = refused_calls();
cmp_ok(scalar @calls, '>', 60, 'calls were found in src/httpd/config/seccomp_table.c');
my %seen;
is_deeply([grep { $seen{"$_->[0] " . ($_->[2] // '')}++ } @calls],
    [], 'none stands there twice');
is_deeply([map { $_->[0] } grep { length $_->[3] < 10 } @calls], [], 'each has a reason');

my @manual = grep { /^\| `/ } split /^/m, read_file('doc/manual/seccomp.md');
is_deeply(\@manual, [manual_table()], 'doc/manual/seccomp.md has the same table')
  or diag("perl -It/lib t/lint/seccomp.t --print\n");
done_testing;
