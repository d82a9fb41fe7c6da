# JailSite: of the home of its user a host sees its own site and what is shared, and nothing
# else; its HTTP and HTTPS hosts are one jail; a host that the pattern
# does not describe runs nothing.

use lib 't/lib';
use JailCGI::Test;
use JailCGI::Namespace;
use JailCGI::Watch qw(all_keepers);

private_mounts() or skip_or_fail('no private mounts here');

make_php_sessions();
my $alice = tenant('alice');
make_accounts($alice);
my $home = home_of($alice);
my $disk = work_dir() . '/tmp';
mkdir $disk, 0711 or die "$disk: $!";

my $look = <<"END";
#!/bin/sh
printf 'Content-Type: text/plain\\n\\n'
cd "$home" && find . -name 'secret*' -o -name 'lib*' | sort
for file in "$home/new" "$home/lib/new" "\$HOME/new"; do
    echo x 2>/dev/null >"\$file" && echo "wrote \${file#$home}"
done
echo "\$\$" >/tmp/\$\$; ls /tmp | wc -l
END
# PHP takes a session of which it knows the name if the file belongs to the user. A site that was
# broken into must not make one for another site.
my $sessions = '/var/lib/php/sessions';
my $session  = <<"END";
#!/bin/sh
printf 'Content-Type: text/plain\\n\\n'
cat $sessions/sess_* 2>/dev/null
echo "\$QUERY_STRING" >$sessions/sess_known
stat -c '%a %u' $sessions
END
my $jail_home = $alice->jail_home;
for my $site (qw(one two)) {
    $alice->directory("$jail_home/web/$site/$_") for qw(public_html public_shtml cgi-bin);
    $alice->directory("$jail_home/web/$_", uid => 0, gid => 0) for $site, '';
    $alice->own("$home/web/$site", mode => 0755);
    $alice->replace("$jail_home/web/$site/secret-$site", 'x', uid => $alice->uid);
    $alice->replace("$jail_home/web/$site/cgi-bin/session", $session, uid => $alice->uid, gid => $alice->gid,
        mode => 0755);
    $alice->replace("$jail_home/web/$site/cgi-bin/look", $look, uid => $alice->uid, gid => $alice->gid, mode => 0755);
}
$alice->replace("$jail_home/web/two/public_html/look", $look, uid => $alice->uid, gid => $alice->gid, mode => 0755);
$alice->own("$home/web", mode => 0755);
$alice->directory("$jail_home/lib");
$alice->replace("$jail_home/lib/libshared", 'x', uid => $alice->uid);
$alice->replace("$jail_home/secret", 'x', uid => $alice->uid);

sub vhost {
    my ($name, $docs, $extra, $root, $cgi) = @_;
    $root //= 'host';
    $cgi  //= "$home/web/one/cgi-bin";
    return <<"END";
<VirtualHost 127.0.0.1:\@port\@>
    ServerName $name
    ErrorLog "logs/$name.error.log"
    DocumentRoot "$docs"
    ScriptAlias /cgi-bin/ "$cgi/"
    JailRoot $root
    JailUser alice
    @{[$extra // '']}
</VirtualHost>
END
}
my $web = "$home/web";
my $httpd = httpd(
    config => "JailSite %h/web/%d shared=%h/lib\nJailTmp $disk",
    vhosts => [
        vhost('one', "$web/one/public_html"),
        vhost('one-tls', "$web/one/public_shtml"),
        vhost('two', "$web/two/public_html", '', 'host', "$web/two/cgi-bin"),
        vhost('none', "$web/one/public_html", '', 'none'),
        vhost('off', "$web/one/public_html", 'JailSite off'),
        vhost('outside', work_dir()),
        vhost('home', $home),
        vhost('whole', "$web/one/public_html", 'JailMount home'),
        vhost('owner', "$web/one/public_html", 'JailUser owner'),
        vhost('other', "$web/two/public_html"),
        vhost('bare', "$web/one/public_html", 'JailNamespaces pid'),
        vhost('one-off', "$web/one/public_html", 'JailTmp off'),
        vhost('two-off', "$web/two/public_html", 'JailTmp off', 'host', "$web/two/cgi-bin"),
        vhost('one-line', "$web/one/public_html", "JailMount bind $disk $sessions"),
        vhost('literal', "$web/two/public_html", "JailSite $web/two", 'host', "$web/two/cgi-bin"),
    ],
);

sub looks {
    my ($host) = @_;
    my $res = $httpd->get($host, '/cgi-bin/look');
    is($res->code, 200, "$host answers") or diag($httpd->log($host));
    unlink glob "$home/new $home/lib/new $web/*/new";
    return [split /\n/, $res->content];
}
my @own = ('./lib', './lib/libshared');
is_deeply(looks('one'), [@own, './web/one/secret-one', 'wrote /web/one/new', '1'],
    'a site sees itself and what is shared, and writes to itself alone');
my $keepers = all_keepers($httpd);
is_deeply(looks('one-tls'), [@own, './web/one/secret-one', 'wrote /web/one/new', '2'],
    'the other host of the site sees the same, with the same /tmp');
is(all_keepers($httpd), $keepers, 'in the same jail');
is_deeply(looks('two'), [@own, './web/two/secret-two', 'wrote /web/two/new', '1'],
    'another site sees itself, with a /tmp of its own');
is_deeply(looks('literal'), ['./web/two/secret-two', 'wrote /web/two/new', '2'],
    'a pattern may be a path');
is_deeply([grep { /^\./ } @{ looks('off') }],
    [@own, './secret', './web/one/secret-one', './web/two/secret-two'], 'JailSite off: the whole home is there');
sub session {
    my ($host, $what) = @_;
    my $res = $httpd->get($host, "/cgi-bin/session?$what");
    is($res->code, 200, "$host: sessions") or diag($httpd->log($host));
    return $res->content;
}
my $mine = "700 @{[$alice->uid]}\n";
is(session('one', 'first'), $mine, 'a site has a directory of sessions of its own');
is(session('two', 'second'), $mine, 'and another site has another');
is(session('one-tls', 'third'), "first\n$mine", 'the HTTPS host of a site has that of the site');
is(session('literal', 'fourth'), "second\n$mine", 'so has a pattern that is a path');
is(session('one-off', 'one'), $mine, 'JailTmp off: sessions are apart too');
is(session('two-off', 'two'), $mine, 'in the other site');
is_deeply([map { s{.*/\d+\.}{}r =~ s/[0-9a-f]{16}/HASH/r } glob '/var/lib/jailcgi/tmp/*'],
    [map { "$_.HASH.sessions" } qw(one two)], 'below the directory of JailTmp disk');
is(session('off', 'whole'), "1733 0\n", 'JailSite off: the sessions of the machine');
ok(-e "$sessions/sess_known", 'as PHP outside of a jail has them');
like(session('one-line', 'line'), qr/^711 0$/m, 'a JailMount line wins');

is($httpd->get('other', '/cgi-bin/look')->code, 500, 'a script of another site is not found');
$httpd->log_like('other', qr/JCGI1502: .*web\/one/, 'and the log says so');
for (['outside', 'DocumentRoot'], ['home', 'DocumentRoot'], ['whole', 'JailMount home'],
    ['none', 'JailRoot none'], ['owner', 'JailUser owner']) {
    is($httpd->get($_->[0], '/cgi-bin/look')->code, 503, "$_->[0] is refused");
    $httpd->log_like($_->[0], qr/JCGI1018: .*$_->[1]/, 'and the log says why');
}
is($httpd->get('bare', '/cgi-bin/look')->code, 503, 'it needs a mount namespace');
$httpd->log_like('bare', qr/JCGI1013: .*JailTmp/, 'and the log says so');

for (['web', 'is not absolute'], ['%h/web/../x', '\.'], ['%h/web/%d ro=/x', 'is not understood'], ['', 'argument']) {
    my ($status, $said) = configtest(config => "JailSite $_->[0]", vhosts => []);
    isnt($status, 0, "JailSite $_->[0] is refused");
    like($said, qr/JailSite: .*$_->[1].*; write/s, 'with a sentence');
}
my ($status, $said) = configtest(config => 'JailSite %h/web/%d', vhosts => [vhost('one', $home)]);
is($status, 0, 'a host that does not fit is a warning');
like($said, qr/JCGI1018: .*DocumentRoot \Q$home\E/, 'of the start');
done_testing;
