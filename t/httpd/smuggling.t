# One answer for each request on the wire. Whatever a script says about the length of
# its answer or about the connection, and whatever its owner says in a .htaccess: what
# comes next on that connection, which may be another tenant's, is httpd's own answer to
# the next request. Asked for directly over HTTP/1.1, over HTTP/2, and behind mod_proxy
# with kept connections, where httpd's own CGI module is the control: there the next
# visitor gets what the script has forged.

use lib 't/lib';
use JailCGI::Test;
use JailCGI::Client;
use JailCGI::Pair;
use JailCGI::Watch 'touch_in';

use Time::HiRes 'sleep';

my $alice = tenant('alice');
my $bob   = tenant('bob');
my $page  = "the page of bob\n";
$bob->settled($bob->jail_htdocs . '/page.txt', $page);
$alice->script($_, JailCGI::Pair::printer()) for qw(print nph-print);
$alice->directory("/home/alice/out$_") for '', qw(/deflate /substitute /include);

# Says 8 bytes and, when the next request waits on the connection, sends more: another
# answer for whoever believes the length.
my $forged = 'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 6\r\n\r\nFORGED';
sub forger {
    my ($head) = @_;
    return <<"END";
#!/bin/sh
printf '$head\\r\\n\\r\\nattacker'
i=0
while [ ! -e /home/alice/go ] && [ ! -e @{[$alice->root]}/home/alice/go ] && [ \$i -lt 50 ]; do sleep 0.1; i=\$((i + 1)); done
printf '$forged$forged'
END
}
my $length = 'Content-Type: text/plain\r\nContent-Length: 8';
my %forger = (
    'longer'       => forger($length),
    'nph-longer'   => forger("HTTP/1.1 200 OK\\r\\n$length"),
    'nph-kept'     => forger("HTTP/1.1 200 OK\\r\\nConnection: keep-alive\\r\\nKeep-Alive: timeout=99\\r\\n$length"),
    'nph-interim'  => forger("HTTP/1.1 103 Early\\r\\nConnection: keep-alive\\r\\n\\r\\nHTTP/1.1 200 OK\\r\\n$length"),
    'nph-1.0-kept' => forger("HTTP/1.0 200 OK\\r\\nConnection: Keep-Alive\\r\\n$length"),
    'nph-bare-lf'  => forger("HTTP/1.1 200 OK\\n" . $length =~ s/\\r//gr),
);
$alice->script($_, $forger{$_}) for keys %forger;
# The same in chunks: their end is the answer's.
$alice->script('nph-chunked', forger('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked')
      =~ s/attacker/8\\r\\nattacker\\r\\n0\\r\\n\\r\\n/r);

# A site with a .htaccess that says more than a site should.
my %htaccess = (
    trusting => 'SetEnv ap_trust_cgilike_cl 1',
    rewriting => "RewriteEngine On\nRewriteRule .* - [E=ap_trust_cgilike_cl:1]",
    matching => 'SetEnvIf Host . ap_trust_cgilike_cl=1',
    shorter  => 'Header set Content-Length 8',
    always   => 'Header always set Content-Length 8',
    coding   => 'Header set Transfer-Encoding chunked',
    'always-coding' => 'Header always set Transfer-Encoding chunked',
    keeping  => "SetEnv ap_trust_cgilike_cl 1\nHeader set Connection keep-alive",
);
for my $name (keys %htaccess) {
    my $dir = $alice->directory($alice->jail_htdocs . "/$name");
    $alice->replace($alice->jail_htdocs . "/$name/.htaccess", "$htaccess{$name}\n");
    $alice->replace($alice->jail_htdocs . "/$name/longer", $forger{longer},
        uid => $alice->uid, gid => $alice->gid, mode => 0755);
}

my $site = <<"END";
    <Directory "@{[$alice->htdocs]}">
        AllowOverride FileInfo
        Options +ExecCGI
        SetHandler cgi-script
    </Directory>
    ScriptAlias /trusted/ "@{[$alice->cgi_bin]}/"
    <Location /trusted>
        SetEnv ap_trust_cgilike_cl 1
    </Location>
    <Location /trusted/print/deflate>
        SetOutputFilter DEFLATE
    </Location>
    <Location /trusted/print/substitute>
        SetOutputFilter SUBSTITUTE
        Substitute s/a/bbbb/
    </Location>
    <Location /trusted/print/include>
        Options +Includes
        SetOutputFilter INCLUDES
    </Location>
END
my @modules = (qw(headers rewrite setenvif filter deflate substitute include));
my %option = (
    config => (mpm() eq 'prefork' ? '' : "ScriptSock cgid.sock\n")
      . "KeepAliveTimeout 20\n",
    vhosts => [JailCGI::Pair::host($alice, $site), JailCGI::Pair::host($bob, '')],
);
my $ours = httpd(%option, modules => \@modules);
my $theirs = httpd(
    %option,
    modules         => [@modules, mpm() eq 'prefork' ? 'cgi' : 'cgid'],
    without_jailcgi => 1
);
# One child and one connection to the server behind it.
my %front = (ours => front($ours), theirs => front($theirs));

sub front {
    my ($behind) = @_;
    return httpd(
        mpm             => 'event',
        modules         => [qw(proxy proxy_http)],
        without_jailcgi => 1,
        config          => <<"END",
ServerLimit 1
StartServers 1
MaxRequestWorkers 25
MaxSpareThreads 25
ProxyPreserveHost On
ProxyPass / http://127.0.0.1:@{[$behind->port]}/ max=1
END
    );
}

# --- the forged answer ------------------------------------------------------

# What a visitor of bob's gets after an answer of alice's script, on a connection that
# the proxy may have kept.
sub visit_after {
    my ($front, $path) = @_;
    touch_in($alice, '/home/alice/go', 0);
    my $attacker = JailCGI::Client->new($front);
    $attacker->send_request('GET', 'alice', $path)->wait_for(qr/attacker/);
    sleep 0.3;    # until the proxy has done with it, if it has the end of it
    my $visitor = JailCGI::Client->new($front);
    $visitor->send_request('GET', $bob, '/page.txt');
    sleep 0.5;
    touch_in($alice, '/home/alice/go', 1);
    my $res = $visitor->response;
    return "$res->{code} $res->{body}";
}

my @forgeries = ((map { "/cgi-bin/$_" } grep { /^nph-/ } sort keys %forger),
    '/cgi-bin/nph-chunked', '/cgi-bin/longer', '/trusted/longer',
    map { "/$_/longer" } sort keys %htaccess);
my %is_forged;
for my $path (@forgeries) {
    my $got = visit_after($front{theirs}, $path);
    $is_forged{$path} = 1 if $got =~ /FORGED/;
    is(visit_after($front{ours}, $path), "200 $page",
        "$path: the next visitor has his own page");
}
note('forged with httpd\'s own module: ', join ' ', sort keys %is_forged);
ok($is_forged{$_}, "control: $_ forges with httpd's own module")
  for qw(/cgi-bin/nph-longer /cgi-bin/nph-kept /trusted/longer /trusting/longer);
is($is_forged{'/cgi-bin/longer'}, undef, 'control: not where nobody believes the length');

$ours->log_like($alice, qr/longer: sends more than its Content-Length of 8 bytes, and/,
    'the log says that something was dropped');

# Who may say that a length is to be believed.
for my $path ('/trusted/longer', map { "/$_/longer" } qw(trusting rewriting matching)) {
    touch_in($alice, '/home/alice/go', 0);
    my ($client, $res) = (JailCGI::Client->new($ours), {});
    $client->send_request('GET', $alice, $path)->take_head($res);
    is($res->{head}{'content-length'}, $path =~ /trusted/ ? 8 : undef,
        "$path: the server's configuration, and no .htaccess");
    touch_in($alice, '/home/alice/go', 1);
}

# --- lengths ----------------------------------------------------------------

my $outputs = 0;

sub printing {
    my ($output, $script) = @_;
    my $name = 'out' . ++$outputs;
    my $path = $script =~ m{/(deflate|substitute|include)$} ? "$1/$name" : $name;
    $alice->replace("/home/alice/out/$path", $output);
    return '/' . ($script =~ s{/(?:deflate|substitute|include)$}{}r) . "/$path";
}

# The first answer and, pipelined behind it, the page of bob's: undef if the connection
# has ended with the first, which is as good.
sub both {
    my ($method, $path) = @_;
    my $client = JailCGI::Client->new($ours);
    my @lines = $path =~ /deflate/ ? 'Accept-Encoding: gzip' : ();
    $client->send_request('GET', $bob, '/page.txt');
    $client->response;
    $client->send_request($method, $alice, $path, \@lines);
    $client->send("GET /page.txt HTTP/1.1\r\nHost: bob\r\nConnection: close\r\n\r\n");
    my $first = $client->response;
    $client->{head_only} = 0;
    if (($first->{head}{connection} // '') eq 'close') {
        # Nobody takes what follows for an answer.
        return ($first, undef, $client->wait_for_close ? '' : 'still open');
    }
    my $second = $client->response;
    $second = undef if !$second->{code} && $client->eof && $client->rest eq '';
    my $rest = $client->wait_for_close ? $client->rest : 'still open';
    return ($first, $second, $rest);
}

sub next_is_own {
    my ($name, $method, $path, %has) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my ($first, $second, $rest) = both($method, $path);
    is($rest, '', "$name: no third answer");
    is($second ? "$second->{code} $second->{body}" : "200 $page", "200 $page",
        "$name: the next answer is httpd's own");
    is($first->{$_}, $has{$_}, "$name: $_") for grep { !/^header:/ } sort keys %has;
    for my $field (grep { /^header:/ } sort keys %has) {
        is($first->{head}{ substr $field, 7 }, $has{$field}, "$name: $field");
    }
    return $first;
}

my $T = "Content-Type: text/plain\n";
my $trusted = 'trusted/print';
my @exact = (code => 200, whole => 1, 'header:content-length' => 4, body => 'page');
next_is_own('a length that is right', 'GET',
    printing("${T}Content-Length: 4\n\npage", $trusted), @exact);
next_is_own('one that is short', 'GET',
    printing("${T}Content-Length: 4\n\npage and more", $trusted), @exact);
next_is_own('one that is 0', 'GET', printing("${T}Content-Length: 0\n\npage", $trusted),
    code => 200, whole => 1, body => '');
next_is_own('one with zeros before it', 'GET',
    printing("${T}Content-Length: 0004\n\npage and more", $trusted), @exact);
my $short = next_is_own('one that is long', 'GET',
    printing("${T}Content-Length: 40\n\npage", $trusted), code => 200);
ok(!$short->{whole}, 'one that is long: is not whole');
is($short->{body}, 'page', 'is broken off');
$ours->log_like($alice, qr/sends 36 bytes less than its Content-Length/, 'and the log says so');
next_is_own('one of 1 MB and more', 'GET',
    printing("${T}Content-Length: 1000000\n\n" . 'x' x 1_500_000, $trusted),
    whole => 1, body => 'x' x 1_000_000);
next_is_own('HEAD', 'HEAD', printing("${T}Content-Length: 400\n\n", $trusted),
    code => 200, 'header:content-length' => 400);
next_is_own('204', 'GET', printing("Status: 204 x\nContent-Length: 4\n\npage", $trusted),
    code => 204, 'header:content-length' => undef);
next_is_own('304', 'GET', printing("Status: 304 x\nContent-Length: 4\n\npage", $trusted),
    code => 304, 'header:content-length' => undef);
next_is_own('206', 'GET',
    printing("Status: 206 x\nContent-Range: bytes 0-3/9\n${T}Content-Length: 4\n\npage and more", $trusted),
    code => 206, whole => 1, body => 'page');
next_is_own('404', 'GET', printing("Status: 404 x\n${T}Content-Length: 4\n\npage and more", $trusted),
    code => 404, whole => 1, body => 'page');
for my $filter (qw(deflate substitute include)) {
    my $first = next_is_own($filter, 'GET',
        printing("Content-Type: text/html\nContent-Length: 4\n\naaaa" . ' and more' x 100, "$trusted/$filter"), whole => 1);
    isnt($first->{head}{'content-length'}, 4, "$filter: its length is another");
}

# --- the battery ------------------------------------------------------------

my %answer = (
    'two lengths'      => "${T}Content-Length: 3\nContent-Length: 30\n\nabc",
    'length too short' => "${T}Content-Length: 1\n\nabcdef",
    'length too long'  => "${T}Content-Length: 100\n\nabc",
    'a length with a sign' => "${T}Content-Length: +1\n\nabc",
    'a list of lengths' => "${T}Content-Length: 1, 1\n\nabc",
    'chunked'          => "${T}Transfer-Encoding: chunked\n\n5\r\nabcde\r\n0\r\n\r\n",
    'chunked, and a length' => "${T}Transfer-Encoding: chunked\nContent-Length: 3\n\n5\r\nabcde\r\n0\r\n\r\n",
    'name with blank'  => "${T}Content-Length : 3\n\nabc",
    'folded'           => "${T}X-A: b\n Content-Length: 3\n\nabc",
    'CR in value'      => "${T}X-A: b\rX-Injected: 3\n\nabc",
    'CR CR LF'         => "${T}X-A: b\r\r\nX-B: c\r\n\r\nabc",
    'NUL'              => "${T}X-A: b\0X-Injected: z\n\nabc",
    'VT'               => "${T}X-A: b\x0bX-Injected: z\n\nabc",
    'DEL'              => "${T}X-A: b\x7f\n\nabc",
    'high bytes'       => "${T}X-A: \xc3\xa9\xe2\x80\xa8x\n\nabc",
    '100'              => "${T}Status: 100 Continue\n\nabc",
    '101'              => "${T}Status: 101 x\nUpgrade: h2c\nConnection: Upgrade\n\nabc",
    '103'              => "${T}Status: 103 x\n\nabc",
    '204 with body'    => "${T}Status: 204 x\n\nabc",
    '304 with body'    => "${T}Status: 304 x\n\nabc",
    '205'              => "${T}Status: 205 x\n\nabc",
    'status text'      => "${T}Status: 200 OK HTTP/1.1 500 x\n\nabc",
    'status tab'       => "${T}Status: 200\tx\n\nabc",
    'status semicolon' => "${T}Status: 404;x\n\nabc",
    '999'              => "${T}Status: 999 x\n\nabc",
    '0200'             => "${T}Status: 0200\n\nabc",
    'connection'       => "${T}Connection: keep-alive, X-Y\nKeep-Alive: timeout=9999\n\nabc",
    'connection close' => "${T}Connection: close\n\nabc",
    'upgrade'          => "${T}Connection: Upgrade\nUpgrade: websocket\n\nabc",
    'trailer'          => "${T}Trailer: X-T\nTE: trailers\n\nabc",
    'pseudo'           => ":status: 200\n$T\n\nabc",
    'date, server'     => "${T}Date: yesterday\nServer: evil\nVia: x\n\nabc",
    'location splits'  => "Location: http://x/%0d%0aX-Injected: y\n\n",
    'location CR'      => "Location: http://x/\rX-Injected: a=b\n\n",
    'location //'      => "Location: //evil.test/\n\n",
    'location ../'     => "Location: /../../etc/passwd\n\n",
    'range'            => "${T}Status: 206 x\nContent-Range: bytes 0-1/2\n\nabc",
    'proxy status'     => "${T}Proxy-Connection: keep-alive\nProxy-Authenticate: Basic\nHTTP2-Settings: x\n\nabc",
    'no header'        => "\n\nabc",
    'only LF'          => "\n",
    'CRLF CRLF'        => "\r\n\r\nabc",
);
my $ok = "HTTP/1.1 200 OK\r\n";
my $second = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nFORGED";
# [answer, expected status or undef for 500]
my %nph = (
    'a whole answer'       => ["${ok}Content-Length: 3\r\n\r\nabc", 200],
    'two of them'          => ["${ok}Content-Length: 3\r\n\r\nabc$second", 200],
    'no length'            => ["${ok}X-A: b\r\n\r\nabc", 200],
    'chunks'               => ["${ok}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n$second", 200],
    'another version'      => ["HTTP/2.0 200 OK\r\nContent-Length: 3\r\n\r\nabc", 200],
    '204 with a length'    => ["HTTP/1.1 204 x\r\nContent-Length: 3\r\n\r\nabc$second", 204],
    '304 with a body'      => ["HTTP/1.1 304 x\r\n\r\n$second", 304],
    'interim answers'      => ["HTTP/1.1 100 x\r\n\r\nHTTP/1.1 103 x\r\nX-A: b\r\n\r\n${ok}Content-Length: 3\r\n\r\nabc", 200],
    'interim alone'        => ["HTTP/1.1 103 x\r\n\r\n"],
    'interim with length'  => ["HTTP/1.1 103 x\r\nContent-Length: 5\r\n\r\n$ok\r\n"],
    'many interim ones'    => [("HTTP/1.1 103 x\r\n\r\n" x 20) . "${ok}\r\nabc"],
    '101'                  => ["HTTP/1.1 101 x\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n$second"],
    'both lengths'         => ["${ok}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\nabc"],
    'two lengths'          => ["${ok}Content-Length: 3\r\nContent-Length: 5\r\n\r\nabcde"],
    'the same length twice' => ["${ok}Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc"],
    'a length with a sign' => ["${ok}Content-Length: +3\r\n\r\nabc"],
    'a list of lengths'    => ["${ok}Content-Length: 3, 3\r\n\r\nabc"],
    'an empty length'      => ["${ok}Content-Length:\r\n\r\nabc"],
    'a huge length'        => ["${ok}Content-Length: 99999999999999999999999\r\n\r\nabc"],
    'another coding'       => ["${ok}Transfer-Encoding: gzip, chunked\r\n\r\nabc"],
    'a coding that looks like it' => ["${ok}Transfer-Encoding: xchunked\r\n\r\nabc"],
    'two codings'          => ["${ok}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"],
    'chunks with HTTP/1.0' => ["HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"],
    'folded'               => ["${ok}X-A: b\r\n Content-Length: 3\r\n\r\nabc"],
    'name with blank'      => ["${ok}Content-Length : 3\r\n\r\nabc"],
    'no colon'             => ["${ok}X-A\r\n\r\nabc"],
    'NUL'                  => ["${ok}X-A: b\0\r\n\r\nabc"],
    'control'              => ["${ok}X-A: b\x0bc\r\n\r\nabc"],
    'CR in value'          => ["${ok}X-A: b\rX-Injected: c\r\n\r\nabc", 200],
    'no status line'       => ["Content-Type: x/y\r\n\r\nabc"],
    'an empty line first'  => ["\r\n$second"],
    'no HTTP'              => ["what it likes\0\n"],
    'no end'               => ["${ok}X-A: b\r\n"],
    'status of four digits' => ["HTTP/1.1 2000 OK\r\n\r\nabc"],
    'status 099'           => ["HTTP/1.1 099 OK\r\n\r\nabc"],
    'status 600'           => ["HTTP/1.1 600 OK\r\n\r\nabc"],
    'no status'            => ["HTTP/1.1 OK\r\n\r\nabc"],
    'no version'           => ["HTTP 200 OK\r\n\r\nabc"],
    'a control in the reason' => ["HTTP/1.1 200 O\x01K\r\n\r\nabc"],
    'hop by hop'           => ["${ok}Connection: keep-alive, X\r\nKeep-Alive: x\r\nProxy-Connection: x\r\nUpgrade: x\r\nTE: x\r\nTrailer: x\r\nContent-Length: 3\r\n\r\nabc", 200],
);
my $long = "${ok}X-A: " . ('a' x 2_000_000) . "\r\n\r\nabc";

my %path = (
    (map { ("script, $_" => printing($answer{$_}, 'cgi-bin/print')) } keys %answer),
    (map { ("trusted, $_" => printing($answer{$_}, $trusted)) } keys %answer),
    (map { ("nph-, $_" => printing($nph{$_}[0], 'cgi-bin/nph-print')) } keys %nph),
    'nph-, a header above JailHeaderMax' => printing($long, 'cgi-bin/nph-print'),
);

sub is_clean {
    my ($name, $res) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my @bad = grep { exists $res->{head}{$_} }
      qw(x-injected keep-alive upgrade proxy-connection te trailer set-cookie);
    # httpd's own, to a client of HTTP/1.1 that keeps the connection.
    @bad = grep { !($_ eq 'keep-alive' && $res->{head}{$_} =~ /^timeout=\d+(?:, max=\d+)?$/ && $res->{head}{$_} !~ /9999/)
          && !($_ eq 'upgrade' && $res->{head}{$_} =~ /^h2c?(?:,h2c?)?$/) } @bad;
    is("@bad", '', "$name: nothing is said for httpd");
    return;
}

for my $name (sort keys %path) {
    my $res = next_is_own("HTTP/1.1: $name", 'GET', $path{$name});
    is_clean("HTTP/1.1: $name", $res);
    next if $name !~ /^nph-, (.*)/;
    my $code = $nph{$1} ? $nph{$1}[1] // 500 : 500;
    is($res->{code}, $code, "HTTP/1.1: $name: $code");
    is($res->{head}{connection}, 'close', "HTTP/1.1: $name: the connection ends");
    next_is_own("HEAD: $name", 'HEAD', $path{$name});
}
$ours->log_like($alice, qr/JCGI1705.*both Content-Length and Transfer-Encoding/, 'JCGI1705');
$ours->log_like($alice, qr/JCGI1709.*HTTP\/1\.1 101 x/,  'JCGI1709');
$ours->log_like($alice, qr/JCGI1706/,                    'JCGI1706');
my $res = JailCGI::Client->new($ours)->send_request('GET', $alice, $path{'nph-, interim answers'})->response;
is($res->{interim}, 2, 'interim answers are passed on');

# Behind the proxy, on one connection that it keeps.
for my $name (sort keys %path) {
    my $client = JailCGI::Client->new($front{ours});
    $client->send_request('GET', $alice, $path{$name})->response;
    $client = JailCGI::Client->new($front{ours});
    my $got = $client->send_request('GET', $bob, '/page.txt')->response;
    is("$got->{code} $got->{body}", "200 $page", "proxy: $name: the next visitor has his page");
}

# curl 7.88 cannot use a connection of HTTP/2 twice without TLS.
sub over_tls {
    my $dir = work_dir();
    system('openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=alice '
          . "-keyout $dir/key -out $dir/certificate >$dir/openssl 2>&1") == 0
      or die 'openssl failed';
    my $tls = <<"END";
    SSLEngine On
    SSLCertificateFile $dir/certificate
    SSLCertificateKeyFile $dir/key
END
    return httpd(
        config  => "SSLSessionCache none\nProtocols h2 http/1.1\n",
        modules => [@modules, qw(http2 ssl socache_shmcb)],
        vhosts  => [JailCGI::Pair::host($alice, "$site$tls"), JailCGI::Pair::host($bob, $tls)],
    );
}

sub output_of {
    my (@command) = @_;
    open my $out, '-|', @command or die "$command[0]: $!";
    local $/;
    return readline($out) // '';
}

# Over HTTP/2, with both in one connection.
if (mpm() ne 'prefork') {
    my ($dir, $httpd) = (work_dir(), over_tls());
    for my $name (sort keys %path) {
        my @curl = ('curl', '-q', '--silent', '--http2', '--insecure', '--noproxy', '*', '--max-time', 30);
        my $base = 'https://127.0.0.1:' . $httpd->port;
        unlink "$dir/first", "$dir/second";
        my $said = output_of(@curl, '-H', 'Host: alice', '-D', "$dir/head", '-o', "$dir/first",
            '-w', '%{http_code} %{http_version}|', "$base$path{$name}", '--next', @curl[1 .. $#curl],
            '-H', 'Host: bob', '-o', "$dir/second", '-w', '%{http_code} %{num_connects}', "$base/page.txt");
        my ($first, $second) = split /\|/, $said;
        like($second // '', qr/^200 0$/, "HTTP/2: $name: the next one is answered ($said)");
        is(JailCGI::Httpd::slurp("$dir/second"), $page, "HTTP/2: $name: with its own page");
        unlike(JailCGI::Httpd::slurp("$dir/head"), qr/^(?:x-injected|connection|keep-alive|upgrade|te):/mi,
            "HTTP/2: $name: nothing is said for httpd");
        if ($name =~ /^nph-, (.*)/) {
            my $code = $nph{$1} ? $nph{$1}[1] // 500 : 500;
            is($first, "$code 2", "HTTP/2: $name: $code");
        }
    }
}
done_testing;
