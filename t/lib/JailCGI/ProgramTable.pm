package JailCGI::ProgramTable;

# Reads t/programs/debian.table, and makes the table of doc/manual/debian.md from it:
#
#   perl -It/lib -MJailCGI::ProgramTable -e 'print JailCGI::ProgramTable::markdown()'

use strict;
use warnings;

use Exporter 'import';

our @EXPORT = qw(programs);

my $file = 't/programs/debian.table';

# A list of {name, packages, short, with, lines, script, status, differs}.
sub programs {
    my (@programs, $entry);
    open my $fh, '<', $file or die "$file: $!";
    while (defined(my $line = readline $fh)) {
        chomp $line;
        if ($line =~ /^([\w-]+): (.+)/) {
            $entry = { name => $1, packages => [split ' ', $2], lines => { host => [], root => [] }, script => '',
                status => 0, differs => {} };
            $entry->{with} = join ' ', map({ "--package $_" } @{ $entry->{packages} }),
              '--with-depends';
            push @programs, $entry;
        }
        elsif ($line =~ /^ {4}\$ (.*)/)        { $entry->{script} .= "$1\n" }
        elsif ($line =~ /^ {4}short$/)         { $entry->{short} = 1 }
        elsif ($line =~ /^ {4}(with) (.+)/)    { $entry->{with} = $2 }
        elsif ($line =~ /^ {4}status (\d+)$/)  { $entry->{status} = $1 }
        elsif ($line =~ /^ {4}line (host|root|both) (.+)/) {
            push @{ $entry->{lines}{$_} }, $2 for $1 eq 'both' ? qw(host root) : $1;
        }
        elsif ($line =~ /^ {4}differs (host|root|both): (.+)/) {
            my @kinds = $1 eq 'both' ? qw(host root) : $1;
            @{ $entry->{differs} }{@kinds} = ($2) x @kinds;
        }
        elsif ($line !~ /^(?:#.*)?$/) { die "$file, line $.: cannot read '$line'" }
    }
    return @programs;
}

# The packages of all programs, each once.
sub packages {
    my %seen;
    return grep { !$seen{$_}++ } map { @{ $_->{packages} } } programs();
}

sub works {
    my ($entry, $kind) = @_;
    return 'no' if $entry->{differs}{$kind};
    return join(', ', map { "`$_`" } @{ $entry->{lines}{$kind} }) || 'yes';
}

sub markdown {
    my @rows = ("| program | `mkjail` | in that jail | `JailRoot host` | what differs |\n",
        "|---|---|---|---|---|\n");
    for my $entry (sort { lc $a->{name} cmp lc $b->{name} } programs()) {
        my %reason = map { $_ => 1 } values %{ $entry->{differs} };
        push @rows, sprintf "| %s | `%s` | %s | %s | %s |\n", $entry->{name},
          $entry->{with} =~ s/ --with-depends$//r, works($entry, 'root'), works($entry, 'host'),
          join '; ', sort keys %reason;
    }
    return join '', @rows;
}

1;
