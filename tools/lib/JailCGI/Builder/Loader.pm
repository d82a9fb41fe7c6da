package JailCGI::Builder::Loader;

# Finds the file that the dynamic loader of a tree would use for a library, by
# reading that tree with the rules of ld.so(8), for glibc and musl.
#
# Runs in:   jailcgi, started by the administrator
# Privilege: root
# Trusts:    nothing of the tree
# Never:     executes anything

use strict;
use warnings;

use JailCGI::Builder::Elf;

use constant {
    CACHE_MAGIC => 'glibc-ld.so.cache1.1',
    CACHE_MAX   => 1 << 23,
    LOADER_MAX  => 4 << 20,
    PATH_MAX    => 16,         # directories of one DT_RUNPATH
};

# Subdirectories that the loader prefers to the plain directory, best first.
my @hwcaps = map { "glibc-hwcaps/$_/" }
  qw(x86-64-v4 x86-64-v3 x86-64-v2 power10 power9 z16 z15 z14 z13);

sub new {
    my ($class, $tree) = @_;
    return bless { tree => $tree, objects => {}, dirs => {} }, $class;
}

# The object that a path of the tree names: {path, elf}, or undef. The hash is
# the same for all names of one file.
sub object {
    my ($self, $path) = @_;
    my $found = $self->{tree}->resolve($path);
    return if !$found->{st};
    return $self->object_found($found);
}

sub object_found {
    my ($self, $found) = @_;
    my $path = $found->{path};
    if (!exists $self->{objects}{$path}) {
        my $fh  = $self->{tree}->open_found($found);
        my $elf = $fh && JailCGI::Builder::Elf::parse($fh);
        $self->{objects}{$path} = $elf ? { path => $path, elf => $elf } : undef;
    }
    return $self->{objects}{$path};
}

# The directories that are compiled into a loader. That of glibc has them one after
# the other, each with a slash at its end.
sub directories {
    my ($self, $interp) = @_;
    return @{ $self->{dirs}{$interp} } if $self->{dirs}{$interp};
    my @dirs = qw(/lib/ /usr/local/lib/ /usr/lib/);
    if ($interp !~ m{/ld-musl}) {
        my $text = $self->{tree}->read_file($interp, LOADER_MAX) // '';
        my ($list) = $text =~ m{((?:/(?:usr/)?lib[\w./-]*/\0)+)};
        @dirs = defined $list ? split /\0/, $list : qw(/lib64/ /usr/lib64/ /lib/ /usr/lib/);
    }
    $self->{dirs}{$interp} = \@dirs;
    return @dirs;
}

# {name => [paths]} of etc/ld.so.cache, in the format of glibc 2.2 and later, which
# may follow an older one.
sub cache {
    my ($self) = @_;
    return $self->{cache} if $self->{cache};
    my %cache;
    my $text = $self->{tree}->read_file('/etc/ld.so.cache', CACHE_MAX) // '';
    my $start = index $text, CACHE_MAGIC;
    if ($start >= 0 && length($text) >= $start + 48) {
        $text = substr $text, $start;
        my $order = unpack('C', substr $text, 28, 1) == 3 ? '>' : '<';
        my ($count) = unpack "L$order", substr $text, 20, 4;
        for my $i (0 .. $count - 1) {
            last if 48 + ($i + 1) * 24 > length $text;
            my ($key, $value) = unpack "(LL)$order", substr $text, 52 + $i * 24, 8;
            next if $key >= length $text || $value >= length $text;
            my ($name, $path) = map { unpack 'Z*', substr $text, $_, 4096 } $key, $value;
            push @{ $cache{$name} }, $path;
        }
    }
    return $self->{cache} = \%cache;
}

# The directories of DT_RPATH or DT_RUNPATH.
sub expanded {
    my ($self, $list, $object, $interp) = @_;
    my ($origin) = $object->{path} =~ m{^(.*)/};
    my ($lib) = map { m{^/(lib.*?)/$} } $self->directories($interp);
    my @dirs;
    for my $dir (split /:/, $list // '') {
        $dir =~ s/\$(?:ORIGIN\b|\{ORIGIN\})/$origin/g;
        $dir =~ s/\$(?:LIB\b|\{LIB\})/$lib/g;
        push @dirs, "$dir/" if $dir =~ m{^/} && $dir !~ /\$/;
        last if @dirs == PATH_MAX;
    }
    return @dirs;
}

# The search path that an object passes to those that it loads: its DT_RPATH and
# that of its own loaders. A DT_RUNPATH turns it off.
sub handed_down {
    my ($self, $object, $interp, @inherited) = @_;
    return @inherited if defined $object->{elf}{runpath};
    return ($self->expanded($object->{elf}{rpath}, $object, $interp), @inherited);
}

# find(NAME, OBJECT, INTERP, RPATH...): the object that OBJECT gets for NAME.
sub find {
    my ($self, $name, $object, $interp, @rpath) = @_;
    my $elf = $object->{elf};
    if ($name =~ m{/}) {
        return $self->fitting($elf, map { s{/$}{}r } $self->expanded($name, $object, $interp));
    }
    my @before = defined $elf->{runpath}
      ? $self->expanded($elf->{runpath}, $object, $interp)
      : $self->handed_down($object, $interp, @rpath);
    my @default = $elf->{nodeflib} ? () : $self->directories($interp);
    my @cached  = $interp =~ m{/ld-musl} ? () : @{ $self->cache->{$name} || [] };
    if ($elf->{nodeflib}) {
        my @standard = $self->directories($interp);
        @cached = grep { my $path = $_; !grep { index($path, $_) == 0 } @standard } @cached;
    }
    return $self->fitting($elf, map({ $self->in_directory($_, $name) } @before),
        @cached, map { $self->in_directory($_, $name) } @default);
}

sub in_directory {
    my ($self, $dir, $name) = @_;
    $self->{in}{$dir} //= [grep { $self->{tree}->is_directory($_) }
        (map { "$dir$_" } @hwcaps), $dir];
    return map { "$_$name" } @{ $self->{in}{$dir} };
}

# The first of the paths that is an object of the same kind.
sub fitting {
    my ($self, $elf, @paths) = @_;
    for my $path (@paths) {
        my $object = $self->object($path) or next;
        return $object if $object->{elf}{kind} eq $elf->{kind};
    }
    return;
}

1;
