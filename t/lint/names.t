# Names of environment variables: the lists of src/wire/env_names.c are sorted as its search
# needs them, every row can be reached, and the manual has the same lists. The tables as
# they should be: perl -It/lib t/lint/names.t --print

use strict;
use warnings;

use lib 't/lib';
use JailCGI::Names  qw(rows manual_table);
use JailCGI::Source qw(read_file);
use Test::More;

my @tables = (['denied', 'DROP'], ['denied', 'PASS'], ['allowed', 'PASS']);
if (@ARGV && $ARGV[0] eq '--print') {
    print map { (manual_table(@$_), "\n") } @tables;
    exit 0;
}

for my $table (qw(denied allowed)) {
    my @rows = rows($table);
    cmp_ok(scalar @rows, '>', 40, "$table: rows were found");
    my @first = map { substr $_->[1], 0, 1 } @rows;
    is_deeply(\@first, [sort @first], "$table: sorted by the first character");
    my @unreached;
    for my $i (0 .. $#rows) {
        my $name = $rows[$i][1] =~ s/\*$//r;
        push @unreached, "$rows[$i][1] below $_->[1]" for grep {
            $_->[1] eq $rows[$i][1]
              || ($_->[1] =~ /^(.*)\*$/ && index($name, $1) == 0)
        } @rows[0 .. $i - 1];
    }
    is_deeply(\@unreached, [], "$table: no row is covered by one above it");
    is_deeply([grep { !/^[A-Za-z_][A-Za-z0-9_]*\*?$/ || length > 30 } map { $_->[1] } @rows],
        [], "$table: all are patterns of names");
}
is_deeply(
    [map { $_->[1] } grep { $_->[0] eq 'PASS' && !covered($_->[1]) } rows('denied')],
    [], 'each exception is one');

sub covered {
    my ($name) = @_;
    return grep { $_->[0] eq 'DROP' && $_->[1] =~ /^(.*)\*$/ && index($name, $1) == 0 }
      rows('denied');
}

my @manual = grep { /^\| .*`/ } split /^/m, read_file('doc/manual/environment.md');
is_deeply(\@manual, [map { manual_table(@$_) } @tables], 'doc/manual/environment.md has the same lists')
  or diag("perl -It/lib t/lint/names.t --print\n");
done_testing;
