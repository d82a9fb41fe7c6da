# Under TLS and HTTP/2: a script that runs as its owner learns what mod_ssl and
# mod_http2 know of its connection, and not what a page on the way there has set.
# MPM: event, prefork

use lib 't/lib';
use JailCGI::Test;

my $web    = tenant('web');
my $victim = tenant('victim');
my $dir    = work_dir();
my $www    = '/srv/www';
my $mark   = 'set-by-the-attacker';

system('openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=web '
      . "-keyout $dir/key -out $dir/certificate >$dir/openssl 2>&1") == 0
  or die 'openssl failed';

sub file_of {
    my ($user, $name, $content, $mode) = @_;
    return $web->replace("$www/$name", $content,
        uid => $user->uid, gid => $user->gid, mode => $mode // 0644);
}
$web->directory("$www/a", uid => $web->uid,    gid => $web->gid);
$web->directory("$www/b", uid => $victim->uid, gid => $victim->gid);
chown 0, 0, "$web->{root}$www", "$web->{root}/srv";
file_of($victim, 'b/show.cgi', JailCGI::Httpd::slurp(probe('raw_env')), 0755);

my @names = qw(HTTPS SSL_CLIENT_VERIFY SSL_CLIENT_S_DN_CN SSL_PROTOCOL SSL_CIPHER
  SSL_SERVER_S_DN_CN SSL_TLS_SNI SSL_SESSION_ID SSL_CERT_FILE SSL_NONE_SUCH HTTP2 H2PUSH
  H2_STREAM_ID);
file_of($web, 'a/.htaccess', join('', map { "SetEnvIf Request_URI . $_=$mark\nSetEnv $_ $mark\n" } @names)
      . "SSLOptions +StdEnvVars\nDirectoryIndex /b/show.cgi\n");
file_of($web, 'a/set.shtml', join('', map { "<!--#set var=\"$_\" value=\"$mark\" -->" } @names)
      . '<!--#include virtual="/b/show.cgi" -->');
file_of($victim, 'b/.htaccess', "SSLOptions +StdEnvVars\n");

my $h2 = mpm() ne 'prefork';
my $host = <<"END";
    DocumentRoot "$web->{root}$www"
    AddHandler cgi-script .cgi
    AddOutputFilter INCLUDES .shtml
    <Directory "$web->{root}$www">
        Options +ExecCGI +Includes
        AllowOverride All
        Require all granted
    </Directory>
    SSLEngine On
    SSLCertificateFile "$dir/certificate"
    SSLCertificateKeyFile "$dir/key"
END
my $httpd = httpd(
    modules => [qw(include setenvif ssl dir), $h2 ? 'http2' : ()],
    config  => $h2 ? "Protocols h2 http/1.1\n" : '',
    vhosts  => [$web->vhost($host, user => 'owner')],
);

sub variables {
    my ($protocol, $path) = @_;
    my $port = $httpd->port;
    my @command = ('curl', '-q', '--silent', '--insecure', "--$protocol", '--noproxy', '*',
        '--max-time', 60, '--resolve', "web:$port:127.0.0.1", "https://web:$port$path");
    open my $out, '-|', @command or die "curl: $!";
    return { map { /^(\w+)=(.*)$/ ? ($1 => $2) : () } <$out> };
}

for my $protocol ('http1.1', $h2 ? 'http2' : ()) {
    for my $path ('/b/show.cgi', '/a/', '/a/set.shtml') {
        subtest "$protocol $path" => sub {
            my $env = variables($protocol, $path);
            is($env->{HTTPS}, 'on', 'HTTPS');
            like($env->{SSL_PROTOCOL}, qr/^TLSv1/, 'SSL_PROTOCOL');
            is($env->{SSL_CLIENT_VERIFY},  'NONE', 'SSL_CLIENT_VERIFY');
            is($env->{SSL_SERVER_S_DN_CN}, 'web',  'SSL_SERVER_S_DN_CN');
            is($env->{SSL_TLS_SNI},        'web',  'SSL_TLS_SNI');
            is($env->{HTTP2} // 'off', $protocol eq 'http2' ? 'on' : 'off', 'HTTP2');
            ok(!exists $env->{$_}, "no $_")
              for qw(SSL_CLIENT_S_DN_CN SSL_CERT_FILE SSL_NONE_SUCH);
            is_deeply([grep { $env->{$_} =~ /\Q$mark\E/ } keys %$env], [], 'nothing forged');
        };
    }
}
$httpd->log_unlike('web', qr/JCGI1211.*\bH2/, 'what modules set is not said to be withheld');
done_testing;
