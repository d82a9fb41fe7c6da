package JailCGI::Namespace;

# A mount or network namespace for one test file, so that what it mounts or sets the
# machine never sees: httpd, helper and keepers are started in it. Load it behind
# JailCGI::Test, so that its mounts are gone before the directories are
# removed, and call private_mounts() before anything is made.

use strict;
use warnings;

use Exporter 'import';
use Test::More;

our @EXPORT = qw(private_mounts private_network mount_at unmount namespace_of home_of make_accounts
  make_php_sessions);

my @mounted;
my $main_pid = $$;

sub namespace_of {
    my ($pid, $kind) = @_;
    return readlink "/proc/$pid/ns/$kind";
}

# Runs this file anew in a mount namespace of its own; returns there. Returns
# false if the machine does not allow one.
sub private_mounts {
    my $before = delete $ENV{JAILCGI_MOUNTS_OF};
    if (defined $before) {
        return $before ne namespace_of($$, 'mnt');
    }
    system('unshare -m true 2>/dev/null') == 0 or return 0;
    $ENV{JAILCGI_MOUNTS_OF} = namespace_of($$, 'mnt');
    exec 'unshare', '-m', '--propagation', 'private', '--', $^X,
      (map { "-I$_" } grep { !ref } @INC), $0, @ARGV;
    die "unshare: $!";
}

# The same for the network, which has a loopback interface and nothing else. There the
# kernel forgets a socket that its process has closed within two seconds, not within a
# minute (tcp_fin_timeout in tcp(7)), and answers what comes for it with a reset. NAME: the
# machine has that name there.
sub private_network {
    my ($name) = @_;
    my $before = delete $ENV{JAILCGI_NETWORK_OF};
    if (defined $before) {
        return $before ne namespace_of($$, 'net');
    }
    my $set = 'ip link set lo up && echo 1 >/proc/sys/net/ipv4/tcp_fin_timeout';
    system("unshare -n sh -c '$set' 2>/dev/null") == 0 or return 0;
    $ENV{JAILCGI_NETWORK_OF} = namespace_of($$, 'net');
    $set .= "; echo $name >/proc/sys/kernel/hostname" if defined $name;
    exec 'unshare', '-n', defined $name ? '-u' : (), 'sh', '-c', "$set; exec \"\$@\"", 'sh', $^X,
      (map { "-I$_" } grep { !ref } @INC), $0, @ARGV;
    die "unshare: $!";
}

# mount_at(DIRECTORY, ARGUMENT OF mount(8)...)
sub mount_at {
    my ($where, @arguments) = @_;
    system('mount', @arguments, $where) == 0 or die "mount at $where failed";
    push @mounted, $where;
    return;
}

# The real path of a tenant's home.
sub home_of { return $_[0]->root . $_[0]->jail_home }

sub extend {
    my ($name, @lines) = @_;
    my $mine = JailCGI::Test::work_dir() . "/$name";
    my $is_first = !-e $mine;
    open my $in,  '<',  "/etc/$name" or die "/etc/$name: $!";
    open my $out, '>>', $mine        or die "$mine: $!";
    print {$out} $is_first ? <$in> : (), map { "$_\n" } @lines;
    close $out or die "$mine: $!";
    chmod 0644, $mine or die "$mine: $!";
    mount_at("/etc/$name", '--bind', $mine) if $is_first;
    return;
}

# Accounts with a home, as a panel makes them, which only this file sees: tenants, or
# [TENANT, HOME]. Lines of /etc/group may follow them.
sub make_accounts {
    my @lines    = grep { !ref } @_;
    my @accounts = map { ref eq 'ARRAY' ? $_ : [$_, home_of($_)] } grep { ref } @_;
    extend('passwd',
        map { join ':', $_->[0]->name, 'x', $_->[0]->uid, $_->[0]->gid, '', $_->[1], '/bin/sh' }
          @accounts);
    extend('group', map({ join ':', $_->[0]->name, 'x', $_->[0]->gid, '' } @accounts), @lines);
    return;
}

# Debian's directory of PHP's sessions, which the machine may lack, and that of JailTmp disk.
# Nothing can be mounted where no directory is: so /var/lib becomes one that has both, read-only,
# and the directory of the tests comes over it again. Call it before anything is made.
sub make_php_sessions {
    my $run = join '/', (split m{/}, JailCGI::Test::work_dir())[0 .. 3];
    mount_at('/mnt', qw(-t tmpfs tmpfs));
    my @own = map { "/mnt/lower/$_" } qw(php php/sessions jailcgi);
    mkdir $_ or die "$_: $!" for '/mnt/run', '/mnt/lower', @own;
    chmod 01733, '/mnt/lower/php/sessions' or die $!;
    mount_at('/mnt/run', '--bind', $run);
    mount_at('/var/lib', qw(-t overlay overlay -o lowerdir=/mnt/lower:/var/lib));
    mount_at($run, '--bind', '/mnt/run');
    mount_at(s{^/mnt/lower}{/var/lib}r, '--bind', $_) for @own;
    return;
}

# Whatever is mounted there, also by another than mount_at().
sub unmount {
    my ($where) = @_;
    @mounted = grep { $_ ne $where } @mounted;
    return system('umount', '-l', $where) == 0;
}

END {
    my $status = $?;
    if ($$ == $main_pid) {
        my @all = reverse @mounted;
        unmount($_) for @all;
    }
    $? = $status;
}

1;
