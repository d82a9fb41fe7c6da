package JailCGI::Names;

# The two lists of names of environment variables in src/wire/env_names.c.

use strict;
use warnings;

use Exporter 'import';

use JailCGI::Source qw(code_of);

our @EXPORT_OK = qw(rows manual_table);

# [DROP or PASS, pattern, why] of each row of `denied` or `allowed`.
sub rows {
    my ($table) = @_;
    my $code  = code_of('src/wire/env_names.c');
    my %words = $code =~ /^#define (\w+)[\s\\]+"([^"]*)"$/mg;
    my ($body) = $code =~ /row_t \Q$table\E\[\] = \{(.*?)^\};/ms;
    my @found;
    while (($body // '') =~ /\b(DROP|PASS)\("([^"]*)", (\w+)\)/g) {
        push @found, [$1, $2, $words{$3} // die "no words for $3"];
    }
    return @found;
}

# As the manual has it: one line for each reason, in the order of the first name.
sub manual_table {
    my ($table, $what) = @_;
    my (%names, @order);
    for my $row (grep { $_->[0] eq $what } rows($table)) {
        push @order, $row->[2] if !$names{ $row->[2] };
        push @{ $names{ $row->[2] } }, "`$row->[1]`";
    }
    return map { "| $_ | @{[join ', ', @{$names{$_}}]} |\n" } @order;
}

1;
