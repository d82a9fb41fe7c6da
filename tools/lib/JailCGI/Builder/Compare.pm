package JailCGI::Builder::Compare;

# Compares a jail with its plan: what has to be added, replaced and removed, and what is
# not the builder's own and stays. Apply.pm does it.
#
# Runs in:   jailcgi, started by the administrator
# Privilege: root
# Trusts:    the plan; etc/jailcgi.files for what is the builder's own
# Never:     changes anything
#
# A directory may have to become a link or a file, or the reverse. That is planned if all
# of it is the builder's own. What somebody else has put into such a directory is never
# removed, and the run is refused.

use strict;
use warnings;

use Fcntl ':mode';

use JailCGI::Builder::Jail;
use JailCGI::Builder::Record qw(read_files fingerprint);
use JailCGI::Builder::Say qw(refuse shown quoted);
use JailCGI::Builder::Switch;
use JailCGI::Builder::Tree;

# new(jail, plan, switch, share, before, adopt, contents, dry, prune, skip, sweep): share
# (Share.pm) may be undef; before is called when it is known what is to be done; adopt takes
# over files that exist already; contents compares every byte and not only size and time; dry
# changes nothing; prune removes what is no longer planned even if a program needs it; skip
# has the paths that are not looked at; sweep removes what a killed run has left.
sub new {
    my ($class, %option) = @_;
    my $self = bless {
        %option,
        files   => read_files($option{jail}),
        own     => {},
        changes => [],
        left    => [],
        gone    => [],
        swapped => {},
        kept    => {},
        through => {},
        with    => [],
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
    return if $self->{skip}{$path};
    my $is_new = JailCGI::Builder::Tree::is_below($path, $self->{swapped});
    my $found = $is_new ? {} : $self->{jail}->resolve($path, nofollow => 1);
    return $self->one_directory($path, $entry, $found) if $entry->{type} eq 'dir';
    # Somebody has replaced a directory above it by a link to another place.
    $entry->{target} = $entry->{absolute}
      if defined $entry->{absolute} && JailCGI::Builder::Tree::is_below($path, $self->{through});
    if ($found->{st}) {
        if (!$self->differs($path, $entry, $found)) {
            $self->{own}{$path} = 1;
            my $share = $self->{share} or return;
            my $how = $share->changes($found, $self->shared_source($path, $entry)) or return;
            $self->change($how, $path, $entry);
            return;
        }
        return $self->instead_of_directory($path, $entry) if S_ISDIR($found->{st}[2]);
        if (!$self->{adopt} && !$self->is_own($path, $found)) {
            # A link to the same place, written from the root on.
            return if fingerprint($found)->[1] eq ($entry->{absolute} // '');
            return $self->leave($path);
        }
    }
    return $self->plan_change($found->{st} ? 'replaced' : 'added', $path, $entry);
}

sub plan_change {
    my ($self, $what, $path, $entry) = @_;
    $self->change($what, $path, $entry);
    $self->{own}{$path} = 1;
    return;
}

# Where the jail with which this one shares has the file that is planned, or nothing.
sub shared_source {
    my ($self, $path, $entry) = @_;
    my $share = $self->{share} or return;
    return $share->source($path, $entry, sub { $self->differs($path, $entry, @_) });
}

# An existing directory stays as it is, no matter who has made it. So does a link of
# somebody else that leads to a directory.
sub one_directory {
    my ($self, $path, $entry, $found) = @_;
    return $self->plan_change('added', $path, $entry) if !$found->{st};
    if (S_ISDIR($found->{st}[2])) {
        $self->{own}{$path} = 1 if $self->{files}{$path};
        return;
    }
    if (!$self->is_own($path, $found)) {
        if (S_ISLNK($found->{st}[2]) && $self->{jail}->is_directory($path)) {
            $self->{through}{$path} = 1;
            return;
        }
        return $self->leave($path) if !$self->{adopt};
    }
    $self->{swapped}{$path} = 1;
    return $self->plan_change('replaced', $path, $entry);
}

# A directory has to become something else.
sub instead_of_directory {
    my ($self, $path, $entry) = @_;
    if (!$self->{adopt} && !$self->{files}{$path}) {
        $self->{kept}{$path} = 1;
        return $self->leave($path);
    }
    my $name = $self->{jail}->name;
    my $becomes = "$path has to become " . ($entry->{type} eq 'link'
        ? 'a link to ' . shown($entry->{target}) : "a $entry->{type}");
    my $foreign = $self->foreign_in($path);
    refuse($name . $foreign, 'jailcgi has not put it there, or it was changed since, and '
          . shown($becomes), 'move it out of ' . quoted($name . $path) . ', and run this again')
      if defined $foreign;
    my $mount = JailCGI::Builder::Switch::mounted_below($self->{jail}, "$path/");
    refuse($name . $path, "$mount, and " . shown($becomes),
        'run this when nothing is mounted there') if $mount;
    $self->{swapped}{$path} = 1;
    return $self->plan_change('replaced', $path, $entry);
}

# The first entry in a directory that is not the builder's own, or undef.
sub foreign_in {
    my ($self, $path) = @_;
    my $found = $self->{jail}->resolve($path, nofollow => 1);
    sysopen my $fh, JailCGI::Builder::Tree::entry(@$found{qw(dir name)}),
      JailCGI::Builder::Tree::DIRECTORY or return $path;
    # A home, or a directory in which everybody makes files.
    my $is_open = JailCGI::Builder::Jail::offence([stat $fh]);
    for my $below (map { "$path/$_" } JailCGI::Builder::Tree::names_in($fh)) {
        my $entry = $is_open ? {} : $self->{jail}->resolve($below, nofollow => 1);
        return $below if !$entry->{st} || !$self->is_own($below, $entry);
        my $foreign = S_ISDIR($entry->{st}[2]) ? $self->foreign_in($below) : undef;
        return $foreign if defined $foreign;
    }
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
        # It goes with the directory above it, or stays with it.
        if (JailCGI::Builder::Tree::is_below($path, $self->{swapped})) {
            unshift @{ $self->{with} }, $path if !S_ISDIR($found->{st}[2]);
            next;
        }
        next if JailCGI::Builder::Tree::is_below($path, $self->{kept});
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
