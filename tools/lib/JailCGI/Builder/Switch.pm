package JailCGI::Builder::Switch;

# Changes /usr in one step. A second /usr is made in ROOT/.jailcgi~next, of hard links
# to the files of the first; the run changes the second, and exchanges them when it
# is whole. At whatever point the run is cut off, /usr is the old or the new one, and
# the loader never meets the C library of another build.
#
# This is not possible if somebody else may write below /usr at the same time, if a
# file system is mounted there, also in the mount namespace of a process, or if the
# file system of the jail cannot exchange names. The files are then replaced one by
# one (Writer.pm), and why() says why.
#
# Runs in:   jailcgi, started by the administrator
# Privilege: root
# Trusts:    the guard of the jail (Jail.pm); cp, find and rm of the host
# Never:     changes the root directory itself, which running jails hold

use strict;
use warnings;

use JailCGI::Builder::Ask qw(run program);
use JailCGI::Builder::Exchange qw(exchange can_exchange);
use JailCGI::Builder::Say qw(refuse failed quoted shown);
use JailCGI::Builder::Tree;

# Nobody but root can enter it.
use constant NEXT => '.jailcgi~next';

sub new {
    my ($class, $jail) = @_;
    return bless { jail => $jail }, $class;
}

# Removes what a run has left there, which is never part of the jail. Says whether there
# was anything.
sub clear {
    my ($self) = @_;
    delete $self->{fh};
    my $jail = $self->{jail};
    return 0 if !$jail->lstat_of('/' . NEXT);
    my $mount = mounted_below($jail, '/' . NEXT . '/', 'self');
    refuse($jail->name . '/' . NEXT, "cannot be removed: $mount", 'umount what is in it') if $mount;
    my $path = "/proc/$$/fd/" . fileno($jail->{fh}) . '/' . NEXT;
    my ($status, $said) = run([program('rm') // 'rm', '-rf', '--one-file-system', '--', $path],
        both => 1);
    $jail->forget;
    refuse($jail->name . '/' . NEXT, 'cannot be removed: ' . ($said =~ /(.*)/)[0],
        'umount what is in it') if $status;
    return 1;
}

# The handle of .jailcgi~next, which is made when it is first needed.
sub next_fh {
    my ($self) = @_;
    return $self->{fh} if $self->{fh};
    my $at = JailCGI::Builder::Tree::entry($self->{jail}{fh}, NEXT);
    mkdir $at, 0700 or failed('mkdir', $self->{jail}->name . '/' . NEXT);
    sysopen my $fh, $at, JailCGI::Builder::Tree::DIRECTORY
      or failed('open', $self->{jail}->name . '/' . NEXT);
    return $self->{fh} = $fh;
}

# Why /usr cannot be exchanged, or nothing.
sub why {
    my ($self) = @_;
    my $jail = $self->{jail};
    can_exchange($self->next_fh)
      or return "its file system cannot exchange two names in one step ($!)";
    my $usr = $jail->resolve('/usr');
    return '/usr is no directory' if !$usr->{fh} || $usr->{path} ne '/usr';
    my $at = "/proc/$$/fd/" . fileno($usr->{fh}) . '/';
    my ($status, $said) = run([program('find') // 'find', $at, '-type', 'd', '(', '!', '-user', '0',
            '-o', '-perm', '/022', ')', '-print', '-quit']);
    return 'its directories cannot be listed' if $status;
    return shown("/usr/$1") . ' can be written by others than root' if $said =~ m{^\Q$at\E(.*)$}m;
    return mounted_below($jail, '/usr/');
}

# Makes the second /usr.
sub prepare {
    my ($self) = @_;
    my $usr = $self->{jail}->resolve('/usr')->{fh} or failed('open', $self->{jail}->name . '/usr');
    my @at = map { "/proc/$$/fd/" . fileno $_ } $usr, $self->next_fh;
    my ($status, $said) = run([program('cp') // 'cp', '-a', '-l', '-x', '-T', '--', "$at[0]/.",
            "$at[1]/usr"], both => 1);
    return 1 if !$status;
    return refuse($self->{jail}->name . '/' . NEXT, 'a second /usr cannot be made there: '
          . ($said =~ /([^:\n]+)\n*$/ ? $1 =~ s/^ //r : 'cp fails'), 'make room for it');
}

# What a Tree reads elsewhere, so that it shows the second /usr.
sub instead { return { '/usr' => [$_[0]->next_fh, 'usr'] } }

# Puts the second /usr in the place of the first; called again, puts it back.
sub turn {
    my ($self) = @_;
    exchange($self->next_fh, 'usr', $self->{jail}{fh}, 'usr')
      or failed('exchange', $self->{jail}->name . '/usr');
    $self->{jail}->forget;
    return;
}

# A sentence on the first mount at PATH (with a slash at its end) of the jail or below,
# in the namespace of any process; or nothing. A keeper mounts what JailMount names
# where the machine does not see it. With ALONE, only in that of this process.
sub mounted_below {
    my ($jail, $path, $alone) = @_;
    my ($device, $root) = place_of($jail)
      or return 'it cannot be seen what is mounted in it (/proc/self/mountinfo)';
    my %seen;
    for my $pid ('self', $alone ? () : sort map { m{/(\d+)$} } glob '/proc/[0-9]*') {
        my $namespace = readlink "/proc/$pid/ns/mnt" or next;
        next if $seen{$namespace}++;
        my $mounts = mounts($pid);
        for my $mount (values %$mounts) {
            my $parent = $mounts->{ $mount->{parent} } or next;
            next if $parent->{device} ne $device;
            my $place = joined($parent->{root}, below($mount->{at}, $parent->{at}) // next);
            return shown(substr $place, length $root) . ' is a mount point'
              . ($pid eq 'self' ? '' : " for process $pid")
              if index("$place/", "$root$path") == 0;
        }
    }
    return;
}

# The device of the jail's file system, and the jail's path in it.
sub place_of {
    my ($jail) = @_;
    my $mount = mounts('self')->{ JailCGI::Builder::Tree::mount_of($jail->{fh}) } or return;
    my $path = readlink '/proc/self/fd/' . fileno $jail->{fh};
    my $place = joined($mount->{root}, below($path, $mount->{at}) // return);
    return ($mount->{device}, $place eq '/' ? '' : $place);
}

# {ID => {parent, device, root, at}} of the mounts that a process sees (proc(5)).
sub mounts {
    my ($pid) = @_;
    my %mounts;
    open my $fh, '<', "/proc/$pid/mountinfo" or return {};
    while (my $line = <$fh>) {
        my ($id, $parent, $device, $root, $at) = split ' ', $line;
        s/\\([0-7]{3})/chr oct $1/ge for $root, $at;
        $mounts{$id} = { parent => $parent, device => $device, root => $root, at => $at };
    }
    return \%mounts;
}

# What follows ABOVE in PATH, or undef if PATH is not there.
sub below {
    my ($path, $above) = @_;
    return $path if $above eq '/';
    return '' if $path eq $above;
    return index($path, "$above/") == 0 ? substr $path, length $above : undef;
}

sub joined {
    my ($root, $rest) = @_;
    return ($root eq '/' ? '' : $root) . ($rest eq '/' ? '' : $rest) || '/';
}

1;
