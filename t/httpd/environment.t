# Which variables reach a script. With JailUser owner one user's page can lead to
# another user's script: nothing that the page's user has set goes with it, whatever
# its name, nor a user that the script's own directory has not authenticated. Where a
# host has one user, only names that load or run code are withheld.

use lib 't/lib';
use JailCGI::Test;

use Digest::SHA  'sha1_base64';
use MIME::Base64 'encode_base64';

my $web   = tenant('web');
my $other = tenant('other');
my $www   = '/srv/www';

# --- two users of one host ----------------------------------------------------------

# Files of a user, below the document root.
sub file_of {
    my ($user, $name, $content, $mode) = @_;
    return $web->replace("$www/$name", $content,
        uid => $user->uid, gid => $user->gid, mode => $mode // 0644);
}

my ($attacker, $victim) = ($web, $other);
for (['a', $attacker], ['b', $victim]) {
    my ($dir, $user) = @$_;
    $web->directory("$www/$dir", uid => $user->uid, gid => $user->gid);
}
chown 0, 0, "$web->{root}$www", "$web->{root}/srv";

sub show_in {
    my ($dir, $user, $name) = @_;
    open my $fh, '<:raw', probe('raw_env') or die $!;
    local $/;
    return file_of($user, "$dir/$name", <$fh>, 0755);
}
show_in('b', $victim, $_) for qw(show.cgi show-error.cgi);
file_of($victim, 'b/fails.cgi', "#!/bin/sh\nexit 1\n", 0755);
file_of($victim, 'b/.htaccess', "ErrorDocument 500 /b/show-error.cgi\n");

# All names of the report, and others of the kind.
my @names = qw(OPENSSL_CONF OPENSSL_MODULES OPENSSL_ENGINES SSL_CERT_FILE SSL_CERT_DIR
  TCL_LIBRARY TK_LIBRARY GIT_CONFIG_COUNT GIT_CONFIG_KEY_0 GIT_CONFIG_VALUE_0
  GIT_CONFIG_GLOBAL GIT_EXEC_PATH GIT_SSH GIT_SSH_COMMAND GIT_TEMPLATE_DIR
  GIT_EXTERNAL_DIFF GIT_DIR XDG_CONFIG_HOME XDG_DATA_DIRS CURL_HOME R_PROFILE R_LIBS
  GUILE_LOAD_PATH ERL_LIBS ELIXIR_ERL_OPTIONS MONO_PATH DOTNET_STARTUP_HOOKS
  CORECLR_PROFILER_PATH GEM_PATH GEM_HOME BUNDLE_GEMFILE RUBYGEMS_GEMDEPS
  MAGICK_CONFIGURE_PATH GS_LIB KRB5_CONFIG SASL_PATH LDAPCONF ODBCSYSINI ODBCINI
  MARIADB_PLUGIN_DIR LIBMYSQL_PLUGINS PGHOST PGSYSCONFDIR AWKPATH AWKLIBPATH
  GTK_MODULES GIO_EXTRA_MODULES GDK_PIXBUF_MODULE_FILE FONTCONFIG_FILE TERMINFO
  http_proxy HTTPS_PROXY ALL_PROXY no_proxy JAVA_HOME LD_PRELOAD PYTHONPATH
  PYTHONIOENCODING NODE_ENV ENV PERL5LIB TZ DATABASE_URL FOO HOME USER LOGNAME
  REMOTE_USER AUTH_TYPE REMOTE_IDENT SSL_CLIENT_VERIFY SSL_CLIENT_S_DN_CN HTTPS
  HTTP_X_REMOTE_USER HTTP_SESSION UNIQUE_ID REDIRECT_REMOTE_USER SCRIPT_URI
  DATE_GMT AUTHENTICATE_MAIL H2_PUSH HTTP2 REDIRECT_HANDLER HANDLER REDIRECT_STATUS
  SERVER_ADMIN REQUEST_SCHEME CONTEXT_PREFIX DOCUMENT_ROOT REMOTE_ADDR);
my $mark = 'set-by-the-attacker';

sub lines { my ($format, @of) = @_; return join '', map { sprintf "$format\n", $_ } @of }

my $password = '{SHA}' . sha1_base64('x') . '=';
my $users = $web->replace('/etc/users', "admin:$password\n");
my $setenv   = lines("SetEnv %s $mark", @names);
my $setenvif = lines("SetEnvIf Request_URI . %s=$mark", @names);
my $headers  = join '', map { "RequestHeader set $_ $mark\n" }
  qw(X-Remote-User Cookie Accept Content-Type Proxy X-Forwarded-For);
my $auth = "AuthType Basic\nAuthName a\nAuthUserFile $users\nRequire valid-user\n";

# NAME => [.htaccess of the attacker, what to ask for in his directory]
my %way = (
    'index-setenv'    => ["${setenv}DirectoryIndex /b/show.cgi", ''],
    'index-setenvif'  => ["${setenvif}DirectoryIndex /b/show.cgi", ''],
    'index-headers'   => ["${headers}DirectoryIndex /b/show.cgi", ''],
    'index-user'      => ["${auth}DirectoryIndex /b/show.cgi", ''],
    'index-missing'   => ["${auth}${setenv}DirectoryIndex /b/none.cgi /b/show.cgi", ''],
    'fallback'        => ["${setenv}FallbackResource /b/show.cgi", 'anything'],
    'fallback-user'   => ["$auth${headers}FallbackResource /b/show.cgi", 'anything'],
    'rewrite-env'     => ["RewriteEngine On\nRewriteRule ^go\$ /b/show.cgi ["
          . join(',', map { "E=$_:$mark" } @names) . ']', 'go'],
    'rewrite-setenv'  => ["${setenv}${headers}RewriteEngine On\nRewriteRule ^go\$ /b/show.cgi [L]", 'go'],
    'rewrite-user'    => ["${auth}RewriteEngine On\nRewriteRule ^go\$ /b/show.cgi [L]", 'go'],
    'error-document'  => ["${setenv}${headers}ErrorDocument 404 /b/show.cgi", 'none'],
    'error-user'      => ["${auth}${setenv}ErrorDocument 404 /b/show.cgi", 'none'],
    'error-denied'    => ["${auth}Require user nobody-else\nErrorDocument 401 /b/show.cgi", 'x.txt', 'wrong'],
    'action'          => ["${setenv}${headers}Action card /b/show.cgi\nAddHandler card .card", 'x.card'],
    'action-user'     => ["${auth}Action card /b/show.cgi\nAddHandler card .card", 'x.card'],
    'index-fails'     => ["${auth}${setenv}DirectoryIndex /b/fails.cgi", ''],
    'script'          => ["${setenv}SetHandler card\nAction card /b/show.cgi virtual", 'none'],
    'include'         => ["${setenv}${headers}", 'include.shtml'],
    'include-user'    => [$auth, 'include.shtml'],
    'include-set'     => ['', 'set.shtml'],
    'exec-cgi'        => [$setenv, 'exec.shtml'],
    'header-name'     => ["${setenv}${headers}Options +Indexes\nHeaderName /b/show.html", ''],
);
my %page = (
    'include.shtml' => '<!--#include virtual="/b/show.cgi" -->',
    'set.shtml'     => join('', map { "<!--#set var=\"$_\" value=\"$mark\" -->" } @names)
      . '<!--#include virtual="/b/show.cgi" -->',
    'exec.shtml' => '<!--#exec cgi="/b/show.cgi" -->',
    'x.card'     => 'x',
    'x.txt'      => 'x',
);
show_in('b', $victim, 'show.html');
for my $name (keys %way) {
    $web->directory("$www/a/$name", uid => $attacker->uid, gid => $attacker->gid);
    file_of($attacker, "a/$name/.htaccess", "$way{$name}[0]\n");
    file_of($attacker, "a/$name/$_", $page{$_}) for keys %page;
}
$web->directory("$www/a/own", uid => $attacker->uid, gid => $attacker->gid);
file_of($attacker, 'a/own/.htaccess', $setenv);
show_in('a/own', $attacker, 'own.cgi');

my $directory = <<"END";
    DocumentRoot "$web->{root}$www"
    AddHandler cgi-script .cgi
    AddOutputFilter INCLUDES .shtml
    AddType text/html .shtml .html
    <Directory "$web->{root}$www">
        Options +ExecCGI +Includes
        AllowOverride All
        Require all granted
    </Directory>
    <Files show.html>
        SetHandler cgi-script
    </Files>
    <Location /b/private>
        $auth
    </Location>
END
$web->directory("$www/b/private", uid => $victim->uid, gid => $victim->gid);
show_in('b/private', $victim, 'show.cgi');
my $has_unique_id = -e '/usr/lib/apache2/modules/mod_unique_id.so';
my @modules = (qw(rewrite actions include headers auth_basic authn_core authn_file
  authz_user autoindex dir setenvif), $has_unique_id ? 'unique_id' : ());
my $who = "#@{[$victim->uid]} #@{[$victim->gid]}";

sub owner {
    my ($name, $lines) = @_;
    return $web->vhost("$directory$lines", name => $name, user => 'owner');
}

my $httpd = httpd(
    modules => \@modules,
    config  => "JailPassEnv FROM_SERVER\nSetEnv FROM_SERVER yes\n",
    vhosts  => [
        owner('owner', ''),
        owner('passing', "JailPassEnv DATABASE_URL GIT_* REMOTE_USER\n"
              . "SetEnv GIT_DIR /x\nSetEnv GIT_CONFIG_COUNT 1\nSetEnv DATABASE_URL db\n"),
        owner('reset', "JailPassEnv none\nSetEnv DATABASE_URL db\n"),
        owner('frontend', "SetEnv REMOTE_USER admin\nSetEnv HTTPS on\n"
              . "SetEnv SSL_CLIENT_VERIFY SUCCESS\nJailPassEnv HTTPS SSL_*\n"
              . "JailEnv FROM_JAILENV yes\n"),
        owner('quiet', ''),
        $web->vhost($directory, name => 'fixed', user => $who),
    ],
);

sub variables {
    my ($res) = @_;
    return { map { /^(\w+)=(.*)$/ ? ($1 => $2) : () } split /\n/, $res->decoded_content };
}

sub ask {
    my ($host, $path, $password, @headers) = @_;
    my $basic = 'Basic ' . encode_base64('admin:' . ($password // 'x'), '');
    return $httpd->get($host, $path, Authorization => $basic, 'X-Own' => 'sent', @headers);
}

for my $name (sort keys %way) {
    subtest "owner: $name" => sub {
        my $res = ask('owner', "/a/$name/$way{$name}[1]", $way{$name}[2]);
        my $env = variables($res);
        is($env->{GATEWAY_INTERFACE}, 'CGI/1.1', 'the victim\'s script runs')
          or diag($res->as_string, $httpd->log('owner'));
        like($env->{SCRIPT_NAME} // '', qr{^/b/show}, 'it and no other');
        is_deeply([grep { $env->{$_} =~ /\Q$mark\E/ } sort keys %$env],
            [], 'nothing that the attacker has set');
        ok(!exists $env->{$_}, "no $_")
          for qw(REMOTE_USER REDIRECT_REMOTE_USER AUTH_TYPE SSL_CLIENT_VERIFY HTTPS OPENSSL_CONF FOO);
        is($env->{HTTP_X_OWN}, 'sent', 'the client\'s own header');
        ok($env->{UNIQUE_ID}, 'mod_unique_id\'s number') if $has_unique_id;
    };
}

subtest 'what a redirection says' => sub {
    my $env = variables(ask('owner', '/a/error-document/none?q=1'));
    is($env->{REDIRECT_STATUS}, 404, 'REDIRECT_STATUS');
    is($env->{REDIRECT_URL}, '/a/error-document/none', 'REDIRECT_URL');
    is($env->{REDIRECT_QUERY_STRING},   'q=1', 'REDIRECT_QUERY_STRING');
    is($env->{REDIRECT_REQUEST_METHOD}, 'GET', 'REDIRECT_REQUEST_METHOD');
    is_deeply([grep { /^REDIRECT_(?!STATUS|URL|HANDLER|QUERY_STRING|REQUEST_METHOD)/ }
          keys %$env], [], 'no other REDIRECT_');
    $env = variables(ask('owner', '/a/action-user/x.card'));
    is($env->{REDIRECT_HANDLER}, 'card', 'REDIRECT_HANDLER of Action');
    is($env->{REDIRECT_STATUS}, '200', 'and a status, which PHP asks for');
};

subtest 'a user who was authenticated for the script itself' => sub {
    my $env = variables(ask('owner', '/b/private/show.cgi'));
    is($env->{REMOTE_USER}, 'admin', 'REMOTE_USER');
    is($env->{AUTH_TYPE},   'Basic', 'AUTH_TYPE');
    is($httpd->get('owner', '/b/private/show.cgi')->code, 401, 'control: nobody else gets there');
};

subtest 'one\'s own directory' => sub {
    my $env = variables(ask('owner', '/a/own/own.cgi'));
    ok(!exists $env->{FOO}, 'its .htaccess counts no more than another');
    is($env->{FROM_SERVER}, 'yes', 'control: JailPassEnv lets a name pass');
};

subtest 'JailPassEnv' => sub {
    my $env = variables(ask('passing', '/b/show.cgi'));
    is($env->{FROM_SERVER},  'yes', 'a host has the server\'s names');
    is($env->{DATABASE_URL}, 'db',  'and its own');
    is($env->{GIT_DIR},      '/x',  'PREFIX_*');
    ok(!exists $env->{GIT_CONFIG_COUNT}, 'not what is denied to all');
    $httpd->log_like('passing', qr/JCGI1211.*GIT_CONFIG_COUNT.*JailEnv/, 'which the log says');
    is(variables(ask('passing', '/a/index-user/'))->{REMOTE_USER},
        undef, 'REMOTE_USER passes if it is set, and nobody has');
    is(variables(ask('passing', '/a/index-setenv/'))->{REMOTE_USER},
        $mark, 'control: whoever sets it then, sets it for all');
    $env = variables(ask('reset', '/b/show.cgi'));
    ok(!exists $env->{$_}, "none: no $_") for qw(FROM_SERVER DATABASE_URL);
    $env = variables(ask('frontend', '/b/show.cgi'));
    is($env->{HTTPS}, 'on', 'a frontend\'s HTTPS');
    is($env->{SSL_CLIENT_VERIFY}, 'SUCCESS', 'and SSL_*');
    is($env->{FROM_JAILENV},      'yes',     'JailEnv needs no more');
    ok(!exists $env->{REMOTE_USER}, 'REMOTE_USER of SetEnv would have to be named');
    $httpd->log_like('frontend', qr/JCGI1211.*REMOTE_USER/, 'as the log says');
};

sub said {
    my $count = () = $httpd->log('quiet') =~ /JCGI1211/g;
    return $count;
}

subtest 'the log' => sub {
    ask('quiet', '/b/show.cgi', 'x', Proxy => 'http://x', 'X-Y' => 'z') for 1 .. 3;
    ask('quiet', '/b/private/show.cgi');
    is(said(), 0, 'what a client sends is not worth a line') or diag($httpd->log('quiet'));
    ask('quiet', '/a/own/own.cgi') for 1 .. 20;
    my $line = $httpd->log_like('quiet',
        qr/JCGI1211: script \S+: runs without variables that the configuration sets: /,
        'what configuration sets is said');
    like($line, qr/OPENSSL_CONF, .* and \d+ more; remedy: .*JailPassEnv NAME/,
        'with names and remedy');
    unlike($line, qr/\Q$mark\E/, 'and no value');
    is(said(), 1, 'once for all children');
    $httpd->regenerate;
    ask('quiet', '/a/own/own.cgi') for 1 .. 5;
    is(said(), 2, 'and again after a restart');
};

# --- one user -----------------------------------------------------------------------

my @denied = qw(OPENSSL_CONF OPENSSL_MODULES OPENSSL_ENGINES TCL_LIBRARY TK_LIBRARY
  GIT_CONFIG_COUNT GIT_CONFIG_KEY_0 GIT_CONFIG_GLOBAL GIT_EXEC_PATH GIT_SSH GIT_SSH_COMMAND
  GIT_TEMPLATE_DIR GIT_EXTERNAL_DIFF XDG_CONFIG_HOME XDG_DATA_DIRS CURL_HOME R_PROFILE R_LIBS
  GUILE_LOAD_PATH ERL_LIBS ELIXIR_ERL_OPTIONS MONO_PATH DOTNET_STARTUP_HOOKS
  CORECLR_PROFILER_PATH GEM_PATH BUNDLE_GEMFILE RUBYGEMS_GEMDEPS MAGICK_CONFIGURE_PATH GS_LIB
  KRB5_CONFIG SASL_PATH LDAPCONF ODBCSYSINI MARIADB_PLUGIN_DIR LIBMYSQL_PLUGINS PGSYSCONFDIR
  AWKPATH AWKLIBPATH GTK_MODULES GIO_EXTRA_MODULES GDK_PIXBUF_MODULE_FILE FONTCONFIG_FILE
  TERMINFO TAR_OPTIONS WGETRC PAGER LD_PRELOAD PYTHONPATH PYTHONWARNINGS PERL5LIB);
my @harmless = qw(NODE_ENV ENV PYTHONIOENCODING PYTHONUNBUFFERED PERL_LWP_SSL_VERIFY_HOSTNAME
  MALLOC_ARENA_MAX DATABASE_URL PGHOST http_proxy HTTPS_PROXY JAVA_HOME SSL_CERT_FILE FOO
  GIT_PROJECT_ROOT GIT_HTTP_EXPORT_ALL GIT_DIR GITWEB_CONFIG CGIT_CONFIG GIT_CONFIG_NOSYSTEM
  PYTHON_EGG_CACHE MARIADB_HOST KRB5_KTNAME MAGICK_MEMORY_LIMIT GNUPLOT_DEFAULT_GDFONT REMOTE_USER HTTPS
  SSL_CLIENT_VERIFY);
$httpd->regenerate(
    config => '',
    vhosts => [
        $web->vhost($directory . lines("SetEnv %s $mark", @denied, @harmless),
            name => 'fixed', user => $who),
        $web->vhost($directory, name => 'page', user => $who),
        $web->vhost("${directory}JailPassEnv REMOTE_USER\n", name => 'page-pass', user => $who),
    ]
);
subtest 'a host with one user' => sub {
    my $env = variables(ask('fixed', '/b/show.cgi'));
    is_deeply([grep { exists $env->{$_} } @denied], [], 'names that load code are withheld');
    is_deeply([grep { ($env->{$_} // '') ne $mark } @harmless], [], 'others arrive');
    $httpd->log_like('fixed', qr/JCGI1211.*OPENSSL_CONF.*; remedy: set it by JailEnv NAME VALUE/,
        'which the log says, with the remedy');
    $httpd->log_unlike('fixed', qr/JCGI1211.*JailPassEnv/, 'and not with one that is none here');
};

# The victim's own pages: one user sets and suffers.
$web->directory("$www/b/pages", uid => $victim->uid, gid => $victim->gid);
file_of($victim, "b/pages/$_", $page{$_}) for keys %page;
file_of($victim, 'b/pages/.htaccess', "${auth}SetEnv FOO $mark\nSetEnv SSL_CLIENT_VERIFY $mark\n"
      . "DirectoryIndex /b/show.cgi\nErrorDocument 404 /b/show.cgi\n");
subtest 'one user: pages that lead to a script' => sub {
    my $env = variables(ask('page', '/b/pages/include.shtml'));
    is($env->{FOO}, $mark, 'control: the page\'s variables arrive');
    ok(!exists $env->{$_}, "no $_, which is the page's") for qw(REMOTE_USER AUTH_TYPE SSL_CLIENT_VERIFY);
    is(variables(ask('page-pass', '/b/pages/include.shtml'))->{REMOTE_USER},
        'admin', 'JailPassEnv lets it pass');
    is(variables(ask('page', '/b/pages/set.shtml'))->{FOO}, $mark, 'SSI\'s set');
    is(variables(ask('page', '/b/pages/'))->{FOO},          $mark, 'DirectoryIndex');
    is(variables(ask('page', '/b/pages/none'))->{REDIRECT_REMOTE_USER},
        'admin', 'an ErrorDocument learns whose request failed, as ever');
    is(variables(ask('page', '/b/private/show.cgi'))->{REMOTE_USER},
        'admin', 'a script has its own user');
};

# --- the directive ------------------------------------------------------------------

for (
    ['JailPassEnv *',            qr/'\*' is not the name/],
    ['JailPassEnv G*',           qr/'G\*' is not the name/],
    ['JailPassEnv 1A',           qr/'1A' is not the name/],
    ['JailPassEnv A-B',          qr/'A-B' is not the name/],
    ['JailPassEnv LD_PRELOAD',   qr/'LD_PRELOAD' never passes.*JailEnv/],
    ['JailPassEnv GIT_CONFIG_*', qr/never passes/],
    ['JailPassEnv PYTHONPATH',   qr/never passes/],
    ['JailPassEnv',              qr/requires at least one argument/],
  )
{
    my ($status, $output) = configtest(config => $_->[0]);
    isnt($status, 0, "$_->[0]: refused");
    like($output, $_->[1], 'and says why');
}
my ($status, $output) = configtest(config => 'JailPassEnv A_B C_* NODE_ENV none D');
is($status, 0, 'names are accepted') or diag($output);

done_testing;
