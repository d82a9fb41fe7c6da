package JailCGI::Builder::Jail;

# Opens the root of a jail, for reading or for writing. For writing, every directory
# from / down to the last one that is written to must be closed to everybody but
# root, so that nobody can put a link in root's way.
#
# Runs in:   jailcgi, started by the administrator
# Privilege: root
# Trusts:    directories that only root can write
# Never:     writes through a mount, or below a directory of somebody else

use strict;
use warnings;

use Errno qw(ENOENT ENOTDIR);
use Fcntl qw(:flock :DEFAULT :mode);

use JailCGI::Builder::Say qw(refuse failed shown quoted usage_error);
use JailCGI::Builder::Tree;

use constant LOCK => '/etc/jailcgi.lock';

# The reason why others than root can write a directory, or nothing. This is the rule
# of JCGI1407.
sub offence {
    my ($st) = @_;
    return sprintf 'belongs to uid %d', $st->[4] if $st->[4] != 0;
    return sprintf 'has mode %04o', $st->[2] & 07777 if $st->[2] & 022;
    return;
}

# What to do about a directory on the way. One that is for all, as /tmp, or that belongs to
# somebody, as a home, serves for more than the jail: its owner and mode must stay.
# The root of a jail that exists serves for nothing else.
sub way_remedy {
    my ($path, $st, $root) = @_;
    return 'chown root ' . quoted($path) . ' && chmod go-w ' . quoted($path)
      if defined $root && $path eq $root && -d "$root/usr" && !($st->[2] & S_ISVTX);
    my $elsewhere = 'put the jail where root alone can write, such as below /srv/jails';
    return $elsewhere if $st->[4] != 0 || $st->[2] & (S_ISVTX | S_IWOTH);
    return "$elsewhere; or, if its group has nothing to write there, chmod g-w " . quoted($path);
}

sub check_path {
    my ($root) = @_;
    return usage_error($root, 'is not an absolute path', 'write it from / on')
      if $root !~ m{^/};
    return usage_error($root, 'has a line end in it', 'choose another name')
      if $root =~ /\n/;
    return $root =~ s{/+$}{}r;
}

sub refuse_offence {
    my ($path, $st) = @_;
    my $offence = offence($st) or return;
    return refuse($path || '/',
        "is a directory that others than root can write: it $offence,"
          . ' expected uid 0 and no write permission for group and others (JCGI1407)',
        way_remedy($path || '/', $st));
}

# Opens the jail for writing; with create, makes it if it does not exist.
sub for_writing {
    my ($root, %option) = @_;
    $root = check_path($root);
    umask 022;
    my $host  = JailCGI::Builder::Tree->host(guard => \&refuse_offence);
    my $found = $host->resolve($root);
    while ($option{create} && ($found->{errno} || 0) == ENOENT) {
        mkdir JailCGI::Builder::Tree::entry($found->{dir}, $found->{name}), 0755
          or failed('mkdir', $found->{path});
        $found = $host->resolve($root);
    }
    return opened($root, $found);
}

sub opened {
    my ($root, $found) = @_;
    if (!$found->{fh}) {
        $! = $found->{errno} || ENOTDIR;
        refuse($root, "is not a directory ($!)", 'name the root of a jail');
    }
    my @host = stat '/';
    my @jail = @{ $found->{st} };
    refuse($root || '/', 'is the root of this machine',
        'name a directory of its own, such as /srv/jails/NAME')
      if $jail[0] == $host[0] && $jail[1] == $host[1];
    my $mount = JailCGI::Builder::Tree::mount_of($found->{fh});
    return JailCGI::Builder::Tree->new(
        fh    => $found->{fh},
        name  => $root,
        guard => sub { guard($root, $mount, @_) },
    );
}

sub guard {
    my ($root, $mount, $path, $st, $fh) = @_;
    refuse_offence("$root$path", $st);
    return if JailCGI::Builder::Tree::mount_of($fh) == $mount;
    return refuse("$root$path", 'is a mount point: what is below it is not the jail\'s',
        'umount ' . quoted("$root$path"));
}

# Opens the jail for reading only. Violations on the way are reported to $heard.
sub for_reading {
    my ($root, $heard) = @_;
    $root = check_path($root);
    my $host = JailCGI::Builder::Tree->host(
        guard => sub {
            my ($path, $st) = @_;
            my $offence = offence($st);
            $heard->($path || '/', $offence, way_remedy($path || '/', $st, $root))
              if $offence;
        }
    );
    my $found = $host->resolve($root);
    if (!$found->{fh}) {
        $! = $found->{errno} || ENOTDIR;
        refuse($root, "is not a directory ($!)", 'name the root of a jail');
    }
    return JailCGI::Builder::Tree->new(fh => $found->{fh}, name => $root);
}

# Keeps two runs from working in one jail. Only root can read the file, because a
# tenant who can open it could hold the lock for ever.
sub lock_jail {
    my ($jail) = @_;
    my $found = $jail->resolve(LOCK, nofollow => 1);
    $found->{name} eq 'jailcgi.lock' or refuse($jail->name . '/etc',
        'is not a directory', 'make a directory that belongs to root');
    sysopen my $fh, JailCGI::Builder::Tree::entry($found->{dir}, $found->{name}),
      O_RDWR | O_CREAT | O_NOFOLLOW, 0600
      or failed('open', $jail->name . LOCK);
    flock $fh, LOCK_EX | LOCK_NB
      or refuse($jail->name, 'another jailcgi is at work in it', 'wait for its end');
    return $fh;
}

1;
