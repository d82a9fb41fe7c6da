# The answer that is a header alone (HEAD, 204, 304) leaves in one piece with its
# end, when the script has ended: mod_http2 now and then resets a stream whose header
# came alone. The script's output is read all the same, and a script that fails has
# no header sent that says otherwise.
#
# MPM: event, worker, prefork

use lib 't/lib';
use JailCGI::Test;
use JailCGI::Client;
use JailCGI::Watch qw(scripts_of touch_in);

use POSIX ();

use constant {
    PAGE     => 3_000_000,    # more than is kept
    REQUESTS => 60,           # of each client, for each script
    CLIENTS  => 5,
};

my $alice = tenant('alice');
my $dir   = work_dir();

# Each begins a page, or what has none, and ends when it may.
my %begins = (
    page    => 'Content-Type: text/plain',
    empty   => 'Status: 204',
    cached  => 'Status: 304',
    counted => "Content-Type: text/plain\\nContent-Length: 13",
);
$alice->script("begins-$_", <<"END") for keys %begins;
#!/bin/sh
printf '$begins{$_}\\n\\nfirst\\n'
echo on stderr >&2
: >/tmp/at
while [ ! -e /tmp/go ]; do sleep 0.05; done
echo second
END
$alice->script('whole', "#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\nall of it'\n");
$alice->script('large', <<"END");
#!/bin/sh
printf 'Content-Type: text/plain\\n\\n'
head -c @{[PAGE]} /dev/zero | tr '\\0' x
: >/tmp/written
END
$alice->script('killed', <<"END");
#!/bin/sh
printf 'Content-Type: text/plain\\n\\n'
[ "\$1" = large ] && head -c @{[PAGE]} /dev/zero
echo first
sleep 0.1
kill -KILL \$\$
END
$alice->script('parts', <<'END');
#!/bin/sh
printf 'Content-Type: text/plain\n\none\n'
sleep 0.004
echo two
sleep 0.004
echo three
END
$alice->script('parts-of-none', <<'END');
#!/bin/sh
printf 'Status: 204\n\none\n'
sleep 0.004
echo two
END
$alice->settled($alice->jail_htdocs . '/page.shtml',
    "before <!--#include virtual=\"/cgi-bin/begins-page\" --> after\n");

system('openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=alice '
      . "-keyout $dir/key -out $dir/certificate >$dir/openssl 2>&1") == 0
  or die 'openssl failed';
my $tls_port = JailCGI::Httpd::free_port();
my $secure   = $alice->vhost(<<"END", name => 'alice') =~ s/:\@port\@>/:$tls_port>/r;
SSLEngine On
    SSLCertificateFile $dir/certificate
    SSLCertificateKeyFile $dir/key
END
my @multiplexed = mpm() eq 'prefork' ? () : 'http2';
my $httpd = httpd(
    modules => ['include', 'ssl', 'socache_shmcb', @multiplexed],
    vhosts  => [
        [$alice, <<'END'], $secure
    <Directory />
        Options +Includes
        AddOutputFilter INCLUDES .shtml
    </Directory>
END
    ],
    config => <<"END",
Listen 127.0.0.1:$tls_port
SSLSessionCache none
<IfModule http2_module>
    Protocols h2 http/1.1
</IfModule>
MaxKeepAliveRequests 0
END
);

sub begin {
    my ($method, $path, @lines) = @_;
    touch_in($alice, "/tmp/$_", 0) for qw(at go);
    my $client = JailCGI::Client->new($httpd);
    $client->send_request($method, $alice, $path, ['Connection: close', @lines]);
    ok(wait_until(sub { -e $alice->root . '/tmp/at' }, 30), "$method $path: it runs");
    return $client;
}

sub come_early {
    my ($client) = @_;
    $client->step(0.1) for 1 .. 4;
    return length $client->{in};
}

# --- nothing leaves before the end

for my $case (
    ['HEAD', '/cgi-bin/begins-page',  200],
    ['GET',  '/cgi-bin/begins-empty', 204],
    ['GET',  '/cgi-bin/begins-cached', 304],
    ['HEAD', '/cgi-bin/begins-counted', 200],
    ['HEAD', '/page.shtml', 200],
  )
{
    my ($method, $path, $code) = @$case;
    my $client = begin($method, $path);
    is(come_early($client), 0, 'and no header has come');
    touch_in($alice, '/tmp/go', 1);
    my $res = $client->response;
    is($res->{code}, $code, 'with the end it comes');
    ok($client->wait_for_close, 'and the end');
    is($client->{in}, '', 'and no body');
    $client->close;
}
my $client = begin('GET', '/cgi-bin/begins-page');
cmp_ok(come_early($client), '>', 0, 'control: of a page the header does come');
touch_in($alice, '/tmp/go', 1);
is($client->response->{body}, "first\nsecond\n", 'and the page');
$client->close;
$httpd->log_like($alice, qr/on stderr/, 'stderr is in the log');

# --- the header itself

sub head_of {
    my ($method, $path, @lines) = @_;
    my $client = JailCGI::Client->new($httpd);
    $client->send_request($method, $alice, $path, ['Connection: close', @lines]);
    my $res = $client->response;
    $client->close;
    return $res;
}
is(head_of('HEAD', '/cgi-bin/whole')->{head}{'content-length'}, 9, 'the length that GET has');
my $length = sub { $_[0]{head}{'content-length'} // 'no length' };
touch_in($alice, '/tmp/written', 0);
my $large = head_of('HEAD', '/cgi-bin/large', 'Range: bytes=0-9');
is("$large->{code} " . $length->($large), '200 no length', 'none of what is not counted');
is($large->{head}{'content-range'}, undef, 'and no part of it');
ok(-e $alice->root . '/tmp/written', 'but the script has written all of it');

# --- a script that dies

for my $path (qw(/cgi-bin/killed /cgi-bin/killed?large)) {
    is(head_of('HEAD', $path)->{code}, 500, "HEAD $path: no header says that it is well");
    is(head_of('GET', $path)->{whole}, 0, "GET $path: control: broken off");
}
$httpd->log_like($alice, qr/JCGI1701.*SIGKILL/, 'the log has why');

# --- a client that goes

$client = begin('HEAD', '/cgi-bin/begins-page');
$client->reset;
ok(wait_until(sub { !scripts_of($alice) }, 30), 'the script is ended when the client goes');

# --- HTTP/2, on a busy machine

sub curl {
    my ($path, @options) = @_;
    open my $out, '-|', 'curl', '-q', '--silent', '--http2', '--insecure', '--noproxy', '*',
      '--no-buffer', '--max-time', 60, '--resolve', "alice:$tls_port:127.0.0.1", '--output',
      '/dev/null', '--write-out', '%{exitcode} %{http_version} %{http_code}\n', @options,
      "https://alice:$tls_port/cgi-bin/$path"
      or die "curl: $!";
    return $out;
}

# Whether the header comes before the end.
sub comes_early {
    my ($path, @options) = @_;
    touch_in($alice, "/tmp/$_", 0) for qw(at go);
    unlink "$dir/header";
    my $out = curl($path, '--dump-header', "$dir/header", @options);
    wait_until { -e $alice->root . '/tmp/at' } 30;
    my $early = wait_until { -s "$dir/header" } 0.5;
    touch_in($alice, '/tmp/go', 1);
    chomp(my $said = readline $out);
    close $out;
    return ($early ? 'early: ' : 'at the end: ') . $said;
}

sub statuses {
    my ($script, @options) = @_;
    my @from = map { curl("$script?[1-@{[REQUESTS]}]", @options) } 1 .. CLIENTS;
    my %seen;
    for my $out (@from) {
        while (<$out>) { chomp; $seen{$_}++ }
        close $out;
    }
    return \%seen;
}

SKIP: {
    skip 'mod_http2 does not work here', 6 if !@multiplexed;
    is(comes_early('begins-page'), 'early: 0 2 200', 'control: the header of a page');
    is(comes_early('begins-page', '--head'), 'at the end: 0 2 200', 'of HEAD');
    is(comes_early('begins-empty'), 'at the end: 0 2 204', 'of a 204');
    my $all = REQUESTS * CLIENTS;
    is_deeply(statuses('parts', '--head'), { '0 2 200' => $all }, "$all HEAD: none is reset");
    is_deeply(statuses('large', '--head'), { '0 2 200' => $all }, "$all of a large page");
    is_deeply(statuses('parts-of-none'),   { '0 2 204' => $all }, "$all of a 204");
}
done_testing;
