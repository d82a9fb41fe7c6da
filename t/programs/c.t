# A C program with the machine's libraries that takes large uploads. (cgit, in
# git.t, is one that writes large pages.)

use lib 't/lib';
use JailCGI::Test;
use JailCGI::Builder;

use Digest::SHA;
use JailCGI::Client;

use constant MB => 1_048_576;

my $alice = jail_of('C', 'alice',
    made => {
        '/usr/local/lib/cgi-bin/receive' => JailCGI::Httpd::slurp(fixture('receive')) });
my $files = $alice->directory($alice->jail_home . '/files');
my $httpd = httpd(vhosts => [vhost_of('C', $alice)]);

# One MB after the other, each different; and what all of them add up to.
sub pieces {
    my ($count, $frame) = @_;
    my $n = 0;
    return sub {
        return if $n == $count;
        my $piece = Digest::SHA::sha512('piece ' . $n++) x (MB / 64);
        return $frame ? $frame->($piece) : $piece;
    };
}

sub sum_of {
    my ($count) = @_;
    my ($next, $digest) = (pieces($count), Digest::SHA->new(256));
    while (defined(my $piece = $next->())) {
        $digest->add($piece);
    }
    return $digest->hexdigest;
}

sub sum_of_file {
    my ($name) = @_;
    return eval { Digest::SHA->new(256)->addfile("$files/$name", 'b')->hexdigest } // $@;
}

sub upload {
    my ($method, $name, $lines, @body) = @_;
    my $client = JailCGI::Client->new($httpd);
    $client->send_request($method, $alice, "/receive/$name", $lines, @body);
    my $res = $client->response;
    $client->close;
    return $res;
}

my $len = 150 * MB;
my $res = upload('PUT', 'whole', ["Content-Length: $len"], pieces(150));
is($res->{code}, 201, 'a PUT of 150 MB') or diag($httpd->log($alice));
is($res->{body}, "$len bytes of $len\n", 'all of it');
is(sum_of_file('whole'), sum_of(150), 'byte by byte');
is((stat "$files/whole")[4], $alice->uid, 'the tenant\'s file');

$res = upload('POST', 'chunks', ['Transfer-Encoding: chunked'],
    pieces(50, sub { sprintf "%x\r\n%s\r\n", length $_[0], $_[0] }), "0\r\n\r\n");
is($res->{code}, 201, 'a POST of 50 MB in chunks') or diag($httpd->log($alice));
is($res->{body}, 50 * MB . " bytes of -1\n", 'without a length');
is(sum_of_file('chunks'), sum_of(50), 'byte by byte');

my $client = JailCGI::Client->new($httpd);
$client->send_request('PUT', $alice, '/receive/expected',
    ['Content-Length: ' . MB, 'Expect: 100-continue']);
ok($client->wait_for(qr/^HTTP\S+ 100 /), 'a client is told to send');
$client->send(pieces(1));
$res = $client->response;
is($res->{code}, 201, 'and does') or diag($httpd->log($alice));
$client->close;

$res = upload('PUT', 'empty', ['Content-Length: 0']);
is($res->{body}, "0 bytes of 0\n", 'an empty one');

$res = upload('PUT', 'large', ['Content-Length: ' . 300 * MB], pieces(300));
is($res->{code}, 413, 'one that the program does not want') or diag($httpd->log($alice));
is($res->{body}, "more than 200000000\n", 'and its answer');
ok(!-e "$files/large", 'is not kept');

is(upload('PUT', 'a/b', ['Content-Length: 1'], 'x')->{code}, 400, 'a bad name');

$httpd->log_unlike($alice, qr/JCGI/, 'the module had nothing to say');

# A limit of the jail, met by a program that checks its writes.
$httpd->regenerate(vhosts => [vhost_of('C', $alice, 'JailLimit fsize 5M')]);
isnt(upload('PUT', 'limited', ["Content-Length: $len"], pieces(150))->{code}, 201,
    'more than the jail\'s limit is not taken');
cmp_ok(-s "$files/limited", '<=', 5 * MB, 'and not written');

done_testing;
