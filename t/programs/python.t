# Python 3: a form, an upload, a page that comes bit by bit, and Mercurial's
# hgweb with a clone and a push.

use lib 't/lib';
use JailCGI::Test;
use JailCGI::Builder;

use Digest::SHA;
use HTTP::Request::Common ();
use JailCGI::Client;

my $alice = jail_of('Python', 'alice');
my ($root, $home) = ($alice->root, $alice->jail_home);
$alice->directory("$home/$_") for qw(files hg);

$alice->script('form.py', <<'END');
#!/usr/bin/python3
import cgi, html, os, sys
form = cgi.FieldStorage()
print("Content-Type: text/html; charset=utf-8")
print("Set-Cookie: a=1")
print("Set-Cookie: b=2")
print()
print("<p>%s chose %s</p>" % (html.escape(form.getfirst("name", "nobody")),
                              ",".join(form.getlist("colour"))))
END
$alice->script('upload.py', <<'END');
#!/usr/bin/python3
import cgi, hashlib, os, shutil
form = cgi.FieldStorage()
item = form["file"]
path = os.path.join(os.environ["HOME"], "files", "uploaded")
with open(path, "wb") as out:
    shutil.copyfileobj(item.file, out)
with open(path, "rb") as back:
    total = hashlib.file_digest(back, "sha256").hexdigest()
print("Content-Type: text/plain\n")
print(item.filename, os.path.getsize(path), total, form.getfirst("note"))
END
$alice->script('stream.py', <<'END');
#!/usr/bin/env python3
import os, time
print("Content-Type: text/plain\n")
for i in range(3):
    print("line", i, flush=True)
    while not os.path.exists("%s/files/go%d" % (os.environ["HOME"], i)):
        time.sleep(0.02)
print("end")
END
$alice->script('trace.py', <<'END');
#!/usr/bin/python3
raise ValueError("of no value")
END
$alice->script('zone.py', <<'END');
#!/usr/bin/python3
import datetime, locale, ssl, sys, zoneinfo
print("Content-Type: text/plain; charset=utf-8\n")
print(datetime.datetime(2024, 7, 1, 12, tzinfo=zoneinfo.ZoneInfo("Europe/Berlin")).isoformat())
print(sys.getfilesystemencoding(), sys.stdout.encoding)
print("J\u00fcrg")
END

my $hgweb = JailCGI::Httpd::slurp('/usr/share/doc/mercurial/examples/hgweb.cgi')
  =~ s{^config = .*}{config = b"$home/hgweb.config"}mr;
$alice->script('hgweb.cgi', $hgweb);
$alice->replace("$home/hgweb.config", <<"END");
[paths]
/ = $home/hg/*
[web]
allow-push = *
push_ssl = false
allow-archive = gz
END

my $httpd = httpd(vhosts => [vhost_of('Python', $alice)]);

sub post {
    my ($path, @arguments) = @_;
    my $request = HTTP::Request::Common::POST("http://alice$path", @arguments);
    return $httpd->request('POST', $alice, $path,
        ['Content-Type' => $request->header('Content-Type')], $request->content);
}

# --- forms ------------------------------------------------------------------

my $res = $httpd->get($alice, '/cgi-bin/form.py?name=J%C3%BCrg+%3C%26%3E&colour=red&colour=blue');
is($res->code, 200, 'a form by GET') or diag($httpd->log($alice));
my $expected = "<p>J\xc3\xbcrg &lt;&amp;&gt; chose red,blue</p>\n";
is($res->content, $expected, 'and what it holds');
is_deeply([$res->header('Set-Cookie')], ['a=1', 'b=2'], 'two cookies');
is(post('/cgi-bin/form.py', [name => "J\xc3\xbcrg <&>", colour => 'red', colour => 'blue'])
      ->content, $expected, 'a form by POST');

# Binary, with all that could be taken for the end of a part or of a line.
my $noise = "\r\n--x--\r\n\0\x1a\xff" . join '',
  map { Digest::SHA::sha512("upload $_") } 1 .. 330_000;
my $sum = Digest::SHA::sha256_hex($noise);
$res = post('/cgi-bin/upload.py', 'Content_Type' => 'form-data',
    Content => [file => [undef, 'noise.bin', Content => $noise], note => 'after all']);
is($res->content, 'noise.bin ' . length($noise) . " $sum after all\n",
    'an upload of 20 MB') or diag($httpd->log($alice));
ok(JailCGI::Httpd::slurp("$root$home/files/uploaded") eq $noise, 'byte by byte');

# --- a page that comes bit by bit -------------------------------------------

my $client = JailCGI::Client->new($httpd);
$client->send_request('GET', $alice, '/cgi-bin/stream.py');
for my $i (0 .. 2) {
    ok($client->wait_for(qr/line $i/), "line $i comes before the next is made");
    $alice->replace("$home/files/go$i", '');
}
$res = $client->response;
ok($res->{whole}, 'and the page ends');
is($res->{body}, "line 0\nline 1\nline 2\nend\n", 'as it should');

$res = $httpd->get($alice, '/cgi-bin/zone.py');
is($res->content, "2024-07-01T12:00:00+02:00\nutf-8 utf-8\nJ\xc3\xbcrg\n",
    'time zones and UTF-8') or diag($httpd->log($alice));

is($httpd->get($alice, '/cgi-bin/trace.py')->code, 500, 'a script that fails');
$httpd->log_like($alice, qr/trace\.py", line 2/, 'its trace is in the site\'s log');
$httpd->log_like($alice, qr/ValueError: of no value/, 'to the end');
$httpd->mark($alice);

# --- Mercurial --------------------------------------------------------------

my $scratch = work_dir() . '/client';
mkdir $scratch or die "$scratch: $!";
delete @ENV{ grep { /^HG|_proxy$/i } keys %ENV };
@ENV{qw(HOME HGRCPATH HGUSER HGENCODING)} = ($scratch, '', 'Dev <dev@example>', 'UTF-8');

sub hg {
    my ($name, $dir, @arguments) = @_;
    my $said = `cd $dir && timeout 300 hg @arguments 2>&1 </dev/null`;
    is($?, 0, "hg: $name") or diag($said, $httpd->log($alice));
    return $said;
}

sub spit {
    my ($file, $content) = @_;
    open my $fh, '>:raw', $file or die "$file: $!";
    print {$fh} $content;
    close $fh or die "$file: $!";
    return;
}

my $url = 'http://127.0.0.1:' . $httpd->port . '/hg/demo';    # alice's, as the only one
hg('a repository', $scratch, 'init', "$root$home/hg/demo");
system('chown', '-R', $alice->uid . ':' . $alice->gid, "$root$home/hg/demo");
hg('a clone', $scratch, 'clone', $url, 'work');
spit("$scratch/work/README", "A demonstration <of> hg\n");
hg('add', "$scratch/work", 'add', 'README');
hg('commit', "$scratch/work", 'commit', '-m', 'First', '-d', "'2024-07-01 12:00 +0000'");
hg('a push', "$scratch/work", 'push');
spit("$scratch/work/noise", $noise);
hg('add', "$scratch/work", 'add', 'noise');
hg('commit', "$scratch/work", 'commit', '-m', 'Noise');
hg('a push of 20 MB', "$scratch/work", 'push');
hg('a second clone', $scratch, 'clone', $url, 'copy');
ok(JailCGI::Httpd::slurp("$scratch/copy/noise") eq $noise, 'hg: to the byte');
hg('verify', $scratch, 'verify', '-R', "$root$home/hg/demo");

sub page {
    my ($name, $path, @patterns) = @_;
    my $res = $httpd->get($alice, $path);
    is($res->code, 200, "hgweb: $name") or diag($httpd->log($alice));
    ok($res->content =~ $_, "hgweb: $name: $_") for @patterns;
    return $res;
}
page('repositories', '/hg/', qr{/hg/demo/});
page('log', '/hg/demo/shortlog', qr/First/, qr/Noise/, qr{</html>});
page('a change', '/hg/demo/rev/0', qr/A demonstration &lt;of&gt; hg/, qr{</html>});
page('a file', '/hg/demo/file/tip/README', qr/&lt;of&gt;/);
is(page('a raw file', '/hg/demo/raw-file/tip/README')->content,
    "A demonstration <of> hg\n", 'hgweb: is the file');
ok(page('20 MB', '/hg/demo/raw-file/tip/noise')->content eq $noise, 'hgweb: to the byte');
page('an archive', '/hg/demo/archive/0.tar.gz', qr/^\x1f\x8b/);
page('a style', '/hg/static/style-paper.css', qr/body/);
is($httpd->get($alice, '/hg/none')->code, 404, 'hgweb: no such repository');

$httpd->log_unlike($alice, qr/JCGI(?!1715)/, 'the module had nothing to say');
done_testing;
