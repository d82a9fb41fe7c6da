package JailCGI::Builder::Distribution;

# Makes a tree of a distribution's packages beside the jail, with the distribution's
# own tool. The jail is then made from the tree as from the host.
#
# Runs in:   jailcgi, started by the administrator
# Privilege: root; the tool and the packages' own scripts run as root in the tree
# Trusts:    mmdebstrap, debootstrap or dnf, and the signatures that they check
# Never:     lets them work in the jail itself

use strict;
use warnings;

use Exporter 'import';

use JailCGI::Builder::Ask qw(run program);
use JailCGI::Builder::Jail;
use JailCGI::Builder::Say qw(refuse note shown usage_error);
use JailCGI::Builder::Tree;

our @EXPORT_OK = qw(check_told make_source remove_source);

my @proxies = qw(http_proxy https_proxy ftp_proxy no_proxy);

# Refuses other options that need programs of this machine.
sub check_told {
    my ($told) = @_;
    my $from = $told->{from} // return;
    if ($from !~ /^(?:debian|ubuntu|fedora|centos|rocky|almalinux):[A-Za-z0-9.-]+$/) {
        usage_error("--from $from", 'is no DISTRIBUTION:RELEASE that is known',
            'write it like debian:bookworm, ubuntu:noble or fedora:40');
    }
    for my $name (qw(program tree locale)) {
        next if !@{ $told->{$name} };
        usage_error("--$name $told->{$name}[0]", "cannot be mixed with --from $from:"
              . ' it would bring libraries of this machine among those of the other',
            'name a package of the distribution with --package');
    }
    return;
}

# The packages that are added unless --minimal is given.
sub packages {
    my ($told, $rpm) = @_;
    my @more = $told->{minimal} ? () : qw(ca-certificates tzdata);
    push @more, $rpm ? 'msmtp' : ('netbase', 'msmtp-mta')
      if !$told->{minimal} && ($told->{mailer} // '') ne 'none';
    return (@{ $told->{package} }, @more);
}

sub command {
    my ($told, $target) = @_;
    my ($name, $release) = split /:/, $told->{from};
    if ($name =~ /^(?:debian|ubuntu)$/) {
        my $tool = program('mmdebstrap') // program('debootstrap')
          // refuse("--from $told->{from}", 'neither mmdebstrap nor debootstrap is installed',
            'apt-get install mmdebstrap');
        my $include = join ',', packages($told, 0);
        my @mirror = defined $told->{mirror} ? $told->{mirror}
          : $name eq 'ubuntu' ? 'http://archive.ubuntu.com/ubuntu' : ();
        return ($tool, '--variant=minbase', $include ne '' ? "--include=$include" : (),
            $release, $target, @mirror);
    }
    my $tool = program('dnf')
      // refuse("--from $told->{from}", 'dnf is not installed', 'apt-get install dnf');
    my @repository = defined $told->{mirror} ? "--repofrompath=jailcgi,$told->{mirror}" : ();
    return ($tool, '-y', "--installroot=$target", "--releasever=$release",
        '--setopt=install_weak_deps=False', '--setopt=tsflags=nodocs', @repository,
        'install', 'bash', 'coreutils-single', packages($told, 1));
}

# The name is always the same, so that the remains of a killed run are removed.
sub source_path {
    my ($root) = @_;
    my ($parent, $name) = $root =~ m{^(.*)/([^/]+)$};
    return "$parent/.jailcgi~$name";
}

sub make_source {
    my ($told, $root) = @_;
    my $target = source_path($root);
    my @command = command($told, $target);
    JailCGI::Builder::Ask::must_be_trusted($command[0]);
    remove_source($root);
    note('runs ' . shown("@command"));
    my %proxy = map { defined $ENV{$_} ? ($_ => $ENV{$_}) : () } @proxies;
    my ($status) = run(\@command, env => \%proxy, loud => 1);
    if ($status) {
        remove_source($root);
        refuse("--from $told->{from}", "$command[0] ended with status " . ($status >> 8),
            'see what it printed above');
    }
    my $host  = JailCGI::Builder::Tree->host;
    my $found = $host->resolve($target);
    $found->{fh} or refuse($target, 'was not made', "see what $command[0] printed above");
    return JailCGI::Builder::Tree->new(fh => $found->{fh}, name => $target);
}

# Does not remove anything through a mount that the tool may have left.
sub remove_source {
    my ($root) = @_;
    my $target = source_path($root);
    return if !lstat $target;
    my ($status, $said) = run([program('rm') // 'rm', '-rf', '--one-file-system', '--', $target],
        both => 1);
    refuse($target, 'cannot be removed: ' . ($said =~ /(.*)/)[0], 'umount what is in it')
      if $status;
    return;
}

1;
