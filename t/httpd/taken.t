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

my @vhosts = (
    $alice,
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
    $client->close;
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

# A reload begins anew.
$httpd->graceful;
is($httpd->get($alice, '/cgi-bin/job?1-ended')->code, 200, 'after a reload: the page');
ok((wait_until { count_of($alice, 'JCGI1718') == 2 } 10), 'and the line again');
done_testing;
