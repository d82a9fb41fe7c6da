package JailCGI::Builder::Share;

# Shares the files of a jail with another jail, which --like names: as reflinks where
# the file system has them, otherwise as hard links. What is shared this way belongs to
# root, and nobody else may write it.
#
# Runs in:   jailcgi, started by the administrator
# Privilege: root
# Trusts:    the guard of the other jail (Jail.pm), and its record
# Never:     shares a file of a tenant, a configuration, or one that has changed since
#            jailcgi put it there; changes the other jail

use strict;
use warnings;

use Errno ();
use Fcntl qw(:DEFAULT :mode);

use JailCGI::Builder::Jail;
use JailCGI::Builder::Record qw(read_files fingerprint);
use JailCGI::Builder::Say qw(refused failed usage_error);
use JailCGI::Builder::Tree;

use constant {
    FICLONE    => 0x40049409,              # ioctl_ficlone(2)
    FIEMAP     => 0xC020660B,
    # ext4 has 65,000. A second /usr (Switch.pm) needs a name more for each jail that
    # is updated.
    NAMES_MAX  => 60_000,
};

# Below these directories are programs, libraries and data.
my $data = qr{^/(?:usr|opt|etc/ssl/certs|etc/pki/ca-trust)/};
# But not what somebody edits, or what changes by itself.
my $own = qr{/(?:etc|conf|home|tmp|var|cache)/|\.(?:cache|conf|ini)$};

sub may_share { return $_[0] =~ $data && substr($_[0], 4) !~ $own }

# new(ROOT, JAIL, DRY): shares with the jail in ROOT.
sub new {
    my ($class, $root, $jail, $dry) = @_;
    my $other = JailCGI::Builder::Jail::for_writing($root);
    my ($one, $two) = map { [stat $_->{fh}] } $jail, $other;
    usage_error("--like $root", 'is the jail itself', 'name another jail')
      if $one->[0] == $two->[0] && $one->[1] == $two->[1];
    my $self = bless { root => $other->name, other => $other, files => read_files($other),
        count => 0 }, $class;
    return $self->cannot('it is on another file system') if $dry && $one->[0] != $two->[0];
    $self->{how} = $dry ? 'hard links' : $self->probe($jail);
    $self->{count} = 0;
    return $self;
}

# Shares with nobody: files with several names become copies.
sub none { return bless { none => 1, why => 'none', how => 'copies', count => 0 }, $_[0] }

# How the file systems of both jails let files be shared. A file of the other jail is
# tried for it.
sub probe {
    my ($self, $jail) = @_;
    my $file = $self->{other}->resolve(JailCGI::Builder::Record::FILES, nofollow => 1);
    my $at   = JailCGI::Builder::Tree::entry($jail->{fh}, '.jailcgi~share');
    unlink $at;
    sysopen my $out, $at, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600 or failed('create', $at);
    my $how = $self->clone_file($file, $out) ? 'reflinks' : undef;
    unlink $at;
    $how //= 'hard links' if $self->link_file($file, $at);
    my $errno = $! + 0;
    unlink $at;
    return $how if $how;
    $! = $errno;
    $self->cannot($!{EXDEV} ? 'it is on another file system' : "its file system cannot ($!)");
    return $self->{how};
}

sub root   { return $_[0]{root} }
sub how    { return $_[0]{how} }
sub why    { return $_[0]{why} }
sub count  { return $_[0]{count} }

# Where the other jail has the file that ENTRY plans at PATH, or nothing. DIFFERS says
# whether what is found is not what is planned.
sub source {
    my ($self, $path, $entry, $differs) = @_;
    return if $entry->{type} ne 'file' || !may_share($path) || $self->{why};
    my $found = eval { $self->{other}->resolve($path, nofollow => 1) };
    if (!$found) {
        # Somebody else may write on the way to it.
        refused($@) or die $@;
        return;
    }
    my $st = $found->{st} or return;
    return if !S_ISREG($st->[2]) || $found->{path} ne $path || $st->[3] >= NAMES_MAX;
    my $print = fingerprint($found);
    return if !grep { $_->[0] eq 'f' && $_->[1] eq $print->[1] } @{ $self->{files}{$path} || [] };
    return if $differs->($found);
    return $found;
}

# The record of the other jail (Record.pm, SHAPE) if it is TEXT, or nothing.
sub same_record {
    my ($self, $text) = @_;
    return if $self->{why};
    my $found = $self->{other}->resolve(JailCGI::Builder::Record::SHAPE, nofollow => 1);
    my $fh = $self->{other}->open_found($found) or return;
    my $has = JailCGI::Builder::Tree::read_handle($fh, length($text) + 1) // '';
    return $has eq $text ? $found : undef;
}

# What happens to FOUND, which is as it should be, so that it is shared or not with
# OTHER: 'shared', 'unshared' or nothing.
sub changes {
    my ($self, $found, $other) = @_;
    return 'unshared' if $self->{none} && S_ISREG($found->{st}[2]) && $found->{st}[3] > 1;
    return 'shared' if $other && !is_shared($found, $other);
    return;
}

# Whether FOUND in this jail shares its data with OTHER already.
sub is_shared {
    my ($found, $other) = @_;
    my ($one, $two) = ($found->{st}, $other->{st});
    return 1 if $one->[0] == $two->[0] && $one->[1] == $two->[1];
    return 1 if !$one->[7];
    my ($here, $there) = map { first_block($_) } $found, $other;
    return defined $here && defined $there && $here eq $there;
}

# The first block of a file on its disk, or undef if the file system does not say it
# (linux/Documentation/filesystems/fiemap.rst). Data in an inode cannot be shared.
sub first_block {
    my ($found) = @_;
    sysopen my $fh, JailCGI::Builder::Tree::entry($found->{dir}, $found->{name}),
      JailCGI::Builder::Tree::FILE or return;
    my $map = pack 'QQLLLL x56', 0, 1, 0, 0, 1, 0;
    ioctl $fh, FIEMAP, $map or return;
    my ($mapped) = unpack 'x20 L', $map or return;
    my ($block, $flags) = unpack 'x40 Q x24 L', $map;
    return if !$mapped;
    return $flags & 0x200 ? 'inline' : $block;
}

# Makes the file at AT a second name of OTHER; false if it has to be copied.
sub link_file {
    my ($self, $other, $at) = @_;
    link JailCGI::Builder::Tree::entry($other->{dir}, $other->{name}), $at or return 0;
    # Another run may have replaced it since it was looked at.
    my @st = lstat $at;
    return ++$self->{count} if @st && $st[0] == $other->{st}[0] && $st[1] == $other->{st}[1];
    unlink $at;
    return 0;
}

# Gives OUT, which is empty, the data of OTHER; false if it has to be copied.
sub clone_file {
    my ($self, $other, $out) = @_;
    my $in = $self->{other}->open_found($other) or return 0;
    ioctl $out, FICLONE, fileno($in) + 0 or return 0;
    return ++$self->{count};
}

sub cannot {
    my ($self, $why) = @_;
    @$self{qw(how why)} = ('copies', $why);
    return $self;
}

1;
