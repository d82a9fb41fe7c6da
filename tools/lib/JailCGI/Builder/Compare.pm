package JailCGI::Builder::Compare;

# Compares a jail with its plan: what has to be added, replaced and removed, and what is
# not the builder's own and stays. Apply.pm does it.
#
# Runs in:   jailcgi, started by the administrator
# Privilege: root
# Trusts:    the plan; etc/jailcgi.files for what is the builder's own
# Never:     changes anything

use strict;
use warnings;

use Fcntl ':mode';

use JailCGI::Builder::Record qw(read_files fingerprint);
use JailCGI::Builder::Tree;

# new(jail, plan, switch, share, before, adopt, contents, dry, prune): share (Share.pm) may be
# undef; before is called when it is known what is to be done; adopt takes over files that
# exist already; contents compares every byte and not only size and time; dry changes
# nothing; prune removes what is no longer planned even if a program needs it.
sub new {
    my ($class, %option) = @_;
    my $self = bless {
        %option,
        files   => read_files($option{jail}),
        own     => {},
        changes => [],
        left    => [],
        gone    => [],
    }, $class;
    return $self;
}

sub changes { return @{ $_[0]{changes} } }
sub left    { return @{ $_[0]{left} } }

# Returns what is in the way, or how it differs from the plan.
sub differs {
    my ($self, $path, $entry, $found) = @_;
    my $mode = $found->{st}[2];
    my $print = fingerprint($found);
    if ($entry->{type} eq 'link') {
        return $print->[0] ne 'l' || $print->[1] ne $entry->{target};
    }
    if ($entry->{type} eq 'device') {
        my $rdev = $entry->{major} << 8 | $entry->{minor};
        return $print->[0] ne 'c' || $print->[1] != $rdev || ($mode & 07777) != 0666;
    }
    return 1
      if !S_ISREG($mode) || ($mode & 07777) != $entry->{mode} || $found->{st}[4] || $found->{st}[5];
    return $self->content_differs($entry, $found);
}

sub content_differs {
    my ($self, $entry, $found) = @_;
    if (defined $entry->{content}) {
        my $fh = $self->{jail}->open_found($found) or return 1;
        my $has = JailCGI::Builder::Tree::read_handle($fh, length($entry->{content}) + 1);
        return ($has // '') ne $entry->{content};
    }
    my $source = $self->{plan}->tree->resolve($entry->{from});
    return 1 if !$source->{st} || $source->{st}[7] != $found->{st}[7];
    # A file that a distribution's tool has just generated has the current time.
    return 1 if $source->{st}[9] != $found->{st}[9] && $source->{st}[9] < $^T;
    return ($self->{contents} || $source->{st}[9] >= $^T) && !same_bytes(
        $self->{plan}->tree->open_found($source), $self->{jail}->open_found($found));
}

sub same_bytes {
    my ($one, $other) = @_;
    return if !$one || !$other;
    while (1) {
        my $got = sysread $one, my $part, 1 << 18;
        my $and = sysread $other, my $counterpart, 1 << 18;
        return if !defined $got || !defined $and || $part ne $counterpart;
        return 1 if !$got;
    }
}

# Whether an entry is still the one that the builder put there.
sub is_own {
    my ($self, $path, $found) = @_;
    my $print = fingerprint($found);
    return grep { $print->[0] eq $_->[0] && $print->[1] eq $_->[1] }
      @{ $self->{files}{$path} || [] };
}

sub leave {
    my ($self, $path) = @_;
    push @{ $self->{left} }, $path;
    return;
}

sub change {
    my ($self, $what, $path, $entry) = @_;
    push @{ $self->{changes} }, [$what, $path, $entry];
    return;
}

# Notes what has to be done for one entry. Below a directory that does not exist yet,
# everything is new and needs no look.
sub one {
    my ($self, $path, $entry) = @_;
    my $found = $self->{jail}->resolve($path, nofollow => 1);
    return $self->one_directory($path, $entry, $found) if $entry->{type} eq 'dir';
    if ($found->{st}) {
        if (!$self->differs($path, $entry, $found)) {
            $self->{own}{$path} = 1;
            my $share = $self->{share} or return;
            my $how = $share->changes($found, $self->shared_source($path, $entry)) or return;
            $self->change($how, $path, $entry);
            return;
        }
        if (S_ISDIR($found->{st}[2]) || !($self->{adopt} || $self->is_own($path, $found))) {
            return $self->leave($path);
        }
    }
    $self->change($found->{st} ? 'replaced' : 'added', $path, $entry);
    $self->{own}{$path} = 1;
    return;
}

# Where the jail with which this one shares has the file that is planned, or nothing.
sub shared_source {
    my ($self, $path, $entry) = @_;
    my $share = $self->{share} or return;
    return $share->source($path, $entry, sub { $self->differs($path, $entry, @_) });
}

# An existing directory stays as it is, no matter who has made it.
sub one_directory {
    my ($self, $path, $entry, $found) = @_;
    if ($found->{st}) {
        $self->{own}{$path} = 1 if $self->{files}{$path};
        return if S_ISDIR($found->{st}[2]);
        return if S_ISLNK($found->{st}[2]) && $self->{jail}->is_directory($path);
        return $self->leave($path);
    }
    $self->change('added', $path, $entry);
    $self->{own}{$path} = 1;
    return;
}

# Notes the entries that were put there once and are no longer planned, the deepest
# first: [PATH, whether it is no directory].
sub look_for_obsolete {
    my ($self) = @_;
    my $entries = $self->{plan}->entries;
    for my $path (reverse sort keys %{ $self->{files} }) {
        next if $entries->{$path};
        my $found = $self->{jail}->resolve($path, nofollow => 1);
        # A link that was made since then leads to files of somebody else.
        next if !$found->{st} || $found->{path} ne $path;
        if (!$self->is_own($path, $found)) {
            $self->leave($path);
            next;
        }
        next if $self->{dry} && S_ISDIR($found->{st}[2]);
        push @{ $self->{gone} }, [$path, !S_ISDIR($found->{st}[2])];
    }
    return;
}

1;
