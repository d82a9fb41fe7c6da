package Bench::Util;

# Small things that all parts of the benchmark use.

use strict;
use warnings;

use Exporter 'import';
use POSIX ();
use Time::HiRes qw(sleep time);

our @EXPORT_OK = qw(MANY note fail slurp write_file median private_kb run start_process stop_process
  cpu_seconds cpu_source wait_for_quiet processors);

# Virtual hosts, where there are many.
use constant MANY => $ENV{JAILCGI_BENCH_HOSTS} || 10_000;

sub note { print STDERR "@_\n"; return }
sub fail { my $text = "@_"; $! = 1; die "bench: $text\n" }

sub slurp {
    my ($path) = @_;
    open my $fh, '<', $path or return '';
    local $/ = undef;
    return scalar(<$fh>) // '';
}

sub write_file {
    my ($path, $text) = @_;
    open my $fh, '>', $path or fail("$path: $!");
    print {$fh} $text;
    close $fh or fail("$path: $!");
    return;
}

sub median {
    my @list = sort { $a <=> $b } grep { defined } @_;
    return undef if !@list;    # one value, so that it keeps its place in a list
    return @list % 2 ? $list[$#list / 2] : ($list[@list / 2] + $list[@list / 2 - 1]) / 2;
}

# Private memory of a process, in KB: what goes when it goes.
sub private_kb {
    my ($pid) = @_;
    my ($sum, $text) = (0, slurp("/proc/$pid/smaps_rollup"));
    $sum += $1 while $text =~ /^Private_\w+:\s+(\d+) kB/mg;
    return $sum;
}

sub run {
    my (@command) = @_;
    system(@command) == 0 or fail("@command: failed");
    return;
}

# A session of its own, as systemd gives it and as httpd takes when it makes itself
# a daemon: the kernel shares processors out by session.
sub start_process {
    my ($output, @command) = @_;
    my $pid = fork // fail("fork: $!");
    return $pid if $pid;
    POSIX::setsid();
    open STDIN,  '<', '/dev/null';
    open STDOUT, '>', $output;
    open STDERR, '>&', \*STDOUT;
    exec {$command[0]} @command or POSIX::_exit(127);
}

# Ends a child of ours, by its id.
sub stop_process {
    my ($pid) = @_;
    kill 'TERM', $pid;
    for (1 .. 200) {
        return if waitpid($pid, POSIX::WNOHANG()) != 0;
        sleep 0.05;
    }
    kill 'KILL', $pid;
    waitpid $pid, 0;
    return;
}

sub processors {
    my $n = () = slurp('/proc/cpuinfo') =~ /^processor\s*:/mg;
    return $n || 1;
}

# --- processor time -----------------------------------------------------------

# The scripts of mod_cgid are reaped by the kernel (SIGCHLD is ignored), so that no
# process has their times. What counts all that ran, in nanoseconds, is the cgroup in
# which the run is. Only read: nothing is made there. The root of cgroup v2 counts
# in ticks, as /proc/stat does, and so it is no better.
my $cpu_file;
my $cpu_scale = 1;

sub cpu_source {
    return $cpu_file if $cpu_file;
    for (split /\n/, slurp('/proc/self/cgroup')) {
        my ($controllers, $path) = /^\d+:([^:]*):(.*)$/ or next;
        $path = '' if $path eq '/';
        if ($controllers =~ /\bcpuacct\b/) {
            my ($file) = grep { -r } map { "/sys/fs/cgroup/$_$path/cpuacct.usage" }
              ($controllers, 'cpuacct', 'cpu,cpuacct');
            ($cpu_file, $cpu_scale) = ($file, 1e9) and last if $file;
        }
        my $file = "/sys/fs/cgroup$path/cpu.stat";
        if ($controllers eq '' && $path ne '' && -r $file) {
            ($cpu_file, $cpu_scale) = ($file, 1e6);
        }
    }
    return $cpu_file //= '/proc/stat';
}

sub cpu_seconds {
    my $text = slurp(cpu_source());
    return $1 / $cpu_scale if $text =~ /^(?:usage_usec )?(\d+)$/m;
    my ($user, $nice, $system, undef, undef, $irq, $softirq) =
      $text =~ /^cpu +(\d+) (\d+) (\d+) (\d+) (\d+) (\d+) (\d+)/;
    return ($user + $nice + $system + $irq + $softirq) / POSIX::sysconf(POSIX::_SC_CLK_TCK());
}

# --- others on the machine ----------------------------------------------------

use constant MOMENT => 0.15;

my $patience = $ENV{JAILCGI_BENCH_PATIENCE} // 60;

sub idle_ticks {
    my @field = split ' ', slurp('/proc/stat');
    return $field[4] + $field[5];
}

# Waits for 0.15 seconds in which nine tenths of the processors are idle, so
# that what others do on the machine is measured less. One that is never quiet must
# not stop the run: there are JAILCGI_BENCH_PATIENCE (60) seconds for all of it.
sub wait_for_quiet {
    my $wanted = processors() * POSIX::sysconf(POSIX::_SC_CLK_TCK()) * MOMENT * 0.9;
    while ($patience > 0) {
        my $before = idle_ticks();
        sleep MOMENT;
        return if idle_ticks() - $before >= int $wanted;
        $patience -= MOMENT;
    }
    return;
}

1;
