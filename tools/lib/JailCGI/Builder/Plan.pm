package JailCGI::Builder::Plan;

# The planned contents of a jail: {PATH => entry}. A path is the same in the jail
# and on the host. An entry has a type and
#   dir     mode, uid, gid (root, 0755, unless given)
#   file    from (a path of the source tree) or content; mode
#   link    target
#   device  major, minor
#
# Runs in:   jailcgi, started by the administrator
# Privilege: root
# Trusts:    the host
# Never:     touches a jail; plans a setuid file or one that others can write

use strict;
use warnings;

use Fcntl ':mode';

use JailCGI::Builder::Ask qw(libraries directories_of is_trusted);
use JailCGI::Builder::Elf;
use JailCGI::Builder::Loader;
use JailCGI::Builder::Progress qw(progress);
use JailCGI::Builder::Say qw(refuse shown);
use JailCGI::Builder::Tree;

use constant SCRIPTS_DEEP => 4;    # a #! interpreter that is a script itself

# tree: the source; exclude: shell patterns; asks: whether programs of the source
# may be asked, which is possible on the host only.
sub new {
    my ($class, %option) = @_;
    my $self = bless {
        entries => {},
        notes   => [],
        seen    => {},
        known   => {},
        tree    => $option{tree} || JailCGI::Builder::Tree->host,
        asks    => $option{asks} // 1,
    }, $class;
    my @patterns = map { pattern($_) } @{ $option{exclude} || [] };
    $self->{exclude} = @patterns ? do { my $all = join '|', @patterns; qr/^(?:$all)$/s } : undef;
    $self->{loader} = JailCGI::Builder::Loader->new($self->{tree});
    return $self;
}

sub entries { return $_[0]{entries} }
sub notes   { return @{ $_[0]{notes} } }
sub tree    { return $_[0]{tree} }
sub asks    { return $_[0]{asks} }

sub note {
    my ($self, $text) = @_;
    push @{ $self->{notes} }, $text if !grep { $_ eq $text } $self->notes;
    return;
}

# Why that comes which is planned from now on: what was named, and the reason if that
# alone does not explain it (Sight.pm).
sub because {
    my ($self, $why, $because) = @_;
    $self->{why} = [$why, $because];
    return;
}

# A shell pattern: * and ? match slashes too.
sub pattern {
    my ($glob) = @_;
    return join '', map { $_ eq '*' ? '.*' : $_ eq '?' ? '.' : quotemeta } split //, $glob;
}

sub put {
    my ($self, $path, %entry) = @_;
    if ($path =~ m{\n|[^/]{241}}) {
        return $self->note(shown($path) . ' is left out: there is a line end in its name,'
              . ' or it is longer than 240 bytes');
    }
    if ($path =~ m{^(.+)/}) {
        $self->{entries}{$1} || $self->put($1, type => 'dir');
    }
    my $before = $self->{entries}{$path};
    $entry{why} = $before ? $before->{why} : $entry{why} // $self->{why};
    $self->{entries}{$path} = \%entry;
    progress('planning file', scalar keys %{ $self->{entries} });
    return;
}

# Whether the file that a path of the source leads to is planned.
sub holds {
    my ($self, $path) = @_;
    my $found = $self->{tree}->resolve($path);
    return $found->{st} && $self->{entries}{ $found->{path} };
}

sub excluded {
    my ($self, $path) = @_;
    return $self->{exclude} && $path =~ $self->{exclude};
}

# Plans a file and every link on the way to it, under their own names. Returns the
# path of the file, or undef if it does not exist.
sub add_file {
    my ($self, $path, %how) = @_;
    my $found = $self->{tree}->resolve($path);
    if (!$found->{st} || (!S_ISREG($found->{st}[2]) && !S_ISDIR($found->{st}[2]))) {
        return if !$how{required};
        refuse($path, 'is not a file of this machine', 'install it, or correct the name');
    }
    $self->put($_->[0], type => 'link', target => $_->[1]) for @{ $found->{links} };
    my $real = $found->{path};
    if ($found->{fh}) {
        $self->put($real, type => 'dir', %{ mode_for_all($real, $found->{st}) })
          if $real ne '' && !$self->{entries}{$real};
        return $real;
    }
    $self->put($real, type => 'file', from => $real, mode => safe_mode($found->{st}[2]),
        size => $found->{st}[7]);
    # The loader prefers the one below glibc-hwcaps if the processor has
    # the features for it; the plain one is for other processors.
    if ($real =~ m{^(.*/)glibc-hwcaps/[^/]+/([^/]+)$}) {
        $self->add_file("$1$2");
    }
    return $real;
}

# The mode: without setuid and setgid, writable by root alone.
sub safe_mode { return $_[0] & 0755 | 0400 }

# Plans the content of a file under this very name, even if it is a link on the host.
sub add_flat {
    my ($self, $path) = @_;
    my $found = $self->{tree}->resolve($path);
    return 0 if !$found->{st} || !S_ISREG($found->{st}[2]);
    $self->put($path, type => 'file', from => $found->{path}, mode => 0644,
        size => $found->{st}[7]);
    return 1;
}

# Plans a program or script with everything that it needs to start, and an
# interpreter also with its own libraries.
sub add_program {
    my ($self, $path, %how) = @_;
    my $real = $self->add_file($path, required => $how{required}) // return;
    if ($self->{entries}{$real}{type} eq 'dir') {
        refuse($path, 'is a directory', 'name a program, or use --tree');
    }
    $self->add_needs($real, %how);
    return $real if $self->{seen}{"interpreter $real"}++;
    # /usr/bin/php-cgi may lead to php-cgi8.2: either may be the known name.
    for my $name ($path, $real) {
        my @own = directories_of($name) or next;
        local $self->{why} = [($self->{why} || [$path])->[0],
            "$name brings all of " . JailCGI::Builder::Ask::name_of_directories($name)
              . ': --exclude trims it'];
        $self->add_any($_) for @own;
        last;
    }
    return $real;
}

# Plans a tree or a file.
sub add_any {
    my ($self, $path) = @_;
    return $self->{tree}->is_directory($path) ? $self->add_tree($path) : $self->add_file($path);
}

# Plans what a planned file needs: the loader and libraries of an ELF object, the
# interpreter of a script.
sub add_needs {
    my ($self, $real, %how) = @_;
    return if $self->{seen}{"needs $real"}++;
    my $fh = $self->{tree}->open_file($real) or return;
    my $head = JailCGI::Builder::Tree::read_handle($fh, 256) // '';
    if ($head =~ /^\x7fELF/) {
        my $object = $self->{loader}->object($real);
        $self->add_libraries($object, %how) if $object && $object->{elf}{dynamic};
    }
    elsif ($head =~ /^#![ \t]*([^\s\0]+)(?:[ \t]+(\S+))?/) {
        $self->add_interpreter($real, $1, $2, %how);
    }
    return;
}

sub add_interpreter {
    my ($self, $script, $interpreter, $argument, %how) = @_;
    my @wanted = ($interpreter);
    my $deep   = $how{deep} || 0;
    if ($interpreter =~ m{/env$} && defined $argument && $argument !~ /^-/) {
        my $program = JailCGI::Builder::Ask::program($argument);
        push @wanted, $program // $argument;
    }
    for my $path (@wanted) {
        if ($deep < SCRIPTS_DEEP && $path =~ m{^/} && $self->{tree}->is_file($path)) {
            $self->add_program($path, %how, deep => $deep + 1);
            next;
        }
        my $said = 'its interpreter ' . shown($path) . ' is not on this machine';
        refuse($script, $said, 'install it, or correct the first line') if $how{required};
        $self->note(shown($script) . ": $said, so it will not start in the jail");
    }
    return;
}

# A program that every system has, for questions to its loader; or undef.
sub shell {
    my ($self) = @_;
    my $shell = $self->{loader}->object('/bin/sh');
    return $shell && $shell->{elf}{interp} ? $shell : undef;
}

# The path of the shell's C library.
sub c_library {
    my ($self) = @_;
    my $shell = $self->shell or return;
    my $libc = $self->{loader}->find('libc.so.6', $shell, $shell->{elf}{interp}) or return;
    return $libc->{path};
}

# The loader of objects of this kind: their own, or that of /bin/sh.
sub loader_for {
    my ($self, $elf) = @_;
    return $elf->{interp} if $elf->{interp};
    my $shell = $self->shell;
    return $shell->{elf}{interp} if $shell && $shell->{elf}{kind} eq $elf->{kind};
    return $self->{interp}{ $elf->{kind} };
}

sub add_libraries {
    my ($self, $object, %how) = @_;
    my ($path, $elf) = @$object{qw(path elf)};
    my $interp = $self->loader_for($elf);
    if (!$interp) {
        return $self->note(shown($path) . ' is not for this machine\'s processor;'
              . ' its libraries are left out');
    }
    $self->{interp}{ $elf->{kind} } = $interp;
    if (!$self->add_file($interp)) {
        refuse($path, 'its loader ' . shown($interp) . ' is not on this machine',
            'install the package that has it');
    }
    return if !$self->{asks} || $self->answered($elf);
    if (!$how{required} && !is_trusted($path)) {
        return $self->note(shown($path) . ' can be written by others than root; its'
              . ' libraries are left out');
    }
    my ($found, $missing) = libraries($interp, $path);
    if (@$missing) {
        my $said = "the loader of this machine does not find @$missing";
        refuse($path, $said, 'install the package that has it') if $how{required};
        $self->note(shown($path) . ": $said");
    }
    for my $library (@$found) {
        $self->add_file($library) or next;
        my ($name) = $library =~ m{([^/]+)$};
        $self->{known}{"$elf->{kind} $name"} = 1 if !has_path($elf);
    }
    return;
}

sub has_path {
    my ($elf) = @_;
    return defined $elf->{rpath} || defined $elf->{runpath} || $elf->{nodeflib};
}

# Whether the loader has already named the files of everything that it needs, for
# another object without a search path of its own.
sub answered {
    my ($self, $elf) = @_;
    return if has_path($elf);
    return !grep { !$self->{known}{"$elf->{kind} $_"} } @{ $elf->{needed} };
}

# Plans a directory with its contents.
sub add_tree {
    my ($self, $dir) = @_;
    my $real = $self->add_file($dir);
    if (!defined $real || !$self->{tree}->is_directory($real)) {
        refuse($dir, 'is not a directory of this machine', 'correct the name');
    }
    $self->walk_tree($real);
    return;
}

# {mode} of a directory of root's in which everybody may make files and nobody may remove
# those of others, as Debian's of PHP's sessions (1733); otherwise {}. What is in it belongs
# to others, and is no part of a jail.
sub mode_for_all {
    my ($path, $st) = @_;
    return { mode => 01777 } if $path eq '/var/tmp';
    return {} if $st->[4] != 0 || ($st->[2] & 01003) != 01003;
    return { mode => $st->[2] & 01777 };
}

sub walk_tree {
    my ($self, $dir) = @_;
    return if $self->{seen}{"tree $dir"}++ || $self->excluded($dir);
    my $found = $self->{tree}->resolve($dir);
    return if !$found->{fh};
    my %more = %{ mode_for_all($dir, $found->{st}) };
    $self->put($dir, type => 'dir', %more, %{ $self->{entries}{$dir} || {} }) if $dir ne '';
    return if %more;
    for my $name (JailCGI::Builder::Tree::names_in($found->{fh})) {
        my $path = "$dir/$name";
        next if $self->excluded($path);
        my @st = lstat JailCGI::Builder::Tree::entry($found->{fh}, $name) or next;
        if (S_ISDIR($st[2])) {
            $self->walk_tree($path);
        }
        elsif (S_ISLNK($st[2])) {
            $self->add_link($path, $dir);
        }
        elsif (S_ISREG($st[2])) {
            $self->put($path, type => 'file', from => $path, mode => safe_mode($st[2]),
                size => $st[7]);
            $self->add_needs($path, required => 0)
              if $self->{asks} && $name =~ /\.so(?:\.|$)/;
        }
    }
    return;
}

# Plans a link in a tree and its target: a file anywhere, or a directory unless the
# tree is in it.
sub add_link {
    my ($self, $path, $tree) = @_;
    my $target = $self->{tree}->link_target($path) // return;
    $self->put($path, type => 'link', target => $target);
    return if !$self->{asks};
    my $found = $self->{tree}->resolve($path);
    return if !$found->{st} || $found->{path} =~ JailCGI::Builder::Ask::too_much();
    if (S_ISREG($found->{st}[2])) {
        $self->add_file($path);
    }
    elsif ($found->{fh} && index("$tree/", "$found->{path}/") != 0) {
        $self->add_file($path);
        $self->walk_tree($found->{path});
    }
    return;
}

1;
