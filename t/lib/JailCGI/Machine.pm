package JailCGI::Machine;

=head1 NAME

JailCGI::Machine - a test that runs inside a virtual machine

=head1 SYNOPSIS

  # t/vm/unit.t, all of it
  use JailCGI::Machine;
  JailCGI::Machine::run('t/vm/guest/unit', seconds => 600);

=head1 HOW IT RUNS

The machine is a real Debian with systemd, its own kernel with cgroup v2 alone
and the stock apache2 package and unit (t/lib/machine-image). qemu emulates its
processor: no KVM is used, so that it runs wherever the tests do, and a boot
takes half a minute. What `make install` installs here is unpacked over it, as
if an administrator had installed it there, and then the script runs as root in
a unit of its own, with t/lib and conf/ in /opt/test. What it prints goes to the
machine's second serial line and comes out here as this file's own TAP.

A machine that does not boot, that ends before the script has, that takes too
long, and a script that fails or whose plan is missing are failures.

=cut

use strict;
use warnings;

use File::Copy 'copy';
use File::Path 'make_path';
use IO::Select ();
use POSIX      ();
use Time::HiRes 'time';

use JailCGI::Test;

use constant MEMORY => 1024;    # MB
use constant BOOT   => 240;     # seconds until the first line

my $pid;

sub image {
    if ($> != 0) {
        skip_or_fail('the image of a virtual machine is made by root');
    }
    open my $from, '-|', 't/lib/machine-image' or die "t/lib/machine-image: $!";
    my ($dir) = map { chomp; $_ } <$from>;
    close $from
      or skip_or_fail('no image of a virtual machine (t/lib/machine-image)');
    return $dir;
}

my $run = <<'END';
#!/bin/sh
cd /opt/test
echo "# the machine has booted: Linux $(uname -r), $(systemctl --version | head -n 1)"
[ -z "MUST_WORK" ] || export JAILCGI_MUST_WORK=1
perl -Ilib script 2>&1
echo "END OF SCRIPT $?"
END

sub put {
    my ($file, $content) = @_;
    open my $fh, '>', $file or die "$file: $!";
    print {$fh} $content;
    close $fh or die "$file: $!";
    chmod 0755, $file or die "$file: $!";
    return;
}

# The second disk: a tar file of what is to lie in the machine.
sub disk {
    my ($script) = @_;
    my $dir  = JailCGI::Test::work_dir();
    my $tree = "$dir/tree";
    make_path("$tree/opt/test");
    system('cp', '-a', JailCGI::Test::run_dir() . '/installed/.', $tree) == 0
      && system('cp', '-rL', 't/lib', 'conf', 'build/probe', "$tree/opt/test") == 0
      or die "cannot copy to $tree";
    copy($script, "$tree/opt/test/script") or die "$script: $!";
    my $must = $ENV{JAILCGI_MUST_WORK} // '';
    put("$tree/opt/test/run", $run =~ s/MUST_WORK/$must/r);
    system('tar', '--owner=0', '--group=0', '-C', $tree, '-cf', "$dir/disk.tar",
        'opt', 'usr') == 0
      or die 'tar failed';
    return "$dir/disk.tar";
}

sub command {
    my ($image, $disk) = @_;
    my $dir = JailCGI::Test::work_dir();
    return (
        'qemu-system-x86_64',
        split(' ', '-accel tcg,thread=multi -cpu max -smp 2 -display none'),
        qw(-no-reboot -nodefaults -no-user-config -m), MEMORY,
        '-kernel', "$image/vmlinuz", '-initrd', "$image/initrd.img",
        '-append', 'console=ttyS0 root=/dev/vda rw quiet panic=-1',
        '-drive', "file=$image/disk.img,format=raw,if=virtio,snapshot=on",
        '-drive', "file=$disk,format=raw,if=virtio,readonly=on",
        '-serial', "file:$dir/console",
        '-serial', 'stdio'
    );
}

sub start {
    my (@command) = @_;
    my $dir = JailCGI::Test::work_dir();
    pipe my $read, my $write or die "pipe: $!";
    $pid = fork // die "fork: $!";
    if (!$pid) {
        # A session of its own: what check kills when this file was killed.
        POSIX::setsid();
        $ENV{TMPDIR} = $dir;    # for what the machine writes to its disk
        open STDIN,  '<',  '/dev/null' or POSIX::_exit(1);
        open STDOUT, '>&', $write      or POSIX::_exit(1);
        open STDERR, '>',  "$dir/said" or POSIX::_exit(1);
        exec @command or POSIX::_exit(127);
    }
    put(JailCGI::Test::run_dir() . "/pid.$pid", '');
    return $read;
}

sub stop {
    return if !$pid;
    kill 'KILL', $pid;
    waitpid $pid, 0;
    unlink JailCGI::Test::run_dir() . "/pid.$pid";
    undef $pid;
    return;
}

# Returns what gives the lines of the machine as they come: undef at its end,
# '' when the time is up.
sub reader {
    my ($from, $end) = @_;
    my ($buffer, $select) = ('', IO::Select->new($from));
    return sub {
        my ($until) = @_;
        $until = $end if !defined $until || $until > $end;
        while ($buffer !~ /\n/) {
            my $left = $until - time;
            return '' if $left <= 0 || !$select->can_read($left);
            sysread($from, $buffer, 65536, length $buffer) or return;
        }
        $buffer =~ s/\A(.*)\n//;
        return $1 =~ s/\r+\z//r . "\n";
    };
}

sub tail {
    my ($file) = @_;
    my @lines = split /\n/, JailCGI::Httpd::slurp($file);
    @lines = @lines[-30 .. -1] if @lines > 30;
    return map { s/\e\[[\d;?]*\w//gr =~ s/[^\t\x20-\x7e]//gr } @lines;
}

# The TAP of this file is the machine's; one more test says what is wrong.
sub failed {
    my ($why, $tests) = @_;
    my $dir = JailCGI::Test::work_dir();
    stop();
    for my $file (grep { -e "$dir/$_" } qw(console said)) {
        diag("$file: $_") for tail("$dir/$file");
    }
    printf "not ok %d - the virtual machine: %s\n", $tests + 1, $why;
    exit 1;
}

# Passes lines on until the script says that it has ended; returns its status,
# how many tests came, how many of them failed and how many were planned.
sub relay {
    my ($next) = @_;
    my ($tests, $failed, $plan, $line) = (0, 0);
    for ($line = $next->(time + BOOT) ; $line ; $line = $next->()) {
        return ($1, $tests, $failed, $plan) if $line =~ /^END OF SCRIPT (\d+)$/;
        $tests++  if $line =~ /^(?:not )?ok\b/;
        $failed++ if $line =~ /^not ok\b(?!.*# TODO)/;
        $plan = $1 if $line =~ /^1\.\.(\d+)/;
        # What is no TAP could be read as some.
        $line = "# $line" if $line !~ /^\s*(?:#|(?:not )?ok\b|1\.\.\d)/;
        print $line;
    }
    failed(defined $line ? 'its time is up' : 'it stopped', $tests);
    return;
}

# Passes on what a machine prints for at most so many seconds, and ends this
# test file with it.
sub follow {
    my ($from, $seconds) = @_;
    my $started = time;
    # Test::More sees none of the tests and would make a failure of that.
    Test::More->builder->no_ending(1);
    my ($status, $tests, $failed, $plan) = relay(reader($from, $started + $seconds));
    my $wrong =
        !$tests            ? 'the script ran no test'
      : !defined $plan     ? 'the script ended without a plan'
      : $plan != $tests    ? "$plan tests planned and $tests run"
      : $status != $failed ? "the script's status is $status"
      :                      undef;
    failed($wrong, $tests) if $wrong;
    stop();
    printf "# %d s in all\n", time - $started;
    exit($failed ? 1 : 0);
}

sub run {
    my ($script, %option) = @_;
    my @command = command(image(), disk($script));
    follow(start(@command), $option{seconds} || 600);
    return;
}

END {
    my $status = $?;
    stop();
    $? = $status;
}

1;
