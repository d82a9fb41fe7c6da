# Server-side includes: exec cgi, exec cmd and include virtual, in the jail.
# MPM: event, worker, prefork

use lib 't/lib';
use JailCGI::Test;
use MIME::Base64 'encode_base64';

my $alice = tenant('alice');
$alice->script('who.sh', <<'END');
#!/bin/sh
printf 'Content-Type: text/plain\n\nscript of %s in %s, query [%s]' \
    "$(id -u)" "$(ls -di / | { read n rest; echo "$n"; })" "$QUERY_STRING"
END
$alice->script('away.sh', <<'END');
#!/bin/sh
printf 'Location: http://other.example/<x>\n\n'
END
$alice->script('post.sh', <<'END');
#!/bin/sh
printf 'Content-Type: text/plain\n\nbody of %s' "$(wc -c)"
END

sub page {
    my ($name, $content, %option) = @_;
    return $alice->replace($alice->jail_htdocs . "/$name", $content,
        uid => $alice->uid, gid => $alice->gid, mode => 0644, %option);
}

my %page = (
    cmd     => '<!--#exec cmd="echo command of $(id -u) in $(ls -di / | { read n rest; echo $n; })" -->',
    cgi     => '<!--#exec cgi="/cgi-bin/who.sh" -->',
    away    => '<!--#exec cgi="/cgi-bin/away.sh" -->',
    virtual => '<!--#include virtual="/cgi-bin/who.sh?a+b" -->',
    post    => '<!--#include virtual="/cgi-bin/post.sh" -->',
    where   => '<!--#exec cmd="pwd; env | sort | grep -e ^DOCUMENT_NAME= -e ^LD_BIND_NOW= -e ^SCRIPT_FILENAME=" -->',
    args    => '<!--#exec cmd="echo n=\$#; env | grep ^QUERY_STRING | sort" -->',
    large   => '<!--#exec cmd="seq 200000" -->',
    error   => '<!--#exec cmd="echo to the log >&2; exit 3" -->',
    kill    => '<!--#exec cmd="echo cut; kill -9 $$" -->',
    stdin   => '<!--#exec cmd="wc -c" -->',
    none    => '<!--#exec -->',
    other   => '<!--#exec prg="x" -->',
    query   => '<!--#exec cgi="/cgi-bin/who.sh?x" -->',
    absent  => '<!--#exec cgi="/cgi-bin/absent.sh" -->',
    hidden  => '<!--#if expr="false" --><!--#exec cmd="echo shown" --><!--#endif -->',
);
page("$_.shtml", "before <$page{$_}> after") for keys %page;
page('order.shtml', join "\n", map { "<!--#exec cmd=\"$_\" -->" }
      'rm -f /tmp/order', 'sleep 0.4; echo first >/tmp/order', 'cat /tmp/order',
    'echo second >/tmp/order', 'cat /tmp/order');
page('loose.shtml', $page{cmd}, mode => 0664);
page('roots.shtml', $page{cmd}, uid  => 0);

my $includes = <<"END";
    AddType text/html .shtml
    AddOutputFilter INCLUDES .shtml
    <Directory "@{[$alice->htdocs]}">
        Options +Includes
    </Directory>
END
my $httpd = httpd(
    modules => ['include', mpm() eq 'prefork' ? 'cgi' : 'cgid'],
    config  => mpm() eq 'prefork' ? '' : 'ScriptSock cgid.sock',
    vhosts  => [
        $alice->vhost($includes),
        $alice->vhost($includes =~ s/\+Includes/+IncludesNOEXEC/r,
            name => 'noexec'),
        $alice->vhost("$includes    JailExecCmd Off", name => 'nocmd'),
        $alice->vhost($includes, name => 'owner', user => 'owner'),
        $alice->vhost($includes, name => 'off', root => 'off', user => ''),
        $alice->vhost($includes, name => 'unset', root => ''),
    ],
);
my $uid  = $alice->uid;
my $root = (stat $alice->root)[1];

sub body {
    my ($page, $host) = @_;
    my $res = $httpd->get($host || $alice, "/$page.shtml");
    is($res->code, 200, "$page: 200");
    return $res->decoded_content;
}

my $error = qr/\[an error occurred while processing this directive\]/;

is(body('cmd'), "before <command of $uid in $root\n> after",
    'exec cmd: as the tenant, in the jail');
is(body('cgi'), "before <script of $uid in $root, query []> after", 'exec cgi');
is($httpd->get($alice, '/cgi.shtml?of-the-page')->content,
    "before <script of $uid in $root, query [of-the-page]> after",
    'exec cgi gets the page\'s query');
is(body('virtual'), "before <script of $uid in $root, query [a+b]> after",
    'include virtual');
is(body('away'),
    'before <<a href="http://other.example/&lt;x&gt;">http://other.example/&lt;x&gt;</a>> after',
    'a redirect becomes a link');
is($httpd->request('POST', $alice, '/stdin.shtml', [], 'secret')->content,
    "before <0\n> after", 'the page\'s body is not the command\'s');
is(body('post'), 'before <body of 0> after', 'a script in a page has no body');
is(body('stdin'), "before <0\n> after", 'nor has a command');
is(body('where'),
    sprintf("before <%s\nDOCUMENT_NAME=where.shtml\nLD_BIND_NOW=1\n"
          . "SCRIPT_FILENAME=%s/where.shtml\n> after", ($alice->jail_htdocs) x 2),
    'a command starts beside the page, with its variables');
is($httpd->get($alice, '/args.shtml?a%20b;c')->content,
    "before <n=0\nQUERY_STRING=a%20b;c\nQUERY_STRING_UNESCAPED=a b\\;c\n> after",
    'a command gets no arguments from the query (CVE-2025-58098)');
is(body('order') =~ s/\s+/ /gr, ' first second ', 'commands run one after the other')
  or diag($httpd->log($alice));
page('several.shtml', '<!--#exec cmd="sleep 0.4; echo first >/tmp/several"'
      . ' cmd="cat /tmp/several" cmd="echo last" -->');
is(body('several'), "first\nlast\n", 'those of one directive, too');
my $large = body('large');
is(length $large, length('before <> after') + 1288895, 'a long output: all of it');
like($large, qr/^before <1\n2\n/, 'from its beginning');
like($large, qr/\n200000\n> after\z/, 'to its end');
is(body('error'), 'before <> after', 'a command that fails prints nothing');
$httpd->log_like($alice, qr/to the log/, 'its stderr is in the log');
is(body('kill'), "before <cut\n> after", 'one that is killed: the page goes on');
$httpd->log_like($alice, qr/JCGI1701.*SIGKILL/, 'and the log says so');
is(body('hidden'), 'before <> after', 'not in a block that is left out');

for my $bad (qw(none other query absent)) {
    like(body($bad), qr/^before <$error> after$/, "$bad: an error");
}
$httpd->log_like($alice, qr/exec without cmd or cgi in .*none\.shtml/, 'log: none');

for my $bad (qw(cmd cgi)) {
    like(body($bad, 'noexec'), qr/^before <$error> after$/,
        "IncludesNOEXEC: no exec $bad");
}
like(body('cgi', 'nocmd'), qr/script of $uid/, 'JailExecCmd Off: exec cgi runs');
is(body('cmd', 'nocmd'), 'before <> after', 'exec cmd does not');
$httpd->log_like('nocmd', qr/JCGI1517/, 'JCGI1517');

# The page is checked as a script is.
for my $bad (['loose', 'JCGI1508'], ['roots', 'JCGI1510']) {
    my ($name, $code) = @$bad;
    unlike($httpd->get($alice, "/$name.shtml")->content,
        qr/command of/, "$name.shtml: no command");
    $httpd->log_like($alice, qr/$code: script .*$name\.shtml not run/, $code);
}

like(body('cmd', 'owner'), qr/command of $uid in $root/,
    'JailUser owner: as the page\'s owner');
unlike($httpd->get('owner', '/roots.shtml')->content, qr/command of/,
    'not as root');
$httpd->log_like('owner', qr/JCGI1306/, 'JCGI1306');

# Hosts that are handed back are mod_cgid's, and nobody else's.
my $web = (getpwnam('nobody'))[2];
like(body('where', 'off'), qr/where\.shtml/, 'JailRoot off: mod_cgid runs it');
like(body('cmd', 'unset'), qr/^before <$error> after$/, 'no JailRoot: nobody does');

ok(wait_until { processes_of_uid($uid) == 3 },
    'only the keepers of the three policies are left');

# Without mod_include no policy allows a command (t/unit/helper.c has the rest);
# with it alone, and no mod_cgid, all of this works as well.
$httpd->stop;
# Checking this password takes a while, so that the half close comes before the script.
my $users = work_dir() . '/users';
my $hash  = crypt 'secret', '$2y$11$abcdefghijklmnopqrstuu';
open my $fh, '>', $users or die "$users: $!";
print {$fh} "alice:$hash\n";
close $fh or die "$users: $!";
my $alone = httpd(
    modules => ['include', qw(authn_core authn_file authz_user auth_basic)],
    vhosts  => [$alice->vhost($includes . <<"END")],
    ScriptAlias /secret/ "@{[$alice->cgi_bin]}/"
    <Location /secret/>
        AuthType Basic
        AuthName secret
        AuthUserFile "$users"
        Require valid-user
    </Location>
END
);
like($alone->get($alice, '/cmd.shtml')->content, qr/command of $uid in $root/,
    'without mod_cgid');
$alone->regenerate;
like($alone->get($alice, '/cmd.shtml')->content, qr/command of $uid in $root/,
    'and after a graceful restart');


# A client that closes its sending side with its request and still reads.
sub half_closed {
    my ($server, $path) = @_;
    my $socket = $server->connect or die "connect: $@";
    print {$socket} "GET $path HTTP/1.1\r\nHost: alice\r\nConnection: close\r\n",
      'Authorization: Basic ', encode_base64('alice:secret', ''), "\r\n\r\n";
    shutdown $socket, 1;
    return JailCGI::Httpd::read_all($socket, 20) // '';
}
$alice->script('slow.sh', "#!/bin/sh\nsleep 0.1\nprintf 'Content-Type: text/plain\\n\\nslow\\n'\n");
$alice->script('go.sh', "#!/bin/sh\nsleep 0.1\nprintf 'Location: /cgi-bin/slow.sh\\n\\n'\n");
page('twice.shtml', '<!--#exec cmd="sleep 0.1; echo one" --><!--#include '
      . 'virtual="/cgi-bin/slow.sh" --><!--#exec cmd="sleep 0.1; echo two" -->end');
for my $case (['/cgi-bin/slow.sh', qr/slow\n\z/], ['/cgi-bin/go.sh', qr/slow\n\z/],
    ['/secret/slow.sh', qr/slow\n\z/],
    ['/twice.shtml', qr/one.*slow.*two.*end/s]) {
    my ($path, $whole) = @$case;
    is(scalar(grep { half_closed($alone, $path) =~ $whole } 1 .. 10),
        10, "$path: whole for a client that has closed its side");
}

done_testing;
