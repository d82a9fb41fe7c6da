# JailAbort finish: a script whose client has gone runs to its end, within its limits, and
# what it still writes goes nowhere. With kill, and in the middle of a body, it is ended.
# MPM: event, worker, prefork

use lib 't/lib';
use JailCGI::Test;
use JailCGI::Client;
use JailCGI::Watch qw(scripts_of touch_in);
use Time::HiRes 'sleep';

use constant PATIENCE => 60;    # seconds

my ($alice, $bob, $carol) = map { tenant($_) } qw(alice bob carol);
my $head = q{printf 'Content-Type: text/plain\n\n'};
my $wait = <<'END';
: >/tmp/at
i=0
while [ ! -e /tmp/go ] && [ $i -lt 900 ]; do sleep 0.1; i=$((i + 1)); done
END
# More than the pipe holds: a script that nobody reads would never get past it.
my $rest = "head -c 2000000 /dev/zero\n: >/tmp/done\n";
my %scripts = (
    silent      => "$wait$head\n$rest",
    begins      => "$head\necho first\n$wait$rest",
    reads       => "cat >/tmp/body\n$wait$head\n$rest",
    away        => "$wait\n: >/tmp/done\nprintf 'Location: /cgi-bin/second\\n\\n'\n",
    second      => ": >/tmp/second\n$head\n",
    fails       => "$wait\n: >/tmp/done\nexit 1\n",
    endless     => "$head\n: >/tmp/at\nexec cat /dev/zero\n",
    'nph-begins' => "printf 'HTTP/1.1 200 OK\\r\\nContent-Type: text/plain\\r\\n\\r\\nfirst'\n$wait$rest",
    'nph-silent' => "${wait}printf 'HTTP/1.1 200 OK\\r\\nContent-Type: text/plain\\r\\n\\r\\nfirst'\n$rest",
);
for my $tenant ($alice, $bob, $carol) {
    $tenant->script($_, "#!/bin/sh\n$scripts{$_}") for keys %scripts;
}
$alice->script('to-kill', "#!/bin/sh\n$scripts{silent}");
$alice->replace($alice->jail_htdocs . '/page.shtml',
    'before <!--#include virtual="/cgi-bin/silent" --> after');
$alice->directory($alice->jail_htdocs . '/own');
$alice->replace($alice->jail_htdocs . '/own/.htaccess', "JailAbort finish\n");
$alice->replace($alice->jail_htdocs . '/own/page.txt',  "a page\n");

my $h2 = mpm() ne 'prefork';
my $httpd = httpd(
    modules => ['include', $h2 ? 'http2' : ()],
    config  => "JailAbort finish\nTimeout 120\nGracefulShutdownTimeout 60\n" . ($h2 ? "Protocols h2c http/1.1\n" : ''),
    vhosts  => [
        [$alice, <<"END"],
    ErrorDocument 404 /cgi-bin/silent
    <Files to-kill>
        JailAbort kill
    </Files>
    <Directory "@{[$alice->htdocs]}">
        Options +Includes
        AllowOverride All
        AddType text/html .shtml
        AddOutputFilter INCLUDES .shtml
    </Directory>
END
        [$bob, "JailAbort finish max=1s\n"],
        [$carol, "JailConcurrency 1 queue=0\n    JailTimeout idle=4s\n"],
    ],
);

sub is_there { return -e "$_[0]{root}/tmp/$_[1]" }

sub clear {
    my ($tenant) = @_;
    touch_in($tenant, "/tmp/$_", 0) for qw(at go done body second);
    return $httpd->mark($tenant);
}

sub has_begun {
    my ($tenant, $name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    return ok(wait_until(sub { is_there($tenant, 'at') }, PATIENCE), "$name: runs");
}

sub plant {
    my ($tenant, $method, $path, @body) = @_;
    clear($tenant);
    my $client = JailCGI::Client->new($httpd);
    $client->send_request($method, $tenant, $path, @body);
    $client->flush;
    has_begun($tenant, "$method $path");
    return $client;
}

# Processor time of httpd's children, in seconds.
sub used {
    my $used = 0;
    for my $pid ($httpd->children('apache2')) {
        my @stat = split ' ', JailCGI::Httpd::slurp("/proc/$pid/stat") =~ s/.*\)//sr;
        $used += ($stat[11] + $stat[12]) / 100;
    }
    return $used;
}

# It is seen to run on after its client has gone, and then to finish.
sub finishes {
    my ($tenant, $name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $before = used();
    sleep 1;
    cmp_ok(used() - $before, '<', 0.1, "$name: httpd sleeps") if $name !~ /restart/;
    ok(scripts_of($tenant) > 0, "$name: it runs on");
    touch_in($tenant, '/tmp/go', 1);
    ok(wait_until(sub { is_there($tenant, 'done') }, PATIENCE), "$name: it finishes");
    ok(wait_until(sub { !scripts_of($tenant) }, PATIENCE), "$name: nothing is left");
    $httpd->log_unlike($tenant, qr/JCGI17(?:10|12|23)/, "$name: and nobody ended it");
    return;
}

sub is_ended {
    my ($tenant, $name, $code) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    ok(wait_until(sub { !scripts_of($tenant) }, PATIENCE), "$name: it is ended");
    ok(!is_there($tenant, 'done'), "$name: before it is done");
    $httpd->log_like($tenant, $code, "$name: the log says why");
    return;
}

# --- it finishes -------------------------------------------------------------

my @whole = (['Content-Length: 5'], 'a=b&c');
for my $case (
    ['GET',  '/cgi-bin/silent'],
    ['GET',  '/cgi-bin/begins'],
    ['HEAD', '/cgi-bin/begins'],
    ['GET',  '/cgi-bin/nph-begins'],
    ['GET',  '/cgi-bin/nph-silent'],
    ['POST', '/cgi-bin/reads', @whole],
    ['GET',  '/page.shtml'],
    ['GET',  '/no-such-page'],
    ['GET',  '/cgi-bin/away'],
    ['GET',  '/cgi-bin/fails'],
) {
    plant($alice, @$case)->reset;
    finishes($alice, "@$case[0, 1]");
}
ok(!is_there($alice, 'second'), 'a redirect of a client that has gone is not followed');

# The caller's time-out is so short that the script has not begun.
clear($alice);
my $client = JailCGI::Client->new($httpd);
$client->send_request('GET', $alice, '/cgi-bin/silent');
$client->flush;
sleep 0.1;
$client->reset;
has_begun($alice, 'gone at once');
finishes($alice, 'gone at once');

SKIP: {
    skip 'mod_http2 does not work under prefork', 12 if !$h2;
    for my $script (qw(silent begins)) {
        clear($alice);
        my $pid = fork // die "fork: $!";
        if (!$pid) {
            open STDOUT, '>', '/dev/null';
            exec qw(curl -q --silent --http2-prior-knowledge --max-time 90 --resolve),
              "alice:@{[$httpd->port]}:127.0.0.1",
              "http://alice:@{[$httpd->port]}/cgi-bin/$script";
            die "curl: $!";
        }
        has_begun($alice, "HTTP/2, $script");
        kill 'KILL', $pid;
        waitpid $pid, 0;
        finishes($alice, "HTTP/2, $script");
    }
}

# --- it does not --------------------------------------------------------------

plant($alice, 'GET', '/cgi-bin/to-kill')->reset;
is_ended($alice, 'JailAbort kill of a <Files>', qr/JCGI1710/);

clear($alice);
$client = JailCGI::Client->new($httpd);
$client->send_request('POST', $alice, '/cgi-bin/reads', ['Content-Length: 5'], 'a=b');
$client->flush;
ok(wait_until(sub { -s $alice->root . '/tmp/body' }, PATIENCE), 'a part of a body arrives');
$client->reset;
is_ended($alice, 'in the middle of a body', qr/JCGI1712/);
ok(!is_there($alice, 'at'), 'which does not look whole to the script');

for my $script (qw(silent begins endless)) {
    plant($bob, 'GET', "/cgi-bin/$script")->reset;
    is_ended($bob, "max, $script", qr/JCGI1723.*1000 ms/);
}

my $first = plant($carol, 'GET', '/cgi-bin/begins');
$first->reset;
sleep 0.3;
is($httpd->get($carol, '/cgi-bin/second')->code, 503, 'it keeps its place in JailConcurrency');
is_ended($carol, 'JailTimeout', qr/JCGI1708/);

my $res = $httpd->get($alice, '/own/page.txt');
is($res->code, 500, 'a .htaccess cannot set it');
$httpd->log_like($alice, qr/JailAbort not allowed here/, 'and the log says so');

# --- a graceful restart -------------------------------------------------------

plant($alice, 'GET', '/cgi-bin/silent')->reset;
$httpd->graceful;
is($httpd->get($alice, '/cgi-bin/second')->code, 200, 'a graceful restart does not wait for it');
finishes($alice, 'over a graceful restart');
done_testing;
