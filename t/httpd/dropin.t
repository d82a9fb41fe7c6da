# What a host that ran mod_cgi, mod_cgid or suexec has in its configuration:
# their directives, blocks that ask for these modules, RLimit*, and what sbox
# had besides.
# MPM: event, worker, prefork

use lib 't/lib';
use JailCGI::Test;

my $alice = tenant('alice');
my $bob   = tenant('bob');
$alice->script('env.sh', <<'END');
#!/bin/sh
printf 'Content-Type: text/plain\n\n'
exec env
END
$alice->script('bad.sh', <<'END');
#!/bin/sh
cat >/dev/null
echo 'something is wrong' >&2
echo 'this is no header'
END
$alice->script('silent.sh', "#!/bin/sh\nexec sleep 30\n");
$alice->script('limits.sh', <<'END');
#!/bin/sh
printf 'Content-Type: text/plain\n\n'
ulimit -St; ulimit -Ht; ulimit -Sv; ulimit -Hv
END
$alice->script('nproc.pl', <<'END');
#!/usr/bin/perl
my $got = pack 'QQ', 0, 0;
syscall(302, 0, 6, 0, $got);    # prlimit64, RLIMIT_NPROC
print "Content-Type: text/plain\n\n@{[join ' ', unpack 'QQ', $got]}\n";
END
$alice->script('length.sh', <<'END');
#!/bin/sh
printf 'Content-Type: text/plain\n\nlength=%s coding=%s sum=' \
    "$CONTENT_LENGTH" "$HTTP_TRANSFER_ENCODING"
wc -c
END
$alice->script('header.sh', <<'END');
#!/bin/sh
printf 'Content-Type: text/plain\nX-Long: '
head -c 5000 /dev/zero | tr '\0' a
printf '\n\nwhole\n'
END
my $logs = $alice->directory('/logs', uid => 65534, gid => 65534);

# --- directives -------------------------------------------------------------

my $httpd = httpd(
    config => <<"END",
ScriptSock run/cgid.sock
JailRoot none
<IfModule mod_cgid.c>
    Header set X-Cgid file
</IfModule>
END
    modules => ['headers'],
    vhosts => [
        $alice->vhost(<<"END"),
    ScriptLog $logs/script.log
    ScriptLogLength 20000
    ScriptLogBuffer 8
    JailHeaderMax 4096
    <Location /cgi-bin/silent.sh>
        CGIDScriptTimeout 700ms
    </Location>
    <Location /cgi-bin/limits.sh>
        RLimitCPU 7 9
        RLimitMEM 400000000 500000000
    </Location>
    <Location /cgi-bin/burn.sh>
        RLimitCPU 1 1
    </Location>
    <Location /cgi-bin/nproc.pl>
        RLimitNPROC 77 78
    </Location>
END
        $bob
    ],
);
$httpd->log_like(undef, qr/ScriptSock has no effect/, 'ScriptSock is accepted');

my $res = $httpd->get($alice, '/cgi-bin/silent.sh');
is($res->code, 504, 'CGIDScriptTimeout of a <Location>: 504');
$httpd->log_like($alice, qr/JCGI1707/, 'and the log has its code');

$res = $httpd->get($alice, '/cgi-bin/limits.sh');
like($res->content, qr/^7\n9\n390625\n488281\n/,
    'RLimitCPU and RLimitMEM lower the limits')
  or diag($res->content, $httpd->log($alice));
is($httpd->get($alice, '/cgi-bin/nproc.pl')->content, "77 78\n",
    'RLimitNPROC too');
is($httpd->get($alice, '/cgi-bin/env.sh')->header('X-Cgid'),
    undef, '<IfModule mod_cgid.c> is not in force by itself');

$res = $httpd->get($alice, '/cgi-bin/header.sh');
is($res->code, 500, 'a header block above JailHeaderMax: 500');
$httpd->log_like($alice, qr/JCGI1706/, 'with its code');
is($httpd->get($alice, '/cgi-bin/env.sh')->code, 200, 'one below: 200');

$alice->script('burn.sh', "#!/bin/sh\nwhile :; do :; done\n");
is($httpd->get($alice, '/cgi-bin/burn.sh')->code, 500, 'RLimitCPU ends a script');
$httpd->log_like($alice, qr/JCGI1713: script .*burn\.sh/, 'and the log says that it was that');
$alice->script("it's \$(id);x.sh", "#!/bin/sh\n", mode => 0775);
is($httpd->get($alice, '/cgi-bin/it\'s%20$(id);x.sh')->code, 500, 'a name with a meaning for shells');
$httpd->log_like($alice,
    qr{remedy: chmod go-w '/home/alice/cgi-bin/it'\\+''s \$\(id\);x\.sh'},
    'is quoted in the remedy');

# --- ScriptLog --------------------------------------------------------------

sub script_log {
    open my $fh, '<', "$logs/script.log" or return '';
    local $/;
    return <$fh>;
}

unlink "$logs/script.log";
$res = $httpd->request('POST', $alice, '/cgi-bin/bad.sh?a=b', ['X-Mark' => 'x'],
    'name=value&more');
is($res->code, 500, 'a script that prints no header: 500');
my $said = script_log();
like($said, qr{^%% \[\w{3} \w{3} [ \d]\d [\d:]{8} \d{4}\] POST /cgi-bin/bad\.sh\?a=b HTTP/1\.1\n%% 500 \Q@{[$alice->cgi_bin]}\E/bad\.sh\n}m,
    'ScriptLog: what was asked for, and what became of it');
like($said, qr/^%request\n(?:.*\n)*?X-Mark: x\n/m, 'the request\'s headers');
like($said, qr/^\nname=val\n%response\n/m, 'ScriptLogBuffer bytes of its body');
like($said, qr/^%stdout\nthis is no header\n/m,  'stdout');
like($said, qr/^%stderr\nsomething is wrong\n/m, 'stderr');
like($said, qr/^%error\nJCGI1705: /m,            'and the reason');
my $before = length $said;
$httpd->get($alice, '/cgi-bin/none-there.sh');
like(substr(script_log(), $before), qr/\A%% .*\n%% 404 .*\n%error\nJCGI1202: .*\n\z/,
    'a request that ran nothing has a line of its own');
$httpd->get($alice, '/cgi-bin/env.sh');
unlike(script_log(), qr/env\.sh/, 'one that went well has none');
$httpd->get($alice, '/cgi-bin/bad.sh') for 1 .. 60;
my $size = -s "$logs/script.log";
cmp_ok($size, '>', 20000, 'it is filled up to ScriptLogLength');
cmp_ok($size, '<', 22000, 'and grows no further than the last entry');
$httpd->stop;

# --- stand-ins --------------------------------------------------------------

my %stand_in = (
    'cgid_module'   => ['<IfModule mod_cgid.c>', '<IfModule cgid_module>'],
    'cgi_module'    => ['<IfModule mod_cgi.c>',  '<IfModule cgi_module>'],
    'suexec_module' => ['<IfModule mod_suexec.c>'],
);
for my $module (sort keys %stand_in) {
    my $number = 0;
    my $blocks = join '', map { $number++; "$_\nHeader set X-Guard$number on\n</IfModule>\n" }
      @{ $stand_in{$module} };
    my $server = httpd(
        config => "LoadModule $module \"@{[JailCGI::Test::run_dir()]}/lib/mod_jailcgi_compat.so\"\n$blocks",
        modules => ['headers'],
        vhosts  => [$alice],
    );
    $res = $server->get($alice, '/cgi-bin/env.sh');
    is($res->code, 200, "stand-in $module: scripts run");
    is($res->header("X-Guard$_"), 'on', "$stand_in{$module}[$_ - 1] is in force")
      for 1 .. $number;
    $server->stop;
}

# A stand-in is no mod_cgid: a host with JailRoot off has nobody.
my ($status, $output) = configtest(
    config => "LoadModule cgid_module \"@{[JailCGI::Test::run_dir()]}/lib/mod_jailcgi_compat.so\"\n",
    vhosts => [$alice->vhost('', root => 'off')],
);
like($output, qr/JCGI1008/, 'JailRoot off and only a stand-in: JCGI1008');

# Debian's own block, as conf-available/serve-cgi-bin.conf has it.
my $debian = httpd(
    config => <<"END",
LoadModule cgid_module "@{[JailCGI::Test::run_dir()]}/lib/mod_jailcgi_compat.so"
<IfModule mod_alias.c>
    <IfModule mod_cgi.c>
        Define ENABLE_USR_LIB_CGI_BIN
    </IfModule>
    <IfModule mod_cgid.c>
        Define ENABLE_USR_LIB_CGI_BIN
    </IfModule>
    <IfDefine ENABLE_USR_LIB_CGI_BIN>
        ScriptAlias /stock/ @{[$alice->cgi_bin]}/
        <Directory "@{[$alice->cgi_bin]}">
            AllowOverride None
            Options +ExecCGI -MultiViews +SymLinksIfOwnerMatch
            Require all granted
        </Directory>
    </IfDefine>
</IfModule>
JailRoot @{[$alice->root]}
JailUser "#@{[$alice->uid]}" "#@{[$alice->gid]}"
END
);
is($debian->get('anything', '/stock/env.sh')->code, 200,
    'serve-cgi-bin.conf acts, outside of virtual hosts');
$debian->stop;

# --- errors of directives ----------------------------------------------------

my %wrong = (
    'ScriptLogLength many'        => qr/'many' is not a number of bytes/,
    'CGIScriptTimeout soon'       => qr/'soon' is not a time/,
    'CGIDScriptTimeout 0'         => qr/'0' is not a time/,
    'JailMaxUID 0'                => qr/'0' is not a number above 0/,
    'JailHeaderMax 10'            => qr/'10' is not a number of bytes from 1024/,
    'JailUser owner staff'        => qr/takes no group, but 'staff'/,
);
for my $line (sort keys %wrong) {
    ($status, $output) = configtest(config => "$line\n");
    isnt($status, 0, "$line: refused");
    like($output, $wrong{$line}, 'and says why');
}

# --- bounds of identities ----------------------------------------------------

my $low = $alice->uid - 1;
my $bounded = httpd(vhosts => [
    $alice->vhost("JailMaxUID $low"),
    $alice->vhost("JailMaxGID $low", name => 'gid'),
    $alice->vhost("JailMaxUID $low", name => 'owner', user => 'owner'),
    $alice->vhost("JailMaxUID @{[$alice->uid]}", name => 'within'),
]);
is($bounded->get($alice, '/cgi-bin/env.sh')->code, 503, 'above JailMaxUID: 503');
$bounded->log_like($alice, qr/JCGI1011.*uid \d+.*at most $low/, 'JCGI1011');
is($bounded->get('gid', '/cgi-bin/env.sh')->code, 503, 'above JailMaxGID: 503');
$bounded->log_like('gid', qr/JCGI1012/, 'JCGI1012');
is($bounded->get('owner', '/cgi-bin/env.sh')->code, 500, 'an owner above it: 500');
$bounded->log_like('owner', qr/JCGI1306.*nearest allowed id is $low/, 'JCGI1306');
is($bounded->get('within', '/cgi-bin/env.sh')->code, 200, 'at the bound: 200');
$bounded->stop;

# --- JailUser owner directory -------------------------------------------------

$alice->install(probe('identity'), 'roots', uid => 0, gid => 0, mode => 0755);
my $owner = httpd(vhosts => [
    $alice->vhost('', user => 'owner directory'),
    $alice->vhost('', user => 'owner', name => 'strict'),
]);
like($owner->get($alice, '/cgi-bin/roots')->content,
    qr/^uid: (@{[$alice->uid]}) \1 \1$/m,
    'root\'s script in a tenant\'s directory runs as the tenant');
like($owner->get($alice, '/cgi-bin/env.sh')->content, qr/^SCRIPT_NAME=/m,
    'his own as well');
is($owner->get('strict', '/cgi-bin/roots')->code, 500, 'not with plain owner');
$alice->install(probe('identity'), 'bobs', uid => $bob->uid, gid => $bob->gid);
is($owner->get($alice, '/cgi-bin/bobs')->code, 500, 'nor a third user\'s');
$owner->log_like($alice, qr/JCGI1510/, 'JCGI1510');
$owner->stop;

# --- what the browser is told -------------------------------------------------

my $told = httpd(vhosts => [
    $alice->vhost('JailErrorDetail On'),
    $alice->vhost("JailErrorDetail On\n    ErrorDocument 500 \"own page\"",
        name => 'own'),
    $alice->vhost('', name => 'quiet'),
]);
$alice->script('<b>.sh', "#!/no/such/shell\n");
$res = $told->get($alice, '/cgi-bin/%3Cb%3E.sh');
is($res->code, 500, 'JailErrorDetail On');
like($res->content, qr/JCGI1603: script .*&lt;b&gt;\.sh/, 'the page has the reason');
unlike($res->content, qr/<b>/, 'escaped');
like($res->content, qr/\A<!DOCTYPE html>/, 'a whole page');
is($told->get('own', '/cgi-bin/%3Cb%3E.sh')->content, 'own page',
    'an ErrorDocument stays');
unlike($told->get('quiet', '/cgi-bin/%3Cb%3E.sh')->content, qr/JCGI|no.such/,
    'without it the page says nothing');
is($told->get($alice, '/cgi-bin/env.sh')->code, 200, 'a good script is a page');
$told->stop;

# --- bodies of unknown length ---------------------------------------------------

my $spool = httpd(vhosts => [
    $alice->vhost('JailSpoolBody On'),
    $alice->vhost("JailSpoolBody On\n    LimitRequestBody 1000", name => 'least'),
    $alice->vhost('', name => 'stream'),
    $alice->vhost("JailSpoolBody On\n    ErrorDocument 500 /cgi-bin/length.sh",
        name => 'spooled-error'),
]);
my $left;

sub chunked {
    my ($host, $piece, $times) = @_;
    my $left = $times;
    return $spool->request('POST', $host, '/cgi-bin/length.sh', [],
        sub { return $left-- > 0 ? $piece : '' });
}

for my $times (1, 3, 300) {
    my $len = 1000 * $times;
    like(chunked($alice, 'x' x 1000, $times)->content,
        qr/^length=$len coding= sum=$len$/m, "JailSpoolBody On: $len bytes");
}
like(chunked('stream', 'x' x 1000, 3)->content,
    qr/^length= coding= sum=3000$/m, 'Off: streamed, no CONTENT_LENGTH');
is(chunked('least', 'x' x 1000, 3)->code, 413, 'LimitRequestBody counts');
is_deeply([glob '/tmp/jailcgi-body.*'], [], 'no file is left');
$alice->script('refused.sh', "#!/bin/sh\n", mode => 0644);
$left = 1;
like($spool->request('POST', 'spooled-error', '/cgi-bin/refused.sh', [],
        sub { return $left-- > 0 ? 'hello' : '' })->content,
    qr/^length= coding= sum=0$/m, 'an ErrorDocument has no body that is gone');
$spool->stop;

# --- a macro for all sites, and a proxy in front ------------------------------

my $macro = httpd(
    modules => [qw(macro proxy proxy_http)],
    config  => <<"END",
<Macro Site \$name \$root \$uid>
    <VirtualHost 127.0.0.1:\@port\@>
        ServerName \$name
        ErrorLog "logs/\$name.error.log"
        JailRoot \$root
        JailUser "#\$uid" "#\$uid"
        ScriptAlias /cgi-bin/ \$root/home/\$name/cgi-bin/
    </VirtualHost>
</Macro>
Use Site alice @{[$alice->root]} @{[$alice->uid]}
Use Site bob @{[$bob->root]} @{[$bob->uid]}
<VirtualHost 127.0.0.1:\@port\@>
    ServerName front
    ProxyPass /behind/ http://127.0.0.1:\@port\@/cgi-bin/
</VirtualHost>
END
);
$_->install(probe('identity'), 'who') for $alice, $bob;
for my $site ($alice, $bob) {
    like($macro->get($site, '/cgi-bin/who')->content,
        qr/^uid: (@{[$site->uid]}) \1 \1$/m, 'mod_macro: ' . $site->name);
}
like($macro->get('front', '/behind/who')->content,
    qr/^uid: (@{[$alice->uid]}) \1 \1$/m, 'behind mod_proxy');
my $big = 'z' x 300_000;
like($macro->request('POST', 'front', '/behind/length.sh', [], $big)->content,
    qr/sum=300000/, 'with a body');
$macro->stop;

# --- for LogFormat ----------------------------------------------------------

my $conf = do { open my $fh, '<', 'conf/jailcgi.conf' or die; local $/; <$fh> };
my ($ready) = $conf =~ /^#(LogFormat .*\n#CustomLog .*\n)/m;
$ready =~ s/^#//mg;
$ready =~ s{/var/log/apache2/scripts\.log}{$logs/scripts.log};
$bob->replace($bob->jail_htdocs . '/page.txt', 'a page');
my $noted = httpd(
    config => $ready
      . 'LogFormat "%{JAILCGI_JAIL}n|%{JAILCGI_SCRIPT}n|%{JAILCGI_UID}n|%{JAILCGI_EXIT}n|%{JAILCGI_CODE}n" jail',
    vhosts => [
        $alice->vhost("CustomLog $logs/access.log jail"),
        $bob->vhost('', name => 'bob')
    ],
);
$alice->script('three.sh', "#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\n'\nexit 3\n");
$noted->get($alice, "/cgi-bin/$_") for qw(env.sh three.sh);
$alice->script('killed.sh', "#!/bin/sh\nkill -9 \$\$\n");
$noted->get($alice, '/cgi-bin/killed.sh');
$bob->script('one.sh', "#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\n'\n");
$noted->get($bob, $_) for '/page.txt', '/cgi-bin/one.sh';
$noted->stop;
open my $fh, '<', "$logs/access.log" or die "access.log: $!";
my @lines = map { chomp; $_ } <$fh>;
my ($jail, $dir, $uid) = ($alice->root, $alice->jail_cgi_bin, $alice->uid);
is($lines[0], "$jail|$dir/env.sh|$uid|exit 0|-", 'notes of a script that went well');
is($lines[1], "$jail|$dir/three.sh|$uid|exit 3|JCGI1715", 'of one with a status');
is($lines[2], "$jail|$dir/killed.sh|$uid|signal 9|JCGI1701", 'of one that was killed');

open $fh, '<', "$logs/scripts.log" or die "scripts.log: $!";
@lines = map { chomp; $_ } <$fh>;
is(scalar @lines, 1, 'conf/jailcgi.conf: its CustomLog has scripts alone');
like($lines[0], qr{ bob uid=@{[$bob->uid]} gid=@{[$bob->gid]} jail=\Q@{[$bob->root]}\E script=/home/bob/cgi-bin/one\.sh pid=\d+ "exit 0" user=\d+ system=\d+ memory=\d+ code=-$},
    'and what its comment says');

done_testing;
