package JailCGI::Builder::Writer;

# Changes a jail. New entries are made under another name in their directory, and
# renamed into place only when all of them exist. Nothing is ever half written, a
# running program keeps the file that it has mapped, and a full disk leaves the jail
# as it was. What was renamed into place can be put back until the end of the run.
#
# A new directory is made with all that is in it in .jailcgi~next (Switch.pm), and comes
# into place as a whole. So does what takes the place of a directory, or a directory that
# takes the place of something else: the two names are exchanged.
#
# Runs in:   jailcgi, started by the administrator
# Privilege: root
# Trusts:    the guard of the jail (Jail.pm): only root can write each directory,
#            which is on the jail's own mount
# Never:     writes into a file that has a name already, follows a link as last
#            component, removes a directory that is not empty

use strict;
use warnings;

use Errno ();
use Fcntl qw(:DEFAULT :mode);
use POSIX ();

use JailCGI::Builder::Ask qw(run program);
use JailCGI::Builder::Exchange qw(exchange);
use JailCGI::Builder::Say qw(refuse failed shown);
use JailCGI::Builder::Tree;

use constant CHUNK => 1 << 18;

# new(JAIL, SWITCH): without a Switch no entry can be made apart.
sub new {
    my ($class, $jail, $switch) = @_;
    return bless { jail => $jail, switch => $switch, staged => [], made => [], done => [],
        apart => {} }, $class;
}

# The directory of PATH, and its last component there.
sub place {
    my ($self, $path) = @_;
    my ($parent, $name) = $path =~ m{^(.*)/([^/]+)$};
    my $found = $self->{jail}->resolve($parent);
    return ($found->{fh}, $name) if $found->{fh};
    my $full = $self->{jail}->name . $parent;
    $! = $found->{errno} || 20;
    return refuse($full, "is not a directory ($!), and $name has to be in it",
        'remove what is there');
}

# The name under which NAME is made. It is the same each time, so that the next run
# replaces the remains of a killed one.
sub other_name { return ".jailcgi~$_[0]" }

sub full { return $_[0]{jail}->name . $_[1] }

# Makes a directory at once, because other entries go into it: in its place, or apart if
# nothing above it is new.
sub directory {
    my ($self, $path, $mode, $uid, $gid) = @_;
    my ($dir, $name) = $self->place($path);
    if ($self->{switch} && !$self->is_in_new($path) && $self->shares_device($dir)) {
        ($dir, $name) = @{ $self->set_apart($path) };
        $self->{jail}{instead}{$path} = [$dir, $name];
    }
    elsif (!$self->is_in_new($path)) {
        push @{ $self->{made} }, $path;
    }
    my $at = JailCGI::Builder::Tree::entry($dir, $name);
    mkdir $at, 0700 or failed('mkdir', $self->full($path));
    sysopen my $fh, $at, JailCGI::Builder::Tree::DIRECTORY
      or failed('open', $self->full($path));
    chown $uid, $gid, $fh or failed('chown', $self->full($path));
    chmod $mode, $fh or failed('chmod', $self->full($path));
    return;
}

# Where an entry is made apart: [handle, name].
sub set_apart {
    my ($self, $path) = @_;
    push @{ $self->{staged} }, $path;
    return $self->{apart}{$path} = [$self->{switch}->next_fh, 'new-' . keys %{ $self->{apart} }];
}

# Whether a directory is made apart above this path.
sub is_in_new {
    my ($self, $path) = @_;
    return JailCGI::Builder::Tree::is_below($path, $self->{apart});
}

# What is made apart can be renamed into a directory of the same file system alone. A
# subvolume of btrfs is another.
sub shares_device {
    my ($self, $dir) = @_;
    return (stat $dir)[0] == (stat $self->{switch}->next_fh)[0];
}

# stage(PATH, ENTRY, SOURCE, SHARE, OTHER, IS_APART): makes the entry under the other name,
# or in its place in a new directory. OTHER is a file with the same content, with which
# SHARE can share it. With IS_APART it is made apart, because it replaces a directory.
sub stage {
    my ($self, $path, $entry, $source, $share, $other, $is_apart) = @_;
    my ($dir, $name) = $self->place($path);
    if ($is_apart) {
        ($dir, $name) = @{ $self->set_apart($path) };
    }
    elsif (!$self->is_in_new($path)) {
        push @{ $self->{staged} }, $path;
        $name = other_name($name);
    }
    my $at = JailCGI::Builder::Tree::entry($dir, $name);
    unlink $at;
    if ($entry->{type} eq 'link') {
        symlink $entry->{target}, $at or failed('symlink', $self->full($path));
    }
    elsif ($entry->{type} eq 'device') {
        $self->make_device($path, $entry, $dir, $name);
    }
    elsif ($other && $share->how eq 'hard links' && $share->link_file($other, $at)) {
        return;
    }
    else {
        $self->make_file($path, $entry, $at, $source,
            $other && $share->how eq 'reflinks' ? sub { $share->clone_file($other, @_) } : undef);
    }
    return;
}

# CLONE gives the new file the data of another one, if it can.
sub make_file {
    my ($self, $path, $entry, $at, $source, $clone) = @_;
    sysopen my $out, $at, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600
      or failed('create', $self->full($path));
    binmode $out;
    my $mtime;
    if (defined $entry->{content}) {
        write_all($out, $entry->{content}) or failed('write', $self->full($path));
    }
    else {
        my $in = $source->open_file($entry->{from}) or failed('open', $entry->{from});
        $mtime = (stat $in)[9];
        $clone && $clone->($out) or $self->copy($path, $entry, $in, $out);
    }
    chown 0, 0, $out or failed('chown', $self->full($path));
    chmod $entry->{mode}, $out or failed('chmod', $self->full($path));
    # Python and others compare the time with that of their compiled files.
    !defined $mtime || utime $mtime, $mtime, $out or failed('utime', $self->full($path));
    close $out or failed('close', $self->full($path));
    return;
}

sub copy {
    my ($self, $path, $entry, $in, $out) = @_;
    while (1) {
        my $got = sysread $in, my $part, CHUNK;
        defined $got or failed('read', $entry->{from});
        return if !$got;
        write_all($out, $part) or failed('write', $self->full($path));
    }
    return;
}

sub write_all {
    my ($fh, $content) = @_;
    my $done = 0;
    while ($done < length $content) {
        my $got = syswrite $fh, $content, length($content) - $done, $done;
        return if !$got;
        $done += $got;
    }
    return 1;
}

# Perl has no mknod. The path has the pid of this process, because mknod does not
# have the descriptor.
sub make_device {
    my ($self, $path, $entry, $dir, $name) = @_;
    my $at = "/proc/$$/fd/" . fileno($dir) . "/$name";
    my ($status, $said) = run([program('mknod') // 'mknod', '-m', '666', $at, 'c',
            @$entry{qw(major minor)}], both => 1);
    if ($status) {
        refuse($self->full($path), 'no device can be made: ' . ($said =~ /([^:\n]+)$/)[0],
            'run jailcgi as root, outside of a container');
    }
    sysopen my $fh, JailCGI::Builder::Tree::entry($dir, $name), O_RDONLY | O_NOFOLLOW | O_NONBLOCK
      or refuse($self->full($path), "the device cannot be opened ($!): a file system"
          . ' that is mounted nodev', 'mount it without nodev, or choose another place');
    return;
}

# Gives a file a second name, or makes a link or a directory in a place where nothing is,
# or where a link is that leads back: give_name(KIND, PATH, MODE | TARGET | FILE).
sub give_name {
    my ($self, $kind, $path, $value) = @_;
    return $self->directory($path, $value, 0, 0) if $kind eq 'directory';
    my ($dir, $name) = $self->place($path);
    my $at = JailCGI::Builder::Tree::entry($dir, other_name($name));
    unlink $at;
    if ($kind eq 'link') {
        symlink $value, $at or failed('symlink', $self->full($path));
    }
    else {
        my ($from, $last) = $self->place($value);
        link JailCGI::Builder::Tree::entry($from, $last), $at
          or failed('link', $self->full($path));
    }
    my $new = !$self->{jail}->lstat_of($path);
    rename $at, JailCGI::Builder::Tree::entry($dir, $name) or failed('rename', $self->full($path));
    # Two names of one file: rename(2) does nothing then.
    unlink $at;
    push @{ $self->{named} }, $path if $new;
    return;
}

# Takes the names back that were new.
sub take_names {
    my ($self) = @_;
    for my $path (@{ delete $self->{named} || [] }) {
        my ($dir, $name) = eval { $self->place($path) } or next;
        unlink JailCGI::Builder::Tree::entry($dir, $name);
    }
    return $self->abandon;
}

# What was written is on the disk when this returns, so that a power cut finds the
# files whole that are renamed after it.
sub sync {
    my ($self) = @_;
    my ($status) = run([program('sync') // 'sync', '-f',
            "/proc/$$/fd/" . fileno($self->{jail}{fh})], both => 1);
    failed('sync', $self->{jail}->name) if $status;
    return;
}

# Where a staged entry is until it is renamed: [handle, name].
sub staged_at {
    my ($self, $path) = @_;
    return $self->{apart}{$path} if $self->{apart}{$path};
    my ($dir, $name) = $self->place($path);
    return [$dir, other_name($name)];
}

sub staged { return @{ $_[0]{staged} } }

# Renames the staged entries that WANTED accepts into place. Those that were there get
# a second name in the directory SAVE, so that undo() can put them back.
sub commit {
    my ($self, $wanted, $save) = @_;
    my @todo = sort { rank($a) <=> rank($b) || $a cmp $b } grep { $wanted->($_) } $self->staged;
    my %left = map { $_ => 1 } $self->staged;
    my $done = eval { $self->put($_, $save) && delete $left{$_} for @todo; 1 };
    my $error = $@;
    $self->{staged} = [grep { $left{$_} } $self->staged];
    $self->{jail}->forget;
    die $error if !$done;
    return;
}

sub put {
    my ($self, $path, $save) = @_;
    return $self->put_apart($path, $save) if $self->{apart}{$path};
    my ($dir, $name) = $self->place($path);
    my $at = JailCGI::Builder::Tree::entry($dir, $name);
    my $saved;
    if ($save) {
        $saved = 'saved-' . @{ $self->{done} };
        if (!link $at, JailCGI::Builder::Tree::entry($save, $saved)) {
            $!{ENOENT} or failed('link', $self->full($path));
            undef $saved;
        }
    }
    rename JailCGI::Builder::Tree::entry($dir, other_name($name)), $at
      or failed('rename', $self->full($path));
    push @{ $self->{done} }, [$path, $save, $saved] if $save;
    return 1;
}

# Brings what was made apart into place, in one step if the file system can do that.
# What was there is in .jailcgi~next then.
sub put_apart {
    my ($self, $path, $save) = @_;
    my ($from, $made) = @{ $self->{apart}{$path} };
    my ($dir, $name) = $self->place($path);
    turn_apart($from, $made, $dir, $name) or failed('rename', $self->full($path));
    delete $self->{jail}{instead}{$path};
    $self->{jail}->forget;
    push @{ $self->{done} }, [$path, $from, $made] if $save;
    return 1;
}

# Exchanges an entry with the one that was made apart, or moves the one that is there to
# the other place; false and $! if it cannot. Called again, it takes that back.
sub turn_apart {
    my ($from, $made, $dir, $name) = @_;
    my ($new, $at) = (JailCGI::Builder::Tree::entry($from, $made),
        JailCGI::Builder::Tree::entry($dir, $name));
    return rename $at,  $new if !lstat $new;
    return rename $new, $at  if !lstat $at;
    return 1 if exchange($from, $made, $dir, $name);
    rename $at, "$new-old" or return 0;
    return rename "$new-old", $new if rename $new, $at;
    my $errno = $! + 0;
    rename "$new-old", $at;
    $! = $errno;
    return 0;
}

# Libraries before the links that lead to them, and programs last: a program that
# starts in between needs what is there already. The loader and the C library work
# only together, and so are one after the other.
sub rank {
    my ($path) = @_;
    return 2 if $path =~ m{/(?:ld-|lib(?:c|pthread|dl|m|rt|resolv)[-.])[^/]*\.so[^/]*$|/libc\.so};
    return 1 if $path =~ /\.so(?:\.|$)/;
    return 3 if $path =~ m{/s?bin/[^/]+$};
    return 0;
}

# Puts back what commit() has replaced.
sub undo {
    my ($self) = @_;
    for my $done (reverse splice @{ $self->{done} }) {
        my ($path, $save, $saved) = @$done;
        my ($dir, $name) = eval { $self->place($path) } or next;
        if ($self->{apart}{$path}) {
            turn_apart($save, $saved, $dir, $name);
            $self->{jail}->forget;
            next;
        }
        my $at = JailCGI::Builder::Tree::entry($dir, $name);
        defined $saved ? rename(JailCGI::Builder::Tree::entry($save, $saved), $at) : unlink $at;
    }
    return;
}

# Removes the entries under other names, and the directories made for them.
sub abandon {
    my ($self) = @_;
    for my $path (grep { !$self->{apart}{$_} } @{ $self->{staged} }) {
        my ($dir, $name) = eval { $self->place($path) } or next;
        unlink JailCGI::Builder::Tree::entry($dir, other_name($name));
    }
    $self->{jail}->forget;
    for my $path (reverse @{ $self->{made} }) {
        my ($dir, $name) = eval { $self->place($path) } or next;
        rmdir JailCGI::Builder::Tree::entry($dir, $name);
    }
    $self->{jail}->forget;
    return;
}

# Removes one entry. A directory is removed only if it is empty and belongs to root.
sub remove {
    my ($self, $path) = @_;
    my ($dir, $name) = $self->place($path);
    my $at = JailCGI::Builder::Tree::entry($dir, $name);
    my @st = lstat $at or return 0;
    if (S_ISDIR($st[2])) {
        return 0 if JailCGI::Builder::Jail::offence(\@st);
        $self->{jail}->forget;
        return rmdir $at;
    }
    unlink $at or failed('unlink', $self->full($path));
    return 1;
}

1;
