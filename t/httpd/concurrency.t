# JailConcurrency: so many scripts at once in a jail, so many requests that wait
# for their turn, and a quick refusal for the others.

use lib 't/lib';
use JailCGI::Test;
use JailCGI::Client;
use JailCGI::Watch qw(keepers_of waiting_in);
use List::Util qw(max);
use Socket qw(SOL_SOCKET SO_RCVBUF pack_sockaddr_in inet_aton);
use Time::HiRes qw(sleep time);

use constant PATIENCE => 60;

my ($alice, $bob) = map { tenant($_) } qw(alice bob);

# Each notes that it runs, and how many do so with it, until it ends.
my $begin = <<'END';
#!/bin/sh
cd ..
: >"run/$QUERY_STRING"
echo "$QUERY_STRING" >>order
set -- run/*
echo $# >>counts
END
my $end = <<'END';
rm "run/$QUERY_STRING"
printf 'Content-Type: text/plain\n\n%s\n' "$QUERY_STRING"
END
for my $tenant ($alice, $bob) {
    $tenant->directory($tenant->jail_home . '/run');
    $tenant->script('hold', $begin . <<'END' . $end);
while [ ! -e go ] && [ ! -e "go.$QUERY_STRING" ]; do sleep 0.05; done
END
    $tenant->script('talk', $begin . <<'END');
printf 'Content-Type: text/plain\n\n'
while [ ! -e go ]; do echo; sleep 0.05; done
rm "run/$QUERY_STRING"
END
    $tenant->script('brief', "${begin}sleep 0.2\n$end");
    $tenant->script('nap',   "${begin}sleep 1.5\n$end");
    $tenant->script('post',  "${begin}body=\$(cat)\n${end}echo \"\$body\"\n");
    # Two pieces, so that httpd is in the middle of the page when it has ended.
    $tenant->script('pages', <<'END');
#!/bin/sh
piece() { head -c 60000 /dev/zero | tr '\0' x; }
printf 'Content-Type: text/plain\n\n'
piece
sleep 1
piece
: >../written
END
}
$alice->replace($alice->jail_htdocs . '/full.html', "come again later\n");

sub few { return "JailConcurrency 1 wait=60s $_[0]" }

my @vhosts = (
    [$alice, few('queue=40')],
    [$alice, 'JailConcurrency 3 queue=40 wait=60s',          name => 'three'],
    [$alice, few('queue=2 status=429 retry=7'),              name => 'short'],
    [$alice, 'JailConcurrency 1 queue=1 wait=700ms',         name => 'hasty'],
    [$alice, "JailConcurrency 1\nJailTimeout idle=1s",       name => 'idle'],
    [$alice, few('') . "\nJailTimeout total=2s",             name => 'total'],
    [$alice, few("queue=1\nJailIdle 300ms"),                 name => 'cool'],
    [$alice, few("queue=0\nErrorDocument 503 /full.html"),   name => 'document'],
    [$alice, few("queue=0\nJailEnv TWIN yes"),               name => 'twin'],
    [$alice, few("queue=0 status=429\nJailEnv TWIN yes"),    name => 'other'],
    [$alice, few(<<'END'),                                   name => 'slow'],
queue=1
    CustomLog logs/slow.access "%U"
END
);
my $httpd = httpd(vhosts => \@vhosts, config => "KeepAlive Off\nSendBufferSize 4096\n");

# --- what the tests ask and see -------------------------------------------------

sub home { return $_[0]->root . $_[0]->jail_home }

# Forgets what was noted, and lets nobody go.
sub clean {
    for my $home (map { home($_) } $alice, $bob) {
        unlink glob("$home/go* $home/run/*"), "$home/order", "$home/counts", "$home/written";
    }
    return;
}

sub let_go {
    my (@ids) = @_;
    $alice->replace($alice->jail_home . "/go$_", '') for @ids ? map { ".$_" } @ids : '';
    return;
}

sub noted {
    my ($file) = @_;
    return split /\n/, JailCGI::Httpd::slurp(home($alice) . "/$file");
}

sub ask {
    my ($host, $script, $id) = @_;
    return JailCGI::Client->new($httpd)->send_request('GET', $host, "/cgi-bin/$script?$id");
}

sub children_of {
    my ($pid) = @_;
    return grep { (process_status($_) // { State => 'Z' })->{State} !~ /^Z/ } split ' ',
      JailCGI::Httpd::slurp("/proc/$pid/task/$pid/children") // '';
}

# How many requests the keepers of alice have: those that wait lie unread in a socket,
# and those that run have a process.
sub requests_of {
    my ($keeper) = @_;
    return waiting_in($keeper) + children_of($keeper);
}

sub taken {
    return map { requests_of($_) } keepers_of($alice);
}

sub is_taken {
    my ($count) = @_;
    return wait_until { max(0, taken()) == $count } PATIENCE;
}

sub is_running {
    my (@ids) = @_;
    my $runs = join ' ', sort @ids;
    return wait_until { join(' ', sort map { s{.*/}{}r } glob home($alice) . '/run/*') eq $runs }
      PATIENCE;
}

# One that runs, and others behind it, each taken before the next is asked for.
sub line_up {
    my ($host, $first, @others) = @_;
    clean();
    # What was there before has other keepers; they count for nothing.
    wait_until { !grep { $_ > 0 } taken() } PATIENCE or diag('somebody is left over');
    my @clients = ask($host, 'hold', $first);
    is_running($first) or diag("$first does not run");
    for my $id (@others) {
        push @clients, ask($host, 'hold', $id);
        is_taken(scalar @clients) or diag("$id is not taken");
    }
    return @clients;
}

# Their codes, and what else is not as it should be.
sub answers {
    my @answers;
    for my $client (@_) {
        my $res = $client->response;
        push @answers, $res->{code} . ($res->{whole} ? '' : ' broken off');
        $client->close;
    }
    return "@answers";
}

# --- how many, and in which order -----------------------------------------------

clean();
my @clients = map { ask('three', 'brief', $_) } 1 .. 24;
is(answers(@clients), join(' ', (200) x 24), 'of 24 at once each is answered');
my @counts = noted('counts');
is(scalar @counts, 24,        'each had its script');
is(max(@counts),   3,         'and never were there more than 3');

@clients = line_up($alice, 'a' .. 'f');
is(join(' ', noted('order')), 'a', 'five wait behind one');
let_go();
is(answers(@clients), join(' ', (200) x 6), 'all are answered');
is(join(' ', noted('order')), 'a b c d e f', 'in the order in which they came');
is(max(noted('counts')), 1, 'one by one');

@clients = line_up($alice, 'a');
push @clients, JailCGI::Client->new($httpd)
  ->send_request('POST', $alice, '/cgi-bin/post?b', ['Content-Length: 5'], 'hello');
is_taken(2) or diag('the second is not taken');
let_go();
is(answers($clients[0]), 200, 'the first of two');
is($clients[1]->response->{body}, "b\nhello\n", 'the second has its body');

# --- refusals -------------------------------------------------------------------

@clients = line_up('short', qw(a b c));
$httpd->mark('short');
my $res = ask('short', 'hold', 'd')->response;
is($res->{code}, 429, 'a full queue: the status that is configured');
is($res->{head}{'retry-after'}, 7, 'with Retry-After');
is(join(' ', noted('order')), 'a', 'while the first still runs');
$httpd->log_like('short', qr{
    JCGI1308:[ ]script[ ].*[ ]not[ ]run:[ ]too[ ]many[ ]scripts.*found[ ]1[ ]running[ ]and
    [ ]the[ ]queue[ ]of[ ]2[ ]full,[ ]expected[ ]at[ ]most[ ]1[ ]at[ ]once;[ ]remedy:.*
    raise[ ]JailConcurrency}x, 'the log has the values and the remedy');
is(scalar(() = $httpd->log('short') =~ /\n/g), 1, 'in one line');
let_go();
is(answers(@clients), '200 200 200', 'the others are not touched by it');
is(join(' ', noted('order')), 'a b c', 'the one that was refused has not run');

@clients = line_up('hasty', 'a');
my $begun = time;
push @clients, ask('hasty', 'hold', 'b');
is_taken(2) or diag('b is not taken');
$res = ask('hasty', 'hold', 'c')->response;
is($res->{code}, 503, 'a full queue: 503 where no status is configured');
is($res->{head}{'retry-after'}, 10, 'and 10 seconds');
$httpd->log_unlike('hasty', qr/no place free/, 'before anybody\'s wait is over');
$res = $clients[1]->response;
is($res->{code}, 503, 'then the wait of the second is over: 503');
cmp_ok(time - $begun, '>=', 0.7, 'not earlier');
is($res->{head}{'retry-after'}, 10, 'with Retry-After');
$httpd->log_like('hasty', qr/JCGI1308: .*found 1 running and no place free within 700 ms, exp/,
    'and the log says so');
ok(is_running('a'), 'the first runs on');
let_go();
is(answers($clients[0]), 200, 'and is answered');
is(join(' ', noted('order')), 'a', 'no other has run');

@clients = line_up('document', 'a');
$res = ask('document', 'hold', 'b')->response;
is("$res->{code} $res->{body}", "503 come again later\n", 'queue=0, and an ErrorDocument');
is($res->{head}{'retry-after'}, 10, 'which keeps Retry-After');
let_go();
is(answers(@clients), 200, 'the first');

# --- waiting --------------------------------------------------------------------

@clients = line_up('short', qw(a b c));
$clients[1]->reset;
ok(is_taken(2), 'one that waits goes away, and its place is free at once');
push @clients, ask('short', 'hold', 'd');
ok(is_taken(3), 'for another');
let_go();
is(answers(@clients[0, 2, 3]), '200 200 200', 'these are answered');
is(join(' ', noted('order')), 'a c d', 'and its script has not run');

clean();
@clients = ask('idle', 'talk', 'a');
is_running('a') or diag('a does not run');
push @clients, ask('idle', 'talk', 'b');
sleep 2.5;
is(join(' ', noted('order')), 'a', 'one waits for longer than a script may be silent');
let_go();
is(answers(@clients), '200 200', 'and is answered');
$httpd->log_unlike('idle', qr/JCGI/, 'for its silence is not the script\'s');

clean();
@clients = map { ask('total', 'nap', $_) } 1 .. 2;
is(answers(@clients), '200 200', 'JailTimeout total counts from a script\'s start');
is(max(noted('counts')), 1, 'of two, one after the other');

# --- a client that does not read ------------------------------------------------

clean();
my $slow = IO::Socket::INET->new(Proto => 'tcp') or die "socket: $!";
setsockopt $slow, SOL_SOCKET, SO_RCVBUF, 4096 or die "setsockopt: $!";
connect $slow, pack_sockaddr_in($httpd->port, inet_aton('127.0.0.1')) or die "connect: $!";
syswrite $slow, "GET /cgi-bin/pages HTTP/1.0\r\nHost: slow\r\n\r\n";
ok((wait_until { -e home($alice) . '/written' } PATIENCE), 'a script has written its page');
is(answers(ask('slow', 'brief', 'b')), 200, 'another one gets its place');
my $access = $httpd->logs . '/slow.access';
wait_until { -s $access } PATIENCE;
is(JailCGI::Httpd::slurp($access), "/cgi-bin/brief\n",
    'although its client has not read the page');
my $page = JailCGI::Httpd::read_all($slow, PATIENCE) // '';
is(($page =~ tr/x//), 120_000 + ($page =~ /\A(.*?)\r\n\r\n/s ? $1 =~ tr/x// : 0),
    'and can read it later');

# --- whose count it is ----------------------------------------------------------

@clients = line_up('twin', 'a');
is(answers(ask('other', 'hold', 'b')), 429, 'two hosts of equal settings have one count');
is(answers(ask('document', 'brief', 'c')), 200, 'one with others has its own');
let_go();
is(answers(@clients), 200, 'the first');

# The jail of a long script must not be given up, or its script would be forgotten.
@clients = line_up('cool', 'a');
sleep 2.5;
push @clients, ask('cool', 'hold', 'b');
ok(is_taken(2), 'JailIdle: a jail in which a script runs is not idle');
is(join(' ', noted('order')), 'a', 'and still counts it');
my %before = map { $_ => 1 } keepers_of($alice);
let_go();
is(answers(@clients), '200 200', 'both are answered');
ok((wait_until { keepers_of($alice) < keys %before } PATIENCE), 'then it is idle, and goes');

@clients = line_up('short', qw(a b c));
my ($keeper) = grep { requests_of($_) == 3 } keepers_of($alice);
kill 'KILL', $keeper // die 'no keeper has three requests';
my $first = shift @clients;
is(answers($first), 503, 'a keeper is killed with its script');
let_go();
is(answers(@clients), '200 200', 'those that waited are served by another');
is(join(' ', sort { $a cmp $b } noted('order')), 'a b c', 'each once');

@clients = line_up('short', qw(a b c));
my $helper = $httpd->helper_pid;
kill 'KILL', $helper;
ok(is_taken(3), 'the helper is killed, and the keeper still has its requests');
ok((wait_until { ($httpd->helper_pid // $helper) != $helper } PATIENCE), 'there is another');
let_go();
is(answers(@clients), '200 200 200', 'the queue is served to the end');
is(join(' ', noted('order')), 'a b c', 'in order');

# --- a graceful restart ---------------------------------------------------------

@clients = line_up('short', qw(a b c));
$httpd->graceful;
is(answers(ask('short', 'hold', 'd')), 429, 'after a graceful restart the queue is as it was');
let_go();
is(answers(@clients), '200 200 200', 'and all are answered');
is(join(' ', noted('order')), 'a b c', 'in order');

@clients = line_up('short', qw(a b c));
$httpd->graceful(vhosts => [[$alice, few('queue=0'), name => 'short'], $bob]);
ok((wait_until { answers(ask('short', 'brief', 'd')) == 200 } PATIENCE),
    'other settings are another jail, with a count of its own');
let_go();
is(answers(@clients), '200 200 200', 'the old one\'s queue is served to the end');
is(join(' ', grep { !/d/ } noted('order')), 'a b c', 'in order');
$httpd->stop;

# --- few workers ----------------------------------------------------------------

$httpd = httpd(vhosts => [[$alice, 'JailConcurrency 2 queue=2 wait=60s'], $bob], config => <<'END');
KeepAlive Off
<IfModule mpm_prefork_module>
    ServerLimit 8
    MaxRequestWorkers 8
</IfModule>
<IfModule !mpm_prefork_module>
    StartServers 1
    ServerLimit 1
    ThreadsPerChild 8
    MinSpareThreads 1
    MaxSpareThreads 8
    MaxRequestWorkers 8
</IfModule>
END
clean();
@clients = map { ask($alice, 'hold', $_) } 1 .. 30;
is(answers(ask($bob, 'brief', 'b')), 200, 'one site is flooded, another is served');
ok(is_taken(4), 'with 8 workers, of which 4 wait for the first');
let_go();
is(join(' ', sort split ' ', answers(@clients)), join(' ', (200) x 4, (503) x 26),
    'the others were refused');
$httpd->stop;

# --- what is inherited ----------------------------------------------------------

$httpd = httpd(
    config => 'JailConcurrency 1 queue=0 status=429 retry=2h',
    vhosts => [
        $alice,
        [$alice, 'JailConcurrency none',      name => 'none'],
        [$alice, 'JailConcurrency 2 queue=0', name => 'two'],
    ],
);
@clients = line_up($alice, 'a');
$res = ask($alice, 'hold', 'b')->response;
is("$res->{code} $res->{head}{'retry-after'}", '429 7200', 'a host inherits the whole line');
push @clients, map { ask('none', 'hold', $_) } 'c' .. 'f';
ok(is_running('a', 'c' .. 'f'), 'none undoes it');
push @clients, map { ask('two', 'hold', $_) } 'g' .. 'h';
ok(is_running('a', 'c' .. 'h'), 'a host\'s own number is in force');
$res = ask('two', 'hold', 'i')->response;
is("$res->{code} $res->{head}{'retry-after'}", '503 10', 'with nothing of the server\'s line');
let_go();
is(answers(@clients), join(' ', (200) x 7), 'all others are answered');

# --- bad values -----------------------------------------------------------------

my $number = qr/is not a number of scripts from 1 to 10000; write none/;
my $time   = qr/is not a time from 1ms to 24 days .*; write queue=0/;
my $status = qr/is not a status from 400 to 599 that httpd knows; the usual/;
my $retry  = qr/is not a time of whole seconds from 1s to 24 days/;
my @bad    = (
    [''              => qr/takes the number of scripts .* or none: JailConcurrency 10/],
    ['0'             => qr/JailConcurrency: '0' $number/],
    ['-1'            => qr/JailConcurrency: '-1' $number/],
    ['10001'         => qr/JailConcurrency: '10001' $number/],
    ['5x'            => qr/JailConcurrency: '5x' $number/],
    ['queue=5'       => qr/JailConcurrency: 'queue=5' $number/],
    ['none queue=5'  => qr/none: 'queue=5' has no meaning .*; leave it out/],
    ['5 6'           => qr/'6' is not understood; .* queue=NUMBER, wait=TIME/],
    ['5 wait'        => qr/'wait' is not understood/],
    ['5 queue='      => qr/queue: '' is not a number from 0 \(nobody waits\) to 10000/],
    ['5 queue=many'  => qr/queue: 'many' is not a number/],
    ['5 queue=10001' => qr/queue: '10001' is not a number/],
    ['5 wait=0'      => qr/wait: '0' $time/],
    ['5 wait=soon'   => qr/wait: 'soon' $time/],
    ['5 wait=25d'    => qr/wait: '25d' $time/],
    ['5 status=200'  => qr/status: '200' $status/],
    ['5 status=399'  => qr/status: '399' $status/],
    ['5 status=600'  => qr/status: '600' $status/],
    ['5 status=499'  => qr/status: '499' $status/],
    ['5 status=busy' => qr/status: 'busy' $status/],
    ['5 retry=1500ms' => qr/retry: '1500ms' $retry/],
    ['5 retry=0'      => qr/retry: '0' $retry/],
    ['5 retry=later'  => qr/retry: 'later' $retry/],
);
for my $bad (@bad) {
    my ($code, $output) = configtest(config => "JailConcurrency $bad->[0]\n");
    isnt($code, 0, "JailConcurrency $bad->[0]: refused");
    like($output, $bad->[1], 'with value, reason and remedy');
}
for my $good ('1', 'NONE', '10000 QUEUE=0 wait=1ms status=500 retry=1', '5 status=400') {
    is((configtest(config => "JailConcurrency $good\n"))[0], 0, "JailConcurrency $good: good");
}
done_testing;
