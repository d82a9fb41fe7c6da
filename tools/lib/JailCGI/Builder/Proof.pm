package JailCGI::Builder::Proof;

# Proves, before a jail is changed, that each program that starts in it will start in
# the changed one: its loader, its libraries and their symbol versions, the
# interpreter of a script. Both are read with the rules of check; the changed one is a
# tree that shows what is staged in its future place (Tree.pm, instead).
#
# Runs in:   jailcgi mkjail, jailcgi update
# Privilege: root
# Trusts:    nothing in the jail
# Never:     executes anything

use strict;
use warnings;

use JailCGI::Builder::Check;
use JailCGI::Builder::Tree;

our @ISA = ('JailCGI::Builder::Check');

# A check of one state. It keeps the reasons by program and prints none.
sub state_of {
    my ($class, $jail, $told, $instead) = @_;
    my $tree = JailCGI::Builder::Tree->new(fh => $jail->{fh}, name => $jail->name,
        instead => $instead || {});
    return bless {
        root        => $jail->name,
        jail        => $tree,
        host        => JailCGI::Builder::Tree->host,
        loader      => JailCGI::Builder::Loader->new($tree),
        host_loader => bless({}, 'JailCGI::Builder::Proof::Nowhere'),
        told        => $told,
        files       => {},
        broken      => {},
    }, $class;
}

sub finding {
    my ($self, $kind, $path, $what, $found) = @_;
    $self->{last} = "$path: $what: found $found";
    return;
}

sub remedy_for { return '' }

# new(JAIL, TOLD): what is in the jail now, and what of it works.
sub new {
    my ($class, $jail, $told) = @_;
    my $self = $class->state_of($jail, $told);
    my $scan = JailCGI::Builder::Check::Scan::scan($self);
    # Which loader a module needs is known from the programs.
    my @sorted = sort { !$a->{elf}{interp} <=> !$b->{elf}{interp} } @{ $scan->{objects} };
    $self->{objects} = [map { $_->{path} } @sorted];
    $self->{scripts} = $scan->{scripts};
    $self->look(@$self{qw(objects scripts)});
    return $self;
}

# Fills {broken}: {PATH => why} of those that do not work.
sub look {
    my ($self, $paths, $scripts) = @_;
    my $parts = JailCGI::Builder::Check::Objects::of($self);
    my @objects = grep { defined } map { $self->{loader}->object($_) } @$paths;
    JailCGI::Builder::Check::Objects::name_them($parts, \@objects);
    for my $object (@objects) {
        $self->one($object->{path},
            sub { JailCGI::Builder::Check::Objects::one($parts, $object) });
    }
    for my $script (@$scripts) {
        $self->one($script->[0],
            sub { JailCGI::Builder::Check::Scripts::script($self, @$script) });
    }
    $self->one('/', sub { JailCGI::Builder::Check::Objects::libc_and_loader($parts) });
    return;
}

sub one {
    my ($self, $path, $look) = @_;
    undef $self->{last};
    $look->();
    $self->{broken}{$path} = $self->{last} if defined $self->{last};
    return;
}

# The programs that work now and would not work in the state that INSTEAD shows,
# though they are in it: ([PATH, why]...).
sub breaks {
    my ($self, $jail, $instead) = @_;
    my $after = (ref $self)->state_of($jail, $self->{told}, $instead);
    my @objects = grep { !$self->{broken}{$_} } @{ $self->{objects} };
    my @scripts = grep { !$self->{broken}{ $_->[0] } && $after->{jail}->lstat_of($_->[0]) }
      @{ $self->{scripts} };
    $after->look(\@objects, \@scripts);
    delete $after->{broken}{'/'} if $self->{broken}{'/'};
    return map { [$_, $after->{broken}{$_}] } sort keys %{ $after->{broken} };
}

# How many programs, libraries and scripts work now.
sub count {
    my ($self) = @_;
    my %all = map { $_ => 1 } @{ $self->{objects} }, map { $_->[0] } @{ $self->{scripts} };
    return scalar grep { !$self->{broken}{$_} } keys %all;
}

# The host of a proof, where no library is looked for.
package JailCGI::Builder::Proof::Nowhere;

sub find   { return }
sub object { return }

1;
