package JailCGI::Builder::Exchange;

# renameat2(2) with RENAME_EXCHANGE: two names change places in one step, which a
# reader sees done or not done, and which a power cut leaves done or not done.
#
# Runs in:   jailcgi, started by the administrator
# Privilege: root
# Trusts:    the two directories, which only root can write
# Never:     does it in two steps

use strict;
use warnings;

use Errno qw(ENOSYS);
use Exporter 'import';
use POSIX ();

use JailCGI::Builder::Tree;

our @EXPORT_OK = qw(exchange can_exchange);

use constant RENAME_EXCHANGE => 2;

# The number of the system call. Perl has no name for it.
my %number = (
    x86_64      => 316,
    aarch64     => 276,
    riscv64     => 276,
    loongarch64 => 276,
    ppc64       => 357,
    ppc64le     => 357,
    s390x       => 347,
);

# Exchanges NAME below DIR with OTHER below OTHER_DIR; false and $! if it cannot.
sub exchange {
    my ($dir, $name, $other_dir, $other) = @_;
    # A Perl of 32 bits would use the numbers of 32 bits.
    my $number = length(pack 'L!', 0) == 8 ? $number{ (POSIX::uname())[4] } : undef;
    if (!defined $number) {
        $! = ENOSYS;
        return 0;
    }
    # syscall() takes a value that was used as a number for a number.
    return syscall($number, fileno($dir), "$name", fileno($other_dir), "$other",
        RENAME_EXCHANGE) == 0;
}

# Whether the file system of a directory can do it. NFS and some others cannot.
sub can_exchange {
    my ($dir) = @_;
    my @names = map { "exchange-$_" } 1, 2;
    my @at = map { JailCGI::Builder::Tree::entry($dir, $_) } @names;
    mkdir $_, 0700 for @at;
    my $can = exchange($dir, $names[0], $dir, $names[1]);
    my $errno = $! + 0;
    rmdir $_ for @at;
    $! = $errno;
    return $can;
}

1;
