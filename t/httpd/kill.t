# What may die or be restarted in the middle of the work does so, 20 times each,
# under load: the helper, a keeper, httpd by its graceful restart. No request
# that had not been started is lost, none is run twice, and what runs goes on.

use lib 't/lib';
use JailCGI::Test;
use JailCGI::Client;
use JailCGI::Watch qw(scripts_of keepers_of all_keepers zombie_list touch_in);
use POSIX ();
use Time::HiRes 'sleep';

use constant {
    TIMES    => 20,
    CLIENTS  => 4,
    AT_MOST  => 20_000,    # requests of one client
    PAUSE    => 0.005,     # between two of its requests
    PATIENCE => 60,
};

my $alice = tenant('alice');
$alice->install(probe('once'), 'once');
my $httpd = httpd(
    vhosts => [
        [$alice, 'CustomLog logs/alice.access "%>s %q pid=%{JAILCGI_PID}n"']
    ],
    config => <<'END',
Timeout 60
KeepAlive Off
END
);

# --- the load --------------------------------------------------------------

sub ask {
    my ($id) = @_;
    my $client = JailCGI::Client->new($httpd);
    my $res =
      $client->send_request('GET', $alice, "/cgi-bin/once?$id")->response;
    $client->close;
    return $res->{code} if $res->{code} != 200;
    return 'broken off' if !$res->{whole};
    return $res->{body} eq "begin $id\nend $id\n" ? 200 : 'wrong page';
}

# A client process: one line "ID OUTCOME" for each request, until it is told to
# stop: by a file, because a signal would break off its connect(2). It dies with
# nothing of this file's to clean up.
sub client_process {
    my ($name, $file) = @_;
    my $pid = fork // die "fork: $!";
    return $pid if $pid;
    open my $out, '>', $file or POSIX::_exit(1);
    $out->autoflush;
    for my $i (1 .. AT_MOST) {
        last if -e "$file.stop";
        my $outcome = eval { ask("$name.$i") } // "died: $@";
        print {$out} "$name.$i ", $outcome =~ s/\n//gr, "\n";
        sleep PAUSE;
    }
    POSIX::_exit(0);
}

sub start_load {
    my ($name) = @_;
    my @load = map { { name => "$name$_", file => work_dir() . "/$name$_" } }
      1 .. CLIENTS;
    $_->{pid} = client_process(@$_{qw(name file)}) for @load;
    return \@load;
}

sub stop_load {
    my ($load) = @_;
    for my $one (@$load) {
        open my $stop, '>', "$one->{file}.stop" or die "$one->{file}.stop: $!";
    }
    waitpid $_->{pid}, 0 for @$load;
    return { map { outcomes($_->{file}) } @$load };
}

# ID => OUTCOME of all that was asked so far.
sub outcomes {
    my ($file) = @_;
    return map { /^(\S+) (.*)$/ ? ($1, $2) : () }
      split /\n/, JailCGI::Httpd::slurp($file);
}

# Waits until each client has had two more answers (of two words each): one of
# them was asked for after this began.
sub let_them_work {
    my ($load) = @_;
    my %before = map { $_->{file} => scalar(my @words = outcomes($_->{file})) } @$load;
    for my $one (@$load) {
        wait_until(
            sub {
                my @words = outcomes($one->{file});
                @words >= $before{ $one->{file} } + 2 * 2;
            },
            PATIENCE
        ) or return 0;
    }
    return 1;
}

# ID => how often its script was started, by the script itself.
sub started {
    my %count;
    my $text = JailCGI::Httpd::slurp($alice->root . '/tmp/started');
    $count{$_}++ for split /\n/, $text;
    return \%count;
}

# ID => whether the module had heard of its start.
sub heard_of {
    my $text = JailCGI::Httpd::slurp($httpd->logs . '/alice.access');
    return { $text =~ /^\d+ \?(\S+) pid=(\d+)$/mg };
}

# --- what is done to them --------------------------------------------------

# A process that is there now and not the old one.
sub successor {
    my ($find, $old) = @_;
    my $new;
    wait_until(
        sub { ($new) = grep { $_ != $old } $find->(); defined $new },
        PATIENCE
    );
    return $new;
}

sub kill_one {
    my ($find) = @_;
    my ($pid) = $find->();
    return 0 if !defined $pid || !kill 'KILL', $pid;
    return defined successor($find, $pid);
}

sub helper { return grep { defined } $httpd->helper_pid }
sub keeper { return all_keepers($httpd) }

# Children of the configuration before are gone, or finish: new ones serve.
sub graceful {
    my %old = map { $_ => 1 } $httpd->children('apache2');
    $httpd->graceful;
    return wait_until(
        sub { grep { !$old{$_} } $httpd->children('apache2') },
        PATIENCE
    );
}

# [name, what is done, whether requests that were started may fail]
my @blows = (
    ['helper is killed', sub { kill_one(\&helper) }, 0],
    ['keeper is killed', sub { kill_one(\&keeper) }, 1],
    ['graceful restart', \&graceful,                 0],
);

sub is_accounted_for {
    my ($outcomes, $may_fail) = @_;
    my ($started, $heard) = (started(), heard_of());
    my @failed = grep { $outcomes->{$_} ne '200' } sort keys %$outcomes;
    my @ran    = grep { $outcomes->{$_} eq '200' } keys %$outcomes;
    note(scalar(keys %$outcomes), ' requests, not answered: ',
        join ', ', map { "$_ ($outcomes->{$_})" } @failed);
    is_deeply([grep { ($started->{$_} // 0) != 1 } @ran],
        [], 'each answered request was run once');
    is_deeply([grep { ($started->{$_} // 0) > 1 } keys %$outcomes],
        [], 'and none twice');
    if ($may_fail) {
        is_deeply([grep { !$started->{$_} && !$heard->{$_} } @failed],
            [], 'only requests that had been started have failed');
        is_deeply([grep { $outcomes->{$_} !~ /^(?:503|broken off)$/ } @failed],
            [], 'and never with a page that looks whole');
        cmp_ok(scalar @failed, '<=', TIMES * CLIENTS,
            'at each blow one of each client at most');
    }
    else {
        is_deeply(\@failed, [], 'no request has failed');
    }
    return;
}

sub blows {
    my ($name, $blow, $may_fail) = @_;
    note($name);
    my $load = start_load($name =~ /^(\w+)/);
    let_them_work($load);
    my ($done, $worked) = (0, 0);
    for (1 .. TIMES) {
        $done++   if $blow->();
        $worked++ if let_them_work($load);
    }
    my $outcomes = stop_load($load);
    is($done,   TIMES, "$name: " . TIMES . ' times');
    is($worked, TIMES, 'each time all clients are served again');
    cmp_ok(scalar keys %$outcomes, '>=', TIMES * CLIENTS * 2,
        'there was a load');
    is_accounted_for($outcomes, $may_fail);
    return;
}

# A script that has begun is not touched by this.
sub survives {
    my ($name, $blow) = @_;
    touch_in($alice, '/tmp/go', 0);
    my $id     = 'slow-' . $name =~ s/\W/-/gr;
    my $client = JailCGI::Client->new($httpd);
    $client->send_request('GET', $alice, "/cgi-bin/once?$id");
    ok($client->wait_for(qr/begin/), "$name: a script has begun");
    ok($blow->(), 'it happens');
    is(ask("after-$id"), 200, 'a request behind it is answered');
    ok(scalar scripts_of($alice), 'the script still runs');
    touch_in($alice, '/tmp/go', 1);
    my $res = $client->response;
    is_deeply([@$res{qw(code whole body)}],
        [200, 1, "begin $id\nend $id\n"], 'its page is whole');
    return;
}

is(ask('warm'), 200, 'it works');
survives('helper is killed', $blows[0][1]);
survives('graceful restart', $blows[2][1]);
blows(@$_) for @blows;
ok(wait_until(sub { !scripts_of($alice) }, PATIENCE), 'no script is left');
ok(wait_until(sub { keepers_of($alice) <= 1 }, PATIENCE),
    'no keeper of a helper that is gone');
ok(wait_until(sub { !zombie_list($httpd) }, PATIENCE), 'no zombie');
is_deeply([grep { $_ > 1 } values %{ started() }], [], 'nothing was run twice');
done_testing;
