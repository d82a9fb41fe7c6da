# What does not answer holds up nobody else: a file server, and the helper itself.

use lib 't/lib';
use JailCGI::Test;
use JailCGI::Namespace;
use JailCGI::Client;
use JailCGI::Watch qw(keepers_of);
use POSIX ();
use Time::HiRes 'time';

use constant PATIENCE => 60;

-c '/dev/fuse' or skip_or_fail('there is no /dev/fuse');
private_mounts() or skip_or_fail('no mount namespace can be made');

my (@servers, @hung);

# A file system whose server answers nothing that matters.
sub hang_at {
    my ($where) = @_;
    my $device = (stat $where)[0];
    my $pid = fork // die "fork: $!";
    if (!$pid) {
        POSIX::close($_) for 3 .. 63;
        exec fixture('hang'), '-f', '-s', $where or POSIX::_exit(127);
    }
    push @servers, $pid;
    wait_until { (stat $where)[0] != $device } or die 'hang does not mount';
    push @hung, $where;
    return;
}

END {
    my $status = $?;
    kill 'KILL', @servers;
    waitpid $_, 0 for @servers;
    unmount($_) for @hung;
    $? = $status;
}

my ($alice, $bob) = map { tenant($_) } qw(alice bob);
$_->script('hello', "#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\nhello\\n'\n")
  for $alice, $bob;
my $hanging = work_dir() . '/hanging';
mkdir $hanging, 0755 or die "$hanging: $!";
# Not over what this test still reads, wherever it was started.
my $here   = readlink '/proc/self/cwd';
my @places = grep { index("$here/", "$_/") != 0 } qw(/home /srv);
hang_at($_) for @places, $hanging;

# --- file servers ----------------------------------------------------------------

# Control: whoever asks it waits.
my $asking = fork // die "fork: $!";
if (!$asking) {
    exec 'stat', '-f', $places[0] or POSIX::_exit(127);
}
my $begun = time;

# Four JailRoots that nobody can look at, and two that one can. httpd goes through its hosts
# from the last one up.
my @roots = ("$hanging/1", '/nowhere', "$hanging/2", '/etc/passwd', "$hanging/3", "$hanging/4");
my ($status, $said) = configtest(
    vhosts => [map { $alice->vhost('', root => $roots[$_], name => "root$_") } reverse 0 .. $#roots]);
is($status, 0, 'configtest ends where file systems do not answer, and is content');
cmp_ok(time - $begun, '<', 60, 'in less time than they need');
like($said, qr{JCGI1406: JailRoot \Q$hanging\E/$_ of .*root.*: its file system has not answered},
    "it says so of JailRoot $_")
  for 1 .. 3;
like($said, qr{JailRoot \Q$hanging\E/4 of .*root5.*: was not checked, because the file systems of three},
    'the fourth is left out, with the reason');
like($said, qr{JailRoot /nowhere of .*root1.*: does not exist}, 'others are looked at: one is not there');
like($said, qr{JailRoot /etc/passwd of .*root3.*: is not a directory}, 'one is no directory');
is(waitpid($asking, POSIX::WNOHANG()), 0, 'control: a process that asks still waits');

$alice->directory('/mnt');
my $httpd = httpd(
    vhosts => [
        [$alice],
        [$alice, "JailMount bind $hanging/data /mnt\n    JailConcurrency 2 queue=1", name => 'far'],
        [$bob],
        $alice->vhost('', root => "$hanging/1", name => 'lost'),
    ],
    config => "Timeout 300\nKeepAlive Off\n",
);

sub ask {
    my ($host) = @_;
    return JailCGI::Client->new($httpd)->send_request('GET', $host, '/cgi-bin/hello');
}

is(ask($bob)->response->{code}, 200, 'a file server below /home and /srv hangs: others are served');
cmp_ok(time - $begun, '<', 60, 'in less time than it needs for an answer');
is(waitpid($asking, POSIX::WNOHANG()), 0, 'control: a process that asks it still waits');

# A jail that cannot be built because of it: JailConcurrency counts what waits.
my @clients = map { ask('far') } 1 .. 8;
ok((wait_until { (grep { $_->socket && ready($_) } @clients) == 5 } PATIENCE),
    'of eight requests for a jail that is not built five are refused at once');
is(ask($bob)->response->{code}, 200, 'and others are served');
is(join(' ', map { $_->response->{code} } grep { ready($_) } @clients),
    '503 503 503 503 503', 'with 503');

sub ready {
    my ($client) = @_;
    return IO::Select->new($client->socket)->can_read(0) ? 1 : 0;
}

# A reload asks for all JailRoots once more.
$begun = time;
$httpd->graceful;
cmp_ok(time - $begun, '<', 60, 'a graceful restart waits for no file server');
is(ask($bob)->response->{code}, 200, 'and others are served after it');
is(waitpid($asking, POSIX::WNOHANG()), 0, 'control: the process that asked before it still waits');
kill 'KILL', $asking;

# --- the helper ------------------------------------------------------------------

my $helper = $httpd->helper_pid;
is(ask($alice)->response->{code}, 200, 'a jail is warm');
kill 'KILL', keepers_of($alice);
ok((wait_until { !keepers_of($alice) } PATIENCE), 'and its keepers are gone');
kill 'STOP', $helper;
my $client = ask($alice);
ok((wait_until { ($httpd->helper_pid // $helper) != $helper } PATIENCE),
    'a helper that does not read is replaced');
ok((wait_until { !kill 0, $helper } PATIENCE), 'and killed');
is($client->response->{code}, 200, 'the request that waited for it is answered');
is(ask($bob)->response->{code}, 200, 'as are others');

done_testing;
