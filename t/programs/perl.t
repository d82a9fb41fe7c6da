# Perl: a form and a large upload with CGI.pm, and Debian's AWStats.

use lib 't/lib';
use JailCGI::Test;
use JailCGI::Builder;

use Digest::SHA;
use HTTP::Request::Common ();
use JailCGI::Client;

my $alice = jail_of('Perl', 'alice', from => ['awstats']);
my ($root, $home) = ($alice->root, $alice->jail_home);
$alice->directory("$home/$_") for qw(files awstats);

$alice->script('form.pl', <<'END');
#!/usr/bin/perl
use strict;
use warnings;
use CGI;
my $q = CGI->new;
print $q->header(-type => 'text/html', -charset => 'utf-8',
    -cookie => [$q->cookie(a => 1), $q->cookie(b => 2)]);
print $q->start_html('A form'), $q->p($q->escapeHTML(scalar $q->param("name"))),
  $q->ul($q->li([$q->multi_param('colour')])), $q->end_html;
END
$alice->script('upload.pl', <<'END');
#!/usr/bin/perl
use strict;
use warnings;
use CGI;
use Digest::SHA;
my $q  = CGI->new;
die $q->cgi_error if $q->cgi_error;
for my $name (qw(first second)) {
    my $in = $q->upload($name) or next;
    open my $out, '>:raw', "$ENV{HOME}/files/$name" or die "$name: $!";
    my $digest = Digest::SHA->new(256);
    while (read $in, my $piece, 65_536) {
        print {$out} $piece;
        $digest->add($piece);
    }
    close $out or die "$name: $!";
    $q->param("$name-sum", $digest->hexdigest);
}
print $q->header('text/plain'),
  join ' ', map { $q->param($_) // '-' } qw(first first-sum second second-sum note);
END
$alice->script('stream.pl', <<'END');
#!/usr/bin/perl
use strict;
use warnings;
use CGI qw(header);
$| = 1;
print header('text/plain'), "first\n";
select undef, undef, undef, 0.02 until -e "$ENV{HOME}/files/go";
print "last\n";
END
$alice->script('taint.pl', <<'END');
#!/usr/bin/perl -T
use strict;
use warnings;
use CGI;
print CGI->new->header('text/plain'), eval { system $ENV{QUERY_STRING}; 1 } ? 'ran' : $@;
END

my $httpd = httpd(vhosts => [vhost_of('Perl', $alice)]);

sub post {
    my ($path, @arguments) = @_;
    my $request = HTTP::Request::Common::POST("http://alice$path", @arguments);
    return $httpd->request('POST', $alice, $path,
        ['Content-Type' => $request->header('Content-Type')], $request->content);
}

# --- CGI.pm -----------------------------------------------------------------

my $res = post('/cgi-bin/form.pl',
    [name => "J\xc3\xbcrg <&>", colour => 'red', colour => 'blue']);
is($res->code, 200, 'a form') or diag($httpd->log($alice));
like($res->content, qr{<p>J\xc3\xbcrg &lt;&amp;&gt;</p>}, 'its text');
like($res->content, qr{<li>red</li> <li>blue</li>}, 'its choices');
is(scalar(() = $res->header('Set-Cookie')), 2, 'two cookies');

# Binary, with all that could be taken for the end of a part or of a line.
my $noise = "\r\n--x--\r\n\0\x1a\xff" . join '',
  map { Digest::SHA::sha512("upload $_") } 1 .. 330_000;
my $sum = Digest::SHA::sha256_hex($noise);
$res = post('/cgi-bin/upload.pl', 'Content_Type' => 'form-data',
    Content => [
        first  => [undef, 'noise.bin', Content => $noise],
        second => [undef, 'empty.txt', Content => ''],
        note   => 'after all',
    ]);
is($res->content,
    "noise.bin $sum empty.txt " . Digest::SHA::sha256_hex('') . ' after all',
    'an upload of 20 MB, an empty one and a field')
  or diag($httpd->log($alice));
ok(JailCGI::Httpd::slurp("$root$home/files/first") eq $noise, 'byte by byte');
is((stat "$root$home/files/first")[4], $alice->uid, 'the tenant\'s file');
is_deeply([glob "$root/tmp/*"], [], 'no temporary file is left');

my $client = JailCGI::Client->new($httpd);
$client->send_request('GET', $alice, '/cgi-bin/stream.pl');
ok($client->wait_for(qr/first/), 'a page comes as it is printed');
$alice->replace("$home/files/go", '');
$res = $client->response;
ok($res->{whole} && $res->{body} eq "first\nlast\n", 'to its end');

like($httpd->get($alice, '/cgi-bin/taint.pl?id')->content, qr/Insecure/,
    'taint mode');

# --- AWStats ----------------------------------------------------------------

my $log = join '', map {
    my $page = $_ % 3 ? 'index.html' : 'about.html';
    my $host = '192.0.2.' . (1 + $_ % 7);
    my $time = sprintf '%02d/Nov/2024:10:%02d:00 +0000', 1 + $_ % 28, $_ % 60;
    qq{$host - - [$time] "GET /$page HTTP/1.1" 200 1000 "https://search.example/" }
      . qq{"Mozilla/5.0 (X11; Linux x86_64; rv:109.0) Gecko/20100101 Firefox/115.0"\n}
} sort { $a % 28 <=> $b % 28 } 1 .. 840;
$alice->replace('/logs/access.log', $log);
$alice->replace('/etc/awstats/awstats.alice.example.conf', <<"END");
LogFile="/logs/access.log"
LogType=W
LogFormat=1
SiteDomain="alice.example"
HostAliases="alice.example"
DNSLookup=0
DirData="$home/awstats"
DirIcons="/awstats-icon"
UseFramesWhenCGI=0
AllowToUpdateStatsFromBrowser=1
END

my $report = '/awstats?config=alice.example&month=11&year=2024';

sub stats {
    my ($name, $path, @patterns) = @_;
    my $res = $httpd->get($alice, $path);
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is($res->code, 200, "AWStats: $name") or diag($httpd->log($alice));
    ok($res->content =~ $_, "AWStats: $name: $_") for @patterns;
    return $res;
}

stats('an update', "$report&update=1", qr/Statistics for/, qr/Nov 2024/);
my @owner = map { (stat)[4] } glob "$root$home/awstats/*.txt";
is_deeply(\@owner, [$alice->uid], 'AWStats: has a file for its numbers, of the tenant');
stats('the report', $report, qr/840/, qr/about\.html/, qr/Firefox/, qr/<\/html>/);
stats('the hosts', "$report&output=allhosts", qr/192\.0\.2\.7/);
stats('an icon', '/awstats-icon/other/awstats_logo6.png', qr/^\x89PNG/);
like($httpd->get($alice, '/awstats?config=none')->content, qr/Couldn't open config file/,
    'AWStats: without configuration');

$httpd->log_unlike($alice, qr/JCGI(?!1715)/, 'the module had nothing to say');
done_testing;
