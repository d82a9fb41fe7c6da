# Bodies, pages and stderr, however large, slow or odd: nothing is lost, nothing
# waits for what it need not wait for, and nothing is held in memory.
# MPM: event, worker, prefork

use lib 't/lib';
use JailCGI::Test;
use JailCGI::Client;
use JailCGI::Watch qw(scripts_of touch_in reset_peaks peak_growth_kb);

use constant {
    MB        => 1 << 20,
    GROWTH_KB => 20 << 10,
    BODY      => 64 << 20,
    PAGE      => mpm() eq 'event' ? 1 << 30 : 1 << 28,
    BOTH_WAYS => 10 << 20,
    FLOOD     => 100_000_000,                            # in lines of 100
};

my $alice = tenant('alice');
$alice->install(probe('stream'), 'stream');
my $httpd = httpd(
    vhosts => [$alice],
    config => <<'END',
StartServers 2
KeepAliveTimeout 30
CustomLog logs/access "%>s %X %{JAILCGI_CODE}n %q"
END
);

sub client { return JailCGI::Client->new($httpd) }

# Sends one request for the script, on a connection of its own.
sub request {
    my ($method, $query, @rest) = @_;
    return client()
      ->send_request($method, $alice, "/cgi-bin/stream?$query", @rest);
}

sub get { return request('GET', $_[0])->response }

# The pattern of that size, as the probe itself makes it without a jail.
sub pattern {
    my ($size) = @_;
    local $ENV{QUERY_STRING} = "page,$size";
    open my $fh, '-|', probe('stream') or die "stream: $!";
    binmode $fh;
    while (defined(my $line = readline $fh)) {
        last if $line eq "\n";
    }
    return $fh;
}

sub pattern_text {
    my $fh = pattern(@_);
    local $/;
    return readline $fh;
}

# A sub for Client::send: the pattern in pieces, perhaps as chunks.
sub pieces {
    my ($size, $chunked) = @_;
    my $fh = pattern($size);
    return sub {
        $fh or return;
        my $n = read $fh, my $piece, 100_000;
        if (!$n) {
            undef $fh;
            return $chunked ? "0\r\n\r\n" : undef;
        }
        return $chunked ? sprintf("%x\r\n%s\r\n", $n, $piece) : $piece;
    };
}

# How a script that waits and this test find each other.
sub at { return wait_until(sub { -e $alice->root . '/tmp/at' }, 30) }
sub go { return touch_in($alice, '/tmp/go', 1) }

sub nobody_waits {
    touch_in($alice, "/tmp/$_", 0) for qw(at go);
    return;
}

sub is_idle {
    my ($name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    return ok(wait_until(sub { !scripts_of($alice) }, 20), $name);
}

sub is_small {
    my ($before) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $growth = peak_growth_kb($httpd, $before);
    my %large  = map { $_ => $growth->{$_} }
      grep { $growth->{$_} > GROWTH_KB } keys %$growth;
    note(join ', ', map { "$_: $growth->{$_} kB" } sort keys %$growth);
    cmp_ok(scalar keys %$growth, '>=', 4, 'httpd, helper and keeper are seen');
    return is_deeply(\%large, {}, 'in bounded memory');
}

sub large_body {
    my $before = reset_peaks($httpd);
    my $res    = request('POST', 'take', ['Content-Length: ' . BODY],
        pieces(BODY))->response;
    my $said = "body of @{[BODY]} bytes, unchanged, CONTENT_LENGTH @{[BODY]}\n";
    is($res->{body}, $said, 'a body of 64 MB arrives unchanged');
    is_small($before);
    return;
}

sub large_page {
    my $before = reset_peaks($httpd);
    open my $compare, '|-', probe('stream'), PAGE or die "stream: $!";
    binmode $compare;
    my $res = request('GET', 'page,' . PAGE)
      ->sink(sub { print {$compare} $_[0] })->response;
    ok($res->{whole}, sprintf('a page of %d MB arrives whole', PAGE / MB));
    ok(close $compare, 'and unchanged');
    is_small($before);
    return;
}

# Stock modules write the whole body before they read anything.
sub both_ways {
    my $res = request(
        'POST', 'page_then_take,' . BOTH_WAYS,
        ['Content-Length: ' . BOTH_WAYS], pieces(BOTH_WAYS)
    )->response;
    ok($res->{whole}, 'a script that writes 10 MB before it reads 10 MB ends');
    ok(substr($res->{body}, 0, BOTH_WAYS, '') eq pattern_text(BOTH_WAYS),
        'its page is unchanged');
    like($res->{body}, qr/^body of @{[BOTH_WAYS]} bytes, unchanged/,
        'and so is its body');
    return;
}

# Fewer wake-ups, and no more than the kernel lets the tenant have.
sub full_pipe {
    my $res = request('POST', 'wait_then_take', ['Content-Length: ' . MB], pieces(MB))->response;
    is($res->{body},
        "a pipe of 262144, body of @{[MB]} bytes, unchanged, CONTENT_LENGTH @{[MB]}\n",
        'a body that fills the pipe gets a larger one');
    return;
}

# How many bytes httpd's children read while `action` goes on, and how many one read brings.
sub bytes_read {
    my ($action) = @_;
    my $count = sub {
        my %sum = (rchar => 0, syscr => 0);
        for my $io (map { JailCGI::Httpd::slurp("/proc/$_/io") } $httpd->children('apache2')) {
            $sum{$_} += ($io =~ /^$_: (\d+)$/m)[0] for keys %sum;
        }
        return \%sum;
    };
    my $before = $count->();
    $action->();
    my $after = $count->();
    my ($bytes, $reads) = map { $after->{$_} - $before->{$_} } qw(rchar syscr);
    return ($bytes, $bytes / $reads);
}

# The body of a script's request is read by more than APR's 8,000 bytes, and nothing else is:
# neither a body for another handler after it, on the same connection.
sub large_reads {
    my $client = client();
    my @length = ('Content-Length: ' . 4 * MB);
    my $res;
    my ($all, $each) = bytes_read(sub {
        $res = $client->send_request('POST', $alice, '/cgi-bin/stream?wait_then_take', \@length,
            pieces(4 * MB))->response;
    });
    like($res->{body}, qr/body of @{[4 * MB]} bytes, unchanged/, 'a body of 4 MB');
    cmp_ok($each, '>', 16_000, 'is read by large pieces');
    ($all, $each) = bytes_read(sub {
        $res = $client->send_request('POST', $alice, '/', \@length, pieces(4 * MB))->response;
    });
    is($res->{code}, 404, 'after it one for no script, on the same connection');
    cmp_ok($all,  '>',  4 * MB, 'is read whole');
    cmp_ok($each, '<=', 8000,   'and as ever');
    return;
}

# The first request of a script finds its pipe full, as it waits for its end before.
sub full_stdout {
    $alice->install(probe('stream'), 'pieces');
    my $res = client()->send_request('GET', $alice, "/cgi-bin/pieces?odd_pieces,@{[MB]}")->response;
    like($res->{body}, qr/x\Ka pipe of (?:262144|1048576)\n\z/,
        'a script that fills its pipe gets a larger one, with pages of it partly used as well');
    return;
}

sub unread_bodies {
    my %seen;
    for my $i (1 .. 100) {
        my $res = request('POST', 'never_read',
            ['Content-Length: 9', 'Connection: close'], 'a=b&c=123')->response;
        $seen{"$res->{code} $res->{whole} $res->{body}"}++;
    }
    is_deeply(\%seen, { "200 1 not read\n" => 100 },
        'a script that reads no body: each of 100 answers arrives');
    my $res = request('POST', 'never_read',
        ['Content-Length: ' . 5 * MB, 'Connection: close'], pieces(5 * MB))
      ->response;
    is($res->{body}, "not read\n", 'also with a body of 5 MB');
    return;
}

sub closed_stdout {
    nobody_waits();
    my $res = get('close_and_go_on,' . MB);
    ok($res->{whole} && $res->{body} eq pattern_text(MB),
        'the page of one that closes stdout and goes on arrives');
    is_idle('and it is ended then');
    return;
}

sub grandchild {
    nobody_waits();
    my $client = request('GET', 'grandchild');
    ok($client->wait_for(qr/first/), 'a grandchild holds stdout: page begins');
    at();
    go();
    my $res = $client->response;
    is_deeply([@$res{qw(body whole)}], ["first\nsecond\n", 1],
        "the grandchild's output belongs to the page");
    nobody_waits();
    $res = get('grandchild');
    is_deeply([@$res{qw(body whole)}], ["first\n", 1],
        'a page ends although a grandchild holds stdout in silence');
    is_idle('which is ended then');
    return;
}

sub flood {
    my $before = -s $httpd->log_file($alice) || 0;
    my $res    = get('flood,' . FLOOD);
    is($res->{body}, "before\nafter\n", '100 MB of stderr do not stop a script');
    my $line = $httpd->log_like($alice, qr/JCGI1711/, 'what is dropped is told');
    my ($dropped) = ($line // '') =~ /(\d+) more lines/;
    my $logged = () = $httpd->log($alice) =~ /: x{99}$/mg;
    is($logged + ($dropped // 0), FLOOD / 100, 'each line is logged or counted');
    cmp_ok($logged, '>', 100, 'some are logged');
    cmp_ok((-s $httpd->log_file($alice)) - $before, '<', MB,
        'the log stays small');
    return;
}

# [what, method, query, header lines, [body], code, page]
my @small = (
    [
        'a chunked body', 'POST', 'take', ['Transfer-Encoding: chunked'],
        [pieces(3 * MB, 1)], 200,
        "body of @{[3 * MB]} bytes, unchanged, CONTENT_LENGTH unset\n"
    ],
    [
        'an empty chunked body', 'POST', 'take', ['Transfer-Encoding: chunked'],
        ["0\r\n\r\n"], 200,
        "body of 0 bytes, unchanged, CONTENT_LENGTH unset\n"
    ],
    [
        'an empty body', 'POST', 'take', ['Content-Length: 0'], [], 200,
        "body of 0 bytes, unchanged, CONTENT_LENGTH 0\n"
    ],
    [
        'no body', 'GET', 'take', [], [], 200,
        "body of 0 bytes, unchanged, CONTENT_LENGTH unset\n"
    ],
    [
        'PUT', 'PUT', 'take', ['Content-Length: 70000'], [pieces(70_000)], 200,
        "body of 70000 bytes, unchanged, CONTENT_LENGTH 70000\n"
    ],
    ['HEAD',        'HEAD', 'page,1000000',       [], [], 200, ''],
    ['304',         'GET',  'status_304,1000000', [], [], 304, ''],
    ['204',         'GET',  'status_204,1000000', [], [], 204, ''],
    ['a short GET', 'GET',  'page,10', [], [], 200, pattern_text(10)],
);

# On one connection, so that a byte too many or too few spoils the next.
sub small_ones {
    my $client = client();
    for my $case (@small) {
        my ($what, $method, $query, $lines, $body, $code, $page) = @$case;
        my $res =
          $client->send_request($method, $alice, "/cgi-bin/stream?$query",
            $lines, @$body)->response;
        is_deeply([@$res{qw(code body whole)}], [$code, $page, 1],
            "$what, on a connection that is kept");
    }
    ok(!$client->eof, 'httpd keeps the connection');
    return;
}

sub http_1_0 {
    my $got = $httpd->raw("GET /cgi-bin/stream?page,300000 HTTP/1.0\r\n"
          . "Host: alice\r\n\r\n");
    like($got, qr{^HTTP/1\.1 200 }, 'HTTP/1.0');
    unlike($got, qr/^Transfer-Encoding/mi, 'is answered without chunks');
    ok($got =~ s/.*?\r\n\r\n//s && $got eq pattern_text(300_000),
        'and with the whole page');
    return;
}

sub expect_continue {
    my $client = request('POST', 'take',
        ['Content-Length: 200000', 'Expect: 100-continue']);
    ok($client->wait_for(qr{^HTTP/1\.1 100 }),
        'a client that waits for 100 Continue gets it');
    my $res = $client->send(pieces(200_000))->response;
    is_deeply(
        [@$res{qw(code interim body)}],
        [200, 1, "body of 200000 bytes, unchanged, CONTENT_LENGTH 200000\n"],
        'and then its body arrives'
    );
    # One that does not wait: the connection stays, and the next request is answered.
    my $body = pattern_text(1000);
    my $got  = $httpd->raw("POST /cgi-bin/stream?take HTTP/1.1\r\nHost: alice\r\n"
          . "Content-Length: 1000\r\nExpect: 100-continue\r\n\r\n$body"
          . "GET /cgi-bin/stream?page,10 HTTP/1.1\r\nHost: alice\r\nConnection: close\r\n\r\n");
    is(scalar(() = $got =~ m{^HTTP/1\.1 200 }mg), 2,
        'a body that comes at once with Expect does not close the connection');
    return;
}

# What there is reaches the browser before the script goes on.
sub slow_page {
    nobody_waits();
    my $client = request('GET', 'slow');
    ok($client->wait_for(qr/first/), 'a page is sent while it is being made');
    ok(scalar(scripts_of($alice)), 'its script still runs');
    go();
    my $res = $client->response;
    is_deeply([@$res{qw(body whole)}], ["first\nsecond\n", 1],
        'and it arrives whole');
    return;
}

sub fast_page {
    my ($with_length, $whole) = (0, 0);
    for (1 .. 10) {
        my $res = get('page,500');
        $with_length++ if ($res->{head}{'content-length'} // '') eq '500';
        $whole++       if $res->{whole} && $res->{body} eq pattern_text(500);
    }
    is($whole, 10, 'short pages arrive whole');
    # On a machine that is busy a script may halt between two writes.
    cmp_ok($with_length, '>=', 1, 'and their length is known');
    return;
}

sub broken_pages {
    for my $size (0, 10, MB) {
        nobody_waits();
        my $client = request('GET', "die_in_page,$size");
        $client->wait_for(qr/first/);
        go();
        my $res = $client->response;
        is_deeply([@$res{qw(code whole)}], [200, 0],
            "killed in mid-page, $size bytes before: it is broken off");
        ok($client->wait_for_close, 'and the connection closed');
    }
    my $res = get('die_at_once,10');
    is_deeply([@$res{qw(code whole)}], [500, 1],
        'killed before any of its page had left: an error page');
    $httpd->log_like($alice, qr/JCGI1701.*signal 9/,  'the log tells the first');
    $httpd->log_like($alice, qr/JCGI1701.*signal 11/, 'and the second');
    return;
}

get('page,10');
large_body();
large_page();
both_ways();
full_pipe();
large_reads();
full_stdout();
unread_bodies();
closed_stdout();
grandchild();
flood();
small_ones();
http_1_0();
expect_continue();
slow_page();
fast_page();
broken_pages();
is_idle('nothing runs in the jail afterwards');
done_testing;
