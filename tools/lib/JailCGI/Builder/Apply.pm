package JailCGI::Builder::Apply;

# Makes a jail match the plan: compares, changes what differs, and removes files
# that the builder put there once and that are no longer planned.
#
# Runs in:   jailcgi, started by the administrator
# Privilege: root
# Trusts:    the plan; etc/jailcgi.files for what is the builder's own
# Never:     touches what it did not put there

use strict;
use warnings;

use Fcntl ':mode';

use JailCGI::Builder::Record qw(read_files files_text told_text fingerprint);
use JailCGI::Builder::Tree;
use JailCGI::Builder::Writer;

# new(jail, plan, adopt, contents, dry): adopt takes over files that exist already;
# contents compares every byte and not only size and time; dry changes nothing.
sub new {
    my ($class, %option) = @_;
    my $self = bless {
        %option,
        writer  => JailCGI::Builder::Writer->new($option{jail}),
        files   => read_files($option{jail}),
        own     => {},
        changes => [],
        left    => [],
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
    my $known = $self->{files}{$path} or return;
    my $print = fingerprint($found);
    return $print->[0] eq $known->[0] && $print->[1] eq $known->[1];
}

sub leave {
    my ($self, $path) = @_;
    push @{ $self->{left} }, $path;
    return;
}

sub change {
    my ($self, $what, $path) = @_;
    push @{ $self->{changes} }, [$what, $path];
    return;
}

# An entry below a directory that does not exist yet is new and needs no look. A dry
# run, which makes no directories, depends on this.
sub one {
    my ($self, $path, $entry) = @_;
    my $found = $self->{jail}->resolve($path, nofollow => 1);
    return $self->one_directory($path, $entry, $found) if $entry->{type} eq 'dir';
    if ($found->{st}) {
        if (!$self->differs($path, $entry, $found)) {
            $self->{own}{$path} = 1;
            return;
        }
        if (S_ISDIR($found->{st}[2]) || !($self->{adopt} || $self->is_own($path, $found))) {
            return $self->leave($path);
        }
    }
    $self->change($found->{st} ? 'replaced' : 'added', $path);
    $self->{own}{$path} = 1;
    $self->{writer}->stage($path, $entry, $self->{plan}->tree) if !$self->{dry};
    return;
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
    $self->change('added', $path);
    $self->{own}{$path} = 1;
    if (!$self->{dry}) {
        $self->{writer}->directory($path, $entry->{mode} // 0755,
            $entry->{uid} // 0, $entry->{gid} // 0);
    }
    return;
}

# Entries that were put there once and are no longer planned, the deepest first.
sub remove_obsolete {
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
        next if !$self->{dry} && !$self->{writer}->remove($path);
        $self->change('removed', $path);
    }
    return;
}

# The two records, as entries like all others.
sub record {
    my ($self, $told) = @_;
    my %files;
    for my $path (keys %{ $self->{own} }) {
        my $found = $self->{jail}->resolve($path, nofollow => 1);
        $files{$path} = fingerprint($found) if $found->{st};
    }
    # A directory that is not empty, or a changed entry, stays in the record.
    for my $path (grep { !$self->{own}{$_} } keys %{ $self->{files} }) {
        $files{$path} = $self->{files}{$path} if $self->{jail}->lstat_of($path);
    }
    my %text = (JailCGI::Builder::Record::TOLD, told_text($told),
        JailCGI::Builder::Record::FILES, files_text(\%files));
    for my $path (sort keys %text) {
        my $entry = { type => 'file', content => $text{$path}, mode => 0644 };
        my $found = $self->{jail}->resolve($path, nofollow => 1);
        next if $found->{st} && !$self->differs($path, $entry, $found);
        $self->{writer}->stage($path, $entry);
    }
    $self->{writer}->commit;
    return;
}

# Applies the plan. A failure before anything is in place leaves the jail as it was.
sub apply {
    my ($self, $told) = @_;
    my $entries = $self->{plan}->entries;
    my $done = eval {
        $self->one($_, $entries->{$_}) for sort keys %$entries;
        $self->{writer}->commit if !$self->{dry};
        1;
    };
    if (!$done) {
        my $error = $@;
        $self->{writer}->abandon;
        die $error;
    }
    $self->remove_obsolete;
    $self->record($told) if !$self->{dry};
    return;
}

1;
