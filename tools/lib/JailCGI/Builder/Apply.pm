package JailCGI::Builder::Apply;

# Makes a jail match the plan: changes what differs (Compare.pm), and removes files
# that the builder put there once and that are no longer planned. Nothing is changed
# before all new files exist and every program that works has been proved to work
# in the new state (Proof.pm). /usr is changed in one step if that is possible
# (Switch.pm).
#
# Runs in:   jailcgi, started by the administrator
# Privilege: root
# Trusts:    the plan; etc/jailcgi.files for what is the builder's own
# Never:     touches what it did not put there

use strict;
use warnings;

use Fcntl ':mode';

use JailCGI::Builder::Compare;
use JailCGI::Builder::Proof;
use JailCGI::Builder::Progress qw(progress);
use JailCGI::Builder::Record qw(files_texts told_text fingerprint);
use JailCGI::Builder::Say qw(note refuse shown quoted);
use JailCGI::Builder::Share;
use JailCGI::Builder::Switch;
use JailCGI::Builder::Tree;
use JailCGI::Builder::Writer;

our @ISA = ('JailCGI::Builder::Compare');

sub proved  { return $_[0]{proved} }
sub placed  { return $_[0]{placed} }
sub share   { return $_[0]{share} }
sub jail    { return $_[0]{jail} }
sub plan    { return $_[0]{plan} }

# The paths of files that are replaced or removed.
sub taken {
    my ($self) = @_;
    return map({ $_->[1] } grep { $_->[0] eq 'replaced' } $self->changes),
      map({ $_->[0] } grep { $_->[1] } @{ $self->{gone} });
}

# Removes what a run that was killed has left under other names. Its directory is found
# by what is planned and what was there.
sub sweep {
    my ($self) = @_;
    my %dirs = map { s{/[^/]*$}{}r => 1 } keys %{ $self->{plan}->entries },
      keys %{ $self->{files} };
    for my $path (sort keys %dirs) {
        my $found = $self->{jail}->resolve($path, nofollow => 1);
        next if !$found->{st} || !S_ISDIR($found->{st}[2])
          || JailCGI::Builder::Jail::offence($found->{st});
        my $fh = $self->{jail}->resolve($path)->{fh} or next;
        for my $name (grep { /^\.jailcgi~/ } JailCGI::Builder::Tree::names_in($fh)) {
            unlink JailCGI::Builder::Tree::entry($fh, $name);
        }
    }
    return;
}

# Makes all new entries under other names, those below /usr in the second /usr if
# there is one. Additions alone need none.
sub stage {
    my ($self) = @_;
    my $switch = $self->{switch};
    if (grep { m{^/usr/} } $self->taken) {
        my $why = $switch->why;
        note(shown($self->{jail}->name) . ": $why, so the files of /usr are replaced one by one;"
              . ' do not cut this run off') if defined $why;
        $self->{turns} = !defined $why && $switch->prepare;
    }
    my $tree = JailCGI::Builder::Tree->new(%{ $self->{jail} }, cache => {},
        instead => $self->{turns} ? $switch->instead : {});
    my $writer = $self->{writer} = JailCGI::Builder::Writer->new($tree, $switch);
    my ($name, $done) = (shown($self->{jail}->name), 0);
    for my $change ($self->changes) {
        my (undef, $path, $entry) = @$change;
        progress("$name: making file", ++$done, scalar @{ $self->{changes} });
        if ($entry->{type} eq 'dir') {
            $writer->directory($path, $entry->{mode} // 0755, $entry->{uid} // 0,
                $entry->{gid} // 0);
        }
        else {
            my $other = $self->shared_source($path, $entry);
            $writer->stage($path, $entry, $self->{plan}->tree, $self->{share}, $other,
                $self->{swapped}{$path});
        }
    }
    return;
}

# Dies if a program that works would not start in the new state. What is no longer
# planned stays if one needs it.
sub prove {
    my ($self, $proof) = @_;
    my %instead = $self->{turns} ? %{ $self->{switch}->instead } : ();
    $instead{$_} = $self->{writer}->staged_at($_) for $self->{writer}->staged;
    my %without = map { $_->[0] => undef } grep { $_->[1] } @{ $self->{gone} };
    my @breaks = $proof->breaks($self->{jail}, { %instead, %without });
    if (@breaks && %without) {
        $self->keep_or_prune(scalar keys %without, @breaks);
        @breaks = $proof->breaks($self->{jail}, \%instead);
    }
    my $name = $self->{jail}->name;
    refuse($name . $breaks[0][0], 'starts now and would not start after this run: '
          . shown($breaks[0][1]),
        'see whether this machine is whole (apt-get check), or remove the program') if @breaks;
    $self->{proved} = $proof->count;
    return;
}

sub keep_or_prune {
    my ($self, $count, @breaks) = @_;
    my $name = $self->{jail}->name;
    my $which = shown($name . $breaks[0][0]);
    $which .= ' and ' . (@breaks - 1) . ' more' if @breaks > 1;
    my $why = shown($breaks[0][1]);
    return note("$which will not start any more: $why") if $self->{prune};
    note("$which would not start without what is no longer planned ($why), and so $count files"
          . ' stay; remedy: see to it, then jailcgi update --prune ' . quoted($name));
    $self->{gone} = [];
    return;
}

# The record while the run is at work: what is there, and what comes.
sub record_both {
    my ($self) = @_;
    my %files = map { $_ => [@{ $self->{files}{$_} }] } keys %{ $self->{files} };
    my %staged = map { $_ => 1 } $self->{writer}->staged;
    for my $path (map { $_->[1] } grep { $_->[2] } $self->changes) {
        my $found = $self->{writer}{jail}->resolve($path, nofollow => 1);
        if ($staged{$path}) {
            my ($dir, $name) = @{ $self->{writer}->staged_at($path) };
            my @st = lstat JailCGI::Builder::Tree::entry($dir, $name);
            $found = { dir => $dir, name => $name, st => \@st };
        }
        push @{ $files{$path} }, fingerprint($found);
    }
    $self->{recorded} = 1;
    return $self->write_files(\%files);
}

sub write_files {
    my ($self, $files) = @_;
    my @text = files_texts($files, \&JailCGI::Builder::Share::may_share);
    $self->write_record(JailCGI::Builder::Record::FILES, $text[0]);
    $self->write_record(JailCGI::Builder::Record::SHAPE, $text[1]);
    return;
}

# The records as they were before a run that has failed.
sub record_again {
    my ($self) = @_;
    return $self->write_files($self->{files}) if %{ $self->{files} };
    my $writer = JailCGI::Builder::Writer->new($self->{jail});
    $writer->remove($_) for JailCGI::Builder::Record::FILES, JailCGI::Builder::Record::SHAPE;
    return;
}

# A record is written like any other file: it is never half there.
sub write_record {
    my ($self, $path, $text) = @_;
    my $entry = { type => 'file', content => $text, mode => 0644 };
    my $found = $self->{jail}->resolve($path, nofollow => 1);
    my $share = $path eq JailCGI::Builder::Record::SHAPE ? $self->{share} : undef;
    my $other = $share && $share->same_record($text);
    return if $found->{st} && !$self->differs($path, $entry, $found)
      && !($share && $share->changes($found, $other));
    # If this is killed, the next run finds the directory and looks for what is left.
    $self->{switch}->next_fh;
    my $writer = JailCGI::Builder::Writer->new($self->{jail});
    my $done = eval {
        $writer->stage($path, $entry, undef, $share, $other);
        $writer->commit(sub { 1 });
        1;
    };
    my $error = $@;
    $writer->abandon;
    die $error if !$done;
    return;
}

# The two records, as they stay.
sub record {
    my ($self, $told) = @_;
    my %files;
    $self->{jail}->forget;
    for my $path (keys %{ $self->{own} }) {
        my $found = $self->{jail}->resolve($path, nofollow => 1);
        $files{$path} = [fingerprint($found)] if $found->{st};
    }
    # A directory that is not empty, or a changed entry, stays in the record.
    for my $path (grep { !$self->{own}{$_} } keys %{ $self->{files} }) {
        my $found = $self->{jail}->resolve($path, nofollow => 1);
        $files{$path} = $self->{files}{$path} if $found->{st} && $found->{path} eq $path;
    }
    $self->write_record(JailCGI::Builder::Record::TOLD,  told_text($told));
    return $self->write_files(\%files);
}

# Removes what is no longer planned, as far as WANTED accepts it.
sub remove_gone {
    my ($self, $wanted) = @_;
    for my $path (grep { $wanted->($_) } map { $_->[0] } @{ $self->{gone} }) {
        $self->change('removed', $path) if $self->{writer}->remove($path);
    }
    return;
}

# Puts everything into place. A failure puts back what was changed.
sub put_into_place {
    my ($self) = @_;
    my ($writer, $switch, $turns) = @$self{qw(writer switch turns)};
    my $usr = sub { $_[0] =~ m{^/usr/} };
    $self->record_both;
    if ($turns) {
        $writer->commit($usr);
        $self->remove_gone($usr);
    }
    $writer->sync;
    my $turned = 0;
    my $done = eval {
        if ($turns) {
            $switch->turn;
            $turned = 1;
            $writer->{jail} = $self->{jail};
        }
        $writer->commit(sub { 1 }, $switch->next_fh) if $writer->staged;
        1;
    };
    if (!$done) {
        my $error = $@;
        $writer->undo;
        $switch->turn if $turned;
        die $error;
    }
    $self->{placed} = 1;
    $writer->{jail} = $self->{jail};
    $self->change('removed', $_) for @{ $self->{with} };
    $self->remove_gone($turns ? sub { !$usr->(@_) } : sub { 1 });
    return;
}

# Whether there could be a program that does not start afterwards.
sub needs_proof {
    my ($self) = @_;
    my $harmless = qr{^/(?:dev|var|etc(?!/ld\.so)|usr/share/(?:zoneinfo|doc|man))/};
    return grep { $_ !~ $harmless } $self->taken;
}

# Applies the plan. A failure leaves the jail as it was.
sub apply {
    my ($self, $told) = @_;
    my $entries = $self->{plan}->entries;
    $self->sweep if $self->{sweep};
    my @paths = sort keys %$entries;
    my $name  = shown($self->{jail}->name);
    for my $i (0 .. $#paths) {
        progress("$name: comparing file", $i + 1, scalar @paths);
        $self->one($paths[$i], $entries->{ $paths[$i] });
    }
    $self->look_for_obsolete;
    $self->{before}->($self) if $self->{before} && $self->changes;
    if ($self->{dry}) {
        $self->change('removed', $_) for map({ $_->[0] } @{ $self->{gone} }), @{ $self->{with} };
        return;
    }
    progress("$name: looking at what starts in the jail") if $self->needs_proof;
    my $proof = $self->needs_proof && JailCGI::Builder::Proof->new($self->{jail}, $told);
    my $done = eval {
        $self->stage;
        progress("$name: proving that it will start") if $proof;
        $self->prove($proof) if $proof;
        progress("$name: putting the new files into place");
        $self->put_into_place;
        1;
    };
    if (!$done) {
        my $error = $@;
        $self->{writer}->abandon if $self->{writer};
        eval { $self->record_again } if $self->{recorded} && !$self->{placed};
        $self->{switch}->clear;
        die $error;
    }
    $self->record($told);
    $self->{writer}->sync if $self->changes;
    $self->{switch}->clear;
    return;
}

1;
