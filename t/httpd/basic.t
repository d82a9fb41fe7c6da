# One request: methods, path info, query, arguments, environment, headers.
# MPM: event, worker, prefork

use lib 't/lib';
use JailCGI::Test;

my $alice = tenant('alice');
my $dir   = $alice->jail_cgi_bin;

$alice->script('env.sh', <<'END');
#!/bin/sh
echo Content-Type: text/plain
echo
env
END
$alice->script('args.sh', <<'END');
#!/bin/sh
echo Content-Type: text/plain
echo
echo count=$#
for arg; do printf '[%s]\n' "$arg"; done
END
$alice->script('echo.sh', <<'END');
#!/bin/sh
printf 'Content-Type: application/octet-stream\r\nX-Method: %s\r\n\r\n' \
    "$REQUEST_METHOD"
exec cat
END
$alice->script('perl.pl', <<'END');
#!/usr/bin/perl
use strict;
use CGI;
my $q = CGI->new;
print $q->header('text/plain'), 'name=', $q->param('name'), "\n";
END
$alice->script('python.py', <<'END');
#!/usr/bin/python3
import os, json
print("Content-Type: application/json\n")
print(json.dumps({"uid": os.getuid(), "query": os.environ["QUERY_STRING"]}))
END
$alice->script('answer.sh', <<'END');
#!/bin/sh
# Answers with the request's body, header and all.
exec cat
END
$alice->script('nph-raw.sh', <<'END');
#!/bin/sh
printf 'HTTP/1.1 299 As it is\r\nX-Own: yes\r\n\r\nraw body'
END
$alice->replace($alice->jail_htdocs . '/page.txt', "a static page\n");

my $httpd = httpd(
    config => 'SetEnv FROM_SETENV here',
    vhosts => [[$alice, <<'END']],
JailEnv REGION north
    SetEnv LD_PRELOAD /tmp/evil.so
    SetEnv LD_BIND_NOW 0
    SetEnv PATH /not/from/httpd
END
);

# --- methods ----------------------------------------------------------------

for my $method (qw(GET DELETE)) {
    my $res = $httpd->request($method, $alice, '/cgi-bin/echo.sh');
    is($res->code, 200, "$method: 200") or diag($httpd->log($alice));
    is($res->header('X-Method'), $method, "$method: reaches the script");
    is($res->content, '', "$method: no body");
}
for my $method (qw(POST PUT)) {
    for my $body ('', 'x', "two\nlines\0and a NUL", 'y' x 300_000) {
        my $length = length $body;
        my $res =
          $httpd->request($method, $alice, '/cgi-bin/echo.sh', [], $body);
        is($res->code, 200, "$method of $length bytes: 200");
        is($res->header('X-Method'), $method, '... reaches the script');
        ok($res->content eq $body, '... and its body comes back unchanged');
    }
}
my $res = $httpd->request('HEAD', $alice, '/cgi-bin/env.sh');
is($res->code,    200, 'HEAD: 200');
is($res->content, '',  'HEAD: no body');
like($res->header('Content-Type'), qr{^text/plain}, 'HEAD: the headers of GET');

# --- environment ------------------------------------------------------------

sub env_of {
    my ($path, @headers) = @_;
    my $res = $httpd->get($alice, $path, @headers);
    is($res->code, 200, "$path: 200") or diag($httpd->log($alice));
    return { $res->content =~ /^(\w+)=(.*)$/mg };
}
my $env = env_of('/cgi-bin/env.sh/extra/path?a=1&b=two%20words',
    'X-Custom-Header' => 'value', Proxy => 'http://evil.example');
my %expected = (
    GATEWAY_INTERFACE => 'CGI/1.1',
    REQUEST_METHOD    => 'GET',
    SERVER_PROTOCOL   => 'HTTP/1.1',
    SERVER_NAME       => 'alice',
    SERVER_PORT       => $httpd->port,
    REMOTE_ADDR       => '127.0.0.1',
    QUERY_STRING      => 'a=1&b=two%20words',
    SCRIPT_NAME       => '/cgi-bin/env.sh',
    PATH_INFO         => '/extra/path',
    REQUEST_URI       => '/cgi-bin/env.sh/extra/path?a=1&b=two%20words',
    HTTP_X_CUSTOM_HEADER => 'value',
    FROM_SETENV          => 'here',
    REGION               => 'north',
    LD_BIND_NOW          => '1',

    # by the jail's paths, not the host's
    SCRIPT_FILENAME => "$dir/env.sh",
    DOCUMENT_ROOT   => $alice->jail_htdocs,
    PATH_TRANSLATED => $alice->jail_htdocs . '/extra/path',
);
is($env->{$_}, $expected{$_}, $_) for sort keys %expected;
for my $name (qw(HTTP_PROXY LD_PRELOAD HTTP_AUTHORIZATION CONTENT_LENGTH)) {
    ok(!exists $env->{$name}, "no $name");
}
unlike(join("\n", %$env), qr/\Q@{[$alice->root]}\E/,
    'no value names a path outside of the jail');
isnt($env->{PATH}, '/not/from/httpd', 'no PATH of httpd\'s');

$env = env_of('/cgi-bin/env.sh', Authorization => 'Basic eDp5');
ok(!exists $env->{HTTP_AUTHORIZATION}, 'no Authorization without CGIPassAuth');
$env = env_of('/cgi-bin/env.sh', 'LD-BIND-NOW' => '0', 'LD_BIND_NOW' => '0');
is($env->{LD_BIND_NOW}, '1', 'no header changes LD_BIND_NOW');

# --- arguments --------------------------------------------------------------

my %args = (
    ''                => ['count=0'],
    '?one+two'        => ['count=2', '[one]', '[two]'],
    '?a%20b+c'        => ['count=2', '[a b]', '[c]'],
    '?name=value'     => ['count=0'],
    '?a%3Db+c'        => ['count=2', '[a=b]', '[c]'],
    '?%00+c'          => ['count=0'],
);
for my $query (sort keys %args) {
    my $res = $httpd->get($alice, "/cgi-bin/args.sh$query");
    is_deeply([split /\n/, $res->content], $args{$query}, "arguments of '$query'");
}
like($httpd->get($alice, '/cgi-bin/args.sh?%3Brm')->content,
    qr/^\[\\;rm\]$/m, 'what a shell would act on is escaped');
is($httpd->request('POST', $alice, '/cgi-bin/args.sh?one+two', [], '')->content,
    "count=0\n", 'none for POST');

# --- programs ---------------------------------------------------------------

is($httpd->get($alice, '/cgi-bin/perl.pl?name=J%C3%BCrg')->content,
    "name=J\xc3\xbcrg\n", 'Perl with CGI.pm');
is($httpd->request('POST', $alice, '/cgi-bin/perl.pl',
        ['Content-Type' => 'application/x-www-form-urlencoded'], 'name=posted')
      ->content, "name=posted\n", 'a form');
like($httpd->get($alice, '/cgi-bin/python.py?q')->content,
    qr/"uid": @{[$alice->uid]}, "query": "q"/, 'Python');

# --- what a script says -----------------------------------------------------

sub answer {
    my ($output) = @_;
    return $httpd->request('POST', $alice, '/cgi-bin/answer.sh', [], $output);
}
$res = answer("Status: 404 Not here\nContent-Type: text/plain\n\nsorry");
is($res->code,    404,     'Status');
is($res->message, 'Not here', 'with its reason');
is($res->content, 'sorry', 'and the script\'s own page');
$res = answer("Content-Type: text/plain\r\nX-One: 1\r\n\r\nok");
is($res->header('X-One'), '1', 'CRLF as line ends');
$res = answer("Location: http://other.example/there\n\n");
is($res->code, 302, 'an absolute Location');
is($res->header('Location'), 'http://other.example/there', 'goes to the client');
$res = answer("Location: /page.txt\n\nnot this");
is($res->code,    200,               'a local Location');
is($res->content, "a static page\n", 'is answered by httpd itself');
$res = answer("Status: 204 None\n\n");
is($res->code, 204, 'a status without a page');

$httpd->mark($alice);
is(answer("no header at all\n")->code, 500, 'no header: 500');
$httpd->log_like($alice, qr/JCGI1705/, 'and the log says so');
$httpd->mark($alice);
is(answer('')->code, 500, 'no output: 500');
$httpd->log_like($alice, qr/JCGI1704/, 'and the log says so');

my $raw = $httpd->raw("GET /cgi-bin/nph-raw.sh HTTP/1.1\r\nHost: alice\r\n\r\n");
is($raw,
    "HTTP/1.1 299 As it is\r\nX-Own: yes\r\nConnection: close\r\n\r\nraw body",
    'nph-: its own head and body, and the connection is closed');

# --- what is not run --------------------------------------------------------

is($httpd->get($alice, '/cgi-bin/absent.sh')->code, 404, 'no such script');
is($httpd->get($alice, '/cgi-bin/')->code, 403, 'a directory');

$alice->script('crlf.sh', "#!/bin/sh\r\necho\r\n");
is($httpd->get($alice, '/cgi-bin/crlf.sh')->code, 500, 'CRLF after #!');
$httpd->log_like($alice, qr/JCGI1605/, 'and the log says so');

$alice->script('stderr.sh', <<'END');
#!/bin/sh
echo Content-Type: text/plain
echo
echo a word of warning >&2
printf 'forged\033[1m\rline\n' >&2
END
is($httpd->get($alice, '/cgi-bin/stderr.sh')->code, 200, 'a script that warns');
my $line = $httpd->log_like($alice, qr/a word of warning/, 'stderr is in the site\'s log');
like($line // '', qr/stderr\.sh/, 'with the script\'s name');
like($line // '', qr/:error\]/,   'at error');
$line = $httpd->log_like($alice, qr/forged/, 'control characters come ...');
unlike($line // '', qr/[\e\r]/, '... escaped');
unlike($httpd->log, qr/a word of warning/, 'and not in the main log');

done_testing;
