package JailCGI::Builder::Check::Scan;

# Goes through a jail once: collects programs, libraries and scripts, and looks
# at what others than root could write.
#
# Runs in:   jailcgi check
# Privilege: root
# Trusts:    nothing in the jail
# Never:     enters a directory twice, follows a link, opens anything but a file

use strict;
use warnings;

use Fcntl ':mode';

use JailCGI::Builder::Elf;
use JailCGI::Builder::Jail;
use JailCGI::Builder::Say qw(quoted);
use JailCGI::Builder::Tree;

# A tenant could keep the check busy for hours.
use constant { DEPTH_MAX => 60, TENANTS_MAX => 2000 };

# These do not belong to the jail itself.
my $skipped = qr{^/(?:proc|sys|dev|run|\.jailcgi~next)$|^/usr/share/doc$};

# Places that decide which code a program runs: bin and library directories, and the
# configuration of the loader and of the name service. for_reading() has checked the
# root itself.
my $system = qr{^(?:/dev$|/(?:usr|lib\w*|bin|sbin)(?:/|$)|/etc(?:/(?:ld\.so\..*|
    nsswitch\.conf|passwd|group|hosts|resolv\.conf|host\.conf|gai\.conf|services|
    protocols|msmtprc|jailcgi\..*|perl|perl/.*|python\d?[\d.]*(?:/.*)?|php(?:/.*)?))?$)}xs;

# Directories whose scripts are programs. Elsewhere a script of root is part of a
# library.
my $programs = qr{/s?bin/[^/]+$|/cgi-bin/}s;

sub scan {
    my ($check) = @_;
    my $self = { check => $check, tree => $check->{jail}, seen => {}, objects => [],
        scripts => [] };
    my %told = map { $_ => 1 } @{ ($check->{told} || {})->{program} || [] };
    $self->{told} = \%told;
    directory($self, '', 0);
    return $self;
}

sub directory {
    my ($self, $path, $depth) = @_;
    return if $path =~ $skipped || $depth > DEPTH_MAX;
    # A bind mount may show a directory again, or one above it.
    my $found = $self->{tree}->resolve($path eq '' ? '/' : $path);
    my $fh = $found->{fh} or return;
    return if $found->{path} ne $path || $self->{seen}{"$found->{st}[0] $found->{st}[1]"}++;
    writable($self, $path, $found->{st}, 'directory');
    for my $name (JailCGI::Builder::Tree::names_in($fh)) {
        my @st = lstat JailCGI::Builder::Tree::entry($fh, $name) or next;
        if (S_ISDIR($st[2])) {
            directory($self, "$path/$name", $depth + 1);
        }
        elsif (S_ISREG($st[2])) {
            writable($self, "$path/$name", \@st, 'file');
            file($self, { dir => $fh, name => $name, path => "$path/$name", st => \@st });
        }
    }
    return;
}

sub writable {
    my ($self, $path, $st, $kind) = @_;
    return if $path !~ $system || $path =~ m{/\.jailcgi~};
    my $offence = JailCGI::Builder::Jail::offence($st) or return;
    my $full = quoted($self->{check}{root} . $path);
    $self->{check}->finding('writable', $path, "a $kind that decides what programs run",
        "it $offence", 'uid 0, no write permission for group and others',
        "chown root $full && chmod go-w $full");
    return;
}

sub file {
    my ($self, $found) = @_;
    my $path = $found->{path};
    my $executable = $found->{st}[2] & 0111;
    return if !$executable && $path !~ /\.so(?:\.|$)/;
    if ($found->{st}[4] && ++$self->{tenants} > TENANTS_MAX) {
        $self->{check}->finding('too-many', '/', 'programs of tenants',
            'more than ' . TENANTS_MAX, 'fewer; the others were not looked at',
            'find ' . $self->{check}->shown_root . ' ! -user root -perm /111 -type f');
        return;
    }
    my $fh = $self->{tree}->open_found($found) or return;
    my $head = JailCGI::Builder::Tree::read_handle($fh, 256) // '';
    if ($head =~ /^\x7fELF/) {
        my $object = $self->{check}{loader}->object_found($found) or return;
        $object->{uid} = $found->{st}[4];
        push @{ $self->{objects} }, $object;
    }
    elsif ($executable && (my ($line) = $head =~ /^#!([^\n]*)/)) {
        push @{ $self->{scripts} }, [$path, $line]
          if $found->{st}[4] || $path =~ $programs || $self->{told}{$path};
    }
    return;
}

1;
