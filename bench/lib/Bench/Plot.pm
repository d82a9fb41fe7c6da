package Bench::Plot;

# Three plots by gnuplot, each as SVG and PNG, with the data files that they were
# made from.

use strict;
use warnings;

use Exporter 'import';
use File::Path 'make_path';
use Bench::Report 'value';
use Bench::Server qw(%LABEL @SERVERS);
use Bench::Util qw(fail median write_file);

our @EXPORT_OK = qw(plots);

my %colour = (
    mod_cgi     => '#999999',
    mod_cgid    => '#d95f02',
    suexec      => '#e6ab02',
    sbox        => '#a6761d',
    mod_jailcgi => '#7570b3',
    isolated    => '#1b9e77',
);

# $data: {name => [[x, y], ...]}. Draws what has points.
sub draw {
    my ($dir, $name, $settings, $data) = @_;
    my @curves;
    for my $server (grep { @{ $data->{$_} // [] } } @SERVERS) {
        my $file = "$dir/$name-$server.dat";
        write_file($file, join '', map { "@$_\n" } @{ $data->{$server} });
        my $width = $server eq 'isolated' ? 3 : 2;
        my $style = $settings =~ /logscale x/ ? 'linespoints pt 7 ps 0.7' : 'lines';
        push @curves, "'$file' with $style lw $width lc rgb '$colour{$server}'"
          . " title '$LABEL{$server}'";
    }
    return if !@curves;
    my $script = "set grid lc rgb '#dddddd'\nset key outside right top\n$settings\n";
    my %terminal = (
        svg => "svg noenhanced size 900,450 font 'sans-serif,13' background rgb 'white'",
        png => 'pngcairo noenhanced size 900,450',
    );
    for my $type (sort keys %terminal) {
        $script .= "set terminal $terminal{$type}\nset output '$dir/$name.$type'\nplot "
          . join(', ', @curves) . "\n";
    }
    write_file("$dir/$name.gnuplot", $script);
    system("gnuplot $dir/$name.gnuplot >$dir/$name.log 2>&1") == 0
      or fail("gnuplot failed: see $dir/$name.log");
    return "$dir/$name.svg";
}

sub points {
    my ($results, $pairs) = @_;
    my %data;
    for my $server (@SERVERS) {
        for (@$pairs) {
            my ($x, $row) = @$_;
            my $rate = value($results, $row, $server, 'rate') // next;
            push @{ $data{$server} }, [$x, $rate];
        }
    }
    return \%data;
}

sub latency {
    my ($results, $row) = @_;
    my %data;
    for my $server (@SERVERS) {
        my @rounds = grep { $_->{latency} } @{ $results->{$row}{$server} // [] } or next;
        for my $percent (1 .. 99) {
            my $us = median(map { $_->{latency}[$percent - 1] } @rounds);
            push @{ $data{$server} }, [$percent, $us / 1000];
        }
    }
    return \%data;
}

# Returns the names of the SVG files.
sub plots {
    my ($dir, $results, $connections) = @_;
    make_path($dir);
    my ($tenants) = sort map { /^hosts10000-(\d\d+)$/ ? $1 : () } keys %$results;
    return grep { defined } (
        draw($dir, 'concurrency', <<'END',
set title 'A static C program: requests a second over requests at once'
set xlabel 'requests at once'
set ylabel 'requests a second'
set logscale x 2
set xtics (1, 4, 8, 32, 256)
set xrange [*:300]
set yrange [0:*]
END
            points($results,
                [[1, 'c1'], [4, 'c4'], [$connections, 'static'], [32, 'c32'], [256, 'c256']])
        ),
        draw($dir, 'tenants', <<'END',
set title 'A static C program, 8 at once: requests a second over tenants'
set xlabel 'tenants: 1 of 1 host, 100 of 100 hosts, 1,000 of 10,000 hosts'
set ylabel 'requests a second'
set logscale x 10
set yrange [0:*]
END
            points($results,
                [[1, 'hosts1-1'], [100, 'hosts100-100'],
                    $tenants ? [$tenants, "hosts10000-$tenants"] : ()])
        ),
        draw($dir, 'latency', <<'END',
set title 'A static C program, 8 at once: percentiles of the time of a request'
set xlabel 'percentile'
set ylabel 'milliseconds'
set logscale y 10
set xrange [0:100]
END
            latency($results, 'static')
        ),
    );
}

1;
