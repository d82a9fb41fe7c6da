# RFC 3875 (CGI/1.1), sections 4 to 7: each MUST, SHOULD, MUST NOT and SHOULD NOT
# about servers is a row below, with a test or with the reason why there is none.
# Those about scripts are not here. The sentences are in short words of our own;
# where RFC 3875 says a thing without one of these words, the word is "is".
#
# MPM: event, worker, prefork

use lib 't/lib';
use JailCGI::Test;
use JailCGI::Client;
use JailCGI::Pair;
use JailCGI::Watch 'touch_in';

use Compress::Zlib 'memGzip';
use Digest::SHA    'sha1_base64';
use Socket         qw(inet_aton AF_INET);

my $alice  = tenant('alice');
my $htdocs = $alice->jail_htdocs;
$alice->install(probe('show'), $_) for qw(show Show.TXT);
$alice->script('nph-show', "#!/bin/sh\nprintf 'HTTP/1.1 200 OK\\r\\n'\nexec ./show\n");
$alice->script($_, JailCGI::Pair::printer()) for qw(print print.html nph-print);
$alice->script('to-the-end', <<'END');
#!/bin/sh
printf 'Content-Type: text/plain\n\n'
head -c 300000 /dev/zero && : >/tmp/at
END
$alice->script('nph-slow', <<'END');
#!/bin/sh
printf 'HTTP/1.1 200 OK\r\nA: b\r\n\r\nfirst\n'
i=0
while [ ! -e /tmp/go ] && [ $i -lt 1200 ]; do sleep 0.1; i=$((i + 1)); done
echo second
END
$alice->replace("$htdocs/page.txt", "a static page\n");
$alice->replace("$htdocs/page.shtml", '<!--#include virtual="/cgi-bin/show" -->');
$alice->replace('/etc/users', 'joe:{SHA}' . sha1_base64('secret') . "=\n");

my $httpd = httpd(
    modules => [qw(include filter deflate authn_core authn_file authz_user
          auth_basic)],
    config => 'LimitRequestLine 200000',
    vhosts => [[$alice, <<"END"], [$alice, '', name => 'bob'], <<"END2"],
    LimitRequestLine 200000
    UseCanonicalPhysicalPort On
    AddOutputFilter INCLUDES .shtml
    AddType text/x-wrong .TXT
    <Directory "@{[$alice->htdocs]}">
        Options Includes
    </Directory>
    ScriptAlias /secret/ "@{[$alice->cgi_bin]}/"
    <Location /secret/>
        AuthType Basic
        AuthName secret
        AuthUserFile "@{[$alice->root]}/etc/users"
        Require valid-user
    </Location>
    ScriptAlias /names/ "@{[$alice->cgi_bin]}/"
    <Location /names/>
        HostnameLookups On
    </Location>
    ScriptAlias /inflate/ "@{[$alice->cgi_bin]}/"
    <Location /inflate/>
        SetInputFilter DEFLATE
    </Location>
END
@{[ $alice->vhost(<<"END3", name => 'spooled') ]}
    JailSpoolBody On
    SetInputFilter DEFLATE
END3
@{[ $alice->vhost('', name => 'rooted')
      =~ s{ScriptAlias.*}{ScriptAlias / "@{[$alice->cgi_bin]}/show/"}r ]}
END2
);

# --- helpers ----------------------------------------------------------------

# The facts of one answer: see JailCGI::Pair.
sub answer {
    my ($path, %request) = @_;
    %request = (%request, path => $path);
    return JailCGI::Pair::facts(JailCGI::Pair::ask($httpd, \%request), \%request);
}

sub env {
    my ($path, @request) = @_;
    my $fact = answer($path, @request);
    return { map { s/^env://r => $fact->{$_} } grep { /^env:/ } keys %$fact };
}

my $outputs = 0;

# The facts of an answer to a script that prints this.
sub printed {
    my ($output, %request) = @_;
    my $name = 'out' . ++$outputs;
    $alice->replace("/home/alice/out/$name", $output);
    my $script = delete $request{script} // 'print';
    return answer("/cgi-bin/$script/$name", %request);
}

# As bytes.
sub raw {
    my ($output, %request) = @_;
    my $name = 'out' . ++$outputs;
    $alice->replace("/home/alice/out/$name", $output);
    my $script = delete $request{script} // 'print';
    return JailCGI::Pair::ask($httpd, { %request, path => "/cgi-bin/$script/$name" });
}

sub post {
    my ($body, @lines) = @_;
    return (
        method => 'POST', body => $body,
        lines => ['Content-Length: ' . length $body, @lines]
    );
}

sub chunked {
    return (
        method => 'POST', lines => ['Transfer-Encoding: chunked'],
        body => join '', (map { sprintf "%x\r\n%s\r\n", length, $_ } @_),
        "0\r\n\r\n"
    );
}
my @auth   = (lines => ['Authorization: Basic am9lOnNlY3JldA==']);
my $binary = join '', map { chr($_ % 256) } 0 .. 50_000;

# --- the rows ---------------------------------------------------------------

# Section, word, sentence, test or reason
my @rows = (

    # 4.1 Request meta-variables
    ['4.1', 'SHOULD', "names of the server's own begin with X_",
        'REQUEST_URI, SCRIPT_FILENAME and the like are older than RFC 3875, and '
          . 'scripts depend on them'],
    ['4.1', 'MUST', 'values keep their case', sub {
        my $env = env('/cgi-bin/show/aA?bB', lines => ['X-A: cC']);
        is("@$env{qw(PATH_INFO QUERY_STRING HTTP_X_A)}", '/aA bB cC');
    }],
    ['4.1', 'MUST', 'values come in the representation of the system: bytes', sub {
        is(env("/cgi-bin/show/%c3%bc%ff")->{PATH_INFO}, '/\xc3\xbc\xff');
    }],
    ['4.1', 'is', 'no two names differ in case only', sub {
        my $env = env('/cgi-bin/show', lines => ['x-a: 1', 'X-A: 2']);
        is_deeply([grep { /x_a$/i } keys %$env], ['HTTP_X_A']);
        is($env->{HTTP_X_A}, '1, 2');
    }],
    ['4.1.1', 'MUST', 'AUTH_TYPE is the scheme if a user had to be given', sub {
        is(env('/secret/show', @auth)->{AUTH_TYPE}, 'Basic');
        is(env('/cgi-bin/show', @auth)->{AUTH_TYPE}, undef);
    }],
    ['4.1.2', 'MUST', 'CONTENT_LENGTH is set if there is a body', sub {
        is(env('/cgi-bin/show', post('abc'))->{CONTENT_LENGTH}, 3);
    }],
    ['4.1.2', 'MUST', 'and only then', sub {
        is(env('/cgi-bin/show')->{CONTENT_LENGTH}, undef);
    }],
    ['4.1.2', 'MUST', 'also for a chunked body (JailSpoolBody On)', sub {
        is(env('/cgi-bin/show', chunked('abc'), host => 'spooled')
              ->{CONTENT_LENGTH}, 3);
        is(env('/cgi-bin/show', chunked('abc'))->{CONTENT_LENGTH}, undef,
            'without it the body is streamed, and the end of file is its end');
    }],
    ['4.1.2', 'must', 'it is the length without content codings', sub {
        my $gzip = memGzip('a' x 1000);
        my $fact =
          answer('/inflate/show', post($gzip, 'Content-Encoding: gzip'));
        is($fact->{stdin}, 'a' x 1000, 'the body is decoded');
        is($fact->{'env:CONTENT_LENGTH'}, undef, 'no length but the right one');
        is($fact->{'env:HTTP_CONTENT_ENCODING'}, undef, 'and no coding');
        $fact = answer('/cgi-bin/show', host => 'spooled',
            post($gzip, 'Content-Encoding: gzip'));
        is($fact->{stdin}, 'a' x 1000, 'JailSpoolBody On: the body is decoded');
        is($fact->{'env:CONTENT_LENGTH'}, 1000, 'and its length known');
    }],
    ['4.1.3', 'MUST', 'CONTENT_TYPE is set if the request has one', sub {
        my @type = ('Content-Type: a/b; c="D"');
        is(env('/cgi-bin/show', post('x', @type))->{CONTENT_TYPE}, 'a/b; c="D"');
    }],
    ['4.1.3', 'should', 'and not if it has none', sub {
        is(env('/cgi-bin/show', post('x'))->{CONTENT_TYPE}, undef);
    }],
    ['4.1.4', 'MUST', 'GATEWAY_INTERFACE is the dialect', sub {
        is(env('/cgi-bin/show')->{GATEWAY_INTERFACE}, 'CGI/1.1');
    }],
    ['4.1.4', 'MUST NOT', 'with leading zeros', sub {
        unlike(env('/cgi-bin/show')->{GATEWAY_INTERFACE}, qr{[/.]0\d});
    }],
    ['4.1.5', 'MUST', 'PATH_INFO keeps its case', sub {
        is(env('/cgi-bin/show/aB/Cd')->{PATH_INFO}, '/aB/Cd');
    }],
    ['4.1.6', 'MUST', 'PATH_TRANSLATED keeps its case', sub {
        is(env('/cgi-bin/show/aB')->{PATH_TRANSLATED}, "$htdocs/aB");
    }],
    ['4.1.6', 'SHOULD', 'it is set if there is a PATH_INFO', sub {
        is(env('/cgi-bin/show/this%2eis%2ethe%2epath%3binfo')->{PATH_TRANSLATED},
            "$htdocs/this.is.the.path;info");
    }],
    ['4.1.6', 'MUST', 'and not if there is none', sub {
        is(env('/cgi-bin/show')->{PATH_TRANSLATED}, undef);
    }],
    ['4.1.7', 'MUST', 'QUERY_STRING is always set, as it came', sub {
        is(env('/cgi-bin/show?a=%20&%62+')->{QUERY_STRING}, 'a=%20&%62+');
    }],
    ['4.1.7', 'MUST', 'empty if there is no query', sub {
        is(env('/cgi-bin/show')->{QUERY_STRING},  '');
        is(env('/cgi-bin/show?')->{QUERY_STRING}, '');
    }],
    ['4.1.8', 'MUST', "REMOTE_ADDR is the client's address", sub {
        is(env('/cgi-bin/show')->{REMOTE_ADDR}, '127.0.0.1');
    }],
    ['4.1.9', 'SHOULD', "REMOTE_HOST is the client's name (HostnameLookups On)", sub {
        is(env('/names/show')->{REMOTE_HOST},
            scalar gethostbyaddr(inet_aton('127.0.0.1'), AF_INET));
    }],
    ['4.1.11', 'MUST', 'REMOTE_USER is the user that was given', sub {
        is(env('/secret/show', @auth)->{REMOTE_USER}, 'joe');
    }],
    ['4.1.12', 'MUST', 'REQUEST_METHOD is the method', sub {
        is(env('/cgi-bin/show', method => $_)->{REQUEST_METHOD}, $_)
          for qw(GET POST PUT DELETE PROPFIND);
    }],
    ['4.1.13', 'MUST', 'SCRIPT_NAME is a path to the script, decoded', sub {
        my $env = env('/cgi-bin/%53how.TXT/x');
        is($env->{SCRIPT_NAME}, '/cgi-bin/Show.TXT');
        is(env($env->{SCRIPT_NAME})->{SCRIPT_NAME}, $env->{SCRIPT_NAME});
    }],
    ['4.1.13', 'MUST', 'it is set if the path is empty', sub {
        my $env = env('/a/b', host => 'rooted');
        is($env->{SCRIPT_NAME}, '');
        is($env->{PATH_INFO}, '/a/b');
    }],
    ['4.1.14', 'MUST', 'SERVER_NAME is the host that was asked', sub {
        is(env('/cgi-bin/show', host => $_)->{SERVER_NAME}, $_) for qw(alice bob);
    }],
    ['4.1.15', 'MUST', 'SERVER_PORT is the port of the request', sub {
        is(env('/cgi-bin/show')->{SERVER_PORT}, $httpd->port,
            'with UseCanonicalPhysicalPort On; else it is that of the Host header');
    }],
    ['4.1.15', 'MUST', "also if it is the protocol's own", sub {
        is(env('/cgi-bin/show', host => 'bob')->{SERVER_PORT}, 80);
    }],
    ['4.1.16', 'MUST', 'SERVER_PROTOCOL is name and version', sub {
        for my $version ('HTTP/1.0', 'HTTP/1.1') {
            is(env('/cgi-bin/show', version => $version)->{SERVER_PROTOCOL},
                $version);
        }
        is(env('/page.shtml')->{SERVER_PROTOCOL}, 'INCLUDED');
    }],
    ['4.1.17', 'MUST', 'SERVER_SOFTWARE is name and version', sub {
        like(env('/cgi-bin/show')->{SERVER_SOFTWARE}, qr{^Apache/2\.4\.\d+});
    }],
    ['4.1.17', 'SHOULD', 'as the client is told', sub {
        my $fact = answer('/cgi-bin/show');
        is($fact->{'env:SERVER_SOFTWARE'}, $fact->{'header:server'});
    }],
    ['4.1.18', 'SHOULD', "the protocol's variables are set", sub {
        my $env = env('/cgi-bin/show', lines => ['Accept: a/b', 'X-Y-z: 1']);
        is("@$env{qw(HTTP_ACCEPT HTTP_X_Y_Z HTTP_HOST)}", 'a/b 1 alice');
    }],
    ['4.1.18', 'MUST', 'fields of one name become one value', sub {
        is(env('/cgi-bin/show', lines => ['Accept: a/b', 'ACCEPT: c/d'])
              ->{HTTP_ACCEPT}, 'a/b, c/d');
    }],
    ['4.1.18', 'MUST', 'a field on several lines becomes one line', sub {
        is(env('/cgi-bin/show', lines => ["X-A: a\r\n\tb\r\n c"])->{HTTP_X_A},
            'a b c');
    }],
    ['4.1.18', 'MUST', 'values are changed into what a variable can hold', sub {
        is(env('/cgi-bin/show', lines => ["X-A: a\xfc\tb"])->{HTTP_X_A},
            'a\xfc\x09b', 'any byte but NUL, which httpd refuses');
    }],
    ['4.1.18', 'SHOULD', 'what authenticates is not passed on', sub {
        my $env = env('/secret/show',
            lines => [@{ $auth[1] }, 'Proxy-Authorization: Basic x']);
        is($env->{$_}, undef, $_)
          for qw(HTTP_AUTHORIZATION HTTP_PROXY_AUTHORIZATION);
    }],
    ['4.1.18', 'SHOULD', 'nor what other variables have', sub {
        my $env = env('/cgi-bin/show', post('x', 'Content-Type: a/b'));
        is($env->{$_}, undef, $_) for qw(HTTP_CONTENT_TYPE HTTP_CONTENT_LENGTH);
    }],

    # 4.2 Body
    ['4.2', 'MUST', 'CONTENT_LENGTH bytes can be read', sub {
        my $fact = answer('/cgi-bin/show', post("\0" x 100 . 'a' x 60_000));
        is($fact->{stdin}, '\x00' x 100 . 'a' x 60_000);
    }],
    ['4.2', 'SHOULD', 'an nph- script gets them as the client sent them', sub {
        like(JailCGI::Pair::ask($httpd,
                { path => '/cgi-bin/nph-show', post("a\r\n\0\xff\n") }),
            qr/^body a\\x0d\\x0a\\x00\\xff\\x0a$/m);
    }],
    ['4.2', 'MUST', 'transfer codings are removed', sub {
        my $fact = answer('/cgi-bin/show', chunked('abc', "\r\n0\r\n\r\n"));
        is($fact->{stdin}, 'abc\x0d\x0a0\x0d\x0a\x0d\x0a');
        is($fact->{'env:HTTP_TRANSFER_ENCODING'}, undef);
    }],
    ['4.2', 'MUST', 'and CONTENT_LENGTH calculated anew (JailSpoolBody On)', sub {
        my $fact = answer('/cgi-bin/show', chunked('abc', 'de'), host => 'spooled');
        is("@$fact{qw(env:CONTENT_LENGTH stdin)}", '5 abcde');
    }],
    ['4.2', 'SHOULD', 'or the request refused',
        'without JailSpoolBody the script has no length, never a wrong one, and '
          . 'reads to the end of file; clients that stream would not work'],

    # 4.3 Methods
    ['4.3.3', 'MUST', 'the body of an answer to HEAD is discarded', sub {
        my $fact = printed("Content-Type: a/b\n\npage", method => 'HEAD');
        is("$fact->{status} $fact->{'header:content-type'}", '200 a/b');
        is($fact->{body}, '');
    }],

    # 4.4 Command line
    ['4.4', 'SHOULD', 'a query without "=" is a list of words', sub {
        is(answer('/cgi-bin/show?a+b%2B%20c')->{arguments}, '[a][b+ c]');
        is(answer('/cgi-bin/show?a+b', method => 'HEAD')->{'header:x-arguments'},
            2, 'for HEAD as well');
        is(answer('/cgi-bin/show?a+b=c')->{arguments}, '', 'not with "="');
        is(answer('/cgi-bin/show?a+b%3Dc')->{arguments}, '[a][b=c]',
            'but with an encoded one');
        is(answer('/cgi-bin/show?a+b', post('x'))->{arguments}, '',
            'not for POST');
    }],
    ['4.4', 'MUST NOT', 'if one word cannot be had, there is none', sub {
        is(answer('/cgi-bin/show?a+%00+b')->{arguments}, '', 'a NUL');
        my $fact = answer('/cgi-bin/show?' . 'a+' x 20_000);
        is(length $fact->{arguments}, 3 * 20_000 + 2, 'many are no matter');
        $fact = answer('/cgi-bin/show?' . 'a+' x 90_000);
        is($fact->{status}, 500, 'more than the system takes: it is not run');
        $httpd->log_like($alice, qr/JCGI1608: .*larger than the kernel/,
            'and the log says why');
    }],

    # 5 NPH
    ['5.1', 'MUST', 'there is a way to tell nph- scripts: by the name', sub {
        is(raw("HTTP/1.1 299 X\r\n\r\nx", script => 'nph-print'),
            "HTTP/1.1 299 X\r\nConnection: close\r\n\r\nx");
        like(raw("X-A: 1\n\nx"), qr{\AHTTP/1\.1 200 OK\r\n});
    }],
    ['5.2', 'MUST', 'there is a way to send data back: its output',
        'the rows before and after are this way'],
    ['5.2', 'MUST', 'the bytes of the body are sent as they are', sub {
        my $got = raw("HTTP/1.0 200 X\nX-A: b\n\n$binary", script => 'nph-print');
        ok($got eq "HTTP/1.0 200 X\r\nX-A: b\r\nConnection: close\r\n\r\n$binary");
    }],
    ['5.2', 'MUST', 'and those of the head',
        'what it means stays; it is written anew, and says that the connection '
          . 'ends: otherwise a proxy takes what follows for the next answer'],
    ['5.2', 'SHOULD', 'at once', sub {
        touch_in($alice, '/tmp/go', 0);
        my $client = JailCGI::Client->new($httpd);
        $client->send_request('GET', $alice, '/cgi-bin/nph-slow');
        ok($client->wait_for(qr/first\n\z/), 'while the script runs');
        touch_in($alice, '/tmp/go', 1);
        ok($client->wait_for(qr/second\n\z/), 'and the rest');
    }],

    # 6 Response
    ['6.2.1', 'MUST', 'a document is made to fit the protocol', sub {
        my $out = "Content-Type: a/b\nX-A: 1\n\npage";
        my $got = raw($out);
        like($got, qr{\AHTTP/1\.1 200 OK\r\n}, 'a status line');
        like($got, qr/\r\nX-A: 1\r\n/, 'CRLF');
        like($got, qr/\r\nDate: /,     'a date');
        unlike(raw($out, version => 'HTTP/1.0'), qr/^Transfer-Encoding/m,
            'no chunks for HTTP/1.0');
    }],
    ['6.2.2', 'MUST', "a local redirect gives the target's own answer", sub {
        for my $path ('/page.txt', '/none', '/cgi-bin/show.none') {
            my $fact = printed("Location: $path\n\n");
            is_deeply($fact, answer($path), $path);
        }
        my $fact = printed("Location: /cgi-bin/show/a%20b?c=d\n\n", post('x'));
        is_deeply(
            [@$fact{qw(env:PATH_INFO env:QUERY_STRING env:REQUEST_METHOD)}],
            ['/a b', 'c=d', 'GET'], 'a script, with path and query'
        );
        is($fact->{stdin}, '', 'and not with the body');
    }],
    ['6.2.3', 'MUST', 'an absolute Location is a 302', sub {
        my $fact = printed("Location: http://other/x?y#z\n\n");
        is("$fact->{status} $fact->{'header:location'}", '302 http://other/x?y#z');
    }],
    ['6.2.4', 'MUST', 'with a document it is made to fit the protocol', sub {
        my $fact = printed("Location: http://other/\nStatus: 302 Found\n"
              . "Content-Type: a/b\nX-A: 1\n\nown");
        is("@$fact{qw(status body header:content-type header:x-a)}",
            '302 own a/b 1');
        is(printed("Location: http://other/\nStatus: 303 See\n\n")->{status}, 303,
            'or another status of a redirect');
    }],
    ['6.3', 'is', "names are in any case", sub {
        is(printed("STATUS: 404 x\n\n")->{status}, 404);
    }],
    ['6.3', 'is', 'a field without a value is as good as not sent', sub {
        my $fact = printed("Status:\nLocation: \nContent-Type:\n\npage");
        is("$fact->{status} $fact->{body}", '200 page');
    }],
    ['6.3', 'MUST', 'a field is on one line: more is an error', sub {
        is(printed("X-A: a\n b\n\n")->{status}, 500);
    }],
    ['6.3', 'is', 'no space is between a name and its colon', sub {
        is(printed("X-A : a\n\n")->{status}, 500);
    }],
    ['6.3.1', 'SHOULD NOT', 'a missing Content-Type is not made up', sub {
        is(printed("X-A: 1\n\n<html>", script => $_)->{'header:content-type'},
            undef, $_)
          for qw(print print.html);
    }],
    ['6.3.1', 'SHOULD', 'Content-Type is sent as it is', sub {
        is(printed("Content-Type: a/b+c; D=\"E f\"; g=H\n\nx")
              ->{'header:content-type'}, 'a/b+c; D="E f"; g=H');
    }],
    ['6.3.3', 'is', 'the status and its text are sent', sub {
        my $fact = printed("Status: 499 Own  words\n\nx");
        is("$fact->{status} $fact->{reason}", '499 Own  words');
    }],
    ['6.3.4', 'MUST', "fields are translated into HTTP's syntax", sub {
        my ($head) = raw("X-A: 1\nX-B:2\n\nx") =~ /\A(.*?\r\n\r\n)/s;
        unlike($head, qr/(?<!\r)\n/, 'no LF alone');
        like($head, qr/\r\nX-B: 2\r\n/, 'a space after the colon');
    }],
    ['6.3.4', 'SHOULD', "conflicts with the server's own are resolved", sub {
        my $fact = printed("Date: x\nServer: y\nConnection: keep-alive\n"
              . "Content-Length: 1000\nTransfer-Encoding: gzip\n\npage");
        unlike($fact->{'header:server'}, qr/y/, 'Server');
        like($fact->{'header:connection'}, qr/\bclose$/, 'Connection');
        is("$fact->{whole} $fact->{body}", '1 page', 'the length');
        $fact = printed("Date: x\n\npage", with_length => 1);
        like($fact->{'header:date'}, qr/\A[^\n]*GMT\z/, 'Date');
    }],
    ['6.3.5', 'SHOULD', "names of the server's own begin with X-CGI-",
        'there are none'],

    # 6.4 Body
    ['6.4', 'MUST', 'all that the script writes is read', sub {
        for my $method (qw(GET HEAD)) {
            touch_in($alice, '/tmp/at', 0);
            my $fact = answer('/cgi-bin/to-the-end', method => $method);
            is(length $fact->{body}, $method eq 'GET' ? 300_000 : 0, $method);
            ok(-e $alice->root . '/tmp/at', 'the script came to its end');
        }
    }],
    ['6.4', 'SHOULD', 'and sent as it is', sub {
        my $fact = printed("Content-Type: a/b\n\n$binary");
        ok($fact->{body} eq $binary);
    }],

    # 7 Systems
    ['7.1', 'SHOULD', 'AmigaDOS', 'this is no AmigaDOS'],
    ['7.2', 'is', 'active characters of the shell are escaped in arguments', sub {
        is(answer('/cgi-bin/show?%3b%7c%26%24%60%22%27%5c%2a%3c%3e%28%29')
              ->{arguments}, '[' . join('', map { "\\x5c$_" } ';', '|', '&', '$',
                '`', '"', "'", '\x5c', '*', '<', '>', '(', ')') . ']');
    }],
    ['7.2', 'SHOULD', "the working directory is the script's", sub {
        is(answer('/cgi-bin/show/x')->{cwd}, $alice->jail_cgi_bin);
    }],
    ['7.2', 'should', 'CRLF ends a line as LF does', sub {
        my $fact = printed("X-A: 1\r\nX-B: 2\n\r\npage");
        is("@$fact{qw(header:x-a header:x-b body)}", '1 2 page');
    }],
    ['7.2', 'is', 'NUL is in no header', sub {
        is(printed("X-A: 1\0\n\nx")->{status}, 500);
    }],
    ['7.3', 'SHOULD', 'EBCDIC', 'this is no system with EBCDIC'],
);

my $number = 0;
for my $row (@rows) {
    my ($section, $word, $sentence, $test) = @$row;
    my $name = sprintf '%d. RFC 3875, %s %s: %s', ++$number, $section, $word,
      $sentence;
    if (ref $test) {
        subtest($name, $test);
    }
    else {
        note("$name: no test: $test");
    }
}
done_testing;
