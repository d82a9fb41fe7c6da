package Bench::Load;

# Measures one server (or the limit) with one row's load, once. Each function returns
# a hash:
#   rate      requests a second          p50, p99   microseconds
#   cpu       microseconds of processor time of one request, less that of the client
#   errors    answers that were not right
#   latency   each percentile from 1 to 99, microseconds (wrk)
#   mb        megabytes (10^6) a second (one transfer)
#   growth    KB by which the memory of the server grew at its peak (one transfer)

use strict;
use warnings;

use Exporter 'import';
use Bench::Server qw(start_relay stop_server tree url);
use Bench::Util qw(cpu_seconds fail note processors slurp start_process write_file);

our @EXPORT_OK = qw(measure wrk read_wrk);

# Runs a program to its end and returns what it printed, the processor time of the
# machine, in seconds, less the program's own if $client, and its status.
sub timed {
    my ($client, @command) = @_;
    my $out    = "$ENV{JAILCGI_BENCH_WORK}/load.out";
    my $before = cpu_seconds();
    my @times  = times;
    waitpid start_process($out, @command), 0;
    my $status = $?;
    my @after  = times;
    my $cpu    = cpu_seconds() - $before;
    $cpu -= $after[2] + $after[3] - $times[2] - $times[3] if $client;
    return (slurp($out), $cpu, $status);
}

sub read_wrk {
    my ($text) = @_;
    my ($rate, $p50, $p99, $errors) = $text =~ /^result ([\d.]+) (\d+) (\d+) (\d+)$/m or return;
    my %result = (rate => $rate, p50 => $p50, p99 => $p99, errors => $errors);
    note("errors: $1") if $text =~ /^errors (.*)$/m;
    $result{latency} = [split ' ', $1] if $text =~ /^latency (.*)$/m;
    return \%result;
}

sub wrk_command {
    my ($name, $row) = @_;
    my @headers = map { ('-H', $_) } @{ $row->{headers} // [] };
    return (
        'timeout', $row->{seconds} + 30, 'wrk', '-t1', "-c$row->{connections}",
        "-d$row->{seconds}s", '--timeout', '20s', '--latency', @headers, '-s', $row->{lua},
        url($name, $row->{path}), '--', $row->{hosts} // 0, $row->{pause} // 0
    );
}

sub wrk {
    my ($name, $row) = @_;
    my ($text, $cpu) = timed(!$row->{with_client}, wrk_command($name, $row));
    my $result = read_wrk($text) or fail("wrk, $name, $row->{path}: $text");
    my $runs = $result->{rate} * $row->{seconds};
    $result->{cpu} = $runs ? 1e6 * $cpu / $runs : undef;
    return $result;
}

# With LD_BIND_NOW as well, to see what eager binding costs.
sub limit {
    my ($row, @environment) = @_;
    my $work = $ENV{JAILCGI_BENCH_WORK};
    my ($text, $cpu) = timed(0, 'timeout', $row->{seconds} + 30, "$work/limit", $row->{seconds},
        $row->{processes} // processors(), "$work/jail/cgi-bin/" . $row->{path}, @environment);
    my ($rate, $p50, $p99, $errors) = split ' ', $text;
    defined $errors or fail("limit, $row->{path}: $text");
    return {
        rate   => $rate,
        p50    => $p50,
        p99    => $p99,
        errors => $errors,
        cpu    => 1e6 * $cpu / ($rate * $row->{seconds} || 1)
    };
}

# --- one transfer -------------------------------------------------------------

sub memory {
    my ($pid, $field) = @_;
    return slurp("/proc/$pid/status") =~ /^$field:\s+(\d+) kB/m ? $1 : undef;
}

# Forgets the peaks of the server's processes; returns what each has now.
sub memory_before {
    my ($name) = @_;
    my %before;
    for my $pid (tree($name)) {
        open my $fh, '>', "/proc/$pid/clear_refs" or next;
        print {$fh} "5\n";
        close $fh or next;
        $before{$pid} = memory($pid, 'VmRSS');
    }
    return %before;
}

sub memory_growth {
    my (%before) = @_;
    my $most = 0;
    for my $pid (keys %before) {
        my $peak = memory($pid, 'VmHWM') // next;
        my $grew = $peak - ($before{$pid} // next);
        $most = $grew if $grew > $most;
    }
    return $most;
}

sub transfer {
    my ($name, $row) = @_;
    my $body   = $row->{upload} ? "$ENV{JAILCGI_BENCH_WORK}/body.out" : '/dev/null';
    my @upload = $row->{upload} ? ('-T', $row->{upload}, '-X', 'POST', '-H', 'Expect:') : ();
    my %before = memory_before($name);
    my ($text, $cpu) = timed(1, 'curl', '-s', '-m', 60, @upload, '-o', $body, '-w',
        'curl %{http_code} %{size_download} %{size_upload} %{time_total} %{time_starttransfer}',
        url($name, $row->{path}));
    my ($code, $down, $up, $seconds, $first) = $text =~ /^curl (\d+) (\d+) (\d+) ([\d.]+) ([\d.]+)/
      or fail("curl, $name, $row->{path}: $text");
    my $right = $code == 200 && ($row->{upload} ? $up : $down) == $row->{bytes};
    $right &&= slurp($body) == $row->{bytes} if $row->{upload};
    return {
        rate   => 1 / $seconds,
        mb     => $row->{bytes} / $seconds / 1e6,
        p50    => 1e6 * $seconds,
        p99    => 1e6 * $seconds,
        cpu    => 1e6 * $cpu,
        errors => $right ? 0 : 1,
        growth => memory_growth(%before)
    };
}

# The limit of a transfer, which is in no jail either.
sub relayed {
    my ($row)     = @_;
    my ($program) = $row->{path} =~ /^(\w+)/;
    start_relay($ENV{JAILCGI_BENCH_WORK}, "$ENV{JAILCGI_BENCH_WORK}/jail/cgi-bin/$program");
    my $result = transfer('limit', $row);
    stop_server('limit');
    return $result;
}

sub measure {
    my ($name, $row) = @_;
    return relayed($row) if $name eq 'limit' && $row->{bytes};
    return limit($row) if $name eq 'limit';
    return limit($row, 'LD_BIND_NOW=1') if $name eq 'bound';
    return $row->{bytes} ? transfer($name, $row) : wrk($name, $row);
}

1;
