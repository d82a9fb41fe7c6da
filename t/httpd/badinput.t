# Bad header blocks and bad requests: each has the right status and one line in
# the site's own log, nothing of a refused block reaches the browser, nothing
# hangs, and nothing is left.
#
# MPM: event, worker, prefork

use lib 't/lib';
use JailCGI::Test;
use JailCGI::Client;
use JailCGI::Watch qw(scripts_of server_processes descriptor_counts zombie_list
  touch_in);
use Time::HiRes 'time';

use constant {
    MB      => 1 << 20,
    SECONDS => 30,        # for one request; a busy machine needs one or two
    TIMEOUT => 60,        # what a hang would take
    FIELD   => 400_000,
};

# What must not be seen by a browser.
my $mark = 'SECRET';

my $alice = tenant('alice');
$alice->install(probe('show'), 'show');
$alice->script($_, <<'END') for qw(print nph-print);
#!/bin/sh
cat >/dev/null
exec cat "../out$PATH_INFO"
END
$alice->script('ran', <<'END');
#!/bin/sh
: >/tmp/ran
cat >/dev/null
printf 'Content-Type: text/plain\n\nran\n'
END
$alice->script('crash', <<'END');
#!/bin/sh
echo Content-Type: SECRET
kill -SEGV $$
END
# They do not end by themselves.
$alice->script('goes-on', <<'END');
#!/bin/sh
echo SECRET no header
echo
sleep 600
END
$alice->script('floods', <<'END');
#!/bin/sh
while :; do echo X-A: SECRET; done
END
$alice->script('silent', <<'END');
#!/bin/sh
echo X-A: SECRET
sleep 600
END
$alice->script('zeros', <<'END');
#!/bin/sh
printf SECRET
exec dd if=/proc/self/exe bs=1000000 2>/dev/null
END
# No child of httpd comes or goes, so that each can be compared with itself.
my $httpd = httpd(
    vhosts => [[$alice, <<"END"], $alice->vhost('Timeout 2', name => 'hasty')],
    LimitRequestFieldSize @{[FIELD]}
    LimitRequestBody 1000
END
    config => <<"END",
Timeout @{[TIMEOUT]}
LimitRequestFieldSize @{[FIELD]}
KeepAliveTimeout 30
<IfModule mpm_prefork_module>
    StartServers 4
    MinSpareServers 1
    MaxSpareServers 256
</IfModule>
<IfModule !mpm_prefork_module>
    StartServers 2
    MinSpareThreads 1
    MaxSpareThreads 400
</IfModule>
END
);

# --- bad header blocks ------------------------------------------------------

my $outputs = 0;

sub printing {
    my ($output, $script) = @_;
    my $name = 'out' . ++$outputs;
    $alice->replace("/home/alice/out/$name", $output);
    return '/cgi-bin/' . ($script // 'print') . "/$name";
}

# The lines that a request left in the site's log.
sub site_lines {
    my ($host) = @_;
    return split /\n/, $httpd->log($host // $alice);
}

sub main_lines {
    return grep { /jailcgi|alice/ } split /\n/, $httpd->log;
}

sub serves_next {
    my ($client) = @_;
    my $res = $client->send_request('GET', $alice, '/cgi-bin/ran')->response;
    return "$res->{code} $res->{body}" eq "200 ran\n";
}

# A request, what is answered, and what the log's one line says (undef: none).
sub refused {
    my ($name, $path, $code, $pattern, %option) = @_;
    my $host = $option{host} // $alice;
    $httpd->mark($_) for $host, undef;
    my $began  = time;
    my $client = JailCGI::Client->new($httpd);
    my $res = $client->send_request($option{method} // 'GET', $host, $path,
        ['Connection: close', @{ $option{lines} || [] }],
        @{ $option{body} || [] })->response;
    is_deeply([@$res{qw(code whole)}], [$code, 1], "$name: $code, and whole")
      or diag(explain $res);
    my @seen = %{ $res->{head} };
    unlike("@seen$res->{body}", qr/\Q$mark\E/, "$name: nothing leaks");
    ok($client->wait_for_close, "$name: httpd closes the connection");
    cmp_ok(time - $began, '<', SECONDS, "$name: nothing hangs");
    my @lines = site_lines($host);
    is(scalar @lines, defined $pattern ? 1 : 0, "$name: lines in the site's log")
      or diag(@lines);
    if (defined $pattern) {
        like($lines[0] // '', $pattern, "$name: it says what is wrong");
        like($lines[0] // '', qr/\[jailcgi:error\] .*script \Q@{[$alice->cgi_bin]}\E/,
            "$name: at error, and in which script");
        like($lines[0] // '', qr/\A[\t\x20-\x7e\x80-\xff]{1,1500}\z/,
            "$name: in printable characters, and not many");
    }
    is_deeply([main_lines()], [], "$name: none in the main log");
    return;
}

my $header = "Content-Type: text/html\nX-Mark: $mark\n";
my $page   = "\n$mark page\n";
my $bad    = qr/JCGI1705: .*malformed header line: /;
my $none   = qr/JCGI1704: .*end of script output before headers/;
my $long   = qr/JCGI1706: .*longer than JailHeaderMax allows, or has more than 1,000 lines/;
my $status = qr/JCGI1709: .*bad status line: /;
my $no_end = qr/$bad"end of output where an empty line should be"/;

# What, output, what the log says
my @blocks = (
    ['no colon',            "$mark none$page",            qr/$bad"SECRET none"/],
    ['no colon in line 3',  "${header}none$page",         qr/$bad"none"/],
    ['HTTP in line 1',      "HTTP/1.1 200 OK\n$header$page", qr/${bad}"HTTP/],
    ['a page and no header', "<html>\n<p>$mark</p>\n\n",  qr/$bad"<html>"/],
    ['no name',             ": x\n$header$page",          qr/$bad": x"/],
    ['a space in the name', "X Y: z\n$header$page",       qr/$bad"X Y: z"/],
    ['a second line',       "$header  more$page",         qr/$bad"  more"/],
    ['no end of line',      "Content-Type: $mark",        $no_end],
    ['no empty line',       $header,                      $no_end],
    ['half a line at last', "${header}none",              qr/$bad"none"/],
    ['a NUL in a value',    "X-A: a\0b\n$header$page",    $bad],
    ['a NUL in a name',     "X\0A: b\n$header$page",      $bad],
    ['a NUL at first',      "\0$header$page",             $bad],
    ['nothing but NULs',    "\0" x 1000,                  $bad],
    ['an empty output',     '',                           $none],
    ['only CR',             "\r",                         $bad],
    ['CR for LF',           "$header$page" =~ tr/\n/\r/r, $no_end],
    ['10 MB in one line',   "X-A: $mark" . 'a' x (10 * MB) . "\n$page", $long],
    ['10 MB without a line end', $mark x (10 * MB / 6),   $long],
    ['10 MB in lines',      "$header" x (10 * MB / 40) . $page, $long],
    ['10,000 lines',        "X-A: b\n" x 10_000 . "X-Mark: $mark$page", $long],
    ['1,001 lines',         "X-A: b\n" x 1001 . $page,    $long],
    (map { ["the control character $_", "X-A: a\\x$_ b\n$header$page" =~
          s/\\x(..)/chr hex $1/er, $bad] } qw(01 07 08 0b 0c 1b 1f 7f)),
    ['a control character in a name', "X\x01: b\n$header$page", $bad],
    ['an escape sequence',  "\e[2J\r\e[31mforged: x\n$header$page", $bad],
    ['a forged line of the log',
        "a\n[jailcgi:error] JCGI9999: forged\n$page",     qr/$bad"a"/],
    ['a long bad line',     'a' x 100_000 . $page,        qr/$bad"a{120}\.\.\."/],
    ['bad after 60,000',    'X-A: ' . 'a' x 60_000 . "\nnone$page", qr/$bad"none"/],
    (map { ["Status: $_", "Status: $_\n$header$page", $status] } '999', 'abc',
        '100', '101', '103', '199', '99', '000', '600', '20', '2000', '-200',
        '+200', '0x200', '2e2', '200OK', 'OK 200', "4 04"),
    ['a second, bad Status', "Status: 200\nStatus: 1\n$header$page", $status],
);
for my $block (@blocks) {
    my ($name, $output, $pattern) = @$block;
    refused($name, printing($output), 500, $pattern);
}
refused('an empty output of nph-', printing('', 'nph-print'), 500, $none);
refused('bad and HEAD', printing("$mark\n\n"), 500, $bad, method => 'HEAD');
refused('bad and POST', printing("$mark\n\n"), 500, $bad, method => 'POST',
    lines => ['Content-Length: 3'], body => ['abc']);
refused('a crash', '/cgi-bin/crash', 500, qr/JCGI1701: .*signal 11 \(SIGSEGV\)/);
refused('a script that goes on', '/cgi-bin/goes-on', 500, $bad);
refused('one that never ends', '/cgi-bin/floods', 500, $long);
refused('one that stops in the middle', '/cgi-bin/silent', 504,
    qr/JCGI1707: /, host => 'hasty');
refused('a program as a page', '/cgi-bin/zeros', 500,
    qr/JCGI170[56]: /);

# --- blocks that look bad and are not ----------------------------------------

sub passes {
    my ($name, $output, $head, $body) = @_;
    $httpd->mark($_) for $alice, undef;
    my $client = JailCGI::Client->new($httpd);
    my $res =
      $client->send_request('GET', $alice, printing($output))->response;
    is("$res->{code} $res->{body}", '200 ' . ($body // 'page'), "$name passes");
    my %got = map { $_ => $res->{head}{$_} } keys %$head;
    ok(eq_hash(\%got, $head), "$name: its header arrives") or diag(explain \%got);
    ok(serves_next($client), "$name: the connection serves the next request");
    is_deeply([site_lines(), main_lines()], [], "$name: no line in a log");
    return;
}
passes('a line of 60,000 bytes', 'X-A: ' . 'a' x 59_995 . "\n\npage",
    { 'x-a' => 'a' x 59_995 });
passes('1,000 lines', "X-A: b\n" x 999 . "X-B: c\n\npage", { 'x-b' => 'c' });
passes('nearly 1 MB', 'X-A: ' . 'a' x (MB - 100) . "\n\npage",
    { 'x-a' => 'a' x (MB - 100) });
passes('a tab and bytes above 127', "X-A: a\tb\xfc\xff\n\npage",
    { 'x-a' => "a\tb\xfc\xff" });
passes('a Status without a text', "Status: 200\n\npage", {});
passes('an empty Status',         "Status:\n\npage",     {});
passes('a header without a value', "X-A:\n\npage", { 'x-a' => '' });
passes('CRLF alone', "\r\n", {}, '');

# --- bad requests -----------------------------------------------------------

# Bytes; the status, whether the script runs (undef: it may), what our line in
# the log says (undef: there is none, httpd itself has refused it).
sub bad_request {
    my ($name, $code, $bytes, $runs, $pattern) = @_;
    touch_in($alice, '/tmp/ran', 0);
    $httpd->mark($_) for $alice, undef;
    my $began = time;
    my $got   = $httpd->raw($bytes, SECONDS);
    my ($seen) = ($got // '') =~ m{\AHTTP/1\.1 (\d+) };
    is($seen, $code, "$name: $code") or diag($got // 'it hangs');
    cmp_ok(time - $began, '<', SECONDS, "$name: nothing hangs");
    is(-e $alice->root . '/tmp/ran' ? 1 : 0, $runs, "$name: runs: $runs")
      if defined $runs;
    my @lines = grep { /jailcgi/ } site_lines();
    is(scalar @lines, $pattern ? 1 : 0, "$name: lines of ours in the site's log")
      or diag(@lines);
    like($lines[0] // '', $pattern, "$name: it says what is wrong") if $pattern;
    is_deeply([grep { /jailcgi/ } main_lines()], [], "$name: none in the main log");
    return;
}

sub head {
    my ($line, @lines) = @_;
    return join "\r\n", $line, 'Host: alice', 'Connection: close', @lines, '', '';
}
my $get  = 'GET /cgi-bin/ran HTTP/1.1';
my $post = 'POST /cgi-bin/ran HTTP/1.1';
my $broken = qr/JCGI1712: .*body broke off or was refused$/;

bad_request('a length that is none', 400, head($post, 'Content-Length: x'), 0);
bad_request('a length below 0', 400, head($post, 'Content-Length: -1'), 0);
bad_request('a length above all', 400,
    head($post, 'Content-Length: ' . '9' x 30), 0);
bad_request('two lengths', 400,
    head($post, 'Content-Length: 1', 'Content-Length: 2') . 'ab', 0);
bad_request('an unknown coding', 400,
    head($post, 'Transfer-Encoding: odd') . 'ab', 0);
bad_request('no Host', 400, "$get\r\n\r\n", 0);
bad_request('a header without a colon', 400, head($get, 'odd'), 0);
bad_request('a space before the colon', 400, head($get, 'X-A : b'), 0);
bad_request('a NUL in a header',  400, head($get, "X-A: a\0b"), 0);
bad_request('a NUL in the line',  400, head("GET /cgi-bin/ran\0 HTTP/1.1"), 0);
bad_request('a bare CR',          400, head($get, "X-A: a\rb"), 0);
bad_request('a method with odd characters', 400,
    head('G<>T /cgi-bin/ran HTTP/1.1'), 0);
bad_request('HTTP/3.7',           400, head('GET /cgi-bin/ran HTTP/3.x'), 0);
bad_request('a path that is none', 400, head('GET cgi-bin/ran HTTP/1.1'), 0);
bad_request('a long path', 414,
    head('GET /cgi-bin/ran/' . 'a' x 9000 . ' HTTP/1.1'), 0);
bad_request('many headers', 400, head($get, map { "X-$_: a" } 1 .. 101), 0);
bad_request('a long header', 400, head($get, 'X-A: ' . 'a' x FIELD), 0);
bad_request('a broken escape', 400, head('GET /cgi-bin/ran%zz HTTP/1.1'), 0);
bad_request('a NUL in the path', 404, head('GET /cgi-bin/ran%00 HTTP/1.1'), 0);
bad_request('an odd expectation', 417, head($get, 'Expect: money'), 0);
# The kernel's limit for one string is 128 KB.
bad_request('a header that the kernel refuses', 500,
    head($get, 'X-A: ' . 'a' x 200_000), 0, qr/JCGI1608: .*larger than the kernel/);
# These turn out to be bad when the script may run already: it is ended, and the
# browser is told as long as nothing of a page has left.
my @chunked = ($post, 'Transfer-Encoding: chunked');
bad_request('a long body', 413,
    head($post, 'Content-Length: 2000') . 'a' x 2000, undef, $broken);
bad_request('a bad chunk', 400, head(@chunked) . "3\r\nabc\r\nzz\r\n", undef, $broken);
bad_request('a chunk that is too long', 413,
    head(@chunked) . "ffffffffffffffff\r\na", undef, $broken);
bad_request('many chunks', 413,
    head(@chunked) . "3e8\r\n" . 'a' x 1000 . "\r\n1\r\na\r\n0\r\n\r\n", undef, $broken);

# --- and nothing is left ----------------------------------------------------

sub holders {
    my ($before) = @_;
    my $now = descriptor_counts(keys %$before);
    return grep { $now->{$_} > $before->{$_} } keys %$before;
}
sub all_once {
    my ($client) = @_;
    for my $path (map { "/cgi-bin/print/out$_" } 1 .. $outputs) {
        my $res = JailCGI::Client->new($httpd)->send_request('GET', $alice, $path,
            ['Connection: close'])->response;
    }
    for my $name (qw(crash goes-on floods zeros)) {
        JailCGI::Client->new($httpd)
          ->send_request('GET', $alice, "/cgi-bin/$name", ['Connection: close'])
          ->response;
    }
    # The browser goes in the middle of its request.
    for my $part (1 .. 5) {
        my $client = JailCGI::Client->new($httpd);
        $client->send(head($post, 'Content-Length: 900') . 'abc')->flush;
        $client->close;
    }
    return;
}
ok(wait_until(sub { !scripts_of($alice) }, 30), 'no process is left');
my $before = descriptor_counts(server_processes($httpd));
cmp_ok(scalar keys %$before, '>=', 4, "httpd's processes, helper, keeper are seen");
all_once();
ok(wait_until(sub { !scripts_of($alice) }, 30), 'no process is left again');
ok(wait_until(sub { !zombie_list($httpd) }, 30), 'and no zombie');
ok(wait_until(sub { !holders($before) }, 30), 'and no descriptor')
  or diag(map { my $pid = $_; map { "$pid $_\n" } descriptors($pid) }
      holders($before));
is_deeply([grep { !process_status($_) } keys %$before],
    [], 'the processes are the same');
done_testing;
