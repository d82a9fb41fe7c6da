# A request that is given up takes all of its processes with it, whoever gives
# it up and however they hide: other process groups, orphans, other sessions,
# those that ignore SIGTERM.
# MPM: event, worker, prefork

use lib 't/lib';
use JailCGI::Test;
use JailCGI::Client;
use JailCGI::Namespace;
use JailCGI::Watch qw(scripts_of keepers_of touch_in child_of);
use Time::HiRes 'sleep';

use constant {
    TREE     => 4,     # processes of t/probe/tree.c, and with setsid
    FULL     => 5,
    REQUESTS => 8,
    ENDED    => 30,    # seconds: SIGTERM, three of them, SIGKILL, and patience
};

# Where the machine allows no network namespace, a client that leaves does so by a reset.
my $forgets = private_network();

# A child of httpd has few threads, so that several serve the requests. In bob's
# host silence ends a script.
my ($alice, $bob) = map { tenant($_) } qw(alice bob);
my %tree = (
    vhosts => [[$alice], [$bob, 'Timeout 2']],
    config => <<'END',
Timeout 120
<IfModule mpm_prefork_module>
    StartServers 10
    MinSpareServers 10
</IfModule>
<IfModule !mpm_prefork_module>
    ThreadsPerChild 3
    StartServers 5
    ServerLimit 6
    MinSpareThreads 3
    MaxSpareThreads 18
    MaxRequestWorkers 18
</IfModule>
END
);
$_->install(probe('tree'), 'tree') for $alice, $bob;
my $httpd = httpd(%tree);

sub clear {
    my ($tenant) = @_;
    touch_in($tenant, "/tmp/$_", 0) for qw(at go term eof);
    return;
}

sub is_there {
    my ($tenant, $file) = @_;
    return -e $tenant->root . "/tmp/$file";
}

# Starts a tree; returns when all its processes are there.
sub plant {
    my ($server, $tenant, $query, @body) = @_;
    clear($tenant);
    my $client = JailCGI::Client->new($server);
    $client->send_request(@body ? 'POST' : 'GET',
        $tenant, "/cgi-bin/tree?$query", @body);
    ok(wait_until(sub { is_there($tenant, 'at') }, 30), "$query: runs");
    my $count = $query =~ /setsid/ ? FULL : TREE;
    is(scalar scripts_of($tenant), $count, "as $count processes");
    return $client;
}

sub is_felled {
    my ($tenant, $name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    return 1 if ok(wait_until(sub { !scripts_of($tenant) }, ENDED), $name);
    return diag(`ps -o pid,ppid,pgid,sess,stat,args @{[scripts_of($tenant)]}`);
}

# Its kernel sends a FIN, and a reset when it is asked again.
sub leave {
    my ($client) = @_;
    return $forgets ? $client->close : $client->reset;
}

sub reset_connection { return $_[0]->reset }

my @length  = (['Content-Length: 1000'],       'a=b');
my @chunked = (['Transfer-Encoding: chunked'], "3\r\na=b\r\n");

# [who gives up, how, tenant, query, [headers, body], log, mark of SIGTERM, answer]
my @ways = (
    [
        'the client leaves while the script is silent', \&leave,
        $alice, 'silent+setsid', [], qr/JCGI1710/, '', undef
    ],
    [
        'the client resets the connection', \&reset_connection,
        $alice, 'silent+setsid', [], qr/JCGI1710/, '', undef
    ],
    [
        'the client leaves a script that obeys SIGTERM', \&leave,
        $alice, 'silent+gentle', [], qr/JCGI1710/, 'term', undef
    ],
    [
        'the client leaves in the middle of a page', \&leave,
        $alice, 'page+setsid', [], qr/JCGI1710/, '', undef
    ],
    [
        'the client leaves while the page flows', \&leave,
        $alice, 'endless+setsid', [], qr/JCGI1710/, '', undef
    ],
    [
        'the client leaves in the middle of its body', \&leave,
        $alice, 'read+setsid', \@length, qr/JCGI1712/, '', undef
    ],
    [
        'the client leaves in the middle of its chunks', \&leave,
        $alice, 'read+gentle', \@chunked, qr/JCGI1712/, 'term', undef
    ],
    [
        'the client sends something else than a chunk',
        sub { $_[0]->send("no chunk\r\n") },
        $alice, 'read+setsid', \@chunked, qr/JCGI1712/, '', [400, 1]
    ],
    [
        'silence before the header', sub { },
        $bob, 'silent+setsid', [], qr/JCGI1707/, '', [504, 1]
    ],
    [
        'silence before the header, of one that obeys', sub { },
        $bob, 'silent+gentle', [], qr/JCGI1707/, 'term', [504, 1]
    ],
    [
        'silence in the middle of the page', sub { },
        $bob, 'page+setsid', [], qr/JCGI1708/, '', [200, 0]
    ],
    [
        'silence of the client in the middle of its body', sub { },
        $bob, 'read+setsid', \@length, qr/JCGI1712/, '', [408, 1]
    ],
);

for my $way (@ways) {
    my ($name, $act, $tenant, $query, $body, $log, $term, $answer) = @$way;
    note($name);
    $httpd->mark($tenant);
    my $client = plant($httpd, $tenant, $query, @$body);
    $act->($client);
    if ($answer) {
        my $res = $client->response;
        is_deeply([@$res{qw(code whole)}], $answer, "$name: the answer");
    }
    is_felled($tenant, 'all its processes are ended');
    $httpd->log_like($tenant, $log, 'the log says why');
    is(is_there($tenant, 'term') ? 'term' : '',
        $term, $term ? 'SIGTERM came first' : 'SIGTERM was ignored');
    ok(!is_there($tenant, 'eof'), 'a body that broke off did not look whole')
      if @$body;
}

# [client, child of httpd, tag]: REQUESTS of them, served by several children.
sub plant_many {
    clear($alice);
    my @all;
    for my $i (1 .. REQUESTS) {
        my $client = JailCGI::Client->new($httpd);
        $client->send_request('GET', $alice, "/cgi-bin/tree?silent+tag$i+");
        push @all, [$client, undef, "tag$i"];
    }
    for my $one (@all) {
        wait_until(sub { tagged($one->[2]) == TREE }, 30);
        $one->[1] = child_of($httpd, $one->[0]);
    }
    return @all;
}

# The processes of the script that was asked for with that word.
sub tagged {
    my ($tag) = @_;
    return scalar grep {
        my $fh;
        open($fh, '<', "/proc/$_/cmdline")
          && (readline($fh) // '') =~ /\0\Q$tag\E\0/
    } scripts_of($alice);
}

sub crash_of_a_child {
    my @all = plant_many();
    is(scalar scripts_of($alice), REQUESTS * TREE, 'eight trees stand');
    my $child  = $all[0][1];
    my @hit    = grep { $_->[1] == $child } @all;
    my @others = grep { $_->[1] != $child } @all;
    ok(@others > 0, 'their requests are served by several children of httpd');
    kill 'KILL', $child;
    ok(
        wait_until(sub { !grep { tagged($_->[2]) } @hit }, ENDED),
        'a child that is killed takes the trees of its requests with it'
    );
    is_deeply([map { tagged($_->[2]) } @others],
        [map { TREE } @others], 'and no other');
    touch_in($alice, '/tmp/go', 1);
    my %answers;
    for my $one (@others) {
        my $res = $one->[0]->response;
        $answers{"$res->{code} $res->{whole} $res->{body}"}++;
    }
    is_deeply(\%answers, { "200 1 last\n" => scalar @others },
        'the others are answered');
    is_felled($alice, 'and what they leave behind is ended');
    return;
}

sub gone {
    my (@pids) = @_;
    return wait_until(sub { !grep { process_status($_) } @pids }, ENDED);
}

# How httpd ends: all that belongs to it goes.
sub end_of_httpd {
    my ($name, $end) = @_;
    my $server   = httpd(%tree);
    my $client   = plant($server, $alice, 'silent+setsid');
    my $helper   = $server->helper_pid;
    my @keepers  = keepers_of($alice);
    my @children = $server->children('apache2');
    ok($helper && @keepers, 'helper and keeper are there');
    $end->($server);
    ok(gone($helper), "$name: the helper goes");
    is_felled($alice, 'the scripts go');
    ok(gone(@keepers), 'the keepers go');
    # Those of a parent that was killed are httpd's own concern.
    kill 'KILL', grep { process_status($_) } @children;
    return;
}

crash_of_a_child();
$httpd->stop;
ok(wait_until(sub { !keepers_of($alice) && !keepers_of($bob) }, ENDED),
    'a stop without requests leaves no keeper');
end_of_httpd('httpd is stopped',     sub { $_[0]->stop });
end_of_httpd('its parent is killed', sub { $_[0]->kill_parent });
done_testing;
