package Bench::Hosts;

# What many virtual hosts cost. Each host is a tenant of its own, with the same
# program, which belongs to root (JailTrust), so that its file is in memory once.
# mod_cgid and mod_jailcgi take turns on one port: two servers with 10,000 hosts need
# not be up at the same time. One with a single host is up beside each, to be compared.

use strict;
use warnings;

use Exporter 'import';
use Time::HiRes qw(sleep time);
use Bench::Load qw(read_wrk wrk);
use Bench::Server qw(answer cgid_lines common_lines configtest jail_lines start_server stop_server tree
  url);
use Bench::Util qw(MANY fail median note private_kb slurp start_process wait_for_quiet write_file);

our @EXPORT_OK = qw(measure_hosts);

use constant {
    FIRST_UID => 70_000,
    PATH      => '/cgi-bin/static',
};

my ($work, $top, $quick, $results, $figures);

# The name of the server, and so its port. Few hosts have the place of the kind's own
# server, which is not up any more.
sub name_of {
    my ($kind, $hosts) = @_;
    return $hosts == MANY ? 'hosts' : $kind;
}

# kind: none, mod_cgid, isolated. The same lines but for what a kind needs.
sub config {
    my ($kind, $hosts) = @_;
    my $name = name_of($kind, $hosts);
    my $text = common_lines($work, $name);
    my ($port) = $text =~ /^Listen 127.0.0.1:(\d+)/m;
    $text =~ s/^LogLevel .*/LogLevel warn mpm_event:notice/m;
    $text .= cgid_lines($work, $name) if $kind eq 'mod_cgid';
    $text .= jail_lines($work, 1) . "JailTrust /shared\nJailIdle 1h\n" if $kind eq 'isolated';
    for my $i (0 .. $hosts - 1) {
        my $uid = FIRST_UID + $i;
        $text .= "<VirtualHost 127.0.0.1:$port>\nServerName s$i\n"
          . "ScriptAlias /cgi-bin/ $work/jail/shared/\n"
          . ($kind eq 'isolated' ? "JailUser \"#$uid\" \"#$uid\"\n" : '')
          . "</VirtualHost>\n";
    }
    my $file = "$work/servers/$name/httpd-$kind-$hosts.conf";
    write_file($file, $text);
    return $file;
}

sub start { return start_server($work, name_of(@_), config(@_)) }

sub error { $figures->{errors}{ $_[0] }++; note("ERROR: $_[0]"); return }

# First and second request of each tenant, in milliseconds.
sub warm {
    my ($kind, $hosts, $tenants) = @_;
    my (@cold, @warm);
    for my $i (0 .. $tenants - 1) {
        for my $list (\@cold, \@warm) {
            my ($text, $first) = answer(name_of($kind, $hosts), PATH, "s$i");
            return error("$kind, host s$i: no answer: " . substr $text, 0, 100)
              if $text !~ /hello/;
            push @$list, 1000 * $first;
        }
    }
    return (\@cold, \@warm);
}

sub load {
    my ($kind, $hosts, $tenants) = @_;
    my %row = (
        path        => 'static',
        lua         => "$top/bench/report.lua",
        seconds     => 1,
        connections => 8,
        hosts       => $tenants,
    );
    wait_for_quiet();
    my $result = wrk(name_of($kind, $hosts), \%row);
    push @{ $results->{"hosts$hosts-$tenants"}{$kind} }, $result;
    note(sprintf '%d hosts, %d tenants, %s: %.0f/s', $hosts, $tenants, $kind, $result->{rate});
    return;
}

sub helpers { return grep { slurp("/proc/$_/cmdline") =~ /jailcgi-helper/ } tree($_[0]) }

# Private memory of the helper in KB.
sub helper_memory {
    my ($pid) = helpers(@_) or return;
    return private_kb($pid);
}

# Memory of the whole server in KB, shared pages counted once.
sub memory {
    my $sum = 0;
    for my $text (map { slurp("/proc/$_/smaps_rollup") } tree('hosts')) {
        $sum += $1 if $text =~ /^Pss:\s+(\d+) kB/m;
    }
    return $sum;
}

sub keepers {
    return sort grep { slurp("/proc/$_/cmdline") =~ /^jailcgi-keeper/ } tree('hosts');
}

# A graceful restart under load, each request on a connection of its own: a client
# that keeps one open has to send again by itself when a server closes it.
sub graceful {
    my ($kind) = @_;
    my $log    = "$work/servers/hosts/error.log";
    my $resume = () = slurp($log) =~ /resuming normal operations/g;
    my @before = keepers();
    my @helper = helpers('hosts');
    my $out    = "$work/graceful.out";
    my $wrk    = start_process($out, 'timeout', 60, 'wrk', '-t1', '-c4', '-d4s', '--timeout', '20s',
        '-H', 'Connection: close', '-s', "$top/bench/report.lua", url('hosts', 'static'), '--', 10);
    sleep 1.5;
    my $start = time;
    kill 'USR1', (tree('hosts'))[0];
    while (time - $start < 30) {
        last if (() = slurp($log) =~ /resuming normal operations/g) > $resume;
        sleep 0.01;
    }
    push @{ $figures->{graceful}{$kind} }, time - $start;
    waitpid $wrk, 0;
    my $result = read_wrk(slurp($out)) or fail('wrk: ' . slurp($out));
    $figures->{lost}{$kind} = $result->{errors};
    return if $kind ne 'isolated';    # what a peer loses is shown, and is not our error
    error("$result->{errors} requests without answer during a graceful restart")
      if $result->{errors};
    my %after = map { $_ => 1 } keepers();
    my $warm  = grep { $after{$_} } @before;
    @{$figures}{qw(keepers_before keepers_same)} = (scalar @before, $warm);
    return if $warm == @before;
    error("a graceful restart ended " . (@before - $warm) . " of " . @before . ' warm jails');
    note("helper before: @helper, after: @{[helpers('hosts')]}");
    return;
}

sub test_many {
    my ($kind) = @_;
    my ($seconds, $said) = configtest($work, config($kind, MANY));
    push @{ $figures->{configtest}{$kind} }, $seconds;
    error("$kind: configtest: $said") if $said !~ /^Syntax OK/m;
    return;
}

sub start_many {
    my ($kind, $round) = @_;
    test_many($kind);
    push @{ $figures->{start}{$kind} }, start($kind, MANY);
    sleep 0.3;
    if ($round == 1) {
        $figures->{memory}{$kind} = memory();
        $figures->{helper}{ MANY() } = helper_memory('hosts') if $kind eq 'isolated';
    }
    return;
}

# The single host and the many in turn: they are compared, and the machine's speed changes.
sub load_many {
    my ($kind, $tenants) = @_;
    start($kind, 1);
    warm($kind, 1, 1);
    $figures->{helper}{1} //= helper_memory($kind) if $kind eq 'isolated';
    for (1 .. ($quick || $kind ne 'isolated' ? 1 : 4)) {
        load($kind, @$_) for [1, 1], [MANY, 1], [MANY, $tenants];
    }
    stop_server($kind);
    return;
}

sub few_hosts {
    my ($hosts) = @_;
    for my $kind ('mod_cgid', 'isolated') {
        start($kind, $hosts);
        warm($kind, $hosts, $hosts);
        load($kind, $hosts, $hosts);
        stop_server($kind);
    }
    return;
}

sub many_hosts {
    my ($round) = @_;
    my $tenants = $quick ? 100 : 1000;
    start_many('none', $round);
    stop_server('hosts');
    for my $kind ('mod_cgid', 'isolated') {
        start_many($kind, $round);
        my ($cold, $warm) =
          warm($kind, MANY, $round == 1 || $kind eq 'isolated' ? $tenants : 10);
        $figures->{first_byte}{$kind} = [median(@$cold), median(@$warm)]
          if $cold && $round == 1;
        load_many($kind, $tenants);
        graceful($kind) if $round == 1;
        stop_server('hosts');
    }
    return;
}

sub measure_hosts {
    ($work, $top, $quick, $results, $figures) = @_;
    for my $round (1 .. ($quick ? 1 : 3)) {
        few_hosts(100) if !$quick;
        many_hosts($round);
    }
    return;
}

1;
