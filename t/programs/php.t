# PHP by php-cgi and mod_actions: what pages use, and Debian's DokuWiki.

use lib 't/lib';
use JailCGI::Test;
use JailCGI::Builder;

use Digest::SHA;
use HTTP::Request::Common ();
use JailCGI::Client;

# What the packages' own scripts make when they are installed.
my @packages = qw(php8.2-cgi php8.2-common php8.2-sqlite3 php8.2-xml dokuwiki
  php-geshi php-phpseclib libphp-simplepie
  libjs-jquery libjs-jquery-cookie libjs-jquery-ui);
my $ini  = '/etc/php/8.2';
my %made = (
    "$ini/cgi/php.ini" => JailCGI::Httpd::slurp(
        unpacked(@packages) . '/usr/lib/php/8.2/php.ini-production'
    ),
    '/etc/dokuwiki/local.php' => <<'END',
<?php
$conf['title'] = 'The wiki';
$conf['useacl'] = 1;
$conf['superuser'] = '@admin';
END
    '/var/lib/dokuwiki/acl/users.auth.php' =>
      'ann:' . crypt('secret', '$1$saltsalt$') . ":Ann:ann\@example:admin,user\n",
    '/var/lib/dokuwiki/acl/acl.auth.php' => "* \@ALL 1\n* \@user 8\n",
);
for my $module (qw(ctype dom fileinfo iconv pdo pdo_sqlite simplexml sqlite3
    tokenizer xml)) {
    my $priority = $module eq 'pdo' ? 10 : $module eq 'xml' ? 15 : 20;
    $made{"$ini/mods-available/$module.ini"} = "extension=$module.so\n";
    $made{"$ini/cgi/conf.d/$priority-$module.ini"} =
      \"$ini/mods-available/$module.ini";
}
my $alice = jail_of('PHP', 'alice', from => \@packages, made => \%made);
my ($root, $home, $htdocs) = ($alice->root, $alice->jail_home, $alice->jail_htdocs);
$alice->replace("$ini/cgi/conf.d/99-jail.ini", "session.save_path = $home/sessions\n");
system('chown', '-R', $alice->uid . ':' . $alice->gid,
    map { "$root/var/lib/dokuwiki/$_" } qw(data acl));
$alice->directory("$home/$_", mode => 0700) for qw(sessions data);

sub page {
    my ($name, $content) = @_;
    return $alice->replace("$htdocs/$name", $content);
}
page('.user.ini', <<'END');
upload_max_filesize = 64M
post_max_size = 64M
END
page('index.php', "<?php echo 'index ', getmyuid(), ' ', get_current_user();\n");
page('server.php', <<'END');
<?php
header('Content-Type: text/plain');
foreach (['SCRIPT_FILENAME', 'SCRIPT_NAME', 'PHP_SELF', 'DOCUMENT_ROOT',
    'PATH_INFO', 'QUERY_STRING', 'REQUEST_URI', 'HOME'] as $name)
    echo "$name=", $_SERVER[$name] ?? '', "\n";
echo 'file=', __FILE__, "\n", 'cwd=', getcwd(), "\n";
file_put_contents(getenv('HOME') . '/data/mine', 'x');
echo 'uid=', fileowner(getenv('HOME') . '/data/mine'), "\n";
echo 'year=', (new DateTime('2024-07-01 12:00', new DateTimeZone('Europe/Berlin')))
    ->getTimestamp(), "\n";
END
page('form.php', <<'END');
<?php
echo '<p>', htmlspecialchars($_POST['name'] ?? 'nobody'), ' chose ',
    join(',', $_POST['colours'] ?? []), '</p>';
END
page('session.php', <<'END');
<?php
session_start();
$_SESSION['visits'] = ($_SESSION['visits'] ?? 0) + 1;
echo 'visits: ', $_SESSION['visits'];
END
page('upload.php', <<'END');
<?php
$file = $_FILES['file'];
$to = getenv('HOME') . '/data/uploaded';
if (!move_uploaded_file($file['tmp_name'], $to)) {
    http_response_code(400);
    exit('error ' . $file['error']);
}
echo $file['name'], ' ', filesize($to), ' ', hash_file('sha256', $to), ' ', $_POST['note'];
END
page('input.php', <<'END');
<?php
$body = file_get_contents('php://input');
header('Content-Type: application/json');
echo json_encode(['method' => $_SERVER['REQUEST_METHOD'], 'length' => strlen($body),
    'sum' => hash('sha256', $body)]);
END
page('sqlite.php', <<'END');
<?php
$db = new PDO('sqlite:' . getenv('HOME') . '/data/guests.db');
$db->setAttribute(PDO::ATTR_ERRMODE, PDO::ERRMODE_EXCEPTION);
$db->exec('CREATE TABLE IF NOT EXISTS guest (name TEXT)');
if (isset($_POST['name']))
    $db->prepare('INSERT INTO guest VALUES (?)')->execute([$_POST['name']]);
foreach ($db->query('SELECT rowid, name FROM guest ORDER BY rowid') as $row)
    echo $row['rowid'], ' ', htmlspecialchars($row['name']), "\n";
END
page('status.php', "<?php http_response_code(410); echo 'gone for good';\n");
page('away.php', "<?php header('Location: https://other.example/'); setcookie('a', '1'); setcookie('b', '2');\n");
page('fatal.php', "<?php error_log('a word to the log'); none_such();\n");
page('stream.php', <<'END');
<?php
echo 'first';
ob_flush();
flush();
while (!file_exists(getenv('HOME') . '/data/go'))
    usleep(20000);
echo 'last';
END

my $httpd = httpd(modules => ['actions'], vhosts => [vhost_of('PHP', $alice)]);

sub post {
    my ($path, @arguments) = @_;
    my $request = HTTP::Request::Common::POST("http://alice$path", @arguments);
    return $httpd->request('POST', $alice, $path,
        [map { $_ => scalar $request->header($_) } 'Content-Type', 'Cookie'],
        $request->content);
}

# --- pages ------------------------------------------------------------------

my $res = $httpd->get($alice, '/');
is($res->code, 200, 'a directory\'s index.php') or diag($httpd->log($alice));
like($res->content, qr/^index /, 'is run');

$res = $httpd->get($alice, '/server.php/extra/path?a=1&b=2');
is($res->code, 200, 'with path info') or diag($httpd->log($alice));
my %server   = $res->content =~ /^(\w+)=(.*)$/mg;
my %expected = (
    SCRIPT_FILENAME => "$htdocs/server.php",
    SCRIPT_NAME     => '/server.php',
    PHP_SELF        => '/server.php/extra/path',
    DOCUMENT_ROOT   => $htdocs,
    PATH_INFO       => '/extra/path',
    QUERY_STRING    => 'a=1&b=2',
    REQUEST_URI     => '/server.php/extra/path?a=1&b=2',
    HOME            => $home,
    file            => "$htdocs/server.php",
    cwd             => $htdocs,
    uid             => $alice->uid,
    year            => 1_719_828_000,
);
is($server{$_}, $expected{$_}, "PHP's $_") for sort keys %expected;

is($httpd->get($alice, '/absent.php')->code, 404, 'no such page');
$httpd->log_unlike($alice, qr/JCGI(?!1715)/, 'the module had nothing to say');
for my $path ('/php-cgi', '/php-cgi/server.php', '/php-cgi?-s') {
    $res = $httpd->get($alice, $path);
    isnt($res->code, 200, "$path by itself is refused");
    unlike($res->content, qr/SCRIPT_FILENAME|<\?php/, '... and shows nothing');
}

$httpd->mark($alice);

# --- forms, sessions, uploads -----------------------------------------------

is(post('/form.php', [name => 'J <&> B', 'colours[]' => 'red', 'colours[]' => 'blue'])
      ->content, '<p>J &lt;&amp;&gt; B chose red,blue</p>', 'a form');

$res = $httpd->get($alice, '/session.php');
is($res->content, 'visits: 1', 'a session begins');
my ($cookie) = ($res->header('Set-Cookie') // '') =~ /^(PHPSESSID=[^;]+)/;
ok($cookie, 'with a cookie');
is($httpd->get($alice, '/session.php', Cookie => $cookie // '')->content,
    "visits: $_", "visit $_") for 2 .. 3;
is($httpd->get($alice, '/session.php')->content, 'visits: 1', 'another visitor');
is(scalar(() = glob "$root$home/sessions/sess_*"), 2, 'sessions lie in the home');

# Binary, with all that could be taken for the end of a part or of a line.
my $noise = "\r\n--x--\r\n\0\x1a\xff" . join '',
  map { Digest::SHA::sha512("upload $_") } 1 .. 330_000;
my $sum = Digest::SHA::sha256_hex($noise);
my $len = length $noise;
$res = post('/upload.php', 'Content_Type' => 'form-data',
    Content => [
        note => 'after all',
        file => [undef, 'noise.bin', 'Content-Type' => 'image/png', Content => $noise],
    ]);
is($res->content, "noise.bin $len $sum after all", 'an upload of 20 MB')
  or diag($httpd->log($alice));
ok(JailCGI::Httpd::slurp("$root$home/data/uploaded") eq $noise, 'byte by byte');
is_deeply([grep { !m{/\.} } glob "$root/tmp/php*"], [], 'no temporary file is left');
$res = $httpd->request('PUT', $alice, '/input.php', [], $noise);
is($res->content, qq({"method":"PUT","length":$len,"sum":"$sum"}), 'a PUT of 20 MB');

my $client = JailCGI::Client->new($httpd);
$client->send_request('POST', $alice, '/input.php',
    ['Transfer-Encoding: chunked'], "5\r\nhello\r\n0\r\n\r\n");
like($client->response->{body}, qr/"length":5/,
    'a chunked body has a length by JailSpoolBody');

# --- a database -------------------------------------------------------------

like(post('/sqlite.php', [name => 'Ann'])->content, qr/^1 Ann$/m, 'SQLite')
  or diag($httpd->log($alice));
like(post('/sqlite.php', [name => "Bob's"])->content, qr/^2 Bob&#039;s$/m, 'and again');
is((stat "$root$home/data/guests.db")[4], $alice->uid, 'the tenant\'s file');

# --- headers, errors, output as it comes ------------------------------------

$res = $httpd->get($alice, '/status.php');
is($res->code,    410,             'a status');
is($res->content, 'gone for good', 'and its page');
$res = $httpd->get($alice, '/away.php');
is($res->code, 302, 'a redirect');
is_deeply([$res->header('Set-Cookie')], ['a=1', 'b=2'], 'with two cookies');
is($httpd->get($alice, '/fatal.php')->code, 500, 'an error of the page');
$httpd->log_like($alice, qr/a word to the log/, 'what it logs is in the site\'s log');
$httpd->log_like($alice, qr/undefined function none_such/, 'and what PHP says');

$httpd->mark($alice);

$client = JailCGI::Client->new($httpd);
$client->send_request('GET', $alice, '/stream.php');
ok($client->wait_for(qr/first/), 'flush() sends');
$alice->replace("$home/data/go", '');
$res = $client->response;
ok($res->{whole}, 'the page goes on');
like($res->{body}, qr/^firstlast\z/, 'to its end');

# --- DokuWiki ---------------------------------------------------------------

my (%jar, $wiki);
$wiki = '/wiki/doku.php';

sub keep_cookies {
    my ($res) = @_;
    for my $cookie ($res->header('Set-Cookie')) {
        my ($name, $value) = $cookie =~ /^([^=]+)=([^;]*)/;
        $jar{$name} = $value;
    }
    return $res;
}

sub cookies { return join '; ', map { "$_=$jar{$_}" } sort keys %jar }

sub visit {
    my ($name, $path, @patterns) = @_;
    my $res = keep_cookies($httpd->get($alice, $path, Cookie => cookies()));
    is($res->code, 200, "DokuWiki: $name") or diag($httpd->log($alice));
    ok($res->content =~ $_, "DokuWiki: $name: $_") for @patterns;
    return $res;
}

sub submit {
    my ($path, @fields) = @_;
    return keep_cookies(post($path, Cookie => cookies(), Content => [@fields]));
}

# A form's hidden fields.
sub hidden {
    my ($content) = @_;
    my %field;
    for my $input ($content =~ /<input [^>]*type="hidden"[^>]*>/g) {
        my ($name)  = $input =~ / name="([^"]*)"/;
        my ($value) = $input =~ / value="([^"]*)"/;
        $field{$name} = $value // '' if defined $name;
    }
    return %field;
}

visit('a page', "$wiki?id=wiki:syntax", qr/The wiki/, qr/Formatting Syntax/, qr{</html>});
visit('a page that is not there', "$wiki?id=absent", qr/does not exist/i);
like($httpd->get($alice, "$wiki?id=note&do=edit")->content, qr/name="u"/,
    'DokuWiki: who is not known may not write');

my %field = hidden(visit('a login', "$wiki?id=note&do=login", qr/name="u"/)->content);
submit($wiki, %field, u => 'ann', p => 'wrong');
visit('a wrong password', "$wiki?id=note", qr/do=login/);
submit($wiki, %field, u => 'ann', p => 'secret');
%field = hidden(visit('a form', "$wiki?id=note&do=edit", qr/name="wikitext"/, qr/Ann/)->content);
ok($field{sectok}, 'DokuWiki: the form has a token of the session');
$res = submit(
    $wiki, %field,
    wikitext   => "====== A note ======\nSome **bold** word and <tag>.\n",
    'do[save]' => 1,
);
is($res->code, 302, 'DokuWiki: saved') or diag($httpd->log($alice));
visit('the new page', "$wiki?id=note", qr/A note/, qr{<strong>bold</strong>}, qr/&lt;tag&gt;/);
like(visit('its source', "$wiki?id=note&do=export_raw")->content,
    qr/^Some \*\*bold\*\* word/m, 'DokuWiki: is the text');
is((stat "$root/var/lib/dokuwiki/data/pages/note.txt")[4],
    $alice->uid, 'DokuWiki: the page is a file of the tenant');
visit('its history', "$wiki?id=note&do=revisions", qr/Old Revisions/, qr/ann/);
visit('the index', "$wiki?id=note&do=index", qr/note/);
visit('the feed', '/wiki/feed.php', qr/<rdf:RDF|<rss/);
visit('the style sheet', '/wiki/lib/exe/css.php?t=dokuwiki', qr/\{/);
visit('the script', '/wiki/lib/exe/js.php', qr/function/);
visit('jQuery', '/wiki/lib/exe/jquery.php', qr/jQuery/);
visit('an image of its template', '/wiki/lib/tpl/dokuwiki/images/logo.png', qr/^\x89PNG/);
my $logo = JailCGI::Httpd::slurp("$root/var/lib/dokuwiki/data/media/wiki/dokuwiki-128.png");
ok(visit('an image', '/wiki/lib/exe/fetch.php?media=wiki:dokuwiki-128.png')->content eq $logo,
    'DokuWiki: is the file');
is($httpd->get($alice, '/wiki/bin/indexer.php')->code, 403, 'DokuWiki: a tool of its');
my @image = ($alice, '/wiki/lib/exe/fetch.php?media=wiki:dokuwiki-128.png');
$res = $httpd->get(@image);
is($httpd->get(@image, 'If-None-Match' => $res->header('ETag') // '')->code,
    304, 'DokuWiki: not modified');
is($httpd->get(@image, 'If-Modified-Since' => $res->header('Last-Modified') // '')->code,
    304, 'DokuWiki: not modified since');
$res = $httpd->get(@image, Range => 'bytes=100-299');
is($res->code, 206, 'DokuWiki: a part of it');
is($res->header('Content-Range'), 'bytes 100-299/' . length $logo, 'DokuWiki: says which');
ok($res->content eq substr($logo, 100, 200), 'DokuWiki: and is it');

$httpd->log_unlike($alice, qr/JCGI(?!1715)/, 'the module had nothing to say');
done_testing;
