package JailCGI::Builder::System;

# Plans what every program expects of a system: the links of a merged /usr, devices,
# /tmp, name service, locales, time zones, certificates, a mailer.
#
# Runs in:   jailcgi, started by the administrator
# Privilege: root
# Trusts:    the host
# Never:     touches a jail: it only plans

use strict;
use warnings;

use Exporter 'import';

use JailCGI::Builder::Ask qw(run program preloaded);
use JailCGI::Builder::Say qw(refuse shown usage_error);

our @EXPORT_OK = qw(add_frame add_name_service add_certificates add_zones
  add_charsets add_locales add_mailer devices device_links);

# Character devices: major and minor (linux/Documentation/admin-guide/devices.txt).
my %device = (
    null    => [1, 3],
    zero    => [1, 5],
    full    => [1, 7],
    random  => [1, 8],
    urandom => [1, 9],
);
my %device_link = (
    fd     => '/proc/self/fd',
    stdin  => '/proc/self/fd/0',
    stdout => '/proc/self/fd/1',
    stderr => '/proc/self/fd/2',
);

sub devices      { return \%device }
sub device_links { return \%device_link }

# Directories, links and devices, which need nothing from the source.
sub add_frame {
    my ($plan) = @_;
    for my $name (qw(bin sbin lib lib64)) {
        my $target = $plan->tree->link_target("/$name") // next;
        $plan->put("/$name", type => 'link', target => $target);
        $plan->put("/$target", type => 'dir') if $target =~ m{^usr/\w+$};
    }
    $plan->put($_, type => 'dir') for qw(/dev /etc /home /proc /usr/bin);
    # Fedora 42 has a link there.
    my $target = $plan->tree->link_target('/usr/sbin');
    $plan->put('/usr/sbin',
        defined $target ? (type => 'link', target => $target) : (type => 'dir'));
    $plan->put('/tmp', type => 'dir', mode => 01777);
    for my $name (keys %device) {
        my ($major, $minor) = @{ $device{$name} };
        $plan->put("/dev/$name", type => 'device', major => $major, minor => $minor);
    }
    for my $name (keys %device_link) {
        $plan->put("/dev/$name", type => 'link', target => $device_link{$name});
    }
    # The loader finds by it what is in /usr/local/lib, for example. What it names and the
    # jail does not hold, the loader looks for in its own directories.
    $plan->add_flat('/etc/ld.so.cache');
    return;
}

# nsswitch.conf, the modules that it names, and the files that they read. With
# them libgcc_s, which the C library loads when a thread is cancelled.
sub add_name_service {
    my ($plan) = @_;
    for my $file (qw(/etc/resolv.conf /etc/hosts /etc/host.conf /etc/gai.conf
        /etc/services /etc/protocols)) {
        $plan->add_flat($file);
    }
    my $default = "passwd: files\ngroup: files\nhosts: files dns\n";
    $plan->add_flat('/etc/nsswitch.conf')
      or $plan->put('/etc/nsswitch.conf', type => 'file', content => $default, mode => 0644);
    my $switch = $plan->tree->read_file('/etc/nsswitch.conf') // $default;
    my @names  = map { "libnss_$_.so.2" } services($switch);
    my $shell  = $plan->shell or return;
    for my $library (preloaded($shell->{elf}{interp}, $shell->{path}, @names,
        qw(libnss_files.so.2 libnss_dns.so.2 libgcc_s.so.1))) {
        $plan->add_file($library);
    }
    return;
}

# The services that nsswitch.conf(5) names, each once.
sub services {
    my ($text) = @_;
    my %seen;
    for my $line (split /\n/, $text) {
        my ($names) = $line =~ /^\s*\w+:\s*([^#]*)/ or next;
        $names =~ s/\[[^\]]*\]//g;
        $seen{$_} = 1 for grep { /^\w+$/ } split ' ', $names;
    }
    return sort keys %seen;
}

# All places where the libraries of Debian, Fedora and Alpine look.
sub add_certificates {
    my ($plan) = @_;
    for my $path (qw(/etc/ssl/certs /etc/pki/tls/certs /etc/pki/ca-trust/extracted)) {
        $plan->add_tree($path) if $plan->tree->is_directory($path);
    }
    for my $path (qw(/etc/ssl/openssl.cnf /etc/ssl/cert.pem /usr/lib/ssl/certs
        /usr/lib/ssl/cert.pem /usr/lib/ssl/openssl.cnf /etc/pki/tls/cert.pem
        /etc/pki/tls/openssl.cnf)) {
        $plan->add_file($path);
    }
    return if $plan->tree->is_directory('/etc/ssl/certs')
      || $plan->tree->is_directory('/etc/pki/tls/certs');
    $plan->note('no CA certificates: this machine has none (package ca-certificates)');
    return;
}

sub add_zones {
    my ($plan) = @_;
    if (!$plan->tree->is_directory('/usr/share/zoneinfo')) {
        $plan->note('no time zones: this machine has none (package tzdata)');
        return;
    }
    $plan->add_tree('/usr/share/zoneinfo');
    $plan->add_file('/etc/localtime');
    $plan->add_flat('/etc/timezone');
    return;
}

# The modules that iconv(3) loads for encodings other than UTF-8. They are beside the
# C library.
sub add_charsets {
    my ($plan) = @_;
    my $libc = $plan->c_library or return;
    my $dir = $libc =~ s{[^/]+$}{gconv}r;
    $plan->add_tree($dir) if $plan->tree->is_directory($dir);
    return;
}

# C.UTF-8, and each locale that is named.
sub add_locales {
    my ($plan, @names) = @_;
    for my $dir (qw(/usr/lib/locale/C.utf8 /usr/lib/locale/C.UTF-8)) {
        $plan->add_tree($dir) if $plan->tree->is_directory($dir);
    }
    return if !@names;
    my ($status, $said) = run([program('locale') // 'locale', '-a']);
    my %known = map { plain_locale($_) => $_ } split /\n/, $said;
    for my $name (@names) {
        my $known = $known{ plain_locale($name) }
          // usage_error($name, 'is no locale of this machine (locale -a lists them)',
            'make it with dpkg-reconfigure locales, or install locales-all');
        my $dir = "/usr/lib/locale/$known";
        if ($plan->tree->is_directory($dir)) {
            $plan->add_tree($dir);
        }
        else {
            $plan->add_file('/usr/lib/locale/locale-archive');
        }
    }
    return;
}

# Names are compared as the C library does it: UTF-8 and utf8 are equal.
sub plain_locale {
    my ($name) = @_;
    my ($before, $charset, $after) = $name =~ /^([^.\@]*)(?:\.([^\@]*))?(.*)$/;
    return $before . (defined $charset ? '.' . lc($charset) =~ s/[^a-z0-9]//gr : '') . $after;
}

# /usr/sbin/sendmail is msmtp, which delivers each mail to HOST:PORT at once and has
# no queue. The host's own sendmail needs privileges that no_new_privs denies.
sub add_mailer {
    my ($plan, $where) = @_;
    return if ($where // '') eq 'none';
    my ($host, $port) = host_and_port($where // '127.0.0.1:25');
    my $msmtp = $plan->asks ? program('msmtp')
      : $plan->tree->is_file('/usr/bin/msmtp') ? '/usr/bin/msmtp' : undef;
    if (!$msmtp) {
        refuse("--mailer $where", 'msmtp is not installed', 'apt-get install msmtp')
          if defined $where;
        return $plan->note('no mailer in the jail: msmtp is not installed'
              . ' (apt-get install msmtp, then jailcgi update)');
    }
    my $file = '/etc/msmtprc';
    my $real = $msmtp;
    if ($plan->asks) {
        $real = $plan->add_program($msmtp, required => 1);
        my ($status, $said) = run([$msmtp, '--version']);
        ($file) = $said =~ m{^System configuration file name: (/.*)}m or refuse($msmtp,
            'does not say where its configuration is', 'install the msmtp of the distribution');
    }
    my $mailname = $plan->add_flat('/etc/mailname');
    $plan->put($file, type => 'file', mode => 0644,
        content => configuration($host, $port, $mailname));
    $plan->put('/usr/sbin/sendmail', type => 'link', target => $real);
    $plan->put('/usr/lib/sendmail',  type => 'link', target => '../sbin/sendmail');
    return;
}

sub host_and_port {
    my ($where) = @_;
    my ($host, $port) = $where =~ /^(\[[0-9a-fA-F:]+\]|[A-Za-z0-9.-]+):(\d{1,5})$/;
    if (!defined $port || $port < 1 || $port > 65_535) {
        usage_error("--mailer $where", 'is not HOST:PORT',
            'write it like 127.0.0.1:25, or none for no mailer');
    }
    return ($host =~ tr/[]//dr, $port);
}

sub configuration {
    my ($host, $port, $mailname) = @_;
    my $domain = $mailname ? '%M' : '%H';
    return <<"END";
# Written by jailcgi. See msmtp(1).
account default
host $host
port $port
auth off
tls off
timeout 60
from %U\@$domain
END
}

1;
