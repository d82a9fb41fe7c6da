package JailCGI::Httpd;

# One private Apache: an Apache::TestServer whose configuration is made here
# and which is started and stopped without delay. See JailCGI::Test.

use strict;
use warnings;

use Apache::TestConfig ();
use Apache::TestServer ();
use Cwd                'getcwd';
use Errno              'ESRCH';
use File::Path         'make_path';
use HTTP::Request      ();
use IO::Select         ();
use IO::Socket::INET   ();
use LWP::UserAgent     ();
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);

use JailCGI::Process qw(descendants process_status);

our @ISA = 'Apache::TestServer';

# Apache::TestRequest, which Apache::TestServer loads, asks for HTTP/1.0.
delete $ENV{PERL_LWP_USE_HTTP_10};

my $modules_dir = '/usr/lib/apache2/modules';
my @basic_modules = qw(authz_core authz_host alias env dir mime);

my $template = <<'END';
ServerRoot "@serverroot@"
PidFile "@t_pid_file@"
DefaultRuntimeDir "@t_logs@"
ErrorLog "@t_logs@/error_log"
LogLevel info
ServerName 127.0.0.1
Listen 127.0.0.1:@port@
User @user@
Group @group@
TypesConfig /dev/null
Timeout 30
KeepAliveTimeout 2
GracefulShutdownTimeout 5
<IfModule mpm_prefork_module>
    StartServers 3
    MinSpareServers 2
    ServerLimit 256
    MaxRequestWorkers 256
</IfModule>
<IfModule !mpm_prefork_module>
    StartServers 2
    ThreadsPerChild 25
    MinSpareThreads 25
    MaxSpareThreads 400
    ServerLimit 16
    MaxRequestWorkers 400
</IfModule>
<Directory />
    AllowOverride None
    Require all granted
</Directory>
END

sub new {
    my ($class, %option) = @_;
    my $dir = "$option{dir}/$option{name}";
    make_path("$dir/logs", "$dir/htdocs");
    my $config = Apache::TestConfig->new(
        top_dir     => getcwd(),
        t_dir       => $dir,
        serverroot  => $dir,
        httpd       => '/usr/sbin/apache2',
        servername  => '127.0.0.1',
        remote_addr => '127.0.0.1',
        user        => $option{web_user} || 'nobody',
        group       => $option{web_group} || 'nogroup',
        port        => free_port(),
    );
    my $self = $config->server;
    bless $self, $class;
    @$self{qw(rev revminor)} = (2, 4);
    $self->{dir}  = $dir;
    $self->{mark} = {};
    $self->take(%option);
    return $self;
}

# A port that nobody listens on. Somebody may take it before httpd does, so
# start() tries anew.
sub free_port {
    my $socket = IO::Socket::INET->new(
        LocalAddr => '127.0.0.1',
        Listen    => 1
    ) or die "no free port: $!";
    return $socket->sockport;
}

# Options: config, vhosts, modules, and those that JailCGI::Test adds. "config"
# is Apache::TestConfig's word in this hash.
sub take {
    my ($self, %option) = @_;
    if (exists $option{config}) {
        $self->{lines} = delete $option{config};
    }
    @$self{ keys %option } = values %option;
    return;
}

sub pid  { return $_[0]{pid} }
sub port { return $_[0]{config}{vars}{port} }
sub logs { return $_[0]{config}{vars}{t_logs} }

# --- configuration --------------------------------------------------------

sub vhost_text {
    my ($vhost) = @_;
    return $vhost if !ref $vhost;
    return ref $vhost eq 'ARRAY'
      ? $vhost->[0]->vhost(@$vhost[1 .. $#$vhost])
      : $vhost->vhost;
}

# A chroot of a plain directory allows no mounts; what needs them skips there, and the
# rest goes without. Whatever a test says itself comes later and wins.
my $mounts_work;

sub mounts_work {
    $mounts_work //= system('unshare -m --propagation private true 2>/dev/null') == 0 ? 1 : 0;
    return $mounts_work;
}

sub namespaces_line {
    return mounts_work() ? '' : "JailNamespaces pid ipc uts\n";
}

sub config_text {
    my ($self) = @_;
    my $text = join '', map { "LoadModule ${_}_module $modules_dir/mod_$_.so\n" }
      "mpm_$self->{mpm}", @basic_modules, @{ $self->{modules} || [] };
    $text .= <<"END" if !$self->{without_jailcgi};
LoadModule jailcgi_module "$self->{run_dir}/lib/mod_jailcgi.so"
JailHelper "$self->{run_dir}/lib/jailcgi-helper"
@{[namespaces_line()]}
END
    $text .= $template . ($self->{lines} // '') . "\n";
    return join "\n", $text, map { vhost_text($_) } @{ $self->{vhosts} || [] };
}

# Writes httpd.conf; any part of it may be given anew, for a later graceful().
sub configure {
    my ($self, %option) = @_;
    $self->take(%option);
    my $config = $self->{config};
    my $file   = $config->{vars}{t_conf_file};
    my $out    = $config->genfile($file, undef, 1);
    local $_ = $self->config_text;
    $config->replace;    # @port@ and the like, in $_
    print {$out} $_;
    close $out or die "$file: $!";
    return;
}

# --- life -----------------------------------------------------------------

sub command {
    my ($self, @args) = @_;
    return (@{ $self->{as} || [] }, split(' ', $self->start_cmd), @args);
}

sub start {
    my ($self) = @_;
    for my $try (1 .. 5) {
        $self->configure;
        return $self if $self->try_start;
        my $said = $self->said;
        $said =~ /could not bind to address/
          or die "httpd does not start:\n$said\n" . $self->log . "\n";
        $self->{config}{vars}{port} = free_port();
    }
    die 'no free port in five tries';
}

sub try_start {
    my ($self) = @_;
    my $pid = fork // die "fork: $!";
    if (!$pid) {
        # A session of its own: what stop() kills when all else fails.
        POSIX::setsid();
        open STDIN,  '<', '/dev/null'           or POSIX::_exit(1);
        open STDOUT, '>', "$self->{dir}/said"   or POSIX::_exit(1);
        open STDERR, '>&', \*STDOUT             or POSIX::_exit(1);
        POSIX::close($_) for 3 .. 63;
        umask $self->{umask} if defined $self->{umask};
        exec $self->command('-DFOREGROUND') or POSIX::_exit(127);
    }
    $self->{pid} = $pid;
    if (open my $fh, '>', "$self->{run_dir}/pid.$pid") {
        close $fh;
    }
    my $end = time + 30;
    while (time < $end) {
        if (waitpid($pid, POSIX::WNOHANG()) == $pid) {
            $self->ended;
            return 0;
        }
        # A connection alone would do even if another process had the port.
        return 1 if -s $self->pid_file && $self->connect;
        sleep 0.02;
    }
    die "httpd did not listen within 30 s:\n" . $self->said . $self->log;
}

sub ended {
    my ($self) = @_;
    unlink "$self->{run_dir}/pid.$self->{pid}", $self->pid_file;
    delete $self->{pid};
    return;
}

sub said {
    my ($self) = @_;
    return slurp("$self->{dir}/said");
}

# SIGTERM and, if that is not enough, SIGKILL to all that belongs to it.
sub stop {
    my ($self) = @_;
    my $pid = $self->{pid} or return;
    kill 'TERM', $pid;
    my $end = time + 15;
    while (time < $end) {
        return $self->ended if waitpid($pid, POSIX::WNOHANG()) != 0;
        sleep 0.02;
    }
    diag("httpd $pid did not end within 15 s of SIGTERM");
    kill 'KILL', $pid, descendants($pid);
    waitpid $pid, 0;
    return $self->ended;
}

# SIGKILL to the parent alone, as a crash.
sub kill_parent {
    my ($self) = @_;
    kill 'KILL', $self->{pid};
    waitpid $self->{pid}, 0;
    return $self->ended;
}

# Reads the configuration anew; waits until the new one is in force.
sub graceful {
    my ($self, %option) = @_;
    $self->configure(%option);
    my $before = () = $self->log =~ /resuming normal operations/g;
    kill 'USR1', $self->{pid};
    my $end = time + 15;
    while (time < $end) {
        my $now = () = $self->log =~ /resuming normal operations/g;
        return 1 if $now > $before;
        die "httpd ended at a graceful restart:\n" . $self->log
          if waitpid($self->{pid}, POSIX::WNOHANG()) != 0;
        sleep 0.02;
    }
    die "no graceful restart within 15 s:\n" . $self->log;
}

# Does what graceful() does, for a server that has no request, and waits until the old children
# have gone too: a child that is idle may still answer by the old configuration before.
sub regenerate {
    my ($self, %option) = @_;
    my %old = map { $_ => 1 } $self->children('apache2');
    $self->graceful(%option);
    my $end = time + 30;
    while (my @left = grep { $old{$_} } $self->children('apache2')) {
        die "children of the old configuration stay: @left\n" . $self->log if time > $end;
        sleep 0.02;
    }
    return 1;
}

sub configtest {
    my ($self) = @_;
    $self->configure;
    my $command = join ' ', $self->command('-t');
    my $output  = `$command 2>&1 </dev/null`;
    return ($? >> 8, $output);
}

# The children of httpd's parent by their names, as "apache2".
sub children {
    my ($self, $name) = @_;
    return grep {
        my $status = process_status($_);
        $status && $status->{PPid} == $self->{pid} && $status->{Name} eq $name
    } descendants($self->{pid});
}

# Of the policy table, in bytes; the greater one where that of the configuration before is
# still there.
sub table_bytes {
    my ($self) = @_;
    my ($size) = sort { $b <=> $a } map { -s } grep { (readlink // '') =~ /jailcgi-policies/ }
      glob "/proc/@{[$self->pid]}/fd/*";
    return $size;
}

sub helper_pid {
    my ($self) = @_;
    my ($pid) = $self->children('jailcgi-helper');
    return $pid;
}

# --- requests -------------------------------------------------------------

sub host_of {
    my ($host) = @_;
    return ref $host ? $host->name : $host;
}

sub user_agent {
    my ($self) = @_;
    return $self->{ua} ||= LWP::UserAgent->new(
        timeout      => 60,
        max_redirect => 0,
        keep_alive   => 0,
        agent        => 'jailcgi-test',
    );
}

# request(METHOD, TENANT OR HOST, PATH, [NAME => VALUE, ...], BODY)
sub request {
    my ($self, $method, $host, $path, $headers, $body) = @_;
    my $request = HTTP::Request->new(
        $method, "http://127.0.0.1:@{[$self->port]}$path",
        [Host => host_of($host) . ':' . $self->port, @{ $headers || [] }],
        $body
    );
    if (defined $body && !ref $body) {
        $request->content_length(length $body);
    }
    return $self->user_agent->simple_request($request);
}

sub get {
    my ($self, $host, $path, @headers) = @_;
    return $self->request('GET', $host, $path, \@headers);
}

sub connect {
    my ($self) = @_;
    return IO::Socket::INET->new(
        PeerAddr => '127.0.0.1',
        PeerPort => $self->port
    );
}

# Sends bytes and returns all that comes until the server closes.
sub raw {
    my ($self, $bytes, $seconds) = @_;
    my $socket = $self->connect or die "connect: $@";
    local $SIG{PIPE} = 'IGNORE';
    $socket->syswrite($bytes);
    return read_all($socket, $seconds);
}

# Returns undef if the server has not closed in time.
sub read_all {
    my ($socket, $seconds) = @_;
    my ($got, $end) = ('', time + ($seconds || 30));
    my $select = IO::Select->new($socket);
    while (time < $end) {
        next if !$select->can_read(0.1);
        return $got if !sysread $socket, $got, 65_536, length $got;
    }
    return;
}

# --- logs -----------------------------------------------------------------

sub slurp {
    my ($file) = @_;
    open my $fh, '<:raw', $file or return '';
    local $/;
    return <$fh> // '';
}

sub log_file {
    my ($self, $host) = @_;
    return $self->logs . '/'
      . (defined $host ? host_of($host) . '.error.log' : 'error_log');
}

# What stands in a virtual host's error log, or in the main one, since mark().
sub log {
    my ($self, $host) = @_;
    my $file = $self->log_file($host);
    return substr slurp($file), $self->{mark}{$file} || 0;
}

sub mark {
    my ($self, $host) = @_;
    my $file = $self->log_file($host);
    $self->{mark}{$file} = -s $file;
    return;
}

# A test: a line of the log matches, now or within 5 seconds. Returns the line.
sub log_like {
    my ($self, $host, $pattern, $name) = @_;
    my ($line, $end) = (undef, time + 5);
    while (1) {
        ($line) = grep { $_ =~ $pattern } split /\n/, $self->log($host);
        last if defined $line || time > $end;
        sleep 0.02;
    }
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    ok(defined $line, $name)
      or diag("no line like $pattern in\n", $self->log($host));
    return $line;
}

# A test: no line matches. Only to be used after what would write the line.
sub log_unlike {
    my ($self, $host, $pattern, $name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    return unlike($self->log($host), $pattern, $name);
}

1;
