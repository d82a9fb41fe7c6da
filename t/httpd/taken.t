# Nothing of a customer's is taken in silence: where the jail ends, refuses or loses
# something that stock Apache lets through, the site's log says so once, and names the
# directive. Each line has a control: with that directive, or where nothing was lost,
# there is none.

use lib 't/lib';
use JailCGI::Test;
use JailCGI::Client;
use Time::HiRes qw(sleep time);

use constant PATIENCE => 60;

my $alice = tenant('alice');
my $header = "#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\n'\n";

# --- a process that outlives its request

$alice->directory($alice->jail_home . '/jobs');
sub job {
    my ($name) = @_;
    return $alice->root . $alice->jail_home . "/jobs/$name";
}
# A job as a page starts it: with no descriptor of the page.
my $start = 'sh -c "sleep $1; : >../jobs/$2" </dev/null >/dev/null 2>&1 &';
$alice->script('job', "${header}set -- \${QUERY_STRING%-*} \${QUERY_STRING#*-}\n$start\n");
$alice->script('soon', "${header}sleep 0.01 </dev/null >/dev/null 2>&1 &\n");
$alice->script('writes', "${header}(sleep 0.3; echo more) &\n");
$alice->script('closes', "${header}exec >&- 2>&-\nsleep 1\n: >../jobs/closes\n");
$alice->script('silent', "#!/bin/sh\nsleep 60\n");

$alice->script('session', "${header}echo data >/tmp/session.\$\$\n");
$alice->script('tidy', "${header}echo data >/tmp/x.\$\$; rm /tmp/x.\$\$\n");
$alice->script('fill', "${header}head -c 3000000 /dev/zero >/tmp/fill 2>&1\nls -s /tmp/fill\n");
$alice->script('upload', "${header}cat >/tmp/upload 2>&1; rm /tmp/upload; cat >/dev/null; echo read\n");
my $disk = work_dir() . '/disk';
mkdir $disk, 0711 or die "$disk: $!";
my $lasting = "JailTmp $disk";

$alice->install(probe('calls'), 'calls');
$alice->install(probe('linger'), 'linger');

# A call of the keeper's own is refused by the kernel: it would wait for itself.
my $strict = work_dir() . '/strict';
open my $fh, '>', $strict or die "$strict: $!";
print {$fh} "deny setsockopt\n";
close $fh or die "$strict: $!";

my @vhosts = (
    $alice,
    $alice->vhost("JailSeccomp $strict", name => 'strict'),
    $alice->vhost('',                    name => 'calls'),
    $alice->vhost('JailSeccomp off',     name => 'off'),
    $alice->vhost('JailNoNewPrivs Off',  name => 'privs'),
    $alice->vhost('JailNamespaces none', name => 'plain'),
    $alice->vhost('JailMount tmpfs /tmp size=1M', name => 'small'),
    $alice->vhost($lasting,                       name => 'lasting'),
    $alice->vhost('',                     name => 'whole'),
    $alice->vhost('',                     name => 'itself'),
    $alice->vhost('JailBackground allow', name => 'allowed'),
    $alice->vhost('LogLevel info',        name => 'info'),
);
my $httpd = httpd(vhosts => \@vhosts, config => "LogLevel warn\n");

sub count_of {
    my ($host, $code) = @_;
    my $count = () = $httpd->log($host) =~ /\Q$code\E/g;
    return $count;
}

is($httpd->get($alice, '/cgi-bin/job?1-ended')->code, 200, 'a page that starts a job');
my $line = $httpd->log_like($alice, qr/JCGI1718: script \S+job: /, 'the log says that it is ended');
like($line, qr/\[jailcgi:warn\]/, 'as a warning');
like($line, qr/left processes behind \(1 or more\).*; remedy: .*JailBackground allow/,
    'with the directive that lets it stay');
is($httpd->get($alice, '/cgi-bin/job?1-ended')->code, 200, 'once more');
is($httpd->get('allowed', '/cgi-bin/job?1-stays')->code, 200, 'JailBackground allow: the page');
ok((wait_until { -e job('stays') } PATIENCE), 'control: the job is done');
ok(!-e job('ended'), 'and the other was ended');
is(count_of($alice, 'JCGI1718'), 1, 'the log has one line');
$httpd->log_unlike('allowed', qr/JCGI17/, 'and none where the job stays');

for my $script (qw(soon writes)) {
    my $res = $httpd->get('whole', "/cgi-bin/$script");
    is($res->content, $script eq 'writes' ? "more\n" : '', "$script: what ends by itself");
}
$httpd->log_unlike('whole', qr/JCGI17/, 'is no loss, and no line');

is($httpd->get('itself', '/cgi-bin/closes')->code, 200, 'a script that goes on after its page');
$httpd->log_like('itself', qr/JCGI1718: .*still running after its page.*JailBackground allow/,
    'is ended, and the log says so');
is($httpd->get('allowed', '/cgi-bin/closes')->code, 200, 'control');
ok((wait_until { -e job('closes') } PATIENCE), 'it goes on where it may');

# --- a client that leaves

sub leave {
    my ($host) = @_;
    my $client = JailCGI::Client->new($httpd)->send_request('GET', $host, '/cgi-bin/silent');
    sleep 0.2;
    $client->reset;
    return;
}

for my $host ($alice, 'info') {
    for my $count (1 .. 3) {
        leave($host);
        wait_until { count_of($host, 'JCGI1710') >= ($host eq 'info' ? $count : 1) } 10;
    }
}
sleep 0.3;
$line = $httpd->log_like($alice, qr/JCGI1710: script \S+silent: /, 'a client that leaves: a line');
like($line, qr/\[jailcgi:warn\]/, 'as a warning');
is(count_of($alice, 'JCGI1710'), 1, 'once');
is(count_of('info', 'JCGI1710'), 3, 'with LogLevel info each time');
is(scalar(() = $httpd->log('info') =~ /:warn\].*JCGI1710/g), 1, 'and one of them as a warning');

# --- system calls

my $refused = qr/JCGI1719: script \S+: its jail refused the system call/;
for my $host (qw(calls privs plain)) {
    is($httpd->get($host, '/cgi-bin/calls')->code, 200, "$host: a script that makes refused calls");
    $line = $httpd->log_like($host, qr/$refused/, 'the log names the first of them');
    like($line, qr/call (\w+) \(Operation not permitted\); remedy: .*JailSeccomp FILE .*'allow \1'/,
        'and the line that allows it');
    is($httpd->get($host, '/cgi-bin/calls')->code, 200, 'again');
    is(count_of($host, 'JCGI1719'), 1, 'it has one line');
}
is($httpd->get('calls', '/cgi-bin/linger?session')->code, 200, 'a script that calls setsid');
$httpd->log_like('calls', qr/$refused setsid \(Operation not permitted\); remedy: .*JailBackground allow/,
    'another call has a line of its own');
is($httpd->get('off', '/cgi-bin/calls')->code, 200, 'control: without JailSeccomp');
$httpd->log_unlike('off', $refused, 'nothing is refused');
is($httpd->get('off', '/cgi-bin/linger?session')->code, 200, 'but setsid');
$httpd->log_like('off', qr/$refused setsid/, 'is, and the log says so');
$httpd->log_unlike('allowed', $refused, 'control: a job that may stay');
is($httpd->get('allowed', '/cgi-bin/linger?session')->code, 200, 'control: a session that may be');
$httpd->log_unlike('allowed', $refused, 'no line');

is($httpd->get('strict', '/cgi-bin/linger?session')->code, 503,
    'a FILE that refuses what the keeper needs');
$httpd->log_like('strict', qr/JCGI1602: .*Operation not permitted/, 'refuses it, and the keeper goes on');

# --- a /tmp in memory

SKIP: {
    skip_or_fail('no private mounts here', 14) if !JailCGI::Httpd::mounts_work();
    my $post = sub {
        my ($host, $bytes) = @_;
        return $httpd->request(POST => $host, '/cgi-bin/upload', [], 'x' x $bytes);
    };
    is($httpd->get('small', '/cgi-bin/tidy')->code, 200, 'a file that goes with its script');
    is($post->('small', 900_000)->content, "read\n", 'an upload for which there is room');
    $httpd->log_unlike('small', qr/JCGI1[27]/, 'neither is a line');
    is($httpd->get('small', '/cgi-bin/session')->code, 200, 'a file that stays') for 1, 2;
    $httpd->log_like('small', qr/JCGI1720: script \S+session: .*lost when the jail ends.*; remedy: .*JailTmp disk/,
        'the log says that it does not last');
    is($post->('small', 2_000_000)->content, "read\n", 'an upload that does not fit');
    $httpd->log_like('small', qr/JCGI1212: script \S+upload: .*2000000 bytes, and .*1048576; remedy: .*size=SIZE/,
        'the log says so');
    is($httpd->get('small', '/cgi-bin/fill')->code, 200, 'a script that fills it') for 1, 2;
    $httpd->log_like('small', qr/JCGI1721: script \S+fill: .*full; remedy: .*size=SIZE/, 'the log says so');
    is_deeply([map { count_of('small', $_) } qw(JCGI1212 JCGI1720 JCGI1721)], [1, 1, 1], 'each once');

    is($httpd->get('lasting', "/cgi-bin/$_")->code, 200, "control: $_") for qw(session fill);
    is($post->('lasting', 2_000_000)->content, "read\n", 'control: the upload');
    $httpd->log_unlike('lasting', qr/JCGI1[27]/, 'no line where /tmp is a directory of the home');
}

# A reload begins anew.
$httpd->regenerate;
is($httpd->get($alice, '/cgi-bin/job?1-ended')->code, 200, 'after a reload: the page');
ok((wait_until { count_of($alice, 'JCGI1718') == 2 } 10), 'and the line again');
done_testing;
