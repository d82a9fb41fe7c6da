package JailCGI::Builder::Elf;

# Reads from a file what a program or library needs and offers (elf(5)). Nothing is
# executed and nothing is mapped.
#
# Runs in:   jailcgi, started by the administrator
# Privilege: root
# Trusts:    nothing: the file may be a tenant's; every count has a maximum
# Never:     reads more than MAX bytes at once, loops as often as the file says

use strict;
use warnings;

use constant {
    MAX         => 64 << 20,
    SEGMENTS    => 128,
    DYNAMICS    => 4096,
    VERSIONS    => 8192,
    LIBRARIES   => 256,
    NOTES       => 1 << 16,
    PT_LOAD     => 1,
    PT_DYNAMIC  => 2,
    PT_INTERP   => 3,
    PT_NOTE     => 4,
    NT_BUILD_ID => 3,
    ET_EXEC     => 2,
    ET_DYN      => 3,
    VER_WEAK    => 2,
    NODEFLIB    => 0x800,
};

my %tag = (
    1          => 'needed',
    5          => 'strtab',
    10         => 'strsz',
    14         => 'soname',
    15         => 'rpath',
    29         => 'runpath',
    0x6ffffffb => 'flags_1',
    0x6ffffffc => 'verdef',
    0x6ffffffd => 'verdefnum',
    0x6ffffffe => 'verneed',
    0x6fffffff => 'verneednum',
);

# Whether the file begins like an ELF file.
sub is_elf {
    my ($fh) = @_;
    return (at_offset($fh, 0, 4) // '') eq "\x7fELF";
}

# parse(HANDLE): a hash, or undef if it is not an ELF object that can be loaded.
#   kind       class and machine, "2:62"; only equals can be linked
#   interp     PT_INTERP, if it has one
#   dynamic    whether there is a dynamic section
#   soname, rpath, runpath, needed ([names]), nodeflib, build_id
#   defines    {version => 1}: verdef, without the base; undef if it has none
#   requires   [[file, version, weak]]: verneed
sub parse {
    my ($fh) = @_;
    my $elf = eval { parsed($fh) };
    die $@ if $@ && $@ ne "malformed\n";
    return $elf;
}

sub malformed { die "malformed\n" }

# Exactly LENGTH bytes, or undef.
sub at_offset {
    my ($fh, $offset, $length) = @_;
    return if $length < 0 || $length > MAX || $offset < 0;
    defined sysseek $fh, $offset, 0 or return;
    my $content = '';
    while (length $content < $length) {
        my $got = sysread $fh, $content, $length - length $content, length $content;
        return if !$got;
    }
    return $content;
}

sub bytes {
    my ($fh, $offset, $length) = @_;
    return at_offset($fh, $offset, $length) // malformed();
}

sub parsed {
    my ($fh) = @_;
    my $ident = at_offset($fh, 0, 16) // return;
    my ($magic, $class, $data) = unpack 'a4 C C', $ident;
    return if $magic ne "\x7fELF" || $class !~ /^[12]$/ || $data !~ /^[12]$/;
    my $self = {
        fh    => $fh,
        class => $class,
        order => $data == 1 ? '<' : '>',
        word  => $class == 2 ? 'Q' : 'L',
    };
    $self->{pair} = "($self->{word}2)$self->{order}";
    header($self);
    return if $self->{type} != ET_EXEC && $self->{type} != ET_DYN;
    dynamic($self);
    build_id($self);
    delete @$self{qw(fh strings segments dyn)};
    return $self;
}

sub fields {
    my ($self, $template, $offset, $length) = @_;
    return unpack "($template)$self->{order}", bytes($self->{fh}, $offset, $length);
}

sub header {
    my ($self) = @_;
    my ($type, $machine, undef, undef, $phoff, undef, undef, undef, $phsize, $phnum) =
      $self->{class} == 2
      ? fields($self, 'SSLQQQLSSS', 16, 42)
      : fields($self, 'SSLLLLLSSS', 16, 30);
    my $size = $self->{class} == 2 ? 56 : 32;
    malformed() if $phnum > SEGMENTS || ($phnum && $phsize != $size);
    @$self{qw(type kind)} = ($type, "$self->{class}:$machine");
    for my $i (0 .. $phnum - 1) {
        my %segment;
        if ($self->{class} == 2) {
            @segment{qw(type flags offset vaddr paddr filesz)} =
              fields($self, 'LLQQQQ', $phoff + $i * $size, 40);
        }
        else {
            @segment{qw(type offset vaddr paddr filesz)} =
              fields($self, 'LLLLL', $phoff + $i * $size, 20);
        }
        push @{ $self->{segments} }, \%segment;
    }
    my ($interp) = grep { $_->{type} == PT_INTERP } @{ $self->{segments} };
    if ($interp) {
        malformed() if $interp->{filesz} > 4096;
        ($self->{interp}) =
          unpack 'Z*', bytes($self->{fh}, $interp->{offset}, $interp->{filesz});
    }
    return;
}

# The place of an address in the file.
sub offset_of {
    my ($self, $address) = @_;
    for my $segment (@{ $self->{segments} }) {
        next if $segment->{type} != PT_LOAD || $address < $segment->{vaddr};
        my $into = $address - $segment->{vaddr};
        return $segment->{offset} + $into if $into < $segment->{filesz};
    }
    return malformed();
}

sub dynamic {
    my ($self) = @_;
    my ($segment) = grep { $_->{type} == PT_DYNAMIC } @{ $self->{segments} };
    $self->{needed} = $self->{requires} = [];
    return if !$segment;
    $self->{dynamic} = 1;
    my $size  = $self->{class} == 2 ? 16 : 8;
    my $count = int($segment->{filesz} / $size);
    malformed() if $count > DYNAMICS;
    my (%dyn, @needed);
    for my $i (0 .. $count - 1) {
        my ($tag, $value) = unpack $self->{pair},
          bytes($self->{fh}, $segment->{offset} + $i * $size, $size);
        last if $tag == 0;
        my $name = $tag{$tag} or next;
        push @needed, $value if $name eq 'needed';
        $dyn{$name} = $value;
    }
    malformed() if @needed > LIBRARIES;
    $self->{dyn} = \%dyn;
    $self->{nodeflib} = 1 if ($dyn{flags_1} || 0) & NODEFLIB;
    return if !$dyn{strtab} || !$dyn{strsz};
    $self->{strings} =
      bytes($self->{fh}, offset_of($self, $dyn{strtab}), $dyn{strsz});
    $self->{needed} = [map { string($self, $_) } @needed];
    for my $name (grep { defined $dyn{$_} } qw(soname rpath runpath)) {
        $self->{$name} = string($self, $dyn{$name});
    }
    $self->{requires} = version_needs($self);
    $self->{defines}  = version_definitions($self);
    return;
}

sub string {
    my ($self, $at) = @_;
    malformed() if $at >= length $self->{strings};
    return unpack 'Z*', substr $self->{strings}, $at, 4096;
}

# Elf_Verneed and Elf_Vernaux: [file, version, weak].
sub version_needs {
    my ($self) = @_;
    my $dyn   = $self->{dyn};
    my $count = $dyn->{verneednum} || 0;
    malformed() if $count > VERSIONS;
    my $at = $count ? offset_of($self, $dyn->{verneed}) : 0;
    my @found;
    for (1 .. $count) {
        my (undef, $auxes, $file, $aux, $next) = fields($self, 'SSLLL', $at, 16);
        my $aux_at = $at + $aux;
        for (1 .. $auxes) {
            my (undef, $flags, undef, $name, $more) =
              fields($self, 'LSSLL', $aux_at, 16);
            push @found,
              [string($self, $file), string($self, $name), $flags & VER_WEAK];
            malformed() if @found > VERSIONS;
            last        if !$more;
            $aux_at += $more;
        }
        last if !$next;
        $at += $next;
    }
    return \@found;
}

# Elf_Verdef and the first Elf_Verdaux of each, which is its name.
sub version_definitions {
    my ($self) = @_;
    my $dyn   = $self->{dyn};
    my $count = $dyn->{verdefnum} || return;
    malformed() if $count > VERSIONS;
    my $at = offset_of($self, $dyn->{verdef});
    my %found;
    for (1 .. $count) {
        my (undef, $flags, undef, undef, undef, $aux, $next) =
          fields($self, 'SSSSLLL', $at, 20);
        my ($name) = fields($self, 'L', $at + $aux, 4);
        $found{ string($self, $name) } = 1;
        last if !$next;
        $at += $next;
    }
    return \%found;
}

sub build_id {
    my ($self) = @_;
    for my $segment (grep { $_->{type} == PT_NOTE } @{ $self->{segments} }) {
        next if $segment->{filesz} > NOTES;
        my $notes = bytes($self->{fh}, $segment->{offset}, $segment->{filesz});
        my $at    = 0;
        while ($at + 12 <= length $notes) {
            my ($name_len, $desc_len, $type) =
              unpack "(LLL)$self->{order}", substr $notes, $at, 12;
            my $desc = $at + 12 + (($name_len + 3) & ~3);
            last if $desc + $desc_len > length $notes;
            if ($type == NT_BUILD_ID && substr($notes, $at + 12, $name_len) eq "GNU\0") {
                $self->{build_id} = unpack 'H*', substr $notes, $desc, $desc_len;
                return;
            }
            $at = $desc + (($desc_len + 3) & ~3);
        }
    }
    return;
}

1;
