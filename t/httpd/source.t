# No script's source is ever sent, by any way into the handler. Every way below leads
# to a script with a secret in its source, in a host that runs scripts and in hosts that
# refuse to, for whatever reason. Where httpd's own module runs the script mod_jailcgi
# has to run it as well. The last rows are the control: the same script by ways that
# make it a plain file, where the secret is sent.

use lib 't/lib';
use JailCGI::Test;

use File::Basename 'dirname';

my $alice  = tenant('alice');
my $htdocs = $alice->jail_htdocs;
my $secret = 'SECRET-IN-THE-SOURCE';

# What it prints is not in its source, so that one cannot be taken for the other.
my $script = <<"END";
#!/bin/sh
# password=$secret
cat >/dev/null
printf 'Content-Type: text/plain\\n\\nR''AN '
END

sub script {
    my ($path, %option) = @_;
    $alice->directory(dirname($path));
    return $alice->replace($path, $option{text} // $script, mode => 0755,
        uid => $alice->uid, gid => $alice->gid, %option);
}

sub page {
    my ($name, $content) = @_;
    return $alice->settled("$htdocs/$name", $content);
}

script($alice->jail_cgi_bin . "/$_") for qw(tool tool.html nph-tool);
script($alice->jail_cgi_bin . '/' . $_->[0], text => <<"END") for
#!/bin/sh
# password=$secret
printf 'Location: $_->[1]\\n\\n'
END
  ['to-handler', '/handler/a.cgi'], ['to-alias', '/cgi-bin/tool'], ['to-exec', '/ssi/bare.shtml'];
script("$htdocs/$_") for qw(handler/a.cgi handler/a.cgi.txt set/tool force/tool type/a.xcgi
  types/a.conf-cgi index/index.cgi multi/a.cgi rewrite/tool.txt rewrite/page rewrite/plain
  noexec/a.cgi removed/a.cgi plain/tool plain/tool.txt plain/tool.html if/tool htaccess/a.cgi
  htaccess/tool htaccess-rewrite/tool.txt bare/tool bare/tool.php bare/tool.html default/tool
  forced/tool.txt removed/b.cgi asis/tool speling/Tool.cgi method/a.cgi nowhere/tool
  remove-type/a.xcgi);
script("$htdocs/handler/unexecutable.cgi", mode => 0644);
script("$htdocs/handler/roots.cgi",        uid  => 0);
script("$htdocs/handler/loose.cgi",        mode => 0775);
script("$htdocs/handler/crlf.cgi", text => $script =~ s/\n/\r\n/r);
script("$htdocs/handler/no-interpreter.cgi", text => $script =~ s/#!\S+//r);
script("$htdocs/handler/unreadable.cgi", mode => 0711);
page('card/a.card', "a card\n");
page('static.txt',  "a page\n");
page('htaccess/.htaccess', <<'END');
Options +ExecCGI
AddHandler cgi-script .cgi
<Files tool>
    SetHandler cgi-script
</Files>
END
page('htaccess-rewrite/.htaccess', <<'END');
Options +ExecCGI
RewriteEngine On
RewriteRule ^by-handler$ tool.txt [H=cgi-script,L]
RewriteRule ^by-type$ tool.txt [T=application/x-httpd-cgi,L]
RewriteRule ^tool.txt$ - [H=cgi-script]
END

my %ssi = (
    exec              => '<!--#exec cgi="/cgi-bin/tool" -->',
    bare              => '<!--#exec cgi="/bare/tool" -->',
    relative          => '<!--#exec cgi="../bare/tool" -->',
    html              => '<!--#exec cgi="/bare/tool.html" -->',
    php               => '<!--#exec cgi="/bare/tool.php" -->',
    text              => '<!--#exec cgi="/plain/tool.txt" -->',
    default           => '<!--#exec cgi="/default/tool" -->',
    forced            => '<!--#exec cgi="/forced/tool.txt" -->',
    removed           => '<!--#exec cgi="/removed/b.cgi" -->',
    asis              => '<!--#exec cgi="/asis/tool" -->',
    nowhere           => '<!--#exec cgi="/nowhere/tool" -->',
    multi             => '<!--#exec cgi="/multi/a" -->',
    noexec            => '<!--#exec cgi="/noexec/a.cgi" -->',
    query             => '<!--#exec cgi="/bare/tool?x" -->',
    info              => '<!--#exec cgi="/bare/tool/info" -->',
    directory         => '<!--#exec cgi="/bare" -->',
    two               => '<!--#exec cgi="/bare/tool" cgi="/bare/tool" -->',
    'exec-nph'        => '<!--#exec cgi="/cgi-bin/nph-tool" -->',
    'exec-index'      => '<!--#exec cgi="/index/" -->',
    'exec-location'   => '<!--#exec cgi="/cgi-bin/to-handler" -->',
    virtual           => '<!--#include virtual="/cgi-bin/tool" -->',
    'virtual-handler' => '<!--#include virtual="/handler/a.cgi" -->',
    'virtual-type'    => '<!--#include virtual="/type/a.xcgi" -->',
    'virtual-info'    => '<!--#include virtual="/handler/a.cgi/info?query" -->',
    'virtual-index'   => '<!--#include virtual="/index/" -->',
    'virtual-multi'   => '<!--#include virtual="/multi/a" -->',
    'virtual-nph'     => '<!--#include virtual="/cgi-bin/nph-tool" -->',
    'virtual-to'      => '<!--#include virtual="/cgi-bin/to-handler" -->',
    'virtual-rewrite' => '<!--#include virtual="/by-handler" -->',
    'virtual-page'    => '<!--#include virtual="/ssi/bare.shtml" -->',
    file              => '<!--#include file="own.cgi" -->',
    onerror           => '<!--#include virtual="/none" onerror="/handler/a.cgi" -->',
);
page("ssi/$_.shtml", "<$ssi{$_}>") for keys %ssi;
script("$htdocs/ssi/own.cgi");
my $types = page('types.conf', "application/x-httpd-cgi conf-cgi\n");

# --- the servers ------------------------------------------------------------

my $dir   = $alice->htdocs;
my %where = (
    handler => 'AddHandler cgi-script .cgi',
    method  => 'AddHandler cgi-script .cgi',
    speling => 'AddHandler cgi-script .cgi',
    noexec  => "AddHandler cgi-script .cgi\nOptions -ExecCGI",
    set     => 'SetHandler cgi-script',
    force   => 'ForceType application/x-httpd-cgi',
    type    => 'AddType application/x-httpd-cgi .xcgi',
    index   => "AddHandler cgi-script .cgi\nDirectoryIndex index.cgi",
    card    => "AddHandler card .card\nAction card /cgi-bin/tool",
    multi   => "AddHandler cgi-script .cgi\nOptions +MultiViews",
    rewrite => "RewriteEngine On\nRewriteRule ^page\$ /cgi-bin/tool [PT,L]\n"
      . 'RewriteRule ^plain$ - [H=cgi-script]',
    if       => "<If \"true\">\nSetHandler cgi-script\n</If>",
    ssi      => "Options +Includes\nAddOutputFilter INCLUDES .shtml\nAddType text/html .shtml\n"
      . 'AddHandler cgi-script .cgi',
    default  => 'SetHandler default-handler',
    asis     => 'SetHandler send-as-is',
    nowhere  => 'SetHandler no-such-handler',
    forced   => 'ForceType text/plain',
    removed  => 'RemoveHandler .cgi',
    htaccess => 'AllowOverride All',
    'htaccess-rewrite' => 'AllowOverride All',
    'remove-type'      => "AddType application/x-httpd-cgi .xcgi\nRemoveType .xcgi",
);
my $directories = join '', map { <<"END" } sort keys %where;
    <Directory "$dir/$_">
    $where{$_}
    </Directory>
END
my $site = <<"END";
    <Directory "$dir">
        Options +ExecCGI +FollowSymLinks
    </Directory>
$directories
    Alias /aliased/ "@{[$alice->cgi_bin]}/"
    <Location /aliased/>
        SetHandler cgi-script
        Options +ExecCGI
    </Location>
    ScriptAliasMatch ^/match/(.*) "@{[$alice->cgi_bin]}/\$1"
    Action always /handler/a.cgi virtual
    <Location /always>
        SetHandler always
    </Location>
    <Location /to-alias>
        DirectoryIndex /cgi-bin/tool
    </Location>
    <Location /fallback>
        FallbackResource /handler/a.cgi
    </Location>
    <Location /speling>
        CheckSpelling On
    </Location>
    <Location /missing>
        ErrorDocument 404 /cgi-bin/tool
    </Location>
    <Location /missing-handler>
        ErrorDocument 404 /handler/a.cgi
    </Location>
    <Location /missing-loop>
        ErrorDocument 404 /handler/unexecutable.cgi
        ErrorDocument 500 /handler/roots.cgi
    </Location>
    <Location /missing-ssi>
        ErrorDocument 404 /ssi/bare.shtml
    </Location>
    <Location /denied>
        Require all denied
        ErrorDocument 403 /handler/a.cgi
    </Location>
    RewriteEngine On
    RewriteRule ^/by-handler\$ "$dir/rewrite/tool.txt" [H=cgi-script]
    RewriteRule ^/by-type\$ "$dir/rewrite/tool.txt" [T=application/x-httpd-cgi]
    RewriteRule ^/by-case\$ "$dir/rewrite/tool.txt" [H=CGI-Script]
    RewriteRule ^/passed\$ /cgi-bin/tool [PT]
    RewriteRule ^/last\$ "$dir/handler/a.cgi" [L]
    RewriteRule ^/env\$ /handler/a.cgi [E=x:y,PT]
END

sub host {
    my ($name, $more, %option) = @_;
    return $alice->vhost("$site    " . ($more // ''), name => $name, %option);
}
my @modules = qw(include rewrite actions speling negotiation asis);
my @config = (config => "TypesConfig $types\n<Directory \"$dir/types\">\nOptions +ExecCGI\n</Directory>\n");
my $theirs = mpm() eq 'prefork' ? 'cgi' : 'cgid';
my $sock   = mpm() eq 'prefork' ? ''    : "ScriptSock cgid.sock\n";
my $low    = $alice->uid - 1;
my $stock  = httpd(
    config          => $config[1] . $sock,
    modules         => [@modules, $theirs],
    without_jailcgi => 1,
    vhosts          => [host('stock', '', root => '', user => '')],
);
my $ours = httpd(
    config  => $config[1] . $sock,
    modules => [@modules, $theirs],
    vhosts  => [
        host('alice'),
        host('owner', '', user => 'owner'),
        host('detail',  "JailErrorDetail On\n    JailMaxUID $low"),
        host('refused', "JailMaxUID $low"),
        host('unset', '', root => ''),
        host('nobody', '', user => ''),
        host('absent', '', root => '/nowhere/at/all'),
        host('off',    '', root => 'off', user => ''),
    ],
);
my $alone = httpd(
    @config,
    modules => \@modules,
    vhosts  => [host('off', '', root => 'off', user => ''), host('alice')],
);

# --- the ways ---------------------------------------------------------------

my @ways = (
    '/cgi-bin/tool', '/cgi-bin/tool.html', '/cgi-bin/tool/info', '/cgi-bin/tool?query',
    '/cgi-bin/nph-tool', '//cgi-bin//tool', '/cgi-bin/./tool', '/cgi-bin/x/../tool',
    '/cgi-bin/tool%2e', '/cgi-bin/to%6fl', '/cgi-bin/tool/', '/cgi-bin/tool%00',
    '/cgi-bin/Tool', '/cgi-bin/to-handler', '/cgi-bin/to-alias', '/cgi-bin/to-exec',
    '/aliased/tool', '/match/tool',
    '/handler/a.cgi', '/handler/a.cgi.txt', '/handler/a.cgi/info', '/handler/a.cgi/', '/handler/A.CGI',
    (map { "/handler/$_.cgi" } qw(unexecutable roots loose crlf no-interpreter unreadable)),
    '/set/tool', '/force/tool', '/type/a.xcgi', '/types/a.conf-cgi', '/if/tool',
    '/index/', '/index/index.cgi', '/to-alias/', '/multi/a', '/multi/a.cgi', '/multi/a/info',
    '/card/a.card', '/always', '/always/more', '/noexec/a.cgi',
    '/fallback/any/thing', '/missing', '/missing-handler', '/missing-loop', '/missing-ssi',
    '/denied', '/speling/tool.cgi', '/speling/Toool.cgi', '/speling/Tool',
    '/by-handler', '/by-type', '/by-case', '/passed', '/last', '/env', '/rewrite/page', '/rewrite/plain',
    '/htaccess/a.cgi', '/htaccess/tool', map { "/htaccess-rewrite/$_" } qw(by-handler by-type tool.txt),
);
push @ways, map { "/ssi/$_.shtml" } sort keys %ssi;
push @ways, '/ssi/own.cgi';

my @methods = (
    (map { [$_, '/method/a.cgi'] } qw(HEAD OPTIONS PUT DELETE PATCH PROPFIND TRACE OTHER)),
    (map { [$_, '/cgi-bin/tool'] } qw(HEAD OPTIONS POST PUT)),
    ['POST', '/ssi/bare.shtml'],
    map { ['GET', $_, 'Range: bytes=0-60', 'If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT',
            'Accept-Encoding: gzip', 'Translate: f'] }
      '/method/a.cgi', '/cgi-bin/tool', '/ssi/bare.shtml', '/type/a.xcgi',
);

sub answer {
    my ($httpd, $host, $method, $path, @lines) = @_;
    my $got = $httpd->raw(join "\r\n", "$method $path HTTP/1.0", "Host: $host",
        @lines, '', '');
    return $got // 'no answer';
}

my (%stock_ran, %stock_sent);
for my $way (map { ['GET', $_] } @ways) {
    my $got = answer($stock, 'stock', @$way);
    $stock_ran{ $way->[1] }  = $got =~ /RAN/       ? 1 : 0;
    $stock_sent{ $way->[1] } = $got =~ /\Q$secret/ ? 1 : 0;
}
cmp_ok(scalar(grep { $_ } values %stock_ran), '>', 40, "stock $theirs runs most of them");
note("stock sends the source: ", join ' ', grep { $stock_sent{$_} } sort keys %stock_sent);

# What only mod_jailcgi's own checks refuse, and what it runs although stock sends it.
my %unsafe = map { ("/handler/$_.cgi" => 1) } qw(roots loose);
my %nph = map { $_ => 1 } '/cgi-bin/nph-tool';    # its head is no HTTP
for my $host (qw(alice owner)) {
    for my $path (@ways) {
        my $got = answer($ours, $host, 'GET', $path);
        unlike($got, qr/\Q$secret/, "$host: $path: no source");
        next if $unsafe{$path} || $nph{$path} || !$stock_ran{$path};
        like($got, qr/RAN/, "$host: $path: is run, as by $theirs");
    }
}
like(answer($ours, 'alice', 'GET', "/ssi/$_.shtml"), qr/<RAN >/, "exec cgi of $_: is run")
  for qw(exec bare relative html php text default forced removed asis nowhere);

for my $case ([$ours, qw(refused detail unset nobody absent)], [$alone, 'off']) {
    my ($httpd, @hosts) = @$case;
    for my $host (@hosts) {
        my @got = map { answer($httpd, $host, 'GET', $_) } @ways;
        is_deeply([map { $ways[$_] } grep { $got[$_] =~ /\Q$secret/ } 0 .. $#ways],
            [], "$host: no source by any of the ways");
        is_deeply([map { $ways[$_] } grep { $got[$_] =~ /RAN/ } 0 .. $#ways],
            [], "$host: nothing is run");
    }
}
$ours->log_like('refused', qr/JCGI1011/, 'refused: for its uid');
$ours->log_like('unset',   qr/JCGI1007/, 'unset: for want of a JailRoot');
$alone->log_like('off', qr/JCGI1008/, 'JailRoot off and no mod_cgi: refused');

# Such a host is the other module's; what that sends is that module's.
for my $path (@ways) {
    my $got = answer($ours, 'off', 'GET', $path);
    unlike($got, qr/\Q$secret/, "off: $path: no source") if !$stock_sent{$path};
    like($got, qr/RAN/, "off: $path: is run, by $theirs") if $stock_ran{$path};
}

for my $row (@methods) {
    my ($method, $path, @lines) = @$row;
    unlike(answer($ours, $_, $method, $path, @lines), qr/\Q$secret/,
        "$_: $method $path @lines: no source") for qw(alice refused unset);
}

# The control.
for my $path (qw(/plain/tool /plain/tool.txt /plain/tool.html /removed/a.cgi /remove-type/a.xcgi)) {
    like(answer($ours, 'alice', 'GET', $path), qr/\Q$secret/, "control: $path is a plain file");
}
done_testing;
