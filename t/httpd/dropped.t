# A graceful restart whose configuration does not load the module any more: nobody has its
# descriptors after it, the helper and its jails go, and what runs goes on. And the
# module comes back with a later one, as often as it likes.

use lib 't/lib';
use JailCGI::Test;
use JailCGI::Client;
use JailCGI::Watch qw(scripts_of keepers_of all_keepers helper_descriptors zombie_list touch_in);
use POSIX  ();
use Socket 'SOL_SOCKET';

my ($alice, $bob) = map { tenant($_) } qw(alice bob);
$_->install(probe('once'), 'once') for $alice, $bob;
my @vhosts = map { [$_, 'JailIdle 1h'] } $alice, $bob;
my $httpd  = httpd(vhosts => \@vhosts);
my $parent = $httpd->pid;

sub answers {
    my ($tenant, $name) = @_;
    my $res = $httpd->get($tenant, '/cgi-bin/once?quick');
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    return is($res->content, "begin quick\nend quick\n", $name);
}

# Its children are all of the new configuration but those that still have a request.
sub restart {
    my (%option) = @_;
    my %old = map { $_ => 1 } $httpd->children('apache2');
    $httpd->graceful(%option);
    my @new;
    wait_until(sub { @new = grep { !$old{$_} } $httpd->children('apache2') }, 20);
    return @new;
}

sub is_without {
    my ($name, @pids) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    return is_deeply([map { helper_descriptors($_) } @pids], [], $name);
}

sub drop {
    my ($name) = @_;
    my ($helper, @keepers) = ($httpd->helper_pid, all_keepers($httpd));
    my %of_parent = map { $_ => 1 } helper_descriptors($parent);
    cmp_ok(scalar keys %of_parent, '>=', 3, "$name: the parent has a socket to the helper, "
          . 'a generation\'s and a table');
    touch_in($alice, '/tmp/go', 0);
    my $client = JailCGI::Client->new($httpd);
    $client->send_request('GET', $alice, '/cgi-bin/once?slow');
    ok($client->wait_for(qr/begin/), 'a script runs');
    my ($busy) = keepers_of($alice);

    my @new = restart(without_jailcgi => 1, vhosts => []);
    cmp_ok(scalar @new, '>', 0, 'it is dropped: there are new children');
    is_without('which have nothing of the helper\'s', @new);
    is_without('nor has the parent', $parent);
    is_deeply([grep { $of_parent{$_} } map { descriptors($_) } $parent, @new],
        [], 'by any name');
    is($httpd->get('localhost', '/')->code, 404, 'httpd serves');
    ok(wait_until(sub { !$httpd->helper_pid }, 10), 'the helper goes');
    ok(!process_status($helper), 'and is reaped');
    ok(wait_until(sub { !grep { $_ != $busy && process_status($_) } @keepers }, 10),
        'so does a keeper that has nothing to do');
    ok(process_status($busy), 'not that of the script');
    ok(scalar scripts_of($alice), 'which still runs');
    touch_in($alice, '/tmp/go', 1);
    my $res = $client->response;
    is_deeply([@$res{qw(code whole body)}], [200, 1, "begin slow\nend slow\n"],
        'its page is whole');
    ok(wait_until(sub { !keepers_of($alice, $bob) }, 10), 'then its keeper goes');
    return $helper;
}

sub load_again {
    my ($name, $before) = @_;
    restart(without_jailcgi => 0, vhosts => \@vhosts);
    answers($alice, "$name: alice answers");
    answers($bob,   'bob answers');
    my $helper = $httpd->helper_pid;
    ok($helper, 'there is a helper');
    isnt($helper, $before, 'a new one');
    $httpd->log_unlike(undef, qr/jailcgi-helper .* ended|could not be sent/,
        'the old one is not missed');
    return $helper;
}

# As if nothing had been.
sub stays_warm {
    my ($name, $helper) = @_;
    my @warm = sort(all_keepers($httpd));
    is(scalar @warm, 2, "$name: two jails are warm");
    my @new = restart();
    cmp_ok(scalar @new, '>', 0, 'a graceful restart');
    is($httpd->helper_pid, $helper, 'keeps the helper');
    answers($_, $_->name . ' answers') for $alice, $bob;
    is_deeply([sort(all_keepers($httpd))], \@warm, 'from a jail that was warm');
    is(scalar(grep { /jailcgi-policies/ } map { descriptors($_) } @new),
        0, 'a child has no table');
    return;
}

sub parents_count {
    wait_until(sub { my @tables = grep { /jailcgi-policies/ } descriptors($parent); @tables == 1 }, 20);
    return scalar(my @all = descriptors($parent));
}

# Whether the helper has the kernel tell it who sends to it (SO_PASSCRED), by
# pidfd_open and pidfd_getfd.
sub asks_who_sends {
    my ($helper) = @_;
    my $pidfd = syscall 434, 0 + $helper, 0;
    my $fd    = syscall 438, $pidfd, 3, 0;
    POSIX::close($pidfd);
    open my $socket, '+<&=', $fd or die "the helper's socket: $!";
    return unpack 'i', getsockopt $socket, SOL_SOCKET, 16;
}

answers($_, $_->name . ' answers') for $alice, $bob;
is(asks_who_sends($httpd->helper_pid), 1, 'the helper listens to its parent alone');
my $count = parents_count();
stays_warm('at first', $httpd->helper_pid);
my $helper = drop('once');
$helper = load_again('loaded again', $helper);
stays_warm('loaded again', $helper);
is(parents_count(), $count, 'the parent has as many descriptors as at first');

$helper = drop('twice');
is_without('after another restart without it', restart(), $parent);
restart();
$helper = load_again('loaded again after three', $helper);
stays_warm('loaded again after three', $helper);
is(parents_count(), $count, 'the parent has as many descriptors as at first');

# And it is still replaced when it dies.
kill 'KILL', $helper;
answers($_, $_->name . ' answers after the helper\'s death') for $alice, $bob;
isnt($httpd->helper_pid // $helper, $helper, 'by another');
ok(wait_until(sub { !zombie_list($httpd) }, 20), 'no zombie');
$httpd->log_unlike(undef, qr/exit signal|Bad file descriptor/, 'nothing has gone wrong');
done_testing;
