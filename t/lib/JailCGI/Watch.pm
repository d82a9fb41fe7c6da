package JailCGI::Watch;

# What runs in jails, what httpd's processes hold, and how large they became.
# See JailCGI::Test.

use strict;
use warnings;

use Exporter 'import';

use JailCGI::Process qw(processes process_status descriptors descendants
  zombies);

our @EXPORT_OK = qw(is_same_directory scripts_of keepers_of all_keepers server_processes
  reset_peaks peak_growth_kb descriptor_counts helper_descriptors channels
  waiting_in zombie_list touch_in child_of);

# The name of a process, or undef.
sub name_of {
    my ($pid) = @_;
    return (process_status($pid) || {})->{Name};
}

# By number: a root in another mount namespace has another name.
sub is_same_directory {
    my @pair = map { my @st = stat; @st ? "$st[0]:$st[1]" : return 0 } @_;
    return $pair[0] eq $pair[1];
}

# [pid, name] of each process in these jails. Another run of the tests may have
# given the same uid to somebody else, in another root. Zombies have no root and
# are not among them; zombie_list is for these.
sub in_jails {
    my (@tenants) = @_;
    my %root_of = map { $_->uid => $_->root } @tenants;
    my @found;
    for my $pid (processes()) {
        my $status = process_status($pid)                       or next;
        my $root   = $root_of{ (split ' ', $status->{Uid})[1] } or next;
        push @found, [$pid, $status->{Name}]
          if is_same_directory("/proc/$pid/root/.", $root);
    }
    return @found;
}

# What runs in the jails of these tenants: all but keepers, and keepers.
sub scripts_of {
    return map { $_->[1] ne 'jailcgi-keeper' ? $_->[0] : () } in_jails(@_);
}

sub keepers_of {
    return map { $_->[1] eq 'jailcgi-keeper' ? $_->[0] : () } in_jails(@_);
}

# The keepers of the helper that now runs, whomever they belong to.
sub all_keepers {
    my ($httpd) = @_;
    my $helper = $httpd->helper_pid or return;
    return grep {
        my $status = process_status($_);
        $status && $status->{PPid} == $helper && $status->{Name} eq 'jailcgi-keeper'
    } descendants($helper);
}

# All that must not grow: httpd's children, the helper and its keepers.
sub server_processes {
    my ($httpd) = @_;
    return (
        $httpd->children('apache2'),
        $httpd->helper_pid // (),
        all_keepers($httpd)
    );
}

sub kb {
    my ($pid, $field) = @_;
    my $status = process_status($pid) or return;
    return ($status->{$field} // '') =~ /(\d+)/ ? $1 : undef;
}

# Notes how large each is now, and has the kernel note the peaks from now on
# (proc_pid_clear_refs(5)).
sub reset_peaks {
    my ($httpd) = @_;
    my %before;
    for my $pid (server_processes($httpd)) {
        open my $fh, '>', "/proc/$pid/clear_refs" or next;
        print {$fh} "5\n";
        close $fh or die "/proc/$pid/clear_refs: $!";
        $before{$pid} = kb($pid, 'VmRSS') // next;
    }
    return \%before;
}

# By how much each has grown at its peak. One that is new is measured against
# the smallest of its name.
sub peak_growth_kb {
    my ($httpd, $before) = @_;
    my (%least, %growth);
    for my $pid (keys %$before) {
        my $name = name_of($pid) // next;
        $least{$name} = $before->{$pid}
          if !defined $least{$name} || $before->{$pid} < $least{$name};
    }
    for my $pid (server_processes($httpd)) {
        my $name = name_of($pid)       // next;
        my $peak = kb($pid, 'VmHWM') // next;
        $growth{"$name $pid"} = $peak - ($before->{$pid} // $least{$name} // 0);
    }
    return \%growth;
}

# The sockets of the kind that channels are: inode => the other end's (0 without one),
# and that of those in which something lies unread. The kernel gives a name to a socket
# that has asked for its peer's credentials (unix(7), autobind).
sub record_sockets {
    my (%peer, %unread);
    for (split /\n/, `ss -xHn`) {
        my ($bytes, $inode, $other) =
          /^u_seq\s+ESTAB\s+(\d+)\s+\d+\s+\S+\s+(\d+)\s+\S+\s+(\d+)/
          or next;
        $peer{$inode}   = $other;
        $unread{$inode} = 1 if $bytes > 0;
    }
    return (\%peer, \%unread);
}

sub inode_of { return $_[0] =~ /^socket:\[(\d+)\]$/ ? $1 : 0 }

# How many descriptors each of these processes holds, besides channels and the keepers'
# pidfds of those who have them: these stay.
sub descriptor_counts {
    my (@pids) = @_;
    my ($peer) = record_sockets();
    return {
        map {
            $_ => scalar(grep { !exists $peer->{ inode_of($_) } && !/\[pidfd\]/ }
                  descriptors($_))
        } @pids
    };
}

# The records' sockets and policy tables that a process has: what only httpd's parent and
# the helper may have of each other.
sub helper_descriptors {
    my ($pid) = @_;
    my ($peer) = record_sockets();
    return grep { /jailcgi-policies/ || exists $peer->{ inode_of($_) } } descriptors($pid);
}

# How many channels httpd's children hold, and the ends of sockets in any of httpd's
# processes that lead to none of them any more.
sub channels {
    my ($httpd) = @_;
    my ($peer) = record_sockets();
    my @pids  = ($httpd->pid, server_processes($httpd), descendants($httpd->helper_pid));
    my %held  = map { inode_of($_) => 1 } map { descriptors($_) } @pids;
    my %inner = map { inode_of($_) => 1 } map { descriptors($_) } all_keepers($httpd);
    my $ends  = grep { $_ && $inner{$_} }
      map { $peer->{ inode_of($_) } } map { descriptors($_) } $httpd->children('apache2');
    return ($ends / 2, grep { defined $peer->{$_} && !$held{ $peer->{$_} } } keys %held);
}

# The channels of this process in which a request lies that was not taken out.
sub waiting_in {
    my ($pid) = @_;
    my (undef, $unread) = record_sockets();
    return grep { $unread->{ inode_of($_) } } descriptors($pid);
}

sub zombie_list {
    my ($httpd) = @_;
    return zombies($httpd->pid);
}

# An empty file of the tenant's, by its path in the jail; or none.
sub touch_in {
    my ($tenant, $path, $there) = @_;
    unlink $tenant->root . $path;
    $tenant->replace($path, '', uid => $tenant->uid, gid => $tenant->gid)
      if $there;
    return;
}

# Which child of httpd serves this client: whose is the socket at the other end.
sub child_of {
    my ($httpd, $client) = @_;
    my $local  = sprintf '0100007F:%04X', $httpd->port;
    my $remote = sprintf '0100007F:%04X', $client->local_port;
    open my $fh, '<', '/proc/net/tcp' or die "/proc/net/tcp: $!";
    my ($inode) = map { (split)[9] }
      grep { /^\s*\d+: $local $remote / } <$fh>;
    return if !$inode;
    for my $pid ($httpd->children('apache2')) {
        return $pid if grep { $_ eq "socket:[$inode]" } descriptors($pid);
    }
    return;
}

1;
