package JailCGI::Builder::Check::Objects;

# Checks programs and libraries: whether each finds its loader, its libraries and
# the symbol versions that it needs, by the rules of ld.so(8), and whether they are
# those of the host.
#
# Runs in:   jailcgi check
# Privilege: root
# Trusts:    nothing in the jail
# Never:     executes or maps an object

use strict;
use warnings;

use Fcntl ':mode';

use JailCGI::Builder::Layout qw(places_of);
use JailCGI::Builder::Say qw(quoted);
use JailCGI::Builder::Tree;

use constant { LIBRARIES_MAX => 500, LIBC_MAX => 8 << 20 };

# What the functions below share, for one check.
sub of {
    my ($check) = @_;
    return { check => $check, loader => $check->{loader}, interp => {}, names => {},
        reached => {} };
}

# A program, or a module that a program loads at run time.
sub one {
    my ($self, $object) = @_;
    return $object->{elf}{interp} ? program($self, $object) : module($self, $object);
}

# The names of all libraries, for the look at a module.
sub name_them {
    my ($self, $objects) = @_;
    for my $object (@$objects) {
        my ($name) = $object->{path} =~ m{([^/]+)$};
        $self->{names}{"$object->{elf}{kind} $_"} = 1 for $name, $object->{elf}{soname} // ();
    }
    return;
}

sub check {
    my ($check, $objects) = @_;
    my $self = of($check);
    name_them($self, $objects);
    my @programs = grep { $_->{elf}{interp} } @$objects;
    program($self, $_) for @programs;
    for my $object (@$objects) {
        module($self, $object) if !$object->{elf}{interp} && !$self->{reached}{ $object->{path} };
        compare($self, $object) if $check->{compares} && $object->{uid} == 0;
    }
    libc_and_loader($self);
    return;
}

# Checks a program, and all files that the loader would map for it.
sub program {
    my ($self, $program) = @_;
    my $interp = $program->{elf}{interp};
    my $why = loader_missing($self, $program, $interp);
    if ($why) {
        $self->{check}->finding('no-loader', $program->{path}, "its loader $interp", $why,
            'an executable file of the same kind', $self->{check}->remedy_for($interp));
        return;
    }
    $self->{interp}{ $program->{elf}{kind} } //= $interp;
    return if !$program->{elf}{dynamic};
    my %loaded = loader_names($self, $interp);
    my %queued;
    my @queue = ([$program]);
    while (my $next = shift @queue) {
        my ($object, @rpath) = @$next;
        last if keys %queued > LIBRARIES_MAX;
        $self->{reached}{ $object->{path} } = 1;
        for my $name (@{ $object->{elf}{needed} }) {
            # A library of this name that is loaded already is not looked for again.
            my $library = $loaded{$name}
              //= $self->{loader}->find($name, $object, $interp, @rpath) // 0;
            if (!$library) {
                missing($self, $object, $name, $program);
                next;
            }
            $loaded{ $library->{elf}{soname} } //= $library if defined $library->{elf}{soname};
            versions($self, $object, $library, $name);
            next if $queued{ $library->{path} }++;
            push @queue, [$library, $self->{loader}->handed_down($object, $interp, @rpath)];
        }
    }
    return;
}

# The loader is in the program already when its name comes up among the libraries, and
# need not be in a directory where libraries are looked for: on Debian 11 it is not.
sub loader_names {
    my ($self, $interp) = @_;
    my $loader = $self->{loader}->object($interp) or return;
    return map { $_ => $loader } grep { defined } $loader->{elf}{soname}, $interp =~ m{([^/]+)$};
}

sub loader_missing {
    my ($self, $program, $interp) = @_;
    my $found = $self->{check}{jail}->resolve($interp);
    return 'none' if $interp !~ m{^/} || !$found->{st};
    return 'no regular file' if !S_ISREG($found->{st}[2]);
    return sprintf 'mode %04o', $found->{st}[2] & 07777 if !($found->{st}[2] & 0111);
    my $loader = $self->{loader}->object_found($found);
    return 'no ELF object' if !$loader;
    return 'one for another processor' if $loader->{elf}{kind} ne $program->{elf}{kind};
    return;
}

# Checks a library that no program needs by name, because it is loaded at run time.
# The program that loads it may have loaded from elsewhere what the library needs.
sub module {
    my ($self, $object) = @_;
    my $elf = $object->{elf};
    my $interp = $self->{interp}{ $elf->{kind} } or return;
    return if $object->{path} eq $self->{check}{jail}->resolve($interp)->{path};
    my %loaded = loader_names($self, $interp);
    for my $name (@{ $elf->{needed} }) {
        my $library = $loaded{$name} // $self->{loader}->find($name, $object, $interp);
        if ($library) {
            versions($self, $object, $library, $name);
        }
        elsif (!$self->{names}{"$elf->{kind} $name"}) {
            missing($self, $object, $name);
        }
    }
    return;
}

sub missing {
    my ($self, $object, $name, $program) = @_;
    my $check = $self->{check};
    my $path = $object->{path};
    my $what = "library $name";
    $what .= ', without which ' . $program->{path} . ' does not start'
      if $program && $program != $object;
    $check->finding('missing-library', $path, $what, 'none',
        'one where its loader looks', library_remedy($self, $object, $name));
    return;
}

# The library as this machine's loader would find it.
sub library_remedy {
    my ($self, $object, $name) = @_;
    my $check = $self->{check};
    my $root = $check->shown_root;
    return "jailcgi update $root" if $check->{told} && $check->{files}{ $object->{path} };
    my $interp = $object->{elf}{interp} // $self->{interp}{ $object->{elf}{kind} };
    my $there = $interp && $check->{host_loader}->find($name, $object, $interp);
    return $check->remedy_for($there->{path}) if $there;
    return 'install the package that has ' . quoted($name)
      . " on this machine, then jailcgi mkjail $root --program "
      . quoted($object->{path});
}

# Checks each symbol version that OBJECT needs from LIBRARY. About a library without
# any versions the loader only warns, and weak needs may be unmet.
sub versions {
    my ($self, $object, $library, $name) = @_;
    my $defines = $library->{elf}{defines} or return;
    for my $need (@{ $object->{elf}{requires} }) {
        my ($file, $version, $weak) = @$need;
        next if $file ne $name || $weak || $defines->{$version};
        my $check = $self->{check};
        my $own = $check->{files}{ $library->{path} } || $check->{files}{ $object->{path} };
        my $root = $check->shown_root;
        $check->finding('missing-version', $object->{path}, "version $version of $name",
            "none in $library->{path}", 'a library that defines it',
            $check->{told} && $own ? "jailcgi update $root"
            : 'take ' . quoted($name)
              . " and the program from one and the same system: jailcgi mkjail $root"
              . ' --adopt --program ' . quoted($object->{path}));
    }
    return;
}

# Whether the file of the same name on the host is the same build.
sub compare {
    my ($self, $object) = @_;
    my $check = $self->{check};
    my $path = $object->{path};
    my ($host) = grep { defined } map { $check->{host_loader}->object($_) }
      places_of($check->{host}, $path);
    if (!$host) {
        $check->finding('not-on-host', $path, 'a file that jailcgi has copied',
            'none on this machine', 'the same file',
            'jailcgi update ' . $check->shown_root) if $check->{files}{$path};
        return;
    }
    my ($here, $there) = map { $_->{elf}{build_id} } $object, $host;
    return if defined $here && defined $there ? $here eq $there
      : same_file($check, $host->{path}, $path);
    my $root = $check->shown_root;
    my $own = $check->{told} && $check->{files}{$path};
    $check->finding('differs', $path, 'build id', $here // 'none, and other content',
        ($there // 'the content') . ' as on this machine',
        $own ? "jailcgi update $root" : "jailcgi mkjail $root --adopt --program " . quoted($path));
    return;
}

sub same_file {
    my ($check, $there, $path) = @_;
    return JailCGI::Builder::Compare::same_bytes($check->{host}->open_file($there),
        $check->{jail}->open_file($path));
}

# The C library and the loader are built from one source, and neither works with
# that of another build. The text that each prints for --version names the build.
sub libc_and_loader {
    my ($self) = @_;
    for my $kind (sort keys %{ $self->{interp} }) {
        my $interp = $self->{interp}{$kind};
        my $loader = $self->{loader}->object($interp) or next;
        my $libc = $self->{loader}->find('libc.so.6', $loader, $interp) or next;
        my ($one, $other) = map { build_named($self, $_->{path}) } $loader, $libc;
        next if !defined $one || !defined $other || $one eq $other;
        my $root = $self->{check}->shown_root;
        $self->{check}->finding('libc-and-loader', $libc->{path}, 'the build of the C library',
            $other, "$one, as the loader $interp", $self->{check}{told}
            ? "jailcgi update $root" : "jailcgi mkjail $root --adopt --program /bin/sh");
    }
    return;
}

sub build_named {
    my ($self, $path) = @_;
    my $text = $self->{check}{jail}->read_file($path, LIBC_MAX) // return;
    my ($build) = $text =~ /(?:ld\.so|GNU C Library) (\([^()\0]{1,100}\)) stable release version/;
    return $build;
}

1;
