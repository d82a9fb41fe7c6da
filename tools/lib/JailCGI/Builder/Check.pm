package JailCGI::Builder::Check;

# The command check: finds what does not work in a jail, or is wrong in it.
#
# Runs in:   jailcgi, started by the administrator or by cron
# Privilege: root, to read what tenants hide
# Trusts:    nothing in the jail
# Never:     executes anything of the jail as root (Check/Starts.pm), follows a link out
#            of it, changes it

use strict;
use warnings;

use JailCGI::Builder::Check::Objects;
use JailCGI::Builder::Check::Places;
use JailCGI::Builder::Check::Scan;
use JailCGI::Builder::Check::Scripts;
use JailCGI::Builder::Check::Starts;
use JailCGI::Builder::Jail;
use JailCGI::Builder::Loader;
use JailCGI::Builder::Progress qw(progress);
use JailCGI::Builder::Record qw(read_told read_files);
use JailCGI::Builder::Report;
use JailCGI::Builder::Say qw(refused shown quoted);
use JailCGI::Builder::Tree;

# A tenant can make as many broken programs as he likes.
use constant FINDINGS_MAX => 1000;

# The check of one jail; the parts below Check/ call its methods.
#   jail, host      trees; loader, host_loader for each
#   told, files     the records of jailcgi in the jail, if there are any
#   compares        whether the jail was made from the host
sub new {
    my ($class, $root, $option) = @_;
    my $self = bless { findings => [], seen => {} }, $class;
    my @offences;
    my $jail = JailCGI::Builder::Jail::for_reading($root, sub { push @offences, [@_] });
    $self->{root} = $jail->name eq '' ? '/' : $jail->name;
    $self->{jail} = $jail;
    $self->{host} = JailCGI::Builder::Tree->host;
    $self->{loader}      = JailCGI::Builder::Loader->new($jail);
    $self->{host_loader} = JailCGI::Builder::Loader->new($self->{host});
    $self->{told}     = $self->recorded(\&read_told);
    $self->{files}    = $self->recorded(\&read_files) || {};
    $self->{starts}   = !$option->{'no-start'};
    $self->{compares} = !$option->{'no-host'} && !($self->{told} || {})->{from};
    for my $offence (@offences) {
        my ($path, $what, $remedy) = @$offence;
        $self->finding('unsafe-root', $path, 'a directory on the way to the jail', $what,
            'uid 0, no write permission for group and others',
            $remedy, outside => 1);
    }
    return $self;
}

# A record that others than root can write is a finding, and is ignored.
sub recorded {
    my ($self, $read) = @_;
    my $record = eval { $read->($self->{jail}) };
    return $record if !$@;
    my $refusal = refused($@) or die $@;
    $self->finding('bad-record', '/etc', 'what jailcgi has recorded', $refusal->text,
        'records that root alone can write', 'jailcgi mkjail ' . $self->shown_root . ' OPTION...');
    return;
}

sub shown_root { return quoted($_[0]{root}) }

sub finding {
    my ($self, $kind, $path, $what, $found, $expected, $remedy, %how) = @_;
    return if $self->{seen}{"$kind $path $what"}++;
    my $count = push @{ $self->{findings} }, {
        root     => $self->{root},
        kind     => $kind,
        path     => $how{outside} ? $path : $path eq '' ? '/' : $path,
        what     => $what,
        found    => $found,
        expected => $expected,
        remedy   => $remedy,
    };
    return if $count < FINDINGS_MAX;
    die "enough\n";
}

# The remedy for something that is missing: update if the record names it,
# otherwise mkjail with its name.
sub remedy_for {
    my ($self, $path) = @_;
    my $root = $self->shown_root;
    return "jailcgi update $root" if $self->{told} && $self->{files}{$path};
    return "jailcgi update $root" if ($self->{told} || {})->{from};
    return "jailcgi mkjail $root --program " . quoted($path)
      if $self->{host}->is_file($path);
    return 'install the package that has ' . shown($path)
      . " on this machine, then jailcgi mkjail $root --program " . quoted($path);
}

sub run {
    my ($self) = @_;
    my $done = eval {
        JailCGI::Builder::Check::Places::check($self);
        progress("$self->{root}: looking at its files");
        my $scan = JailCGI::Builder::Check::Scan::scan($self);
        JailCGI::Builder::Check::Objects::check($self, $scan->{objects});
        JailCGI::Builder::Check::Scripts::check($self, $scan->{scripts});
        JailCGI::Builder::Check::Starts::check($self) if $self->{starts};
        1;
    };
    die $@ if !$done && $@ ne "enough\n";
    return @{ $self->{findings} };
}

# Kinds of findings with which programs do not start or do not work.
my %breaks = map { $_ => 1 } qw(no-interpreter no-loader missing-library missing-version
  libc-and-loader missing-file name-service device tmp mount does-not-start);

# What matters first, in one sentence: whether the jail works.
sub sentence {
    my ($self, @found) = @_;
    my $broken = grep { $breaks{ $_->{kind} } } @found;
    return "broken: $broken of " . @found . ' findings keep programs from their work'
      if $broken;
    return 'works, but not all of it is safe or could be looked at'
      if grep { $_->{kind} !~ /^(?:differs|not-on-host)$/ } @found;
    my ($here, $there) = map { libc_version($_) } @$self{qw(loader host_loader)};
    my $age = defined $here && defined $there ? compare_versions($here, $there) : 0;
    return 'whole, and ' . @found . ' of its files are not those of this machine: works'
      if !$age;
    my $both = "(libc $here; here $there)";
    return "whole and of a newer system $both: works" if $age > 0;
    return "whole and of an older system $both: works; programs of this machine copied into"
      . ' it will not';
}

# The newest version of symbols that the C library of a tree has, such as 2.36.
sub libc_version {
    my ($loader) = @_;
    my $shell = $loader->object('/bin/sh') or return;
    my $libc = $loader->find('libc.so.6', $shell, $shell->{elf}{interp} // return) or return;
    my @versions = map { /^GLIBC_(\d+\.\d+)/ } keys %{ $libc->{elf}{defines} || {} };
    return (sort { compare_versions($a, $b) } @versions)[-1];
}

sub compare_versions {
    my ($one, $other) = map { [split /\./] } @_;
    return $one->[0] <=> $other->[0] || $one->[1] <=> $other->[1];
}

sub line_of {
    my ($finding) = @_;
    my %text = map { $_ => shown($finding->{$_}) } qw(root path what found expected);
    return "$text{root}: $finding->{kind}: $text{path}: $text{what}: found $text{found},"
      . " expected $text{expected}; remedy: $finding->{remedy}\n";
}

sub check {
    my ($option, @roots) = @_;
    my ($status, @findings) = (0);
    for my $root (@roots) {
        my @found;
        my $check;
        JailCGI::Builder::Report::jail($root);
        if (!eval { $check = __PACKAGE__->new($root, $option); @found = $check->run; 1 }) {
            my $refusal = refused($@) or die $@;
            JailCGI::Builder::Report::refusal($refusal);
            JailCGI::Builder::Report::add(state => 'unchecked', status => 2);
            $status = 2;
            next;
        }
        JailCGI::Builder::Progress::clear();
        $status ||= 1 if @found;
        push @findings, @found;
        my $sentence = @found ? $check->sentence(@found) : 'nothing to fix';
        JailCGI::Builder::Report::add(summary => $sentence, status => @found ? 1 : 0,
            count => scalar @found, state => @found ? $sentence =~ /^(\w+)/ : 'whole');
        next if $option->{json};
        print shown($root), ": $sentence\n" if @found;
        print map { line_of($_) } @found;
        print shown($root), ": nothing to fix\n" if !@found && !$option->{quiet};
        print shown($root), ': and more: the first ' . FINDINGS_MAX . " are named\n"
          if @found >= FINDINGS_MAX;
    }
    JailCGI::Builder::Report::add_to_all(findings => \@findings);
    return $status;
}

1;
