package JailCGI::DebianTree;

# A Debian 12 with many packages in a directory, in which a test runs as if it were the
# machine: its root directory in a mount namespace. The tree stays for the next run.

use strict;
use warnings;

use Cwd 'getcwd';
use Exporter 'import';

our @EXPORT = qw(enter_tree);

my $mirror = 'http://deb.debian.org/debian';

# What the tests themselves need.
my @own = qw(apache2-bin libwww-perl perl python3 libcgi-pm-perl msmtp ca-certificates tzdata
  fonts-dejavu-core iproute2 procps);

my $enter = <<'END';
set -eu
tree=$1 top=$2 run=$3
shift 3
mount --bind "$tree" "$tree"
mount --rbind /dev "$tree/dev"
mount -t proc proc "$tree/proc"
mount -t tmpfs -o mode=1777 tmpfs "$tree/tmp"
for dir in "$top" "$run"; do
    mkdir -p "$tree$dir"
    mount --bind "$dir" "$tree$dir"
done
cd "$tree"
pivot_root . .
umount -l .
cd "$top"
exec "$@"
END

# Makes the tree, unless there is one with these packages.
sub make_tree {
    my ($dir, @packages) = @_;
    my $include = join ',', sort @own, @packages;
    if (open my $fh, '<', "$dir/packages") {
        return if <$fh> eq $include;
    }
    system('rm', '-rf', '--one-file-system', $dir) == 0 or die "rm $dir";
    system('mmdebstrap', '--quiet', '--variant=minbase', '--mode=root',
        '--aptopt=APT::Install-Recommends "false"', "--include=$include", 'bookworm', $dir,
        $mirror) == 0
      or die 'mmdebstrap';
    open my $fh, '>', "$dir/packages" or die "$dir/packages: $!";
    print {$fh} $include;
    close $fh or die $!;
    return;
}

# Runs this file anew in the tree; returns there. ./check has made JAILCGI_RUN_DIR.
sub enter_tree {
    my (@packages) = @_;
    return if $ENV{JAILCGI_IN_TREE};
    my $run = $ENV{JAILCGI_RUN_DIR} // die 'JAILCGI_LONG=1 ./check runs it';
    my $dir = $ENV{JAILCGI_TREE} // '/var/tmp/jailcgi-debian-12';
    make_tree($dir, @packages);
    $ENV{JAILCGI_IN_TREE} = 1;
    exec 'unshare', '-m', '--propagation', 'private', 'sh', '-c', $enter, 'sh', $dir, getcwd(),
      $run, '/usr/bin/perl', (map { "-I$_" } grep { !ref } @INC), $0, @ARGV;
    die "unshare: $!";
}

1;
