package JailCGI::Builder::Package;

# Asks dpkg for the files of installed Debian packages.
#
# Runs in:   jailcgi, started by the administrator
# Privilege: root
# Trusts:    dpkg's database
# Never:     installs or changes a package

use strict;
use warnings;

use Exporter 'import';
use Fcntl ':mode';

use JailCGI::Builder::Ask qw(run program);
use JailCGI::Builder::Generated qw(add_generated);
use JailCGI::Builder::Say qw(refuse shown usage_error);

our @EXPORT_OK = qw(add_packages);

# Packages that belong to a machine and not to a program. Nothing in a jail needs
# them, although nearly all packages depend on one of them.
my %of_the_machine = map { $_ => 1 } qw(init systemd systemd-sysv dpkg apt adduser
  debconf init-system-helpers login sysvinit-utils usr-is-merged);

sub is_of_the_machine { return $of_the_machine{ $_[0] } }

sub query {
    my (@arguments) = @_;
    my $dpkg = program('dpkg-query')
      // refuse('--package', 'there is no dpkg-query on this machine',
        'name programs with --program and directories with --tree');
    return run([$dpkg, @arguments]);
}

sub check_name {
    my ($name) = @_;
    return if $name =~ /^[a-z0-9][a-z0-9+.-]+(?::[a-z0-9-]+)?$/;
    return usage_error($name, 'is no name of a package', 'write it as dpkg -l does');
}

# {NAME => DEPENDS} of all installed packages, {NAME => [PROVIDER...]}, and the names of
# the essential packages, on which every other may rely without saying so.
sub installed {
    my ($status, $said) = query('-W', '-f', '${db:Status-Status}\t${Package}\t${Essential}\t'
          . '${Provides}\t${Pre-Depends}, ${Depends}\n');
    my (%package, %provider, @essential);
    for my $line (split /\n/, $said) {
        my ($state, $name, $essential, $provides, $depends) = split /\t/, $line, 5;
        next if $state ne 'installed';
        $package{$name} = $depends;
        push @essential, $name if $essential eq 'yes';
        push @{ $provider{$_} }, $name
          for map { /^\s*([a-z0-9+.-]+)/ } split /,/, $provides;
    }
    return (\%package, \%provider, @essential);
}

# The package and all on which it depends, as far as they are installed.
sub with_depends {
    my (@names) = @_;
    my ($package, $provider, @essential) = installed();
    my (%seen, @found);
    push @names, @essential;
    while (@names) {
        my $name = shift(@names) =~ s/:.*//r;
        next if $seen{$name}++ || $of_the_machine{$name};
        if (!exists $package->{$name}) {
            push @names, @{ $provider->{$name} || [] };
            next;
        }
        push @found, $name;
        # Alternatives (a | b): those that are installed.
        push @names, map { /^\s*([a-z0-9+.-]+)/ } split /[,|]/, $package->{$name};
    }
    return @found;
}

# The paths of packages. A diverted file is at its other name.
sub files_of {
    my (@names) = @_;
    my ($status, $said) = query('-L', @names);
    my @files;
    for my $line (split /\n/, $said) {
        if ($line =~ m{^(?:diverted by \S+ to|locally diverted to): (/.*)}) {
            $files[-1] = $1 if @files;
        }
        elsif ($line =~ m{^/(?!\.$).}) {
            push @files, $line;
        }
    }
    return @files;
}

sub add_packages {
    my ($plan, $names, $with_depends) = @_;
    return if !@$names;
    for my $name (@$names) {
        check_name($name);
        my ($status, $said) = query('-W', '-f', '${db:Status-Status}', $name);
        next if !$status && $said eq 'installed';
        refuse($name, 'is not installed on this machine',
            "apt-get install $name, or leave it out");
    }
    my %new = map { $_ => 1 } files_of($with_depends ? with_depends(@$names) : @$names);
    add_package_file($plan, $_) for sort keys %new;
    my (undef, $all) = query('-W', '-f', '${binary:Package}\n');
    add_generated($plan, [files_of(split ' ', $all)], [keys %new], \&add_package_file);
    add_alternatives($plan);
    return;
}

sub add_package_file {
    my ($plan, $path) = @_;
    return if $plan->excluded($path);
    my @st = $plan->tree->lstat_of($path) or return;
    if (S_ISDIR($st[2])) {
        return $plan->add_file($path);
    }
    my $real = $plan->add_file($path) // return;
    return if $path =~ m{^/usr/share/(?:doc|man|info)/};
    if ($st[2] & 0111) {
        $plan->add_program($path) if $plan->entries->{$real}{type} eq 'file';
    }
    elsif ($path =~ /\.so(?:\.|$)/) {
        $plan->add_needs($real);
    }
    return;
}

# Names such as /usr/bin/php-cgi or /usr/bin/awk, which no package owns, if they
# lead to a file that is planned (update-alternatives(1)).
sub add_alternatives {
    my ($plan) = @_;
    my $tool = program('update-alternatives') // return;
    my ($status, $said) = run([$tool, '--get-selections']);
    for my $line (split /\n/, $said) {
        my ($name, undef, $value) = split ' ', $line, 3;
        next if !defined $value || !$plan->holds($value);
        my (undef, $about) = run([$tool, '--query', $name]);
        $plan->add_file($_)
          for grep { !$plan->excluded($_) } $about =~ m{^Link: (/.*)}m,
          $about =~ m{^Slaves:\n((?: .*\n)*)}m ? $1 =~ m{^ \S+ (/\S+)}mg : ();
    }
    return;
}

1;
