# JailTimeout: how long a script may take in all, which its keeper sees to, and
# how long it may say nothing, which httpd does.

use lib 't/lib';
use JailCGI::Test;
use Time::HiRes qw(sleep time);

my $alice = tenant('alice');
my %script = (
    quick  => 'exec env',
    sleep  => 'exec sleep 60',
    stream => 'while :; do echo line; sleep 0.1; done',
    stubborn => 'trap "" TERM; while :; do sleep 1; done',
    leave  => 'sleep 61 & echo left',
    nap    => 'sleep 1.5; echo rested',
    polite => 'trap "echo last words; exit 0" TERM; echo begun; while :; do sleep 0.1; done',
);
for my $name (keys %script) {
    my $head = $name =~ /^(?:sleep|stubborn)$/ ? ''
      : "printf 'Content-Type: text/plain\\n\\n'\n";
    $head = "sleep 1.5\n$head" if $name eq 'nap';
    $alice->script("$name.sh", "#!/bin/sh\n$head$script{$name}\n");
}

my $httpd = httpd(
    config => 'JailTimeout total=900ms',
    vhosts => [
        $alice,
        $alice->vhost('JailTimeout total=none idle=600ms', name => 'idle'),
        $alice->vhost(<<'END', name => 'nearer'),
    JailTimeout total=none idle=600ms
    <Location /cgi-bin>
        CGIScriptTimeout 20
    </Location>
END
        $alice->vhost('JailTimeout total=1h', name => 'hour'),
    ],
);

sub left { return grep { ($_->{Name} // '') ne 'jailcgi-keeper' } map { process_status($_) // () } processes_of_uid($alice->uid) }
sub gone {
    my ($seconds, $name) = @_;
    ok((wait_until { !left() } $seconds), $name)
      or diag(map { "$_->{Name}\n" } left());
}

is($httpd->get($alice, '/cgi-bin/quick.sh')->code, 200, 'a quick script: 200');

my $res = $httpd->get($alice, '/cgi-bin/sleep.sh');
is($res->code, 504, 'one that has said nothing when its time is over: 504');
$httpd->log_like($alice, qr/JCGI1717: script .*sleep\.sh: .*JailTimeout total, 900 ms; remedy/,
    'and the log says so');
gone(3, 'it is ended');

$res = $httpd->get($alice, '/cgi-bin/stream.sh');
is($res->code, 200, 'one that goes on and on: its page begins');
like($res->header('Client-Aborted') // $res->header('X-Died') // '',
    qr/./, 'and is broken off');
like($res->content, qr/\A(?:line\n)+\z/, 'after what it has said');
$httpd->log_like($alice, qr/JCGI1717: script .*stream\.sh/, 'in the log');
gone(3, 'it is ended');

is($httpd->get($alice, '/cgi-bin/polite.sh')->content, "begun\nlast words\n",
    'one that ends by itself at SIGTERM has its last words');
$httpd->log_like($alice, qr/JCGI1717: script .*polite\.sh/, 'in the log');

# What it leaves behind and holds its page open counts as well.
$res = $httpd->get($alice, '/cgi-bin/leave.sh');
is($res->content, "left\n", 'one that leaves a process with its page behind');
gone(3, 'ends with that process');
$httpd->log_like($alice, qr/JCGI1717: script .*leave\.sh/, 'as the log says, although the script had ended');

my $begun = time;
is($httpd->get($alice, '/cgi-bin/stubborn.sh')->code, 504, 'one that ignores SIGTERM');
gone(8, 'is ended as well');
cmp_ok(time - $begun, '>=', 3.5, 'after the 3 seconds that it has for that');

# httpd is not needed for it.
my @children = grep { $_ } $httpd->children('apache2');
my $client   = $httpd->connect;
print {$client} "GET /cgi-bin/sleep.sh HTTP/1.1\r\nHost: alice\r\n\r\n";
ok((wait_until { scalar left() } 5), 'a script runs');
kill 'STOP', @children;
gone(6, 'and is ended while httpd\'s children are stopped');
kill 'CONT', @children;
close $client;

# --- silence, and what is inherited -------------------------------------------

is($httpd->get('idle', '/cgi-bin/sleep.sh')->code, 504, 'idle: 504');
$httpd->log_like('idle', qr/JCGI1707/, 'with the code of silence');
is($httpd->get('nearer', '/cgi-bin/nap.sh')->content, "rested\n",
    'CGIScriptTimeout of a <Location> wins over it, and none over the server');
is($httpd->get('hour', '/cgi-bin/nap.sh')->content, "rested\n", 'another total time');
is($httpd->get($alice, '/cgi-bin/nap.sh')->code, 504, 'which the server\'s own is not');

for my $bad ('total', 'total=', 'total=soon', 'total=0', 'idle=25d', 'all=5') {
    my ($status, $output) = configtest(config => "JailTimeout $bad\n");
    isnt($status, 0, "JailTimeout $bad: refused");
    like($output, qr/JailTimeout: '.*' is not understood; write total=TIME/, 'and says why');
}
done_testing;
