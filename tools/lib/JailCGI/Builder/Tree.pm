package JailCGI::Builder::Tree;

# A directory that is treated as '/': the host, or a jail. Every path is walked one
# component at a time, each opened below the directory before it. Links are resolved
# by hand as in a chroot, so that none leads out.
#
# openat(2) in plain Perl: /proc/self/fd/N/NAME opens NAME below descriptor N,
# and O_NOFOLLOW keeps NAME itself from being a link (proc(5), open(2)).
#
# Runs in:   jailcgi, started by the administrator
# Privilege: root
# Trusts:    no name in the tree; the kernel's lstat and fstat
# Never:     follows a link by the kernel, opens a device or waits for a FIFO

use strict;
use warnings;

use Errno qw(ENOENT ENOTDIR ELOOP EINVAL EISDIR);
use Fcntl qw(:DEFAULT :mode);

use JailCGI::Builder::Say qw(refuse failed);

use constant {
    LINKS_MAX => 40,     # the kernel's own
    CACHE_MAX => 100,    # directories that are held open
    READ_MAX  => 1 << 20,
    DIRECTORY => O_RDONLY | O_DIRECTORY | O_NOFOLLOW,
    FILE      => O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY,
};

# Opens the host itself. guard, if given, is called with the path, the lstat list and
# the handle of each directory that is entered, and dies if that is not allowed.
sub host {
    my ($class, %option) = @_;
    sysopen my $fh, '/', DIRECTORY or failed('open', '/');
    return $class->new(fh => $fh, name => '', %option);
}

# fh: the directory; name: what it is called in messages; instead: {PATH => [handle,
# name]} of entries that are read elsewhere, or {PATH => undef} of those that count as
# missing: so a tree can be seen as it will be.
sub new {
    my ($class, %option) = @_;
    my $self = bless { cache => {}, instead => {}, %option }, $class;
    $self->{top} = [$self->{fh}, ''];
    $self->{guard}->('', [stat $self->{fh}], $self->{fh}) if $self->{guard};
    return $self;
}

sub name { return $_[0]{name} }

# The name of an entry for system calls that have no openat form.
sub entry {
    my ($dir, $name) = @_;
    return '/proc/self/fd/' . fileno($dir) . "/$name";
}

sub forget {
    my ($self) = @_;
    $self->{cache} = {};
    return;
}

# Enters NAME below DIR: [handle, path], or undef and $!.
sub enter {
    my ($self, $dir, $name, $path) = @_;
    sysopen my $fh, entry($dir, $name), DIRECTORY or return;
    $self->{guard}->($path, [stat $fh], $fh) if $self->{guard};
    $self->{cache} = {} if keys %{ $self->{cache} } >= CACHE_MAX;
    return $self->{cache}{$path} = [$fh, $path];
}

# resolve(PATH): where the path leads. A hash:
#   dir, name  the handle of the directory, and the last component in it
#   path       the path without links
#   st         its lstat list; missing if there is none, and then
#   errno      has the reason; rest holds the components that were not reached
#   fh         its handle, if it is a directory that was entered
#   links      [path, target] of each link that was passed
# nofollow: the last component itself is wanted. If it is a link it is not followed,
# and if it is a directory it is not entered.
sub resolve {
    my ($self, $path, %how) = @_;
    my @stack = $self->{top};
    my @rest  = components($path);
    my @links;
    while (@rest) {
        my $name = shift @rest;
        if ($name eq '..') {
            pop @stack if @stack > 1;
            next;
        }
        my ($dir, $at) = @{ $stack[-1] };
        my %here = (dir => $dir, name => $name, path => "$at/$name",
            links => \@links);
        if (exists $self->{instead}{ $here{path} }) {
            my $other = $self->{instead}{ $here{path} }
              or return { %here, errno => ENOENT, rest => \@rest };
            ($dir, $name) = @here{qw(dir name)} = @$other;
        }
        my $open = $self->{cache}{ $here{path} };
        if ($open && (@rest || !$how{nofollow})) {
            push @stack, $open;
            next;
        }
        my @st = lstat entry($dir, $name)
          or return { %here, errno => $! + 0, rest => \@rest };
        if (S_ISLNK($st[2]) && (@rest || !$how{nofollow})) {
            my $target = readlink entry($dir, $name);
            if (!defined $target || @links >= LINKS_MAX) {
                return { %here, errno => ELOOP, rest => \@rest };
            }
            push @links, [$here{path}, $target];
            @stack = $self->{top} if $target =~ m{^/};
            unshift @rest, components($target);
        }
        elsif (S_ISDIR($st[2]) && (@rest || !$how{nofollow})) {
            my $next = $self->enter($dir, $name, $here{path})
              or return { %here, errno => $! + 0, rest => \@rest };
            push @stack, $next;
        }
        else {
            return @rest
              ? { %here, errno => ENOTDIR, rest => \@rest }
              : { %here, st => \@st };
        }
    }
    return $self->directory_found(\@stack, \@links);
}

sub directory_found {
    my ($self, $stack, $links) = @_;
    my ($fh, $path) = @{ $stack->[-1] };
    return {
        dir   => $stack->[@$stack > 1 ? -2 : -1][0],
        name  => $path =~ m{([^/]+)$} ? $1 : '.',
        path  => $path,
        st    => [stat $fh],
        fh    => $fh,
        links => $links,
    };
}

sub components {
    my ($path) = @_;
    return grep { length && $_ ne '.' } split m{/}, $path;
}

# Whether a path is below one of those in a hash.
sub is_below {
    my ($path, $paths) = @_;
    return 0 if !%$paths;
    while ($path =~ s{/[^/]+$}{}) {
        return 1 if $paths->{$path};
    }
    return 0;
}

# The lstat list of the entry that PATH itself names, or nothing.
sub lstat_of {
    my ($self, $path) = @_;
    my $found = $self->resolve($path, nofollow => 1);
    return $found->{st} ? @{ $found->{st} } : ();
}

sub is_directory { return defined $_[0]->resolve($_[1])->{fh} }

sub is_file {
    my ($self, $path) = @_;
    my $st = $self->resolve($path)->{st};
    return $st && S_ISREG($st->[2]);
}

sub link_target {
    my ($self, $path) = @_;
    my $found = $self->resolve($path, nofollow => 1);
    return if !$found->{st} || !S_ISLNK($found->{st}[2]);
    return readlink entry($found->{dir}, $found->{name});
}

# Opens the file that resolve() has found, if it is still that regular file.
sub open_found {
    my ($self, $found) = @_;
    my $st = $found->{st};
    if (!$st || !S_ISREG($st->[2])) {
        $! = $found->{errno} || ($found->{fh} ? EISDIR : EINVAL);
        return;
    }
    sysopen my $fh, entry($found->{dir}, $found->{name}), FILE or return;
    my @now = stat $fh;
    if ($now[0] != $st->[0] || $now[1] != $st->[1] || !S_ISREG($now[2])) {
        $! = EINVAL;
        return;
    }
    binmode $fh;
    return $fh;
}

sub open_file {
    my ($self, $path) = @_;
    return $self->open_found($self->resolve($path));
}

# The content of a small regular file, or undef and $!.
sub read_file {
    my ($self, $path, $max) = @_;
    my $fh = $self->open_file($path) or return;
    return read_handle($fh, $max || READ_MAX);
}

sub read_handle {
    my ($fh, $max) = @_;
    my $content = '';
    while (length $content < $max) {
        my $got = sysread $fh, $content, $max - length $content, length $content;
        return if !defined $got;
        last   if !$got;
    }
    return $content;
}

# The names in a directory, by its handle.
sub names_in {
    my ($fh) = @_;
    opendir my $dir, '/proc/self/fd/' . fileno $fh or return;
    return sort grep { $_ ne '.' && $_ ne '..' } readdir $dir;
}

# The mount through which an open directory or file is reached. A bind mount has the
# device number of what it shows, but a mount id of its own (proc(5)).
sub mount_of {
    my ($fh) = @_;
    open my $info, '<', '/proc/self/fdinfo/' . fileno $fh
      or failed('open', '/proc/self/fdinfo (is /proc mounted?)');
    my ($id) = join('', <$info>) =~ /^mnt_id:\s*(\d+)/m;
    return $id // refuse('/proc/self/fdinfo', 'has no mnt_id',
        'use Linux 3.15 or later');
}

1;
