package JailCGI::Process;

# What /proc says about processes. See JailCGI::Test.

use strict;
use warnings;

use Exporter 'import';

our @EXPORT_OK = qw(processes process_status descendants descriptors zombies
  processes_of_uid uids_of_processes resident_kb);

sub processes {
    opendir my $dir, '/proc' or die "/proc: $!";
    return grep { /^\d+$/ } readdir $dir;
}

# A hash of /proc/PID/status: Name, State, PPid, Uid, VmRSS ...; or nothing.
sub process_status {
    my ($pid) = @_;
    open my $fh, '<', "/proc/$pid/status" or return;
    local $/;
    my $text = <$fh> // return;
    return { $text =~ /^(\w+):\t*(.*)$/mg };
}

# The children of a process and theirs, and so on.
sub descendants {
    my ($ancestor) = @_;
    my %children;
    for my $pid (processes()) {
        my $status = process_status($pid) or next;
        push @{ $children{ $status->{PPid} } }, $pid;
    }
    my @found = @{ $children{$ancestor} || [] };
    for (my $i = 0; $i < @found; $i++) {
        push @found, @{ $children{ $found[$i] } || [] };
    }
    return @found;
}

sub descriptors {
    my ($pid) = @_;
    opendir my $dir, "/proc/$pid/fd" or return;
    return map { readlink("/proc/$pid/fd/$_") // () }
      grep { /^\d+$/ } readdir $dir;
}

sub zombies {
    my ($ancestor) = @_;
    return grep { (process_status($_) || {})->{State} =~ /^Z/ }
      grep { process_status($_) } descendants($ancestor);
}

# Processes with this real, effective, saved or file system uid.
sub processes_of_uid {
    my ($uid) = @_;
    return grep {
        my $status = process_status($_);
        $status && $status->{Uid} =~ /\b$uid\b/
    } processes();
}

# Each real, effective, saved or file system uid that a process has, once.
sub uids_of_processes {
    my %uids = map { $_ => 1 }
      map { split ' ', (process_status($_) || {})->{Uid} // '' } processes();
    return keys %uids;
}

sub resident_kb {
    my ($pid) = @_;
    my $status = process_status($pid) or return;
    return ($status->{VmRSS} // '0') =~ /(\d+)/ ? $1 : 0;
}

1;
