# A client that closes its sending side still reads (RFC 9112, 9.6). Whenever it does so,
# it gets its answer. One that has closed its socket altogether sends the same FIN; it is
# noticed when its kernel has forgotten that socket.
# MPM: event, worker, prefork

use lib 't/lib';
use JailCGI::Test;
use JailCGI::Client;
use JailCGI::Namespace;
use JailCGI::Watch qw(scripts_of touch_in child_of);
use Time::HiRes qw(sleep time);

use constant PATIENCE => 60;    # seconds

my $forgets = private_network();

my $alice = tenant('alice');
my $bob   = tenant('bob');
# Waits for /tmp/go.
my $waits = <<'END';
#!/bin/sh
: >/tmp/at
i=0
while [ ! -e /tmp/go ] && [ $i -lt 900 ]; do sleep 0.1; i=$((i + 1)); done
printf 'Content-Type: text/plain\n\nafter all\n'
END
$_->script('waits', $waits) for $alice, $bob;
$alice->script('count', "#!/bin/sh\nn=\$(wc -c)\nsleep 0.3\nprintf 'Content-Type: text/plain\\n\\n%s\\n' \$n\n");
$alice->script('quick', "#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\n%s\\n' \$QUERY_STRING\n");
$alice->script('leaves-it', "#!/bin/sh\nexec <&-\nsleep 0.3\nprintf 'Content-Type: text/plain\\n\\nunread\\n'\n");

my $httpd = httpd(
    vhosts => [[$alice], [$bob, 'JailConcurrency 1 queue=2 wait=60s']],
    config => "Timeout 120\n",
);

sub clear { touch_in($_[0], "/tmp/$_", 0) for qw(at go); return }
sub at { return -e $_[0]->root . '/tmp/at' }
sub go { return touch_in($_[0], '/tmp/go', 1) }

sub begin {
    my ($tenant) = @_;
    clear($tenant);
    my $client = JailCGI::Client->new($httpd);
    $client->send_request('GET', $tenant, '/cgi-bin/waits');
    return $client;
}

sub answers {
    my ($client, $body, $name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $res = $client->more_time->response;
    return is_deeply([@$res{qw(code whole body)}], [200, 1, $body], $name);
}

sub closes {
    my ($client, $name) = @_;
    return ok($client->wait_for_close && $client->rest eq '', "$name: and the connection is closed");
}

# Processor time of a process, in seconds.
sub used {
    my ($pid) = @_;
    my @stat = split ' ', JailCGI::Httpd::slurp("/proc/$pid/stat") =~ s/.*\)//sr;
    return ($stat[11] + $stat[12]) / 100;
}

# --- it still reads ----------------------------------------------------------

for my $seconds (0, 0.05, 0.5) {
    my $name   = "half-closed after $seconds s";
    my $client = begin($alice);
    sleep $seconds;
    $client->half_close;
    ok(wait_until(sub { at($alice) }, PATIENCE), "$name: the script runs");
    sleep 0.3;
    go($alice);
    answers($client, "after all\n", "$name: answered");
    closes($client, $name);
}

# Longer than two probes, which the kernel of such a client answers.
my $client = begin($alice);
$client->half_close;
ok(wait_until(sub { at($alice) }, PATIENCE), 'it waits for long');
my $child = child_of($httpd, $client);
my ($began, $before) = (time, used($child));
sleep 12;
cmp_ok(used($child) - $before, '<', (time - $began) / 10, 'and httpd sleeps meanwhile');
go($alice);
answers($client, "after all\n", 'half-closed for long: answered');

sub ask { return join "\r\n", "GET /cgi-bin/$_[0] HTTP/1.1", 'Host: alice', '', '' }
$client = begin($alice);
$client->send(map { ask("quick?$_") } 1 .. 3);
$client->half_close;
sleep 0.3;
go($alice);
answers($client, "after all\n", 'pipelined: the first');
answers($client, "$_\n", "pipelined: number $_ after it") for 1 .. 3;
closes($client, 'pipelined');

for my $case (['count', "300000\n"], ['leaves-it', "unread\n"]) {
    my ($script, $body) = @$case;
    $client = JailCGI::Client->new($httpd);
    $client->send_request('POST', $alice, "/cgi-bin/$script", ['Content-Length: 300000'],
        'x' x 300_000);
    $client->half_close;
    answers($client, $body, "with a body, $script: answered");
}

$client = JailCGI::Client->new($httpd);
$client->send_request('POST', $alice, '/cgi-bin/count', ['Content-Length: 300000'], 'x' x 5);
$client->half_close;
my $res = $client->response;
is($res->{code}, 400, 'in the middle of its body: that is broken');
$httpd->log_like($alice, qr/JCGI1712/, 'and the log says so');

# --- in the queue of a jail --------------------------------------------------

my $first = begin($bob);
ok(wait_until(sub { at($bob) }, PATIENCE), 'one script runs');
my $second = JailCGI::Client->new($httpd);
$second->send_request('GET', $bob, '/cgi-bin/waits');
sleep 0.3;
$_->half_close for $first, $second;
sleep 0.3;
go($bob);
answers($first,  "after all\n", 'JailConcurrency: the one that runs is answered');
answers($second, "after all\n", 'and the one that has waited');

# --- it has gone -------------------------------------------------------------

sub leaves {
    my ($name, $leave) = @_;
    $httpd->mark($alice);
    my $one = begin($alice);
    ok(wait_until(sub { at($alice) }, PATIENCE), "$name: it runs");
    $leave->($one);
    ok(wait_until(sub { !scripts_of($alice) }, PATIENCE), "$name: the script is ended");
    $httpd->log_like($alice, qr/JCGI1710/, "$name: the log says why");
    return;
}

leaves('reset', sub { $_[0]->reset });
leaves('reset after a half close', sub { $_[0]->half_close; sleep 0.3; $_[0]->reset });
SKIP: {
    skip_or_fail('no network namespaces', 6) if !$forgets;
    leaves('closed', sub { $_[0]->close });
    leaves('closed after a half close', sub { $_[0]->half_close; sleep 0.3; $_[0]->close });
}
done_testing;
