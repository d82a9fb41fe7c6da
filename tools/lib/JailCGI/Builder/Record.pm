package JailCGI::Builder::Record;

# The records that the builder keeps in the jail for update. etc/jailcgi.jail has
# the options, NAME=VALUE in each line. etc/jailcgi.files and etc/jailcgi.shape have the
# files that it has put there, TYPE FINGERPRINT PATH in each line; the second those
# that jails of one shape can share, so that they share this record too.
#
# Runs in:   jailcgi, started by the administrator
# Privilege: root
# Trusts:    these files, if root alone can write them, because anybody who
#            writes them decides which files of the host are copied
# Never:     reads them through a link

use strict;
use warnings;

use Exporter 'import';
use Fcntl ':mode';

use JailCGI::Builder::Jail;
use JailCGI::Builder::Layout qw(merged_of moved_target);
use JailCGI::Builder::Say qw(refuse failed shown);

our @EXPORT_OK = qw(read_told told_text merge_told read_files files_texts
  fingerprint TOLD FILES SHAPE);

use constant {
    TOLD      => '/etc/jailcgi.jail',
    FILES     => '/etc/jailcgi.files',
    SHAPE     => '/etc/jailcgi.shape',
    FILES_MAX => 64 << 20,
};

# The options that are recorded: lists, and values of which the last counts.
my @lists  = qw(program package tree locale user exclude);
my @values = qw(from mirror home mailer minimal with-depends like);

sub lists  { return @lists }
sub values_of_jail { return @values }

sub contents {
    my ($jail, $path) = @_;
    my $found = $jail->resolve($path, nofollow => 1);
    return if !$found->{st};
    my $offence = JailCGI::Builder::Jail::offence($found->{st});
    if ($offence || !S_ISREG($found->{st}[2])) {
        refuse($jail->name . $path, 'is not a file that root alone can write'
              . ($offence ? " ($offence)" : ''), 'remove it and run jailcgi mkjail again');
    }
    my $fh = $jail->open_found($found) or failed('open', $jail->name . $path);
    return JailCGI::Builder::Tree::read_handle($fh, FILES_MAX)
      // failed('read', $jail->name . $path);
}

# The options of a jail, or undef if jailcgi has not made it.
sub read_told {
    my ($jail) = @_;
    my $text = contents($jail, TOLD) // return;
    my %told = map { $_ => [] } @lists;
    for my $line (split /\n/, $text) {
        next if $line =~ /^\s*(?:#|$)/;
        my ($name, $value) = split /=/, $line, 2;
        if (grep { $_ eq $name } @lists) {
            push @{ $told{$name} }, $value;
        }
        elsif (defined $value && grep { $_ eq $name } @values) {
            $told{$name} = $value;
        }
        else {
            refuse($jail->name . TOLD, 'has a line that is not understood: ' . shown($line),
                'correct it');
        }
    }
    return \%told;
}

sub told_text {
    my ($told) = @_;
    my $text = "# Written by jailcgi; `jailcgi update` goes by it.\n";
    for my $name (@values) {
        $text .= "$name=$told->{$name}\n" if defined $told->{$name};
    }
    for my $name (@lists) {
        $text .= "$name=$_\n" for @{ $told->{$name} || [] };
    }
    return $text;
}

# The options of earlier runs together with those of this one.
sub merge_told {
    my ($before, $now) = @_;
    my %told;
    for my $name (@lists) {
        my %seen;
        $told{$name} = [grep { !$seen{$_}++ } @{ $before->{$name} || [] },
            @{ $now->{$name} || [] }];
    }
    for my $name (@values) {
        $told{$name} = $now->{$name} // $before->{$name};
    }
    return \%told;
}

# {PATH => [[TYPE, FINGERPRINT]...]} of the files that the builder has put into the
# jail. While a run is at work, a path has two lines: what is there, and what comes.
# Paths are those of a merged /usr if the jail has one: a run may have been cut off
# between the move of /bin and this record.
sub read_files {
    my ($jail) = @_;
    my %files;
    my %merged = map { $_ => 1 } merged_of($jail);
    for my $line (map { split /\n/, contents($jail, $_) // '' } FILES, SHAPE) {
        my ($type, $print, $path) = $line =~ /^([dflc]) (\S+) (\/\S*)$/ or next;
        s/%([0-9a-f]{2})/chr hex $1/ge for $print, $path;
        if ($path =~ m{^(/[^/]+)/} && $merged{$1}) {
            $print = moved_target($path, $print) if $type eq 'l';
            $path  = "/usr$path";
        }
        push @{ $files{$path} }, [$type, $print];
    }
    return \%files;
}

# The texts of both records; IS_SHAPE says which paths are in the second.
sub files_texts {
    my ($files, $is_shape) = @_;
    my @text = ('', '');
    for my $path (sort keys %$files) {
        my %seen;
        for my $known (@{ $files->{$path} }) {
            my ($type, $print) = @$known;
            s/([\x00-\x20%\x7f])/sprintf '%%%02x', ord $1/ge for $print, my $copy = $path;
            my $line = "$type $print $copy\n";
            $text[$is_shape->($path) ? 1 : 0] .= $line if !$seen{$line}++;
        }
    }
    return @text;
}

# TYPE and FINGERPRINT of an entry that JAIL has found. They show whether it is still
# the one that the builder put there.
sub fingerprint {
    my ($found) = @_;
    my ($mode, $rdev, $size, $mtime) = @{ $found->{st} }[2, 6, 7, 9];
    return ['f', "$size:$mtime"] if S_ISREG($mode);
    return ['d', '-'] if S_ISDIR($mode);
    return ['l', readlink(JailCGI::Builder::Tree::entry($found->{dir}, $found->{name})) // '']
      if S_ISLNK($mode);
    return ['c', $rdev] if S_ISCHR($mode);
    return ['?', '-'];
}

1;
