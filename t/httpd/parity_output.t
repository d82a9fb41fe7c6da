# As parity.t: the same requests to httpd's own CGI module and to mod_jailcgi. Here:
# what a script may say, and bodies.
#
# MPM: event, worker, prefork

use lib 't/lib';
use JailCGI::Test;
use JailCGI::Pair;

use Compress::Zlib 'memGzip';

my $alice = tenant('alice');
$alice->install(probe('show'), 'show');
$alice->script($_, JailCGI::Pair::printer()) for qw(print nph-print);
$alice->directory('/home/alice/out');
$alice->replace('/home/alice/out/itself',
    "Location: /cgi-bin/print/itself\n\n");
$alice->settled($alice->jail_htdocs . '/page.txt', "a static page\n");

my %location = (
    limited => 'LimitRequestBody 1000',
    inflate => 'SetInputFilter DEFLATE',
    deflate => 'SetOutputFilter DEFLATE',
    trust   => 'SetEnv ap_trust_cgilike_cl 1',
);
my $site = join '', map { <<"END" } sort keys %location;
    ScriptAlias /$_/ "@{[$alice->cgi_bin]}/"
    <Location /$_/>
    $location{$_}
    </Location>
END
my $own    = "the tenant's own, not httpd's";
my %always = (
    'env:PATH'        => [qr{/},  '/usr/local/bin:/usr/bin:/bin', $own],
    'env:HOME'        => [undef, '/',         $own],
    'env:SHELL'       => [undef, '/bin/sh',   $own],
    'env:TMPDIR'      => [undef, '/tmp',      $own],
    'env:USER'        => [undef, $alice->uid, $own],
    'env:LOGNAME'     => [undef, $alice->uid, $own],
    'env:LD_BIND_NOW' => [undef, '1', 'libraries that do not fit fail at once'],
);
my $pair = JailCGI::Pair->new(
    tenant  => $alice,
    always  => \%always,
    modules => [qw(filter deflate)],
    vhosts  => [JailCGI::Pair::host($alice, $site)],
);
my %post = (
    method => 'POST',
    lines  => ['Content-Length: 3', 'Content-Type: x/y'],
    body   => 'abc'
);
# --- what a script says -----------------------------------------------------

my $outputs = 0;

# The path of a script that prints this.
sub printing {
    my ($output, $script) = @_;
    my $name = 'out' . ++$outputs;
    $alice->replace("/home/alice/out/$name", $output);
    return '/' . ($script // 'cgi-bin/print') . "/$name";
}

sub says {
    my ($name, $output, @rest) = @_;
    my $request = @rest % 2 ? shift @rest : {};
    my $script = delete $request->{script};
    return [$name, { path => printing($output, $script), %$request }, @rest];
}

# What differs if theirs sends the page with this status, and ours a 500.
sub refused {
    my ($why, $status, %theirs) = @_;
    %theirs = (
        body => qr/page/, status => $status, 'header:content-type' => undef,
        %theirs
    );
    my %ours = (
        body => qr/Internal Server Error/, status => 500, interim => 0,
        reason => 'Internal Server Error', 'header:server' => qr/Apache/,
        'header:content-type' => 'text/html; charset=iso-8859-1',
        'header:connection'   => 'close'
    );
    delete $theirs{status} if ($status // '') eq '500';
    return map { $_ => [$theirs{$_}, $ours{$_}, $why] } keys %theirs;
}
my $closes = 'a proxy must not wait for another answer';
my $ends   = "the connection is httpd's";
my $long   = 'a line of 60,000 bytes passes, not 8,190';
my $unsent = 'RFC 3875, 6.3: a field without a value is as good as not sent';

my @cut = (whole => 'httpd checks a second time and may cut its page of the error');

sub code { return { code => $_[0], @_[1 .. $#_] } }

my $date  = 'Sun, 06 Nov 1994 08:49:37 GMT';
my $later = 'Mon, 06 Nov 2000 08:49:37 GMT';
my $dated = "Content-Type: x/y\nLast-Modified: $date\nETag: \"tag\"\n\npage";

$pair->compare_all(
    says('LF',            "Content-Type: text/plain\nX-A: 1\n\npage\n"),
    says('CRLF',          "Content-Type: text/plain\r\nX-A: 1\r\n\r\npage\r\n"),
    says('LF and CRLF',   "Content-Type: text/plain\r\nX-A: 1\n\r\n\n\npage"),
    says('CR CR LF',      "Content-Type: text/plain\r\r\nX-A: 1\r\r\n\npage"),
    says('no body',       "Content-Type: text/plain\n\n"),
    says('no Content-Type', "X-A: 1\n\npage"),
    says('no header but an empty line', "\npage"),
    says('no header but CRLF',          "\r\npage"),
    says('spaces',        "content-TYPE:text/plain\nX-A:  \t1 2 \nX-B:\n\npage",
        'header:x-a' => ['1 2 ', '1 2', 'HTTP has no space at the end of a value']),
    says('a charset',     "Content-Type: Text/HTML; Charset=UTF-8\n\npage"),
    says('Status',        "Status: 404 Not here\nContent-Type: x/y\n\npage",
        code(404)),
    says('Status without a reason', "Status: 403\nContent-Type: x/y\n\npage",
        code(403)),
    says('Status 200',    "Status: 200 Fine\n\npage"),
    says('Status 299',    "Status: 299 Own\n\npage", code(299)),
    says('Status 500',    "Status: 500 Own\n\nown page", code(500)),
    says('Status 204',    "Status: 204 None\nX-A: 1\n\n", code(204)),
    says('Status 204 with a page', "Status: 204 None\n\npage", code(204)),
    says('Status 304 with a page', "Status: 304 Old\nETag: \"e\"\n\npage",
        code(304)),
    says('Status 206', "Status: 206 Part\nContent-Range: bytes 0-3/9\n\npage",
        code(206)),
    says('Status 401', "Status: 401 Who\nWWW-Authenticate: Basic realm=x\n\npage",
        code(401)),
    says('Status twice',  "Status: 404 A\nStatus: 403 B\n\npage", code(403)),
    says('Content-Type twice', "Content-Type: a/b\nContent-Type: c/d\n\npage"),
    says('Status 999', "Status: 999 Own\n\npage", code(500),
        refused('HTTP has no status above 599', 999, reason => 'Own')),
    says('Status 100', "Status: 100 Go on\n\npage", code(500),
        refused('it is not the final status', undef,
            'header:connection' => undef, 'header:server' => undef,
            interim => 1, reason => undef)),
    says('Status abc', "Status: abc\n\npage", code(500),
        refused('nothing of a bad block is sent', 500)),
    says('Status empty', "Status:\n\npage", code(200),
        status => [500, 200, $unsent],
        reason => ['Internal Server Error', 'OK', $unsent]),
    says('Content-Type empty', "Content-Type:\n\npage"),
    says('Content-Length', "Content-Length: 4\n\npage"),
    says('Content-Length, wrong', "Content-Length: 400\n\npage"),
    says('Content-Length, short', "Content-Length: 2\n\npage"),
    says('Content-Length, odd',   "Content-Length: x\n\npage"),
    says('Content-Length, trusted', "Content-Length: 4\n\npage",
        { script => 'trust/print', with_length => 1 }),
    says('Content-Length, trusted, HEAD', "Content-Length: 400\n\n",
        { script => 'trust/print', with_length => 1, method => 'HEAD',
            has => { 'header:content-length' => 400 } }),
    says('Transfer-Encoding', "Transfer-Encoding: chunked\n\n4\r\npage\r\n0\r\n\r\n"),
    says('Transfer-Encoding and length',
        "Transfer-Encoding: chunked\nContent-Length: 3\n\npage"),
    says('Connection', "Connection: keep-alive\nKeep-Alive: x\nUpgrade: y\n\npage",
        'header:connection' => ['keep-alive, close', 'close', $ends],
        'header:keep-alive' => ['x', undef, $ends],
        'header:upgrade'    => ['y', undef, $ends]),
    says('Proxy-Connection', "Proxy-Connection: x\nTE: y\nTrailer: z\n\npage",
        'header:proxy-connection' => ['x', undef, $ends],
        'header:te'               => ['y', undef, $ends],
        'header:trailer'          => ['z', undef, $ends]),
    says('Date and Server', "Date: $date\nServer: mine\n\npage"),
    says('many Set-Cookie',
        "Set-Cookie: a=1, 2\nX-A: 1\nset-cookie: b=2\nSet-Cookie: c=3\n\npage"),
    says('a header twice', "X-A: 1\nX-A: 2\nVary: a\nVary: b\n\npage"),
    says('Pragma and Cache-Control', "Pragma: no-cache\nCache-Control: no-store\n\npage"),
    says('latin 1',       "X-A: \xfc\n\npage"),
    says('a long line',   'X-A: ' . 'a' x 8000 . "\n\npage"),
    says('100 lines',     join('', map { "X-$_: $_\n" } 1 .. 100) . "\npage"),
    says('HEAD',          "Content-Type: x/y\nX-A: 1\n\n", { method => 'HEAD' }),
    says('HEAD with a page', "Content-Type: x/y\n\npage", { method => 'HEAD' }),
    says('HTTP/1.0',      "Content-Type: x/y\n\npage", { version => 'HTTP/1.0' }),
    says('HTTP/0.9',      "Content-Type: x/y\n\npage",
        code(undef, version => '', has => { body => 'page' })),

    # Conditions
    says('Last-Modified and ETag', $dated),
    says('If-Modified-Since', $dated,
        code(304, lines => ["If-Modified-Since: $date"])),
    says('If-Modified-Since, older', $dated,
        { lines => ['If-Modified-Since: Sun, 06 Nov 1993 08:49:37 GMT'] }),
    says('If-None-Match', $dated, code(304, lines => ['If-None-Match: "tag"'])),
    says('If-None-Match, another', $dated, { lines => ['If-None-Match: "x"'] }),
    says('If-None-Match, POST', $dated,
        { method => 'POST', lines => ['If-None-Match: "tag"'] }),
    says('If-Match', $dated, code(412, lines => ['If-Match: "x"'])),
    says('If-Unmodified-Since', $dated,
        code(412, lines => ['If-Unmodified-Since: Sun, 06 Nov 1993 08:49:37 GMT'])),
    says('a condition and a Status', "Status: 200 OK\n$dated",
        { lines => ['If-None-Match: "tag"'] }),
    says('a condition and a cookie', "Set-Cookie: a=b\n$dated",
        code(304, lines => ['If-None-Match: "tag"'])),
    says('a condition, HEAD', $dated,
        code(304, method => 'HEAD', lines => ['If-None-Match: "tag"'])),
    says('Range', $dated, { lines => ['Range: bytes=1-2'] }),
    says('Last-Modified, none', "Last-Modified: yesterday\n\npage"),

    # Redirects
    says('Location, local', "Location: /page.txt\n\n"),
    says('Location, local, with a page', "Location: /page.txt\n\nnot this"),
    says('Location, local, a query', "Location: /cgi-bin/show?a=b\n\n"),
    says('Location, local, path info', "Location: /cgi-bin/show/x%20y?a\n\n"),
    says('Location, local, POST', "Location: /cgi-bin/show\n\n", {%post}),
    says('Location, local, HEAD', "Location: /page.txt\n\n", { method => 'HEAD' }),
    says('Location, local, absent', "Location: /none\n\n", code(404)),
    says('Location, local, fragment', "Location: /page.txt#x\n\n"),
    says('Location, local, //', "Location: //page.txt\n\n"),
    says('Location, local, a cookie', "Set-Cookie: a=b\nLocation: /page.txt\n\n"),
    says('Location, local, a Status', "Status: 302 Found\nLocation: /page.txt\n\nx",
        code(302)),
    says('Location, local, Status 200', "Status: 200 OK\nLocation: /page.txt\n\n"),
    says('Location, itself', "Location: /cgi-bin/print/itself\n\n", code(500)),
    says('Location, absolute', "Location: http://other/x?y#z\n\nx", code(302)),
    says('Location, absolute, POST', "Location: http://other/\n\n", code(302, %post)),
    says('Location, absolute, HEAD', "Location: http://other/\n\n",
        code(302, method => 'HEAD')),
    says('Location, absolute, a cookie',
        "Content-Type: x/y\nSet-Cookie: a=b\nX-A: 1\nLocation: http://other/\n\n",
        code(302)),
    says('Location, absolute, 301', "Status: 301\nLocation: http://other/\n\nown",
        code(301)),
    says('Location, absolute, 303', "Status: 303 See\nLocation: http://other/\n\n",
        code(303)),
    says('Location with 201', "Status: 201 Made\nLocation: /x\n\nown", code(201)),
    says('Location, relative', "Location: page.txt\n\n", code(302)),
    says('Location, empty', "Location:\n\npage",
        status => [302,             200,    $unsent],
        reason => ['Found',         'OK',   $unsent],
        body   => [qr/302 Found/,   'page', $unsent],
        'header:content-type' => [qr/html/, undef, $unsent]),

    # nph-
    says('nph-', "HTTP/1.1 299 Own\r\nX-A: 1\r\n\r\nraw", code(299,
        script => 'cgi-bin/nph-print'),
        'header:connection' => [undef, 'close', $closes]),
    says('nph-, HTTP/1.0', "HTTP/1.0 200 OK\r\nA: b\r\n\r\nraw",
        { script => 'cgi-bin/nph-print', version => 'HTTP/1.0' },
        'header:connection' => [undef, 'close', $closes]),
    says('nph-, no HTTP', "what it likes\0\n",
        code(500, script => 'cgi-bin/nph-print'),
        refused('nobody can tell where such an answer ends', undef,
            body => qr/what it likes/, reason => undef,
            'header:connection' => undef, 'header:server' => undef)),
    says('nph-, POST', "HTTP/1.1 200 OK\r\nA: b\r\n\r\nraw",
        { script => 'cgi-bin/nph-print', %post },
        'header:connection' => [undef, 'close', $closes]),
    says('nph-, HEAD', "HTTP/1.1 200 OK\r\nA: b\r\n\r\n",
        { script => 'cgi-bin/nph-print', method => 'HEAD' },
        'header:connection' => [undef, 'close', $closes]),
    says('nph-, nothing', '', code(500, script => 'cgi-bin/nph-print'),
        refused('RFC 3875, 5.2: it has to say something', undef, body => '',
            'header:connection' => undef, 'header:server' => undef,
            reason => undef)),

    # Bad ones
    says('nothing',        '',                       code(500)),
    says('no header',      "page\n",                 code(500)),
    says('no empty line',  "Content-Type: x/y\n",    code(500)),
    says('no line end',    'Content-Type: x/y',      code(500)),
    says('a space before the colon', "X-A : x/y\n\npage", code(500), @cut),
    says('a space in the name',      "X A: 1\n\npage",    code(500), @cut),
    says('no name',        ": x\n\npage",            code(500), @cut),
    says('a second line',  "X-A: 1\n  2\n\npage",    code(500)),
    says('a NUL',          "X-A: 1\0 2\n\npage",     code(500),
        refused('a line is not cut at a NUL', 200, 'header:x-a' => 1,
            reason => 'OK')),
    says('a control character', "X-A: 1\x01\n\npage", code(500), @cut),
    says('DEL',            "X-A: 1\x7f\n\npage",     code(500), @cut),
    says('a tab',          "X-A: 1\t2\n\npage"),
    says('a CR in a line', "X-A: 1\rX-B: 2\n\npage"),
    says('60,000 bytes',   'X-A: ' . 'a' x 60_000 . "\n\npage",
        status   => [500, 200, $long],
        reason   => ['Internal Server Error', 'OK', $long],
        body     => [qr/Internal Server Error/, 'page', $long],
        'header:x-a' => [undef, 'a' x 60_000, $long],
        'header:content-type' => ['text/html; charset=iso-8859-1', undef, $long]),
);

# --- bodies -----------------------------------------------------------------

sub chunked {
    return join '', (map { sprintf "%x\r\n%s\r\n", length, $_ } @_), "0\r\n\r\n";
}
my @decoded = (
    'env:HTTP_TRANSFER_ENCODING' => [
        'chunked', undef, 'the script reads it decoded'
    ]
);
my @inflated = (
    'env:CONTENT_LENGTH' => [
        qr/^\d\d$/, undef, 'it is not the length of what the script reads'
    ],
    'env:HTTP_CONTENT_ENCODING' => ['gzip', undef, 'the script reads it decoded']
);
my $form = 'a=' . 'b' x 998;
my @gzip = ('Content-Encoding: gzip', 'Content-Length: ' . length memGzip($form));

$pair->compare_all(
    ['a chunked body', {
        path => '/cgi-bin/show', method => 'POST', body => chunked('abc', 'def'),
        lines => ['Transfer-Encoding: chunked'],
        has => { stdin => 'abcdef', 'env:CONTENT_LENGTH' => undef }
    }, @decoded],
    ['an empty chunked body', {
        path => '/cgi-bin/show', method => 'POST', body => chunked(),
        lines => ['Transfer-Encoding: chunked'], has => { stdin => '' }
    }, @decoded],
    ['chunks with trailers', {
        path => '/cgi-bin/show', method => 'POST',
        body => "3;x=y\r\nabc\r\n0\r\nX-Trailer: t\r\n\r\n",
        lines => ['Transfer-Encoding: chunked'], has => { stdin => 'abc' }
    }, @decoded],
    ['a bad chunk', {
        path => '/cgi-bin/show', method => 'POST', body => "zz\r\n", code => 400,
        lines => ['Transfer-Encoding: chunked']
    }],
    ['another transfer coding', {
        path => '/cgi-bin/show', method => 'POST', code => 400, body => 'x',
        lines => ['Transfer-Encoding: gzip'],
    }],
    ['both lengths', {
        path => '/cgi-bin/show', method => 'POST', body => chunked('abc'),
        lines => ['Transfer-Encoding: chunked', 'Content-Length: 5']
    }, @decoded],
    ['two lengths', {
        path => '/cgi-bin/show', method => 'POST', code => 400, body => 'abc',
        lines => ['Content-Length: 3', 'Content-Length: 5']
    }],
    ['a negative length', {
        path => '/cgi-bin/show', method => 'POST', code => 400, body => 'abc',
        lines => ['Content-Length: -3']
    }],
    ['a length of 0', {
        path => '/cgi-bin/show', method => 'POST', lines => ['Content-Length: 0'],
        has => { 'env:CONTENT_LENGTH' => 0 }
    }],
    ['POST without a length', { path => '/cgi-bin/show', method => 'POST' }],
    ['Expect: 100-continue', {
        path => '/cgi-bin/show', method => 'POST', expect => 1, body => 'abc',
        lines => ['Content-Length: 3', 'Expect: 100-continue'],
        has => { interim => 1, stdin => 'abc' }
    }],
    ['Expect: 100-continue, chunked', {
        path => '/cgi-bin/show', method => 'POST', expect => 1,
        lines => ['Transfer-Encoding: chunked', 'Expect: 100-continue'],
        body => chunked('abc'), has => { interim => 1, stdin => 'abc' }
    }, @decoded],
    ['another expectation', {
        path => '/cgi-bin/show', method => 'POST', body => 'abc', code => 417,
        lines => ['Content-Length: 3', 'Expect: money']
    }],
    ['LimitRequestBody, at the limit', {
        path => '/limited/show', method => 'POST', body => $form,
        lines => ['Content-Length: 1000'], has => { stdin => $form }
    }],
    ['LimitRequestBody, above', {
        path => '/limited/show', method => 'POST', body => "$form!", code => 413,
        lines => ['Content-Length: 1001']
    }],
    ['LimitRequestBody, at the limit in chunks', {
        path => '/limited/show', method => 'POST', body => chunked($form),
        lines => ['Transfer-Encoding: chunked'], has => { stdin => $form }
    }, @decoded],
    ['LimitRequestBody, above in chunks', {
        path => '/limited/show', method => 'POST', code => 413,
        lines => ['Transfer-Encoding: chunked'], body => chunked($form, '!')
    }],
    ['mod_deflate, input', {
        path => '/inflate/show', method => 'POST', body => memGzip($form),
        lines => [@gzip], has => { stdin => $form }
    }, @inflated],
    ['mod_deflate, input that is not compressed', {
        path => '/inflate/show', method => 'POST', body => $form,
        lines => ['Content-Length: 1000'], has => { stdin => $form }
    }],
    ['mod_deflate, no filter', {
        path => '/cgi-bin/show', method => 'POST', body => memGzip($form),
        lines => [@gzip]
    }],
    ['mod_deflate, broken input', {
        path => '/inflate/show', method => 'POST', body => 'abc', code => 400,
        lines => ['Content-Encoding: gzip', 'Content-Length: 3']
    }],
    ['mod_deflate, output', {
        path => '/deflate/show', lines => ['Accept-Encoding: gzip']
    }],
);
done_testing;
