package Bench::Server;

# The servers: their configurations, which differ in nothing but the last lines, and
# their start and end.

use strict;
use warnings;

use Exporter 'import';
use File::Path 'make_path';
use IO::Socket::INET;
use POSIX 'WNOHANG';
use Time::HiRes qw(sleep time);
use Bench::Place qw(TENANT);
use Bench::Util qw(fail note slurp start_process stop_process write_file);

our @EXPORT_OK = qw(@SERVERS %LABEL absolute url start_server stop_server stop_all answer
  wrong_identity cgid_lines common_lines configtest jail_lines start_relay tree);

use constant MODULES => '/usr/lib/apache2/modules';

our @SERVERS = qw(mod_cgi mod_cgid suexec sbox mod_jailcgi isolated);
our %LABEL   = (
    mod_cgi     => 'mod_cgi, prefork',
    mod_cgid    => 'mod_cgid',
    suexec      => 'mod_cgid + suexec',
    sbox        => 'mod_cgid + sbox',
    mod_jailcgi => 'mod_jailcgi, plain chroot',
    isolated    => 'mod_jailcgi, everything on',
    limit       => 'limit',
    bound       => 'limit, eagerly bound',
);

my $first_port = $ENV{JAILCGI_BENCH_PORT} || 8240;
my %port       = map { $SERVERS[$_] => $first_port + $_ } 0 .. $#SERVERS;
$port{hosts} = $first_port + 6;
$port{limit} = $first_port + 7;
my %running;

# What is not absolute is a script.
sub absolute { return $_[0] =~ m{^/} ? $_[0] : "/cgi-bin/$_[0]" }

sub url {
    my ($name, $path) = @_;
    return "http://127.0.0.1:$port{$name}" . absolute($path);
}

# mod_cgi needs a process for each connection, of which there are 256 at most.
sub mpm_lines {
    my ($name) = @_;
    return <<"END" if $name eq 'mod_cgi';
LoadModule mpm_prefork_module @{[MODULES]}/mod_mpm_prefork.so
StartServers 8
MinSpareServers 8
MaxSpareServers 256
ServerLimit 256
MaxRequestWorkers 256
END
    return <<"END";
LoadModule mpm_event_module @{[MODULES]}/mod_mpm_event.so
StartServers 2
ServerLimit 2
ThreadsPerChild 64
MaxRequestWorkers 128
MinSpareThreads 1
MaxSpareThreads 128
END
}

# REDIRECT_STATUS is for php-cgi, which runs for nobody but a server that sets it.
sub common_lines {
    my ($work, $name) = @_;
    my $root = "$work/servers/$name";
    make_path("$root/run");
    return mpm_lines($name) . <<"END";
ServerRoot $root
ServerName localhost
DefaultRuntimeDir $root/run
PidFile $root/run/httpd.pid
Listen 127.0.0.1:$port{$name}
LoadModule authz_core_module @{[MODULES]}/mod_authz_core.so
LoadModule alias_module @{[MODULES]}/mod_alias.so
LoadModule env_module @{[MODULES]}/mod_env.so
User www-data
Group www-data
MaxConnectionsPerChild 0
KeepAlive On
MaxKeepAliveRequests 0
KeepAliveTimeout 5
Timeout 20
EnableSendfile Off
EnableMMAP Off
DocumentRoot $work/jail/html
ErrorLog $root/error.log
LogLevel warn
LogFormat "%h %l %u %t \\"%r\\" %>s %b" common
CustomLog $root/access.log common
SetEnv REDIRECT_STATUS 200
<Directory />
    AllowOverride None
</Directory>
END
}

sub cgid_lines {
    my ($work, $name) = @_;
    return "LoadModule cgid_module @{[MODULES]}/mod_cgid.so\n"
      . "ScriptSock $work/servers/$name/run/cgid.sock\n";
}

sub jail_lines {
    my ($work, $isolated) = @_;
    my $lines = <<"END";
LoadModule jailcgi_module $work/source/mod_jailcgi.so
JailRoot $work/jail
JailUser "#@{[TENANT]}" "#@{[TENANT]}"
END
    return $lines . <<'END' if !$isolated;
JailNamespaces none
JailSeccomp off
JailScope Off
JailBackground allow
END
    return $lines . <<'END';
JailNamespaces mount pid ipc uts net cgroup
JailMount proc
JailMount dev
JailMount tmpfs /tmp
JailSeccomp default
JailScope On
JailBackground deny
JailConcurrency 64
JailTimeout total=60
JailLimit nproc 200 nofile 256 as 1G
END
}

my %own = (
    mod_cgi => sub { "LoadModule cgi_module @{[MODULES]}/mod_cgi.so\n" },
    suexec  => sub {
        cgid_lines($_[0], 'suexec') . <<"END" },
LoadModule suexec_module @{[MODULES]}/mod_suexec.so
SuexecUserGroup jailbench jailbench
END
    mod_cgid    => sub { cgid_lines($_[0], 'mod_cgid') },
    sbox        => sub { cgid_lines($_[0], 'sbox') },
    mod_jailcgi => sub { jail_lines($_[0], 0) },
    isolated    => sub { jail_lines($_[0], 1) },
);

# For 256 requests at once. Where all workers of a child are busy the event MPM closes
# connections that are kept alive (AH00484), whatever runs the scripts, and wrk counts
# them as errors. One child may have all of the connections.
sub widened {
    my ($text) = @_;
    $text =~ s/^ThreadsPerChild .*/ThreadLimit 256\nThreadsPerChild 256/m;
    $text =~ s/^(MaxSpareThreads|MaxRequestWorkers) 128$/$1 512/mg;
    $text =~ s/^JailConcurrency .*/JailConcurrency 256/m;
    $text =~ s/^JailLimit .*/JailLimit nproc 1000 nofile 256 as 1G/m;
    return $text;
}

sub write_config {
    my ($work, $name, $wide) = @_;
    my $scripts = $name eq 'sbox' ? "/cgi-bin $work/sbox" : "/cgi-bin/ $work/jail/cgi-bin/";
    my $file    = "$work/servers/$name/httpd.conf";
    my $text    = common_lines($work, $name) . "ScriptAlias $scripts\n" . $own{$name}->($work);
    write_file($file, $wide ? widened($text) : $text);
    return $file;
}

# Whole answer of one request, and the time to its first byte in seconds.
sub answer {
    my ($name, $path, $host) = @_;
    my $start  = time;
    my $socket = IO::Socket::INET->new(
        PeerAddr => '127.0.0.1',
        PeerPort => $port{$name},
        Timeout  => 20
    ) or return ('', undef);
    local $SIG{ALRM} = sub { shutdown $socket, 2 };
    local $SIG{PIPE} = 'IGNORE';
    alarm 25;
    syswrite $socket, "GET $path HTTP/1.0\r\nHost: " . ($host // 'localhost') . "\r\n\r\n";
    my ($text, $first) = ('');
    while (sysread $socket, $text, 65536, length $text) { $first //= time - $start }
    alarm 0;
    return ($text, $first);
}

# Another server on the port would be measured under this one's name.
sub need_free_port {
    my ($name) = @_;
    my $socket = IO::Socket::INET->new(
        LocalAddr => '127.0.0.1',
        LocalPort => $port{$name},
        Listen    => 1,
        ReuseAddr => 1
    ) or fail("port $port{$name}, which $name needs: $!; set JAILCGI_BENCH_PORT");
    close $socket;
    return;
}

# Starts a program and waits for its first answer, whatever that is; the seconds, or
# nothing.
sub launch {
    my ($name, $log, @command) = @_;
    need_free_port($name);
    my $start = time;
    my $pid   = start_process($log, @command);
    $running{$name} = $pid;
    while (time - $start < 60 && waitpid($pid, WNOHANG) == 0) {
        return time - $start if (answer($name, '/'))[0] =~ m{^HTTP/};
        sleep 0.01;
    }
    delete $running{$name} if !kill 0, $pid;
    return;
}

sub start_server {
    my ($work, $name, $config, $wide) = @_;
    my $root = "$work/servers/$name";
    $config //= write_config($work, $name, $wide);
    return launch($name, "$root/console.log", 'apache2', '-f', $config, '-DFOREGROUND')
      // fail("$name did not start:\n", slurp("$root/console.log"), slurp("$root/error.log"));
}

# The bare relay, for one program: see bench/relay.c.
sub start_relay {
    my ($work, $program) = @_;
    my $log = "$work/relay.log";
    return launch('limit', $log, "$work/relay", $port{limit}, $program)
      // fail('relay did not start: ' . slurp($log));
}

# What a server does with a script must be what its row says: as whom it runs, and
# in which root. Returns what is wrong.
sub wrong_identity {
    my ($name)   = @_;
    my $own      = $name =~ /^mod_cgid?$/ ? getpwnam 'www-data' : TENANT;
    my $expected = "uid $own " . ($name =~ /^(?:mod_cgid?|suexec)$/ ? 'machine' : 'jail');
    my ($text)   = answer($name, '/cgi-bin/identity');
    return if $text =~ /^\Q$expected\E$/m;
    return "its scripts should be $expected, but: "
      . ($text =~ /^(uid .*)$/m || $text =~ /^(.*?)\r?\n/ ? $1 : 'no answer');
}

# The seconds that it takes, and what it says.
sub configtest {
    my ($work, $file) = @_;
    my $out   = "$work/configtest.out";
    my $start = time;
    waitpid start_process($out, 'apache2', '-t', '-f', $file), 0;
    return (time - $start, slurp($out));
}

sub stop_server {
    my ($name) = @_;
    my $pid = delete $running{$name} or return;
    stop_process($pid);
    return;
}

sub stop_all { stop_server($_) for keys %running; return }

# The processes of a server, itself first.
sub tree {
    my ($pid) = @_;
    $pid = $running{$pid} // return if $pid !~ /^\d+$/;
    my @list = ($pid);
    for (my $i = 0; $i < @list; $i++) {
        push @list, map { split ' ', slurp($_) } glob "/proc/$list[$i]/task/*/children";
    }
    return @list;
}

1;
