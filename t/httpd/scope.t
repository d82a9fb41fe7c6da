# JailScope: requests of one jail are apart from each other, and each is together with
# its own processes. JailNoNewPrivs: what set-id programs gain.

use lib 't/lib';
use JailCGI::Test;
use JailCGI::Client;
use JailCGI::Watch qw(touch_in scripts_of);

JailCGI::Httpd::mounts_work() or skip_or_fail('no private mounts here');

my $alice = tenant('alice');
$alice->install(probe('talk'), 'talk');
$alice->directory('/tools', uid => 0, gid => 0);
$alice->directory('/proc', uid => 0, gid => 0);

# As Debian's postdrop is, and as su is.
my $group = $alice->gid + 1000;
sub raised {
    my ($uid, $gid, $mode) = @_;
    $alice->install(probe('talk'), 'raised');
    system('mv', $alice->cgi_bin . '/raised', $alice->root . '/tools/raised') == 0 or die 'mv';
    chown $uid, $gid, $alice->root . '/tools/raised' or die $!;
    chmod $mode, $alice->root . '/tools/raised' or die $!;
    return;
}

sub vhost {
    my ($name, @lines) = @_;
    return $alice->vhost(join("\n    ", @lines), name => $name);
}
my $httpd = httpd(
    vhosts => [
        vhost('apart', 'JailMount proc'),
        vhost('together', 'JailScope Off'),
        vhost('off-on', 'JailScope On', 'JailNamespaces none'),
        vhost('none', 'JailNamespaces none', 'JailScope Off'),
        vhost('privs', 'JailNoNewPrivs Off', 'JailMount proc'),
    ],
    config => 'Timeout 60',
);

# Landlock ABI, as landlock_create_ruleset(2) says; 6 has scopes.
my $abi = syscall 444, 0, 0, 1;
skip_or_fail("Landlock here is of version $abi: no scopes") if $abi < 6;

sub talk {
    my ($host, $query) = @_;
    my $res = $httpd->get($host, "/cgi-bin/talk?$query");
    is($res->code, 200, "$host, $query: a page") or diag($httpd->log($host));
    return $res->content;
}

sub other_request {
    my ($host, $name) = @_;
    touch_in($alice, '/tmp/go', 0);
    my $client = JailCGI::Client->new($httpd);
    $client->send_request('GET', $host, "/cgi-bin/talk?listen+$name");
    ok($client->wait_for(qr/^listen: done$/m), "$host: another request goes on");
    return $client;
}

sub let_go {
    my ($host, $client) = @_;
    touch_in($alice, '/tmp/go', 1);
    my $res = $client->response;
    is("$res->{code} $res->{whole}", '200 1', "$host: and its page is whole");
    return;
}

# --- a process of the same user outside of the jail
my $outsider = fork // die $!;
if (!$outsider) {
    exec 'setpriv', '--reuid=' . $alice->uid, '--regid=' . $alice->gid, '--clear-groups',
      'sleep', 600;
    die $!;
}
END { my $status = $?; kill 'KILL', $outsider if $outsider; waitpid $outsider, 0; $? = $status }
ok(wait_until(sub { (process_status($outsider) || {})->{Name} eq 'sleep' }, 10), 'it is there');
is(talk('off-on', "signal+$outsider"), "signal: EPERM\n", 'no namespaces: it is out of reach');
is(talk('none', "signal+$outsider"), "signal: done\n", 'without scopes it is not');

# --- another request
for my $case (['apart', 'EPERM'], ['together', 'done'], ['privs', 'done']) {
    my ($host, $is) = @$case;
    my $name  = "jailcgi-$$-$host";
    my $other = other_request($host, $name);
    is(talk($host, "connect+$name"), "connect: $is\n", "$host: its abstract socket: $is");
    my ($pid) = scripts_of($alice);
    my $ns = (split ' ', JailCGI::Process::process_status($pid)->{NSpid})[-1];
    is(talk($host, "signal+$ns"), "signal: $is\n", "$host: a signal to it: $is");
    let_go($host, $other);
}

# --- its own processes
for my $host (qw(apart together off-on privs)) {
    is(talk($host, "own+jailcgi-$$-own"), "listen: done\nconnect: done\n",
        "$host: its own sockets");
    is(talk($host, 'group'), "group: done\nchild: signal 15\n", "$host: kill(0) reaches its group");
    is(talk($host, 'children'), "parent: done\nkill: done\nchild: signal 9\n",
        "$host: parent and child");
    is(talk($host, 'files'), "rename: done\nlink: done\n", "$host: files are not concerned");
}

# --- set-id programs
$alice->replace('/tmp/mine', '', uid => $alice->uid, gid => $alice->gid);
my ($uid, $gid) = ($alice->uid, $alice->gid);
my $nothing = join '', map { "Cap$_:\t" . '0' x 16 . "\n" } qw(Inh Prm Eff Bnd Amb);

sub gains {
    my ($host, $ids, $nnp, $setuid) = @_;
    is(talk($host, 'raised'), "${ids}${nothing}NoNewPrivs:\t$nnp\nSeccomp:\t2\n"
          . "setuid: $setuid\nchown: EPERM\n", "$host: what it is: " . $ids =~ s/\n/, /gr);
    return;
}
raised(0, $group, 02755);
gains('apart', "uid: $uid $uid\ngid: $gid $gid\n",   1, 'EPERM');
gains('privs', "uid: $uid $uid\ngid: $gid $group\n", 0, 'EPERM');
raised(0, 0, 04755);
gains('apart', "uid: $uid $uid\ngid: $gid $gid\n", 1, 'EPERM');
gains('privs', "uid: $uid 0\ngid: $gid $gid\n",    0, 'done');
done_testing;
