package JailCGI::Strace;

# The helper under strace(1), from its start on, with all its keepers and
# children; and what the trace says of each process up to its script's exec.

use strict;
use warnings;

use JailCGI::Process qw(processes);
use Time::HiRes 'sleep';

# Makes in DIR a program that is to be JailHelper.
sub new {
    my ($class, $dir, $helper) = @_;
    my $self = bless { file => "$dir/trace", program => "$dir/traced-helper" },
      $class;
    open my $fh, '>', $self->{program} or die "$self->{program}: $!";
    # -D: the helper stays the child of httpd; -y: names of descriptors
    print {$fh} <<"END_OF_PROGRAM";
#!/bin/sh
exec /usr/bin/strace -D -f -qq -y -s 4096 -o $self->{file} \\
    -e trace=%file,mmap,fchdir -e signal=none $helper "\$@"
END_OF_PROGRAM
    close $fh or die "$self->{program}: $!";
    chmod 0755, $self->{program} or die "$self->{program}: $!";
    return $self;
}

# What the kernel puts before the name of a file in another mount namespace: in a
# chroot, the way to it from the machine's root.
sub outer_root {
    my $pid = open my $fh, '-|', 'unshare', '-m', 'sh', '-c', 'cd / && echo && exec sleep 60'
      or die "unshare: $!";
    readline $fh;
    my $root = readlink "/proc/$pid/cwd";
    kill 'KILL', $pid;
    close $fh;
    return defined $root && $root ne '/' ? $root : '';
}

sub program { return $_[0]{program} }

sub is_tracer {
    my ($self, $pid) = @_;
    open my $fh, '<', "/proc/$pid/cmdline" or return 0;
    local $/;
    my $command = <$fh> // '';
    return $command =~ /strace\0.*\0\Q$self->{file}\E\0/s;
}

# After the helper has been stopped: the tracer has written all.
sub wait {
    my ($self) = @_;
    for (1 .. 500) {
        return 1 if !grep { $self->is_tracer($_) } processes();
        sleep 0.02;
    }
    die "strace has not ended; see $self->{file}";
}

# The calls in their order, each [PID, NAME, ARGUMENTS, RESULT]; a call that
# others interrupted in the trace stands where it ended.
sub all_calls {
    my ($self) = @_;
    my (@calls, %begun);
    my $outer = outer_root();
    open my $fh, '<', $self->{file} or die "$self->{file}: $!";
    while (my $line = <$fh>) {
        chomp $line;
        $line =~ s{([<"])\Q$outer\E(?=([/>"]))}{$1 . ($2 eq '/' ? '' : '/')}ge if $outer ne '';
        my ($pid, $rest) = $line =~ /^(\d+) +(.*)$/ or die "trace: $line";
        if ($rest =~ s/ <unfinished \.\.\.>$//) {
            $begun{$pid} = $rest;
            next;
        }
        if ($rest =~ s/^<\.\.\. \w+ resumed>//) {
            $rest = delete($begun{$pid}) . $rest;
        }
        if ($rest =~ /^(\w+)\((.*)\) += (.*)$/) {
            push @calls, [$pid, $1, $2, $3];
        }
    }
    return @calls;
}

# Without what is a script's own: calls behind the second exec of a process.
# The first one in the trace is that of the helper.
sub calls {
    my ($self) = @_;
    my (%is_script, @calls, $helper);
    for my $call ($self->all_calls) {
        my ($pid, $name, undef, $result) = @$call;
        next if $is_script{$pid};
        push @calls, $call;
        if ($name eq 'execve' && $result eq '0') {
            $is_script{$pid} = 1 if defined $helper;
            $helper //= $pid;
        }
    }
    return @calls;
}

1;
