package JailCGI::MailServer;

=head1 NAME

JailCGI::MailServer - one of Debian's mail servers, as its package configures it

=head1 SYNOPSIS

  use JailCGI::Test;
  use JailCGI::Namespace;
  use JailCGI::MailServer;

  private_mounts() && private_network('mail.example.org') or ...;
  my $server = JailCGI::MailServer->new('postfix');   # installed, with users ann and bob
  $server->start;                                     # listens on 127.0.0.1:25
  my $text = $server->message('ann', 'The subject');  # waits for it
  $server->stop;

=head1 HOW IT WORKS

The machine's own file system is the lower layer of an overlay whose upper layer is in
memory. The packages of install-packages are installed there, by dpkg and with their own
scripts, and the daemon runs in it as root by chroot. The daemon has a process namespace,
and ends with it.

=cut

use strict;
use warnings;

use IO::Socket::INET ();
use Test::More ();

use JailCGI::Namespace;
use JailCGI::Test ();

# The packages, what starts the server, and where a user's mail is. The first of
# the packages names the server.
my %kinds = (
    'exim4-daemon-light' => {
        refused  => 'a%b',    # it takes mail for an unknown user, and sends a bounce
        packages => [qw(exim4-base exim4-config libidn12 libgnutls-dane0 libevent-2.1-7
              libunbound8 libnsl2 libtirpc3 libtirpc-common netbase)],
        start => 'update-exim4.conf && /usr/sbin/exim4 -bdf -q30m',
        log   => '/var/log/exim4/mainlog',
        files => {
            '/etc/exim4/exim4.conf.localmacros' => "CHECK_DATA_LOCAL_ACL_FILE = /etc/exim4/jailcgi\n",
            '/etc/exim4/jailcgi'                => "  warn log_message = script \$h_X-JailCGI-Script: of"
              . " \$h_X-JailCGI-Site:, user \$h_X-JailCGI-User:\n"
              . "  defer senders = later\@mail.example.org\n        message = greylisted\n",
        },
    },
    postfix => {
        packages => [qw(ssl-cert cpio netbase libnsl2 libtirpc3 libtirpc-common)],
        start => 'postconf -e maillog_file=/var/log/postfix.log &&'
          . ' /usr/lib/postfix/configure-instance.sh - && postfix start-fg',
        log       => '/var/log/postfix.log',
        files     => { '/etc/postfix/header_checks' => "/^X-JailCGI-/ INFO\n" },
        configure => 'postconf -e header_checks=regexp:/etc/postfix/header_checks'
          . ' "smtpd_sender_restrictions=check_sender_access'
          . ' inline:{ {later@mail.example.org=450 4.7.1 greylisted} }"',
    },
    opensmtpd => {
        packages => [qw(ed libevent-2.1-7 netbase)],
        start    => 'smtpd -F',
        configure => 'cd /etc && sed -i "s/^listen on localhost/filter late phase mail-from'
          . ' match mail-from { later@mail.example.org } reject \"450 4.7.1 greylisted\"\\n& filter late/" smtpd.conf',
    },
    'sendmail-bin' => {
        packages => [qw(sendmail-base sendmail-cf m4 sensible-mda procmail liblockfile1
              libwrap0 libnsl2 libtirpc3 libtirpc-common netbase)],
        # It would put mail off, or refuse connections, while the machine is busy.
        start => '/usr/sbin/sendmail -bD -q1s -OQueueLA=999 -ORefuseLA=999',
        files => { '/etc/mail/access' => "From:later\@mail.example.org ERROR:4.7.1:450 greylisted\n" },
        configure => 'cd /etc/mail && makemap hash access <access',
    },
);

sub kinds { return sort keys %kinds }

sub new {
    my ($class, $kind) = @_;
    my $dir  = JailCGI::Test::work_dir() . "/$kind";
    my $root = "$dir/root";
    mkdir $dir or die "$dir: $!";
    mount_at($dir, '-t', 'tmpfs', 'none');
    mkdir "$dir/$_" or die $! for qw(upper work root);
    mount_at($root, '-t', 'overlay', '-o', "lowerdir=/,upperdir=$dir/upper,workdir=$dir/work",
        'overlay');
    mount_at("$root/dev", '--rbind', '/dev');
    mount_at("$root/$_", '-t', 'tmpfs', 'none') for qw(run tmp);
    my $self = bless { %{ $kinds{$kind} }, kind => $kind, root => $root }, $class;
    $self->write_file('/etc/hosts', "127.0.0.1 mail.example.org mail localhost\n");
    $self->write_file('/etc/mailname', "mail.example.org\n");
    # invoke-rc.d(8) asks this program before a package starts a service.
    $self->write_file('/usr/sbin/policy-rc.d', "#!/bin/sh\nexit 101\n", 0755);
    mkdir "$root/tmp/debs" or die $!;
    for my $package ($kind, @{ $self->{packages} }) {
        system('cp', "build/packages/$package.deb", "$root/tmp/debs") == 0
          or die "no $package: run tools/install-packages check";
    }
    $self->run('DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 dpkg --force-depends'
          . ' --force-conflicts --force-confnew -G -E -i /tmp/debs/*.deb')
      or die "$kind cannot be installed";
    $self->run("useradd -m -s /bin/sh $_") or die "useradd $_" for qw(ann bob);
    return $self;
}

sub kind { return $_[0]{kind} }
sub root { return $_[0]{root} }

# An address that it refuses.
sub refused { return $_[0]{refused} // 'no-such-user' }

sub write_file {
    my ($self, $path, $content, $mode) = @_;
    open my $out, '>', "$self->{root}$path" or die "$path: $!";
    print {$out} $content;
    close $out or die "$path: $!";
    chmod $mode // 0644, "$self->{root}$path" or die "$path: $!";
    return;
}

# What stands before a command that runs where the server is installed. It has processes of
# its own, which end with it.
sub inside {
    my ($self, $command) = @_;
    return ('unshare', '-m', '-p', '-f', '--kill-child', "--mount-proc=$self->{root}/proc",
        'chroot', $self->{root}, 'sh', '-c', $command);
}

# Runs a command there; whether it succeeds. What it says is a note.
sub run {
    my ($self, $command) = @_;
    my $pid = open(my $out, '-|') // die "fork: $!";
    if (!$pid) {
        open STDERR, '>&', \*STDOUT or die "stderr: $!";
        $ENV{PATH} = '/usr/sbin:/usr/bin:/sbin:/bin';
        exec $self->inside($command) or exit 127;
    }
    Test::More::note(<$out>);
    return close $out;
}

# Lets it put messages off whose sender is later@mail.example.org, and where the manual says
# how, name the script in its log.
sub configure {
    my ($self) = @_;
    my %files = %{ $self->{files} // {} };
    $self->write_file($_, $files{$_}) for sort keys %files;
    $self->run($self->{configure} // 'true') or die "$self->{kind} cannot be configured";
    return;
}

sub is_listening {
    return defined IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => 25);
}

sub start {
    my ($self) = @_;
    my $pid = fork // die "fork: $!";
    if (!$pid) {
        open STDOUT, '>', "$self->{root}/said" or die "said: $!";
        open STDERR, '>&', \*STDOUT or die "stderr: $!";
        $ENV{PATH} = '/usr/sbin:/usr/bin:/sbin:/bin';
        # The shell stays: a daemon that changes its user is not ended with its parent.
        exec $self->inside("$self->{start}; exit 1") or exit 127;
    }
    $self->{pid} = $pid;
    JailCGI::Test::wait_until { is_listening() } 60
      or die "$self->{kind} does not listen: " . JailCGI::Httpd::slurp("$self->{root}/said");
    return;
}

sub stop {
    my ($self) = @_;
    my $pid = delete $self->{pid} or return;
    kill 'KILL', $pid;
    waitpid $pid, 0;
    JailCGI::Test::wait_until { !is_listening() };
    return;
}

sub DESTROY { local $?; $_[0]->stop; return }

sub log_text {
    my ($self) = @_;
    my $file = $self->{root} . ($self->{log} // '/said');
    return -e $file ? JailCGI::Httpd::slurp($file) : '';
}

# The files with a user's messages: a mailbox, or one file for each.
sub files_of {
    my ($self, $user) = @_;
    my $root = $self->{root};
    return grep { -s } "$root/var/mail/$user", glob "$root/home/$user/Maildir/new/*";
}

# Returns the messages of one file.
sub messages_in {
    my ($file) = @_;
    my $text = JailCGI::Httpd::slurp($file);
    return $text if $text !~ s/^From .*\n//;
    return map { s/^>From /From /mgr } split /\n\nFrom .*\n/, $text;
}

# Waits for a user's message with that subject; undef if there is none. Its last line must
# be "-- end", because a server may be writing it.
sub message {
    my ($self, $user, $subject) = @_;
    my $found;
    JailCGI::Test::wait_until {
        ($found) = grep { /^Subject: \Q$subject\E$/m && /^-- end$/m }
          map { messages_in($_) } $self->files_of($user);
    } 30;
    return $found;
}

1;
