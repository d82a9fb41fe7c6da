# A jail's requests after the first go straight to its keeper, over a channel that
# httpd's child keeps: without the helper, in order, and never more of them than the
# child has room for.

use lib 't/lib';
use JailCGI::Test;
use JailCGI::Client;
use JailCGI::Process qw(descriptors process_status);
use JailCGI::Watch qw(keepers_of scripts_of);
use Time::HiRes 'sleep';

# One child with as few channels as can be told apart: eight for each thread, and with
# prefork eight in all.
my $one = <<'END';
MaxKeepAliveRequests 0
KeepAliveTimeout 60
<IfModule mpm_prefork_module>
    StartServers 1
    MinSpareServers 1
    MaxSpareServers 1
    ServerLimit 1
    MaxRequestWorkers 1
</IfModule>
<IfModule !mpm_prefork_module>
    StartServers 1
    ServerLimit 1
    ThreadLimit 2
    ThreadsPerChild 2
    MaxRequestWorkers 2
    MinSpareThreads 1
    MaxSpareThreads 2
    ThreadsPerChild 2
</IfModule>
END
my $room = 32 * (mpm() eq 'prefork' ? 1 : 2);

# With what the scripts below need and no more: the usual jail is 4,000 links, and
# these are many.
my $base = work_dir() . '/base';
system("tools/jailcgi mkjail $base --minimal --program=/bin/sh --program=/bin/sleep"
      . ' --program=/bin/cat >/dev/null') == 0
  or die 'mkjail';

my @tenants = map { tenant("t$_", base => $base) } 1 .. $room + 6;
my ($alice, $bob) = @tenants;
$_->script('who', "#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\n%s %s' "
      . "\"\$QUERY_STRING\" \"\$HTTP_HOST\"\n")
  for @tenants;
$alice->script('fail',  "#!/nonexistent\n");
$alice->script('three', "#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\nthree'\nexit 3\n");
$alice->script('same',  "#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\n127'\nexit 127\n");
$alice->script('killed', "#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\nx'\nkill -9 \$\$\n");
$alice->script('leave', <<'END');
#!/bin/sh
sleep 300 >/dev/null 2>&1 </dev/null &
printf 'Content-Type: text/plain\n\nleft'
END
$alice->script('echo', <<'END');
#!/bin/sh
printf 'Content-Type: text/plain\n\n'
cat
END
$alice->script('slow', <<'END');
#!/bin/sh
printf 'Content-Type: text/plain\n\n'
sleep 0.3
echo slow
END
my $httpd = httpd(vhosts => [map { [$_] } @tenants], config => $one);

sub stop_helper { return kill 'STOP', $httpd->helper_pid }
sub go_on       { return kill 'CONT', $httpd->helper_pid }

# Requests over one connection each; what was answered.
sub get {
    my ($tenant, $path, @more) = @_;
    my $client = JailCGI::Client->new($httpd);
    $client->send_request('GET', $tenant, "/cgi-bin/$path", ['Connection: close'], @more);
    my $res = $client->response;
    $client->close;
    return $res;
}

# A script, and the request after it.
sub own_answers {
    my ($script, $code) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is(get($alice, $script)->{code}, $code, "$script: its status");
    is(get($alice, "who?after-$script")->{body},
        "after-$script " . $alice->name,
        "$script: the next request has its own answer");
    return;
}

sub child { return ($httpd->children('apache2'))[0] }

# --- without the helper ------------------------------------------------------

is(get($alice, 'who?first')->{code}, 200, 'the first request of a jail');
my ($keeper) = keepers_of($alice);
ok(stop_helper(), 'the helper is stopped');
for my $i (1 .. 20) {
    is(get($alice, "who?$i")->{body}, "$i " . $alice->name,
        "request $i has its own answer");
}

# Each of these ends in its own way, and the next request has its own answer. The helper
# is stopped, so it went over the same channel.
own_answers(three => 200);
own_answers(same  => 200);
own_answers(slow  => 200);
my $client = JailCGI::Client->new($httpd);
$client->send_request('POST', $alice, '/cgi-bin/echo',
    ['Content-Length: 100000', 'Connection: close']);
$client->send('y' x 100_000);
my $res = $client->response;
is($res->{body}, 'y' x 100_000, 'a body and its page');
$client->close;
is(get($alice, 'who?after-body')->{body}, 'after-body ' . $alice->name,
    'and the next request');
ok(go_on(), 'the helper goes on');
is_deeply([keepers_of($alice)], [$keeper], 'it was one keeper all the time');

# --- not free ----------------------------------------------------------------

# A failed start and a killed script: their channel may go or stay, but what comes next
# has its own answer.
own_answers(fail   => 500);
own_answers(killed => 500);
own_answers(leave  => 200);
ok(wait_until(sub { !scripts_of($alice) }, 30), 'what one had left was ended');

# --- a keeper that goes --------------------------------------------------------

for my $i (1 .. 5) {
    is(get($bob, "who?$i")->{code}, 200, 'a keeper with a channel');
    my ($old) = keepers_of($bob);
    kill 'KILL', $old;
    ok(wait_until(sub { !grep { $_ == $old } keepers_of($bob) }, 10), 'is killed');
    is(get($bob, "who?again-$i")->{body}, "again-$i " . $bob->name,
        'and the next request gets another one');
}

# A keeper that has lost its helper ends what runs, and takes nothing else: its idle
# channel is closed meanwhile.
$_->script('hold', "#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\n'\n"
      . "while [ ! -e /tmp/go ]; do sleep 0.05; done\necho held\n")
  for $bob;
SKIP: {
    skip 'needs two requests at once', 6 if mpm() eq 'prefork';
    get($bob, 'who?idle');
    my $held = JailCGI::Client->new($httpd);
    $held->send_request('GET', $bob, '/cgi-bin/hold', ['Connection: close']);
    ok(wait_until(sub { scalar scripts_of($bob) }, 10), 'a script runs');
    is(get($bob, 'who?other')->{code}, 200, 'beside another channel');
    my ($of_bob) = keepers_of($bob);
    my $helper = $httpd->helper_pid;
    kill 'KILL', $helper;
    ok(wait_until(sub { ($httpd->helper_pid // $helper) != $helper }, 30),
        'there is another helper');
    is(get($bob, 'who?then')->{body}, 'then ' . $bob->name, 'the next request is answered');
    is(scalar(keepers_of($bob)), 2, 'by another keeper');
    $bob->replace('/tmp/go', '');
    is($held->response->{body}, "held\n", 'and the script goes on to its end');
    $held->close;
}

# --- no more than there is room for ---------------------------------------------

my $before = descriptors(child());
for my $round (1 .. 3) {
    is(scalar(grep { get($_, "who?$round")->{body} eq "$round " . $_->name } @tenants),
        scalar @tenants, "round $round: more jails than there is room for channels");
}
my $grown = descriptors(child()) - $before;
cmp_ok($grown, '<=', 2 * $room, "the child of httpd holds $room channels at most");
cmp_ok($grown, '>=', 2 * ($room - 4), 'and it holds them');
is(scalar(keepers_of(@tenants)), scalar @tenants, 'all jails are warm');

# --- when the child goes ---------------------------------------------------------

my ($of_bob) = keepers_of($bob);
get($bob, 'who?last');
my $with = () = descriptors($of_bob);
$httpd->graceful;
is(get($alice, 'who?new')->{code}, 200, 'after a graceful restart');
ok(wait_until(sub { (() = descriptors($of_bob)) < $with }, 20),
    'the keeper has closed the channel of the child that went');
is_deeply([keepers_of($bob)], [$of_bob], 'and is still there');

done_testing;
