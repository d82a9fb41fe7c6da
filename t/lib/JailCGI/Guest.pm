package JailCGI::Guest;

=head1 NAME

JailCGI::Guest - what scripts in the virtual machine share

=head1 SYNOPSIS

  use JailCGI::Guest;             # strict, warnings, Test::More, what follows

  install_module();
  my $alice = site('alice', who => "#!/bin/sh\n...");
  unit_settings('PrivateTmp=yes');
  restart() or diag(main_log());
  my $res = get('alice', '/cgi-bin/who');      # status, content

Runs as root in the machine, see JailCGI::Machine; changes it as it likes.

=cut

use strict;
use warnings;

use Exporter ();
use File::Path 'make_path';
use IO::Select ();
use IO::Socket::INET ();
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);

use JailCGI::Process ();

our @ISA    = 'Exporter';
our @EXPORT = (
    @Test::More::EXPORT,
    @JailCGI::Process::EXPORT_OK,
    qw(slurp spew run wait_until install_module site get restart unit_settings
      main_log site_log forget_logs main_pid helper_pid keepers mounts ns_of named)
);
JailCGI::Process->import(@JailCGI::Process::EXPORT_OK);

$| = 1;

sub import {
    strict->import;
    warnings->import;
    __PACKAGE__->export_to_level(1, @_);
}

sub slurp {
    my ($file) = @_;
    open my $fh, '<', $file or return '';
    local $/;
    return <$fh> // '';
}

sub spew {
    my ($file, $content, $mode) = @_;
    make_path($file =~ s{/[^/]*\z}{}r);
    open my $fh, '>', $file or die "$file: $!";
    print {$fh} $content;
    close $fh or die "$file: $!";
    chmod $mode // 0644, $file or die "$file: $!";
    return;
}

# Runs a command; its output, in $? its status.
sub run {
    my (@command) = @_;
    my $pid = open my $from, '-|';
    defined $pid or die "fork: $!";
    if (!$pid) {
        open STDERR, '>&', \*STDOUT or die;
        exec @command or die "$command[0]: $!";
    }
    local $/;
    my $said = <$from> // '';
    close $from;
    return $said;
}

# A step without which nothing that follows means anything.
sub must {
    my (@command) = @_;
    my $said = run(@command);
    $? == 0 or die "failed: @command\n$said";
    return $said;
}

sub wait_until (&;$) {
    my ($condition, $seconds) = @_;
    my $end = time + ($seconds || 20);
    until ($condition->()) {
        return 0 if time > $end;
        sleep 0.1;
    }
    return 1;
}

# --- what an administrator does ----------------------------------------------

sub install_module {
    spew('/etc/apache2/mods-available/jailcgi.load',
        "LoadModule jailcgi_module /usr/lib/apache2/modules/mod_jailcgi.so\n");
    make_path('/etc/systemd/system/apache2.service.d');
    must('cp', 'conf/apache2-jailcgi.conf', '/etc/systemd/system/apache2.service.d/');
    spew('/etc/apache2/conf-available/local.conf', "ServerName jailcgi\n");
    must('a2enconf', '-q', 'local');
    must('a2enmod',  '-q', 'jailcgi');
    must('systemctl', 'daemon-reload');
    return;
}

# site(NAME, {SCRIPT => TEXT, ...}, [{root => PATH}], LINE...): a user, a jail with a
# few programs and a virtual host of this name.
sub site {
    my ($name, $scripts, @lines) = @_;
    my $root = @lines && ref $lines[0] ? shift(@lines)->{root} : "/srv/jails/$name";
    must('useradd', '-m', $name) if !getpwnam $name;
    must('jailcgi', 'mkjail', $root, '--user', $name, '--minimal',
        map { "--program=$_" } qw(/bin/sh /bin/busybox)) if !-e $root;
    my ($uid, $gid) = (getpwnam $name)[2, 3];
    make_path("$root/cgi-bin");
    for my $script (keys %$scripts) {
        spew("$root/cgi-bin/$script", $scripts->{$script}, 0755);
        chown $uid, $gid, "$root/cgi-bin/$script";
    }
    chown $uid, $gid, "$root/cgi-bin";
    spew("/etc/apache2/sites-available/$name.conf", join "\n",
        '<VirtualHost *:80>', "ServerName $name",
        "JailRoot $root", "JailUser $name",
        "ErrorLog /var/log/apache2/$name.log",
        "ScriptAlias /cgi-bin/ $root/cgi-bin/",
        "<Directory $root/cgi-bin>", 'Require all granted', '</Directory>',
        @lines, '</VirtualHost>', '');
    must('a2ensite', '-q', $name);
    return $root;
}

# In a drop-in of its own, which takes the place of the one before.
sub unit_settings {
    my (@lines) = @_;
    my $file = '/etc/systemd/system/apache2.service.d/zz-test.conf';
    unlink $file;
    spew($file, join "\n", '[Service]', @lines, '') if @lines;
    must('systemctl', 'daemon-reload');
    return;
}

# Returns whether it is active afterwards.
sub restart {
    forget_logs();
    run('systemctl', 'reset-failed', 'apache2.service');
    run('systemctl', 'restart', 'apache2.service');
    return run('systemctl', 'is-active', 'apache2.service') eq "active\n";
}

# --- what can be seen ----------------------------------------------------------

sub get {
    my ($host, $path, $seconds) = @_;
    my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1:80')
      or return (0, "connect: $!");
    print {$socket} "GET $path HTTP/1.0\r\nHost: $host\r\n\r\n";
    my ($select, $answer) = (IO::Select->new($socket), '');
    my $end = time + ($seconds || 60);
    while ($select->can_read($end - time)) {
        sysread($socket, $answer, 65536, length $answer) or last;
    }
    my ($status, $content) = $answer =~ m{\AHTTP/\S+ (\d+).*?\r\n\r\n(.*)\z}s;
    return ($status // 0, $content // $answer);
}

sub main_log { return slurp('/var/log/apache2/error.log') }
sub site_log { return slurp("/var/log/apache2/$_[0].log") }

sub forget_logs {
    truncate $_, 0 for glob '/var/log/apache2/*.log';
    return;
}

sub main_pid {
    return 0 + run(qw(systemctl show -P MainPID apache2.service));
}

sub named {
    my ($name) = @_;
    return grep {
        my $status = process_status($_);
        $status && $status->{Name} eq $name
    } processes();
}

# A keeper is one too, by name: the helper's parent is httpd.
sub helper_pid {
    my $parent = main_pid() or return;
    my ($pid) =
      grep { process_status($_)->{PPid} == $parent } named('jailcgi-helper');
    return $pid;
}

sub keepers {
    my ($uid) = @_;
    return grep {
        my $title = slurp("/proc/$_/cmdline");
        $title =~ /^jailcgi-keeper: uid (\d+)/ && (!defined $uid || $1 == $uid)
    } processes();
}

sub mounts { return slurp("/proc/$_[0]/mountinfo") }

# ns_of(PID, 'mnt'): its number
sub ns_of {
    my ($pid, $name) = @_;
    return readlink("/proc/$pid/ns/$name") // '';
}

1;
