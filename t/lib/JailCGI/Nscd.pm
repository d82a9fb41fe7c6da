package JailCGI::Nscd;

# A name service cache daemon of the test's own. Its socket's name cannot be
# chosen, so it runs only behind private_mounts(), with a /run of its own.

use strict;
use warnings;

use JailCGI::Namespace;
use POSIX ();
use Time::HiRes 'sleep';

my $main_pid = $$;
my $has_run;

sub program {
    return (grep { -x } qw(/usr/sbin/nscd build/packages/usr/sbin/nscd))[0];
}

# Only passwd is cached, as in the story.
my $conf = <<'END';
debug-level 1
enable-cache passwd yes
persistent passwd no
shared passwd no
enable-cache group no
enable-cache hosts no
enable-cache services no
enable-cache netgroup no
END

sub start {
    my ($class, $dir) = @_;
    mount_at('/run', '-t', 'tmpfs', 'tmpfs') if !$has_run++;
    mkdir '/run/nscd';
    my $self = bless { log => "$dir/nscd.log" }, $class;
    open my $fh, '>', "$dir/nscd.conf" or die "$dir/nscd.conf: $!";
    print {$fh} "logfile $self->{log}\n$conf";
    close $fh or die "$dir/nscd.conf: $!";
    $self->{pid} = fork // die "fork: $!";
    if (!$self->{pid}) {
        open STDOUT, '>', "$dir/nscd.said" or POSIX::_exit(1);
        open STDERR, '>&', \*STDOUT or POSIX::_exit(1);
        exec program(), '--foreground', '-f', "$dir/nscd.conf"
          or POSIX::_exit(127);
    }
    for (1 .. 500) {
        return $self if -S '/run/nscd/socket';
        last if waitpid($self->{pid}, POSIX::WNOHANG()) != 0;
        sleep 0.02;
    }
    die "nscd does not start; see $dir/nscd.said";
}

sub stop {
    my ($self) = @_;
    my $pid = delete $self->{pid} or return;
    kill 'TERM', $pid;
    waitpid $pid, 0;
    unlink '/run/nscd/socket';
    return;
}

# What it was asked.
sub asked {
    my ($self) = @_;
    open my $fh, '<', $self->{log} or return '';
    local $/;
    return <$fh> // '';
}

sub DESTROY {
    my ($self) = @_;
    local ($?, $!);
    $self->stop if $$ == $main_pid;
    return;
}

1;
