package Bench::Report;

# The table, the figures of many hosts, the goals. Everything is printed as Markdown.

use strict;
use warnings;

use Exporter 'import';
use Bench::Server qw(%LABEL @SERVERS);
use Bench::Util qw(median);

our @EXPORT_OK = qw(value errors_of table figures_table accounts_rows csv);

# Median of a field over the rounds, or nothing.
sub value {
    my ($results, $row, $name, $field) = @_;
    return median(map { $_->{$field} } @{ $results->{$row}{$name} // [] });
}

sub errors_of {
    my ($results, $row, $name) = @_;
    my $sum = 0;
    $sum += $_->{errors} for @{ $results->{$row}{$name} // [] };
    return $sum;
}

sub commas {
    my ($number) = @_;
    return '-' if !defined $number;
    my $text = sprintf $number < 10 ? '%.2f' : '%.0f', $number;
    1 while $text =~ s/^(\d+)(\d{3})/$1,$2/;
    return $text;
}

sub ratio {
    my ($one, $other, $format) = @_;
    return '-' if !defined $one || !$other;
    return sprintf $format // '%.2f', $one / $other;
}

sub line {
    my ($results, $row, $name) = @_;
    my ($key, $base) = ($row->{name}, $row->{limit_row} // $row->{name});
    my $rate   = value($results, $key, $name, 'rate');
    my $mb     = value($results, $key, $name, 'mb');
    my @time   = map { my $us = value($results, $key, $name, $_); $us && $us / 1000 } qw(p50 p99);
    my $length = $row->{size};
    $mb //= $rate * $length / 1e6 if defined $rate && $length;
    return join ' | ', "| $row->{what}", $LABEL{$name}, commas($rate), commas($mb),
      (map { defined $_ ? sprintf('%.2f', $_) : '-' } @time),
      commas(value($results, $key, $name, 'cpu')),
      ratio($rate, value($results, $key,  'mod_cgid', 'rate')),
      ratio($rate, value($results, $base, 'limit',    'rate')),
      (defined $rate ? errors_of($results, $key, $name) : '-') . " |\n";
}

sub table {
    my ($results, @rows) = @_;
    my $text =
        "| row | | requests/s | MB/s | p50 ms | p99 ms | CPU us | x mod_cgid | x limit | errors |\n"
      . "|---|---|---|---|---|---|---|---|---|---|\n";
    for my $row (@rows) {
        next if !$results->{ $row->{name} };
        my @names = grep { !$row->{servers} || $row->{servers}{$_} } @SERVERS;
        push @names, grep { $row->{$_} } qw(limit bound);
        $text .= line($results, $row, $_) for @names;
    }
    return $text;
}

sub figures_table {
    my ($figures) = @_;
    return '' if !%$figures;
    my @kinds = ('none', 'mod_cgid', 'isolated');
    my $text  = "| 10,000 virtual hosts, numbers without an account | no CGI module | mod_cgid"
      . " | mod_jailcgi | x no module |\n"
      . "|---|---|---|---|---|\n";
    my $row = sub {
        my ($what, $format, $from) = @_;
        my @value = map { median(ref $from->{$_} ? @{ $from->{$_} } : $from->{$_}) } @kinds;
        $text .= join ' | ', "| $what", (map { defined ? sprintf $format, $_ : '-' } @value),
          ratio($value[2], $value[0]) . " |\n";
    };
    $row->('configtest, s',                         '%.2f', $figures->{configtest});
    $row->('start to the first answer, s',          '%.2f', $figures->{start});
    $row->('graceful restart until it is ready, s', '%.2f', $figures->{graceful});
    $row->('requests lost during it', '%d', $figures->{lost});
    $row->('memory of the server (PSS), MB', '%.0f',
        { map { $_ => ($figures->{memory}{$_} // 0) / 1024 } @kinds });
    for my $nth (0, 1) {
        my %first = map { $_ => $figures->{first_byte}{$_}[$nth] } keys %{ $figures->{first_byte} };
        $row->(('first byte, cold jail, ms', 'first byte, warm jail, ms')[$nth], '%.2f', \%first);
    }
    return $text . "\n" . accounts_table($figures);
}

# What the many hosts' users are, and what was measured of them: [what, test, without the
# module, with it].
sub accounts_rows {
    my ($figures) = @_;
    my @rows;
    for (
        ['an account each, nscd sized for them',       $figures->{accounts}{nscd_sized}],
        ['an account each, nscd as Debian has it',     $figures->{accounts}{nscd}],
        ['an account each, no nscd',                   $figures->{accounts}{files}],
        ['numbers without an account, no nscd',        { hosts => 10_000, %$figures }],
      ) {
        my ($what, $from) = @$_;
        next if !$from->{start};
        my $rounds = @{ $from->{start}{none} };
        $what = commas($from->{hosts}) . " hosts, $what";
        push @rows, [
            $what, $_, (map { median(@$_) } @{ $from->{$_} }{qw(none isolated)}), $rounds
          ]
          for qw(configtest start);
    }
    return @rows;
}

sub accounts_table {
    my ($figures) = @_;
    my $text =
      "| | | without the module, s | with it, s | x | rounds |\n|---|---|---|---|---|---|\n";
    for (accounts_rows($figures)) {
        my ($what, $test, @seconds) = @$_;
        my $rounds = pop @seconds;
        $text .= sprintf "| %s | %s | %.2f | %.2f | %s | %d |\n", $what, $test, @seconds,
          ratio(reverse @seconds), $rounds;
    }
    return $text;
}

sub csv {
    my ($results, @rows) = @_;
    my $text = "row,what,round,requests_per_second,mb_per_second,p50_us,p99_us,cpu_us,"
      . "memory_growth_kb,errors\n";
    for my $row (map { $_->{name} } @rows) {
        for my $name (sort keys %{ $results->{$row} // {} }) {
            my $round = 0;
            for my $one (@{ $results->{$row}{$name} }) {
                $text .= join(',', $row, $name, ++$round,
                    map { defined $_ ? sprintf('%.1f', $_) : '' }
                      @{$one}{qw(rate mb p50 p99 cpu growth errors)})
                  . "\n";
            }
        }
    }
    return $text;
}

1;
