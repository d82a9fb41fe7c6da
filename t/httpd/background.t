# Nothing survives its request, whatever it does (t/probe/linger.c), and no process of
# another request of the same jail is touched. With JailBackground allow it may.
#
# MPM: event

use lib 't/lib';
use JailCGI::Test;
use JailCGI::Client;
use JailCGI::Watch qw(touch_in keepers_of);
use Time::HiRes qw(time sleep);

use constant {
    ENDED    => 3 + 1 + 2,    # seconds: by then what is not to stay would have been ended
    PATIENCE => 60,           # with a busy machine; by themselves they live for longer
    MAX      => 5,
    NPROC    => 150,
};

my ($alice, $bob, $carol) = map { tenant($_) } qw(alice bob carol);
my @ways = qw(double-fork group session others subreaper brother stopped traced chain covered
  bomb);
for my $tenant ($alice, $bob, $carol) {
    $tenant->install(probe('linger'), $_) for @ways, qw(beside plain);
}
my $limit = 'JailLimit nproc ' . NPROC;
my $httpd = httpd(
    vhosts => [
        [$alice, $limit],
        $alice->vhost("$limit\n    JailSeccomp off\n    JailScope Off", name => 'open'),
        $alice->vhost("$limit\n    JailMount pty", name => 'terminal'),
        [$bob, "$limit\n    JailBackground allow"],
        $bob->vhost("$limit\n    JailBackground allow max=" . MAX, name => 'mortal'),
        $carol->vhost("$limit\n    JailNamespaces mount ipc uts", name => 'nopid'),
    ],
    config => 'Timeout 300',
);

sub uid_of {
    my ($pid) = @_;
    return (split ' ', (process_status($pid) // {})->{Uid} // '')[0] // -1;
}

# What runs under this name, zombies included.
sub left_of {
    my ($tenant, $name) = @_;
    return grep {
        my $status = process_status($_);
        $status && $status->{Name} eq $name && uid_of($_) == $tenant->uid
    } processes();
}

sub start {
    my ($host, $name, $query) = @_;
    my $client = JailCGI::Client->new($httpd);
    $client->send_request('GET', $host, "/cgi-bin/$name?$query");
    $client->wait_for(qr/^left$/m);
    return $client;
}

sub give_up { return $_[0]->reset }

# When a process that lives shorter than it takes to look at it was last there.
sub last_beat {
    my ($tenant) = @_;
    return (Time::HiRes::stat($tenant->root . '/tmp/beat'))[9] // 0;
}

sub is_quiet {
    my ($tenant, $name) = @_;
    return !left_of($tenant, $name) && time - last_beat($tenant) > 0.5;
}

# A test: the likes of them are there from now on.
sub lives {
    my ($tenant, $what) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $began = time;
    return ok(wait_until(sub { last_beat($tenant) > $began }, PATIENCE), $what);
}

# A test: all of them are gone.
sub is_gone {
    my ($tenant, $name, $what) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $began = time;
    return note(sprintf '%s: after %.1f s', $what, time - $began)
      if ok(wait_until(sub { is_quiet($tenant, $name) }, PATIENCE), $what);
    diag(`ps -o pid,ppid,pgid,sess,stat,args @{[left_of($tenant, $name)]}`);
    kill 'KILL', left_of($tenant, $name);
    return;
}

# --- deny, the default

sub in_jail {
    my ($tenant, $host, $label, @tries) = @_;
    touch_in($tenant, '/tmp/go', 0);
    my $beside = start($host, 'beside', 'nothing+stay');
    my ($pid, @more) = left_of($tenant, 'beside');
    ok($pid && !@more, "$label: another request goes on beside") or return;
    my $keeper = process_status($pid)->{PPid};
    for my $way (@tries) {
        my $res = $httpd->get($host, "/cgi-bin/$way?$way");
        is($res->code, 200, "$label, $way: a page");
        like($res->content, qr/^ended$/m, 'which is whole');
        my $call = $host eq 'terminal' ? qr/setsid of/ : qr/setsid/;
        unlike($res->content, qr/^$call.*: done$/m, 'it cannot leave its session')
          if $host ne 'nopid';
        like($res->content, qr/^setsid: done$/m, 'or the keeper knows the other one')
          if $host eq 'terminal' && $way =~ /session|others/;
        like($res->content, qr/^ptrace: done$/m, 'one traces the other')
          if $way eq 'traced' && $host eq 'open';
        is_gone($tenant, $way, "$label, $way: nothing is left of it");

        my $client = start($host, $way, "$way+stay");
        lives($tenant, "$label, $way: it lives") if $way =~ /chain|covered|bomb/;
        ok(wait_until(sub { left_of($tenant, $way) > 1 }, PATIENCE),
            "$label, $way: it has several processes");
        give_up($client);
        is_gone($tenant, $way, "$label, $way: nothing is left when it is given up");
    }
    is_deeply([left_of($tenant, 'beside')], [$pid], "$label: the other request is still there");
    touch_in($tenant, '/tmp/go', 1);
    my $res = $beside->more_time->response;    # it has waited for all the others
    is_deeply([@$res{qw(code whole)}], [200, 1], "$label: and its page is whole");
    ok(scalar(grep { $_ == $keeper } keepers_of($tenant)), "$label: its jail stays");
    return;
}
in_jail($alice, $alice, 'a jail', @ways);
in_jail($alice, 'open', 'without JailSeccomp and JailScope', qw(others traced covered));

# --- without a PID namespace: what can be found
SKIP: {
    skip_or_fail('no private mounts here', 10) if !JailCGI::Httpd::mounts_work();
    in_jail($alice, 'terminal', 'with terminals', qw(session others subreaper chain bomb));
    for my $way (qw(double-fork group subreaper brother stopped)) {
        is($httpd->get('nopid', "/cgi-bin/$way?$way")->code, 200, "no PID namespace, $way: a page");
        is_gone($carol, $way, "no PID namespace, $way: nothing is left");
    }
}

# --- allow

sub stays {
    my ($host, $way, $what) = @_;
    my $res = $httpd->get($host, "/cgi-bin/$way?$way");
    is($res->code, 200, "$what: a page") or diag($httpd->log($host));
    sleep ENDED if $host ne 'mortal';
    return $res->content;
}
like(stays($bob, 'session', 'allow'), qr/^setsid: done$/m, 'allow: it may leave its session');
is(scalar left_of($bob, 'session'), 1, 'allow: what has left its session is left alone');
$httpd->get($bob, '/cgi-bin/group?group');
sleep ENDED;
is(scalar left_of($bob, 'group'), 1, 'allow: and what has stayed in it');
is(scalar left_of($bob, 'session'), 1, 'allow: after another request too');
my $given_up = start($bob, 'plain', 'double-fork+stay');
give_up($given_up);
is_gone($bob, 'plain', 'allow: what was given up is ended');
my $daemon = $httpd->get($bob, '/cgi-bin/plain?nothing+daemon');
is($daemon->code, 200, 'allow: a script that closes its output has its page');
sleep ENDED;
is(scalar left_of($bob, 'plain'), 1, 'allow: and goes on');
my ($keeper) = keepers_of($bob);
$httpd->graceful;
is($httpd->get($bob, '/cgi-bin/beside?nothing')->code, 200, 'allow: a graceful restart');
is_deeply([keepers_of($bob)], [$keeper], 'the jail stays');
is(scalar(map { left_of($bob, $_) } qw(plain group session)), 3, 'and what it has');

# The chain comes last: its dead count for the user's NPROC until the keeper, which shares a
# busy processor with it, has reaped them.
stays('mortal', $_, "allow with a time, $_") for qw(brother traced);
my $res = $httpd->get('mortal', '/cgi-bin/subreaper?session');
is(scalar left_of($bob, 'subreaper'), 1, 'max: there for a while');
stays('mortal', 'chain', 'allow with a time, chain');
is_gone($bob, $_, "max: $_ is ended") for qw(chain brother subreaper traced);

my @all = map { left_of($bob, $_) } qw(plain group session);
$httpd->stop;
ok(wait_until(sub { !grep { process_status($_) } @all }, PATIENCE), 'the end of httpd ends all');
done_testing;
