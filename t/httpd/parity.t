# The same requests to httpd's own CGI module and to mod_jailcgi: status, headers
# and bodies are the same but for the differences that stand in these tables,
# each with its reason. See JailCGI::Pair. Here: what reaches a script, and how one
# is reached. What it says, and bodies: parity_output.t. TLS: parity_tls.t.
#
# MPM: event, worker, prefork

use lib 't/lib';
use JailCGI::Test;
use JailCGI::Pair;

use Digest::SHA    'sha1_base64';
use File::Basename 'dirname';

my $alice  = tenant('alice');
my $root   = $alice->root;
my $htdocs = $alice->jail_htdocs;

# --- the files --------------------------------------------------------------

# A directory of the tenant's with the program that shows its request.
sub shows {
    my ($path, @names) = @_;
    $alice->directory($path);
    $alice->install(probe('show'), "../../../$path/$_") for @names;
    return;
}

sub text_file {
    my ($path, $text) = @_;
    $alice->directory(dirname($path));
    return $alice->settled($path, $text);
}

$alice->install(probe('show'), 'show');
$alice->script($_, JailCGI::Pair::printer()) for qw(print nph-print);
$alice->script('unreadable', JailCGI::Pair::printer(), mode => 0644);
$alice->script('stdout.sh', <<'END');
#!/bin/sh
echo oops >&2
exit 3
END
$alice->directory($alice->jail_cgi_bin . '/directory');
shows("$htdocs/handler",    'a.cgi', 'a.cgi.txt', 'b.txt');
shows("$htdocs/set",        'show', 'index.html');
shows("$htdocs/nothing",    'show');
shows("$htdocs/type",       'a.xcgi');
shows("$htdocs/forbidden",  'a.cgi');
shows("$htdocs/htaccess",   'a.cgi', 'show');
shows("$htdocs/index",      'index.cgi');
shows("$htdocs/front",      'index.cgi');
shows("$htdocs/ssi",        'a.cgi');
shows('/home/alice/public', 'a.cgi');
shows('/sites/one/cgi-bin', 'show');
text_file("$htdocs/page.txt",            "a static page\n");
text_file("$htdocs/pictures/a.card",     "a card\n");
text_file('/sites/one/htdocs/page.txt',  "of one\n");
text_file("$htdocs/htaccess/.htaccess",  <<'END');
Options +ExecCGI
AddHandler cgi-script .cgi
SetEnv FROM_HTACCESS yes
<Files show>
    SetHandler cgi-script
</Files>
END
text_file("$htdocs/front/.htaccess", <<'END');
RewriteEngine On
RewriteCond %{REQUEST_FILENAME} !-f
RewriteRule ^(.*)$ index.cgi/$1 [L]
END
my %include = (
    plain    => '/cgi-bin/show',
    query    => '/cgi-bin/show?a=1&amp;b=2',
    words    => '/cgi-bin/show?one+two',
    info     => '/cgi-bin/show/more/info',
    relative => 'a.cgi',
    nph      => '/cgi-bin/nph-print/nph',
    local    => '/cgi-bin/print/local',
    away     => '/cgi-bin/print/away',
    absent   => '/cgi-bin/absent',
    bad      => '/cgi-bin/print/no-header',
);
text_file("$htdocs/ssi/$_.shtml", qq{<!--#include virtual="$include{$_}" -->})
  for keys %include;
text_file('/etc/users', 'joe:{SHA}' . sha1_base64('secret') . "=\n");

text_file("/home/alice/out/$_->[0]", $_->[1]) for
  ['own-status', "Status: 403 Not yours\nContent-Type: x/y\n\nno"],
  ['local',      "Location: /page.txt\n\n"],
  ['away',       "Location: http://other/\n\n"],
  ['no-header',  "no header\n"],
  ['nph',        "HTTP/1.1 200 OK\r\n\r\nraw"];

# --- the servers ------------------------------------------------------------

my $main = <<"END";
SetEnv FROM_SERVER yes
PassEnv LC_PARITY
ScriptAlias /shared/ "@{[$alice->cgi_bin]}/"
RemoteIPHeader X-Forwarded-For
RemoteIPInternalProxy 127.0.0.1
END
my $site = <<"END";
    UseCanonicalName Off
    AddOutputFilter INCLUDES .shtml
    SetEnv FROM_HOST "two words"
    SetEnv 1-odd.name odd
    SetEnv EMPTY ""
    SetEnv LD_PRELOAD /nowhere.so
    SetEnv PERL5OPT -Mnothing
    SetEnv PATH /not/from/httpd
    SetEnv REQUEST_METHOD CONFIGURED
    SetEnv HTTP_PROXY http://configured
    SetEnvIf X-Mark (.+) MARKED=\$1
    RewriteEngine On
    RewriteRule ^/pretty/(.*)\$ /cgi-bin/show/\$1 [PT,QSA,E=REWRITTEN:\$1]
    RewriteRule ^/query/(.*)\$  /cgi-bin/show?name=\$1 [PT]
    RewriteRule ^/by-handler\$  $root$htdocs/handler/b.txt [H=cgi-script]
    RewriteRule ^/moved\$       /cgi-bin/show [R]
    Action card /cgi-bin/show
    Action always /cgi-bin/show virtual
    AddHandler card .card
    UserDir $root/home/*/public
    ScriptAliasMatch ^/match/(.*) $root@{[$alice->jail_cgi_bin]}/\$1
END
my %location = (
    '/user/'       => 'CGIVar REQUEST_URI current-uri',
    '/off/'        => 'AcceptPathInfo Off',
    '/on/'         => 'AcceptPathInfo On',
    '/pass/'       => 'CGIPassAuth On',
    '/unset/'      => 'UnsetEnv FROM_HOST',
    '/length/'     => 'SetEnv CONTENT_LENGTH 77',
    '/names/'      => 'HostnameLookups On',
    '/missing/'    => 'ErrorDocument 404 /cgi-bin/show?of=404',
    '/qualified/'  => "QualifyRedirectURL On\nErrorDocument 404 /qualified/show",
    '/failing/'    => 'ErrorDocument 500 /cgi-bin/show?of=500',
    '/keeps-code/' => 'ErrorDocument 404 /cgi-bin/print/own-status',
    '/secret/'     => "AuthType Basic\nAuthName secret\n"
      . "AuthUserFile $root/etc/users\nRequire valid-user",
);
for my $path (sort keys %location) {
    $site .= <<"END";
    ScriptAlias $path "@{[$alice->cgi_bin]}/"
    <Location $path>
    $location{$path}
    </Location>
END
}
my %directory = (
    handler   => "Options ExecCGI\nAddHandler cgi-script .cgi",
    set       => "Options ExecCGI\nSetHandler cgi-script",
    nothing   => "Options ExecCGI\nSetHandler cgi-script",
    type      => "Options ExecCGI\nAddType application/x-httpd-cgi .xcgi",
    forbidden => 'AddHandler cgi-script .cgi',
    htaccess  => 'AllowOverride FileInfo Options=ExecCGI',
    index => "Options ExecCGI\nAddHandler cgi-script .cgi\nDirectoryIndex index.cgi",
    front => "Options ExecCGI FollowSymLinks\nAddHandler cgi-script .cgi\n"
      . 'AllowOverride FileInfo',
    ssi => "Options Includes ExecCGI\nAddHandler cgi-script .cgi",
    '../public' => "Options ExecCGI\nAddHandler cgi-script .cgi",
);
for my $name (sort keys %directory) {
    my ($path) = "$htdocs/$name" =~ s{/[^/]+/\.\.}{}r;
    $site .= <<"END";
    <Directory $root$path>
    $directory{$name}
    </Directory>
END
}
my $mass = <<"END";
<VirtualHost 127.0.0.1:\@port\@>
    ServerName mass
    ServerAlias *.mass
    ErrorLog "logs/mass.error.log"
    UseCanonicalName Off
    VirtualDocumentRoot $root/sites/%1/htdocs
    VirtualScriptAlias $root/sites/%1/cgi-bin/
    <IfModule jailcgi_module>
        JailRoot $root
        JailUser owner
    </IfModule>
</VirtualHost>
END

# --- what differs in each environment, and why ------------------------------

my $own  = "the tenant's own, not httpd's";
my $code = 'it would have the C library or an interpreter load other code';
my %always = (
    'env:PATH'     => [qr{^/}, '/usr/local/bin:/usr/bin:/bin', $own],
    'env:HOME'     => [undef,  '/',                            $own],
    'env:USER'     => [undef,  $alice->uid,                    $own],
    'env:LOGNAME'  => [undef,  $alice->uid,                    $own],
    'env:SHELL'    => [undef,  '/bin/sh',                      $own],
    'env:TMPDIR'   => [undef,  '/tmp',                         $own],
    'env:LD_BIND_NOW' => [
        undef, '1', 'a library that does not fit fails before the first byte'
    ],
    'env:HTTP_PROXY' => [
        'http://configured', undef, 'it may have come from a Proxy header'
    ],
    'env:LD_PRELOAD' => ['/nowhere.so', undef, $code],
    'env:PERL5OPT'   => ['-Mnothing',   undef, $code],
);
# The owner of the script has no account, and little is configured there.
my $another = 'it may have been set by another user than the script\'s owner';
my %mass_always = (
    %always{qw(env:PATH env:SHELL env:TMPDIR env:HOME env:USER env:LOGNAME env:LD_BIND_NOW)},
    'env:FROM_SERVER' => ['yes',    undef, $another],
    'env:LC_PARITY'   => ['passed', undef, $another],
);

$ENV{LC_PARITY} = 'passed';
my $pair = JailCGI::Pair->new(
    tenant  => $alice,
    always  => \%always,
    modules => [
        qw(rewrite actions userdir vhost_alias remoteip include setenvif
          authn_core authn_file authz_user auth_basic)
    ],
    config => $main,
    vhosts => [JailCGI::Pair::host($alice, $site), $mass],
);

# --- arguments: RFC 3875, 4.4 -----------------------------------------------

sub arguments {
    my ($query, $arguments, @differs) = @_;
    return [
        "arguments of '" . substr($query, 0, 40) . "'",
        { path => "/cgi-bin/show?$query", has => { arguments => $arguments } },
        @differs
    ];
}

# What differs if there are arguments there and none here.
sub none {
    my ($theirs, $why) = @_;
    my $count = () = $theirs =~ /\[/g;
    return (
        arguments            => [$theirs, '', $why],
        'header:x-arguments' => [$count,  0,  $why]
    );
}
my $not_get = 'RFC 3875 has arguments for GET and HEAD only';
my $nul = 'a NUL is in no argument, and then RFC 3875 wants none at all';

$pair->compare_all(
    arguments('',             ''),
    arguments('one',          '[one]'),
    arguments('one+two',      '[one][two]'),
    arguments('a%20b+c',      '[a b][c]'),
    arguments('a=b',          ''),
    arguments('a+b=c+d',      ''),
    arguments('a%3Db+c',      '[a=b][c]'),
    arguments('a%3db',        '[a=b]'),
    arguments('+',            '[][]'),
    arguments('a++b',         '[a][][b]'),
    arguments('--help+-x',    '[--help][-x]'),
    arguments('a%2fb+%2e%2e', '[a/b][..]'),
    arguments('a%2Bb',        '[a+b]'),
    arguments('%zz+%2+%',     '[%zz][%2][%]'),
    arguments('%00+c',        '', none('[][c]', $nul)),
    arguments('c+a%00b',      '', none('[c][a]', $nul)),
    arguments('%C3%BC+%ff',   '[\xc3\xbc][\xff]'),
    arguments('%0a+%0d%09',   '[\x5c\x0a][\x0d\x09]'),
    arguments('a;b|c',        '[a\x5c;b\x5c|c]'),
    arguments(q{$x`y`"z"'},   q{[\x5c$x\x5c`y\x5c`\x5c"z\x5c"\x5c']}),
    arguments('%3Brm%20-rf%20*', '[\x5c;rm -rf \x5c*]'),
    arguments(join('+', 1 .. 1500), join '', map { "[$_]" } 1 .. 1500),
    [
        'arguments of HEAD', {
            method => 'HEAD',
            path   => '/cgi-bin/show?one+two',
            has    => { 'header:x-arguments' => 2 }
        }
    ],
    map {
        [
            "arguments of $_", {
                method => $_,
                path   => '/cgi-bin/show?one+two',
                has    => { 'header:x-arguments' => 0 }
            },
            none('[one][two]', $not_get)
        ]
    } qw(POST PUT DELETE)
);

# --- the environment --------------------------------------------------------

sub env {
    my ($name, $path, $has, @rest) = @_;
    my $request = @rest % 2 ? shift @rest : {};
    return [
        $name, {
            path => $path,
            has  => { map { ("env:$_" => $has->{$_}) } keys %$has },
            %$request
        },
        @rest
    ];
}
my $basic = 'Authorization: Basic am9lOnNlY3JldA==';

$pair->compare_all(
    env('a request', '/cgi-bin/show', {
        GATEWAY_INTERFACE => 'CGI/1.1', SERVER_PROTOCOL => 'HTTP/1.1',
        REQUEST_METHOD => 'GET',     QUERY_STRING => '', SERVER_NAME => 'alice',
        SERVER_PORT => '80',         REMOTE_ADDR  => '127.0.0.1',
        SCRIPT_NAME => '/cgi-bin/show', PATH_INFO => undef,
        REQUEST_URI => '/cgi-bin/show', FROM_SERVER => 'yes',
        FROM_HOST => 'two words',    LC_PARITY   => 'passed',
        __odd_name => 'odd', CONTENT_LENGTH => undef,        EMPTY       => '',
        SCRIPT_FILENAME => $alice->jail_cgi_bin . '/show',
        DOCUMENT_ROOT   => $htdocs,  CONTEXT_PREFIX => '/cgi-bin/',
        CONTEXT_DOCUMENT_ROOT => $alice->jail_cgi_bin . '/',
    }),
    env('a query', '/cgi-bin/show?a=1&b=%20%c3%BC+x', {
        QUERY_STRING => 'a=1&b=%20%c3%BC+x'
    }),
    env('path info', '/cgi-bin/show/a/B%20c//d/../e%3bf?x', {
        PATH_INFO => '/a/B c/e;f', PATH_TRANSLATED => "$htdocs/a/B c/e;f",
        SCRIPT_NAME => '/cgi-bin/show'
    }),
    env('path info that names a script', '/cgi-bin/show/cgi-bin/print', {
        PATH_TRANSLATED => $alice->jail_cgi_bin . '/print'
    }),
    env('a slash as path info', '/cgi-bin/show/', { PATH_INFO => '/' }),
    env('an encoded script name', '/cgi%2Dbin/s%68ow/x', {
        SCRIPT_NAME => '/cgi-bin/show'
    }),
    env('many headers', '/cgi-bin/show',
        { HTTP_X_ONE => '1, 2', HTTP_PROXY => undef, CONTENT_TYPE => 'a/b',
            HTTP_CONTENT_TYPE => undef, MARKED => 'mark' },
        { lines => [
            'X-One: 1', 'X-One: 2', 'X-Empty:', 'Cookie: a=b; c=d',
            'Cookie: e=f', 'Proxy: http://evil', 'Content-Type: a/b',
            'Accept: text/*;q=0.5,  */*', 'User-Agent: x', "X-Mark: mark",
            "X-Latin: \xfc\xdf", 'Connection: x-one', 'TE: trailers',
            'X_Under: score', 'LD-PRELOAD: x', 'Auth-Type: z', 'X-1.dot: y'
        ] }),
    env('a header on two lines', '/cgi-bin/show', { HTTP_X_FOLD => 'a b' },
        { lines => ["X-Fold: a\r\n   b"] }),
    env('HTTP/1.0', '/cgi-bin/show', { SERVER_PROTOCOL => 'HTTP/1.0' },
        { version => 'HTTP/1.0' }),
    env('a name in the request line', 'http://alice/cgi-bin/show?x',
        { SERVER_NAME => 'alice' }, { host => 'other' }),
    env('a port in the Host header', '/cgi-bin/show', { SERVER_PORT => 81 },
        { host => 'alice:81' }),
    env('a host in capitals', '/cgi-bin/show', {}, { host => 'ALICE.' }),
    env('POST', '/cgi-bin/show?q', { CONTENT_LENGTH => 5, HTTP_CONTENT_LENGTH => undef },
        { method => 'POST', lines => ['Content-Length: 5'], body => "a=b\0c" },
        none('[q]', $not_get)),
    (map {
        env("method $_", '/cgi-bin/show', { REQUEST_METHOD => $_ },
            { method => $_ })
    } qw(DELETE OPTIONS PATCH PROPFIND MKCOL REPORT)),
    ['method HEAD', { method => 'HEAD', path => '/cgi-bin/show' }],
    ['method TRACE', { method => 'TRACE', path => '/cgi-bin/show' }],
    ['an unknown method', { method => 'BREW', path => '/cgi-bin/show' }],
    env('a body with GET', '/cgi-bin/show', { CONTENT_LENGTH => 3 },
        { lines => ['Content-Length: 3'], body => 'abc' }),
    env('UnsetEnv', '/unset/show', { FROM_HOST => undef }),
    env('a length from SetEnv', '/length/show', {}, 'env:CONTENT_LENGTH' =>
          ['77', undef, 'there is no body']),
    env('REMOTE_HOST', '/names/show', {}),
    env('Authorization', '/cgi-bin/show',
        { HTTP_AUTHORIZATION => undef, REMOTE_USER => undef },
        { lines => [$basic, 'Proxy-Authorization: Basic x'] }),
    env('CGIPassAuth', '/pass/show',
        { HTTP_AUTHORIZATION => 'Basic am9lOnNlY3JldA==' },
        { lines => [$basic] }),
    env('a user', '/secret/show',
        { REMOTE_USER => 'joe', AUTH_TYPE => 'Basic', HTTP_AUTHORIZATION => undef },
        { lines => [$basic] }),
    ['no user', { path => '/secret/show', code => 401 }],
    env('CGIVar with a redirect', '/user/show', {}),
    env('mod_remoteip', '/cgi-bin/show', { REMOTE_ADDR => '192.0.2.7' },
        { lines => ['X-Forwarded-For: 192.0.2.7'] }),
    env('outside of virtual hosts', '/shared/show', {}),
    env('ScriptAliasMatch', '/match/show/x', { PATH_INFO => '/x' }),
);

# --- ways to a script -------------------------------------------------------

my %post = (
    method => 'POST',
    lines  => ['Content-Length: 3', 'Content-Type: x/y'],
    body   => 'abc'
);
$pair->compare_all(
    env('mod_rewrite, passed through', '/pretty/a/b?c=d', {
        SCRIPT_NAME => '/cgi-bin/show', PATH_INFO => '/a/b',
        REWRITTEN => 'a/b',             QUERY_STRING => 'c=d',
        REQUEST_URI => '/pretty/a/b?c=d'
    }),
    env('mod_rewrite with a new query', '/query/x%26y?gone', {}),
    env('mod_rewrite with a handler', '/by-handler', {}),
    ['mod_rewrite, redirected', { path => '/moved', code => 302 }],
    env('a front controller', '/front/any/page?x=1', {
        PATH_INFO => '/any/page', REDIRECT_URL => '/front/any/page',
        REDIRECT_STATUS => 200,   REDIRECT_QUERY_STRING => 'x=1'
    }),
    env('a front controller, POST', '/front/any', { CONTENT_LENGTH => 3 },
        {%post}),
    env('mod_actions', '/pictures/a.card', {
        REDIRECT_HANDLER => 'card', PATH_TRANSLATED => "$htdocs/pictures/a.card",
        PATH_INFO => '/pictures/a.card'
    }),
    env('mod_actions, POST', '/pictures/a.card', { CONTENT_LENGTH => 3 }, {%post}),
    ['mod_actions without the file', { path => '/pictures/b.card', code => 404 }],
    env('mod_userdir', '/~alice/a.cgi/x', { SCRIPT_NAME => '/~alice/a.cgi' }),
    ['mod_userdir without the user', { path => '/~bob/a.cgi', code => 404 }],
    env('AddHandler', '/handler/a.cgi', { CONTEXT_PREFIX => '' }),
    env('AddHandler and two extensions', '/handler/a.cgi.txt', {}),
    ['AddHandler, another extension', { path => '/handler/b.txt' },],
    env('SetHandler',           '/set/show/x', { PATH_INFO => '/x' }),
    env('application/x-httpd-cgi', '/type/a.xcgi', {}),
    env('AddHandler in .htaccess', '/htaccess/a.cgi', { FROM_HTACCESS => 'yes' }),
    env('SetHandler in .htaccess', '/htaccess/show', {}),
    env('DirectoryIndex',          '/index/?x', { REQUEST_URI => '/index/?x' }),
    ['DirectoryIndex without a slash', { path => '/index?x', code => 301 }],
    env('DirectoryIndex, POST', '/index/', { CONTENT_LENGTH => 3 }, {%post}),
    env('mod_vhost_alias', '/cgi-bin/show/x', {
        SERVER_NAME => 'one.mass',
        SCRIPT_FILENAME => '/sites/one/cgi-bin/show'
    }, { host => 'one.mass', always => \%mass_always }),
    ['mod_vhost_alias, no script',
        { path => '/cgi-bin/none', host => 'one.mass', code => 404 }],
    ['mod_vhost_alias, no site',
        { path => '/cgi-bin/show', host => 'two.mass', code => 404 }],
    ['mod_vhost_alias, a page', { path => '/page.txt', host => 'one.mass' }],
);

# --- what is not run --------------------------------------------------------

$pair->compare_all(
    ['no ExecCGI', { path => '/forbidden/a.cgi', code => 403 }],
    ['a directory', { path => '/cgi-bin/directory', code => 301 }],
    ['a directory with a slash', { path => '/cgi-bin/directory/', code => 403 }],
    ['the script directory', { path => '/cgi-bin/', code => 403 }],
    ['SetHandler, a directory', { path => '/nothing/', code => 403 }],
    ['SetHandler, a page in its directory', { path => '/set/' }],
    ['no such script', { path => '/cgi-bin/absent', code => 404 }],
    ['no such script, path info', { path => '/cgi-bin/absent/x', code => 404 }],
    ['a NUL in the path', { path => '/cgi-bin/show%00', code => 404 }],
    ['an encoded slash', { path => '/cgi-bin%2fshow', code => 404 }],
    ['a way out', { path => '/cgi-bin/../../etc/passwd', code => 400 }],
    ['an encoded way out', { path => '/cgi-bin/%2e%2e/%2e%2e/etc', code => 400 }],
    ['not executable', { path => '/cgi-bin/unreadable', code => 500 }],
    ['a script that fails', { path => '/cgi-bin/stdout.sh', code => 500 }],
    ['AcceptPathInfo Off', { path => '/off/show/x', code => 404 }],
    ['AcceptPathInfo Off, none', { path => '/off/show' }],
    ['AcceptPathInfo On', { path => '/on/show/x' }],
);

# --- ErrorDocument ----------------------------------------------------------

my @notes = (
    'env:REDIRECT_ERROR_NOTES' => [
        qr/End of script output/, undef,
        "what was wrong stands in the site's log, not in the environment"
    ]
);

$pair->compare_all(
    ['ErrorDocument 404', {
        path => '/missing/absent?a=b', code => 404,
        has => { 'env:REDIRECT_STATUS' => 404, 'env:QUERY_STRING' => 'of=404',
            'env:REDIRECT_URL' => '/missing/absent',
            'env:REDIRECT_QUERY_STRING' => 'a=b' }
    }],
    ['ErrorDocument 404, QualifyRedirectURL', {
        path => '/qualified/absent', code => 404,
        has => { 'env:REDIRECT_URL' => 'http://alice/qualified/absent' }
    }],
    ['ErrorDocument 404, POST', { %post, path => '/missing/absent', code => 404 }],
    ['ErrorDocument 404, HEAD',
        { method => 'HEAD', path => '/missing/absent', code => 404 }],
    ['ErrorDocument 500', { path => '/failing/stdout.sh?x', code => 500 },
        @notes],
    ['ErrorDocument 500, POST',
        { %post, path => '/failing/stdout.sh', code => 500 }, @notes,
        'env:CONTENT_LENGTH' => ['3', undef, 'the failed script had the body']],
    ['ErrorDocument with a status of its own',
        { path => '/keeps-code/absent', code => 403 }],
);

# --- server-side includes ---------------------------------------------------

$pair->compare_all(
    env('SSI', '/ssi/plain.shtml', { SERVER_PROTOCOL => 'INCLUDED' }),
    env('SSI with a query', '/ssi/query.shtml?c=d', { }),
    env('SSI with words', '/ssi/words.shtml', { }),
    env('SSI with path info', '/ssi/info.shtml', { }),
    env('SSI, a relative path', '/ssi/relative.shtml', { }),
    env('SSI, POST', '/ssi/plain.shtml', { }, {%post},
        'env:CONTENT_LENGTH' => [3, undef, 'the body is not for what is included']),
    ['SSI, HEAD', { path => '/ssi/plain.shtml', method => 'HEAD' }],
    map { ["SSI, $_", { path => "/ssi/$_.shtml" }] } qw(nph local away absent bad),
);

# --- no virtual hosts -------------------------------------------------------

$pair->stop;
delete @always{qw(env:LD_PRELOAD env:PERL5OPT env:HTTP_PROXY)};
$pair = JailCGI::Pair->new(
    tenant => $alice,
    always => \%always,
    config => JailCGI::Pair::jail_lines($alice) . <<"END",
DocumentRoot "@{[$alice->htdocs]}"
ScriptAlias /cgi-bin/ "@{[$alice->cgi_bin]}/"
END
);
$pair->compare_all(
    env('a server without virtual hosts', '/cgi-bin/show/x?y',
        { DOCUMENT_ROOT => $htdocs, SERVER_NAME => 'alice' }),
    ['its missing script', { path => '/cgi-bin/absent', code => 404 }],
    ['its pages', { path => '/page.txt', has => { body => "a static page\n" } }],
);
done_testing;
