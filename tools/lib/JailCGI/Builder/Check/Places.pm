package JailCGI::Builder::Check::Places;

# Checks what programs expect: devices, /tmp, name service, and all files that the
# builder once put into the jail.
#
# Runs in:   jailcgi check
# Privilege: root
# Trusts:    nothing in the jail
# Never:     opens a device

use strict;
use warnings;

use Fcntl ':mode';
use POSIX ();

use JailCGI::Builder::Say qw(quoted);
use JailCGI::Builder::System qw(devices device_links);
use JailCGI::Builder::Tree;

sub check {
    my ($check) = @_;
    mount_options($check);
    check_devices($check);
    check_tmp($check);
    check_name_service($check);
    check_files($check);
    return;
}

sub own_remedy {
    my ($check, $otherwise) = @_;
    return $check->{told} ? 'jailcgi update ' . $check->shown_root : $otherwise;
}

# The mount options of the file system of the jail's root.
sub mount_options {
    my ($check) = @_;
    my $id = JailCGI::Builder::Tree::mount_of($check->{jail}{fh});
    open my $fh, '<', '/proc/self/mountinfo' or return;
    my ($mount) = grep { /^$id / } <$fh>;
    # It is not listed if jailcgi itself runs in a chroot.
    my (undef, undef, undef, undef, $at, $options) = split ' ', $mount // return;
    for my $option (qw(nodev noexec)) {
        next if ",$options," !~ /,$option,/;
        $check->finding('mount', '', "how its file system is mounted ($option)", $option,
            $option eq 'nodev' ? 'dev, or no device works' : 'exec, or no program starts',
            'mount -o remount,' . ($option =~ s/^no//r) . ' ' . quoted($at));
    }
    return;
}

sub check_devices {
    my ($check) = @_;
    my ($devices, $links) = (devices(), device_links());
    for my $name (sort keys %$devices) {
        my ($major, $minor) = @{ $devices->{$name} };
        my $found = $check->{jail}->resolve("/dev/$name");
        my $why = device_wrong($found, $major << 8 | $minor) or next;
        my $at = quoted("$check->{root}/dev/$name");
        $check->finding('device', "/dev/$name", 'a device', $why,
            "a character device $major, $minor with mode 0666",
            "rm -f $at; jailcgi " . ($check->{told} ? 'update ' : 'mkjail ') . $check->shown_root);
    }
    for my $name (sort keys %$links) {
        my @st = $check->{jail}->lstat_of("/dev/$name");
        next if @st;
        $check->finding('device', "/dev/$name", 'a link', 'none', "a link to $links->{$name}",
            own_remedy($check, "ln -s $links->{$name} " . quoted("$check->{root}/dev/$name")));
    }
    return;
}

sub device_wrong {
    my ($found, $rdev) = @_;
    my $st = $found->{st} or return 'none';
    return 'no character device' if !S_ISCHR($st->[2]);
    return sprintf 'device %d, %d', $st->[6] >> 8, $st->[6] & 255 if $st->[6] != $rdev;
    return sprintf 'mode %04o', $st->[2] & 07777 if ($st->[2] & 0666) != 0666;
    return;
}

# /tmp is for everybody with the sticky bit, or belongs to the tenant.
sub check_tmp {
    my ($check) = @_;
    my $st = $check->{jail}->resolve('/tmp')->{st};
    my $mode = $st ? $st->[2] & 07777 : 0;
    return if $st && S_ISDIR($st->[2]) && ($mode == 01777 || ($st->[4] && !($mode & 022)));
    my $at = quoted("$check->{root}/tmp");
    $check->finding('tmp', '/tmp', 'a directory for temporary files',
        $st ? sprintf('uid %d, mode %04o', $st->[4], $mode) : 'none',
        'uid 0, mode 1777, or a directory of the tenant',
        $st ? "chmod 1777 $at" : own_remedy($check, "install -d -m 1777 $at"));
    return;
}

# Checks the modules that nsswitch.conf names and the host has. Since glibc 2.34 the
# C library contains files and dns.
sub check_name_service {
    my ($check) = @_;
    my $text = $check->{jail}->read_file('/etc/nsswitch.conf');
    if (!defined $text) {
        $check->finding('name-service', '/etc/nsswitch.conf', 'which name services are used',
            'none', 'a file', own_remedy($check, 'jailcgi mkjail ' . $check->shown_root));
        return;
    }
    my $shell = $check->{host_loader}->object('/bin/sh');
    return if !$shell || !$shell->{elf}{interp};
    my $interp = $shell->{elf}{interp};
    my $libc = $check->{loader}->find('libc.so.6', $shell, $interp) or return;
    my $built_in = ($libc->{elf}{defines} || {})->{'GLIBC_2.34'};
    for my $service (JailCGI::Builder::System::services($text)) {
        next if $built_in && $service =~ /^(?:files|dns)$/;
        my $name = "libnss_$service.so.2";
        next if $check->{loader}->find($name, $shell, $interp);
        my $there = $check->{host_loader}->find($name, $shell, $interp);
        next if !$there && $service !~ /^(?:files|dns)$/;
        $check->finding('name-service', '/etc/nsswitch.conf',
            "$service, which it names", "no $name", 'the module',
            $there ? $check->remedy_for($there->{path})
            : "take $service out of " . quoted("$check->{root}/etc/nsswitch.conf"));
    }
    return;
}

# Checks the files that jailcgi has put there.
sub check_files {
    my ($check) = @_;
    my %named = map { ("/dev/$_" => 1) } keys %{ devices() }, keys %{ device_links() };
    $named{'/tmp'} = $named{'/etc/nsswitch.conf'} = 1;
    for my $path (sort keys %{ $check->{files} }) {
        next if $named{$path};
        my @st = $check->{jail}->lstat_of($path);
        shared_file($check, $path, \@st) if @st && S_ISREG($st[2]) && $st[3] > 1;
        next if @st;
        $check->finding('missing-file', $path, 'what jailcgi had put there', 'none',
            'the file', 'jailcgi update ' . $check->shown_root);
    }
    return;
}

# A file with several names is that of other jails too (mkjail --like): what was written
# into one of them is in all.
sub shared_file {
    my ($check, $path, $st) = @_;
    my $now = "$st->[7]:$st->[9]";
    my @recorded = map { $_->[1] } grep { $_->[0] eq 'f' } @{ $check->{files}{$path} };
    return if !@recorded || grep { $_ eq $now } @recorded;
    $check->finding('shared-file', $path, "a file with $st->[3] names, in this jail and in others",
        size_and_time($now), size_and_time($recorded[-1]),
        'jailcgi update --adopt ' . $check->shown_root);
    return;
}

sub size_and_time {
    my ($size, $time) = split /:/, $_[0];
    return "$size bytes of " . POSIX::strftime('%Y-%m-%dT%H:%M:%SZ', gmtime $time);
}

1;
