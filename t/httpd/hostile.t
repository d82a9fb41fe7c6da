# What one party does on purpose harms nobody else for long: a script that kills
# all its user's processes, a child of httpd that was taken over, a client that
# stops sending.

use lib 't/lib';
use JailCGI::Test;
use JailCGI::Client;
use Time::HiRes 'sleep';

use constant {
    LEAST    => 10,        # requests beside a script that kills
    RECOVERY => 60,        # seconds; httpd looks after it every ten or so
    PUTS     => 30,
    BODY     => 300_000,
};

my $alice = tenant('alice');
$alice->install(probe('slay'), 'slay');
$alice->script('ran', <<'END_OF_SCRIPT');
#!/bin/sh
printf 'Content-Type: text/plain\n\nran\n'
END_OF_SCRIPT
# Long enough to be killed for certain.
$alice->script('slow', <<'END_OF_SCRIPT');
#!/bin/sh
sleep 0.2
printf 'Content-Type: text/plain\n\nran\n'
END_OF_SCRIPT
$alice->script('cat', <<'END_OF_SCRIPT');
#!/bin/sh
printf 'Content-Type: application/octet-stream\n\n'
exec cat
END_OF_SCRIPT
# With scopes it would reach nobody but itself (t/httpd/scope.t).
my $httpd = httpd(config => 'Timeout 20', vhosts => [[$alice, 'JailScope Off']]);

sub runs {
    return $httpd->get($alice, '/cgi-bin/ran')->code == 200;
}

# --- a script that kills ----------------------------------------------------

# Requests until it has ended: how often each status was the answer.
sub requests_beside {
    my ($slayer) = @_;
    my (%answers, $count);
    while (++$count <= LEAST || $slayer->{in} !~ /^ended$/m) {
        my $path = $count % 2 ? 'slow' : 'ran';
        my $code = $httpd->get($alice, "/cgi-bin/$path")->code;
        $answers{$code}++;
        last if $slayer->eof || time > $slayer->{end};
        $slayer->step(0);
    }
    return %answers;
}

ok(runs(), 'a jail is in use');
$httpd->mark($alice);
my $slayer = JailCGI::Client->new($httpd);
$slayer->send_request('GET', $alice, '/cgi-bin/slay');
ok($slayer->wait_for(qr/^begun$/m), 'a script kills all that its user runs');
my %answers = requests_beside($slayer);
my $killed  = delete $answers{500} // 0;
delete $answers{200};
is_deeply(\%answers, {}, 'what it does not let run is answered with 500');
cmp_ok($killed, '>', 0, 'as some were');
ok($slayer->wait_for(qr/^ended$/m), 'it comes to its end itself');
my %codes;
$codes{$_}++ for $httpd->log($alice) =~ /\] (JCGI\d+): /g;
is_deeply(\%codes, { JCGI1701 => $killed }, 'each of them has its true reason')
  or diag($httpd->log($alice));
ok(runs(), 'then scripts run again');

# --- a child of httpd that was taken over -----------------------------------

# In clock ticks since boot: proc_pid_stat(5), field 22.
sub start_of {
    my ($pid) = @_;
    open my $fh, '<', "/proc/$pid/stat" or return 0;
    my $text = readline($fh) // '';
    return (split ' ', $text =~ s/.*\)//r)[19] // 0;
}

# The youngest: an older one may belong to the configuration before, and leave.
sub cut {
    my ($how) = @_;
    my ($child) = sort { start_of($b) <=> start_of($a) || $b <=> $a }
      $httpd->children('apache2');
    is(system(probe('cut') . " $child $how >/dev/null"),
        0, "a child shuts down its socket: $how");
    return;
}

cut('r');
ok(runs(), 'for reading, which is not what it is for: scripts run');
for my $how (qw(rw w)) {
    $httpd->mark(undef);
    cut($how);
    ok(
        wait_until(sub {
            $httpd->log =~ /shut down the socket/ && runs();
        }, RECOVERY),
        "$how: scripts run again without anyone's doing"
    ) or diag($httpd->log);
    $httpd->log_like(undef, qr/shut down the socket/, "$how: the log says why");
    is(scalar(() = $httpd->log =~ /shut down the socket/g), 1, "$how: once");
    ok($httpd->helper_pid, "$how: httpd's parent is the same");
}

# --- a client that stops sending when it sees a response ---------------------

# LWP. With a response too early it would send no more, and the script would wait
# for the rest of the body.
my $body = join '', map { pack 'N', $_ } 1 .. BODY / 4;

# With a few pauses, in which the script catches up.
sub pieces {
    my ($data) = @_;
    return sub {
        sleep 0.1 if length($data) % 50_000 == 0;
        return substr $data, 0, 1000, '';
    };
}

sub comes_back_whole {
    my ($data, $headers, $content) = @_;
    my $res =
      $httpd->request('PUT', $alice, '/cgi-bin/cat', $headers, $content);
    return $res->code == 200 && $res->content eq $data;
}

my $whole = 0;
for my $count (1 .. PUTS) {
    $whole++ if comes_back_whole($body, [], $body);
    last if $whole < $count;    # it took as long as Timeout
}
is($whole, PUTS, 'PUTs of 300 kB to a script that echoes while it reads');
my $part = substr $body, 0, 200_000;
ok(comes_back_whole($part, ['Content-Length' => length $part], pieces($part)),
    'and one with pauses');
done_testing;
