package JailCGI::Tool;

# The command tools/jailcgi, and a place for the jails that it makes. Each test
# file that says private_host() runs in a mount namespace of its own, where /opt
# and /usr/local/sbin are empty and may be filled: programs and libraries that
# "the host" has, and gets newer ones of.

use strict;
use warnings;

use Cwd 'getcwd';
use Exporter 'import';
use File::Basename qw(basename dirname);
use File::Path qw(make_path remove_tree);
use File::Temp ();
use Test::More;

use JailCGI::Namespace;

our @EXPORT = qw(jailcgi jailcgi_ok place snapshot difference write_file slurp
  private_host fixture skip_or_fail findings);

$SIG{$_} = sub { exit 130 } for qw(INT TERM HUP);

my $top = getcwd();
my $main_pid = $$;
my $place;

# Not /tmp: nobody but root may be able to write above a jail.
sub place {
    return $place if $place;
    BAIL_OUT('jailcgi runs as root: sudo ./check FILE') if $> != 0;
    $place = File::Temp::tempdir(basename($0, '.t') . '.XXXXXX',
        DIR => $ENV{JAILCGI_RUN_DIR} || '/var/lib');
    chmod 0755, $place or die "$place: $!";
    return $place;
}

sub skip_or_fail {
    my ($reason) = @_;
    if ($ENV{JAILCGI_MUST_WORK}) {
        fail("JAILCGI_MUST_WORK, but: $reason");
        done_testing();
        exit 1;
    }
    return plan(skip_all => $reason);
}

sub private_host {
    private_mounts() or skip_or_fail('no mount namespace can be made');
    for my $dir (qw(/opt /usr/local/sbin)) {
        mount_at($dir, '-t', 'tmpfs', '-o', 'mode=0755', 'none');
    }
    return;
}

sub fixture {
    my ($name) = @_;
    my $in = $ENV{JAILCGI_RUN_DIR} || "$top/build";
    return "$in/fixtures/$name";
}

# jailcgi(ARGUMENT...): the exit status, stdout, stderr.
sub jailcgi {
    my (@arguments) = @_;
    my $err = place() . '/stderr';
    my $pid = open(my $out, '-|') // die "fork: $!";
    if (!$pid) {
        open STDERR, '>', $err or die "$err: $!";
        exec($ENV{JAILCGI_TOOL} || "$top/tools/jailcgi", @arguments) or exit 127;
    }
    my $said = do { local $/; <$out> };
    close $out;
    my $status = $? & 127 ? "signal $?" : $? >> 8;
    return ($status, $said // '', slurp($err));
}

# The same, and it has to end with status 0; returns what it printed.
sub jailcgi_ok {
    my ($name, @arguments) = @_;
    my ($status, $out, $err) = jailcgi(@arguments);
    is($status, 0, $name) or diag($out, $err);
    return $out . $err;
}

# Of a check: {KIND => [PATH...]} and all lines.
sub findings {
    my (@arguments) = @_;
    my ($status, $out, $err) = jailcgi('check', @arguments);
    my %found;
    for my $line (split /\n/, $out) {
        push @{ $found{$1} }, $2 if $line =~ m{^/\S+: ([a-z-]+): (\S+):};
    }
    return (\%found, $out . $err, $status);
}

sub slurp {
    my ($file) = @_;
    open my $fh, '<:raw', $file or return '';
    local $/;
    return <$fh> // '';
}

sub write_file {
    my ($file, $content, $mode) = @_;
    make_path(dirname($file));
    unlink $file;
    open my $fh, '>:raw', $file or die "$file: $!";
    print {$fh} $content;
    close $fh or die "$file: $!";
    chmod $mode // 0644, $file or die "$file: $!";
    return $file;
}

# {PATH => inode, owner, mode, size, both times, target} of all below a
# directory: whatever a write would change.
sub snapshot {
    my (@dirs) = @_;
    my @lines = split /\0/, do {
        open my $fh, '-|', 'find', @dirs, '-printf', '%p\n%i %U:%G %m %s %T@ %C@ %l\0'
          or die "find: $!";
        local $/;
        <$fh> // '';
    };
    return { map { split /\n/, $_, 2 } @lines };
}

# The paths that are not the same in both.
sub difference {
    my ($before, $after) = @_;
    my %all = (%$before, %$after);
    return [grep { ($before->{$_} // '') ne ($after->{$_} // '') } sort keys %all];
}

END {
    my $status = $?;
    if ($$ == $main_pid && $place) {
        chdir '/';
        system('rm', '-rf', '--one-file-system', $place) if !$ENV{JAILCGI_KEEP};
    }
    $? = $status;
}

1;
