# Scripts behind symbolic links: where a script starts, what it is called, and what its
# variables say, is the same as with httpd's own module, and is the link's. Settings are found
# beside the link.
#
# MPM: event, worker, prefork

use lib 't/lib';
use JailCGI::Test;
use JailCGI::Pair;

my $alice = tenant('alice');
my $third = tenant('third');
my $root  = $alice->root;
my $bin   = $alice->jail_cgi_bin;
my $show  = <<'END';
#!/bin/sh
printf 'Content-Type: text/plain\n\n'
echo "starts in $(pwd -P), PWD $PWD"
echo "called $0"
for name in SCRIPT_NAME SCRIPT_FILENAME PATH_INFO PATH_TRANSLATED DOCUMENT_ROOT; do
    eval "echo \"$name \${$name-}\""
done
echo "settings: $(cat ./settings 2>/dev/null)"
echo "library: $(cat "${0%/*}/library" 2>/dev/null)"
END

sub script {
    my ($path, %option) = @_;
    return $alice->replace($path, $show, uid => $alice->uid, gid => $alice->gid,
        mode => 0755, %option);
}

sub text {
    my ($path, $text) = @_;
    return $alice->settled($path, $text, uid => $alice->uid, gid => $alice->gid);
}

# link(PATH in the jail, TARGET): the tenant's, unless told.
sub link_at {
    my ($path, $target, $owner) = @_;
    symlink $target, "$root$path" or die "$path: $!";
    system('chown', '-h', $owner // $alice->uid . ':' . $alice->gid, "$root$path") == 0
      or die "chown $path";
    return;
}

$alice->directory($_) for '/home/alice/app', '/home/alice/public', "$bin/one", "$bin/two",
  "$bin/releases/5", "$bin/releases/4", '/sites/one/cgi-bin', $alice->jail_htdocs . '/pages',
  $alice->jail_htdocs . '/types', $alice->jail_htdocs . '/index';
script('/home/alice/app/show');
text('/home/alice/app/settings', 'of the program');
for my $name ('one', 'two', 'releases/5') {
    text("$bin/$name/settings", "of $name");
    text("$bin/$name/library",  "of $name");
}
link_at("$bin/one/index.cgi",      '../../app/show');
link_at("$bin/two/index.cgi",      '../../app/show');
link_at("$bin/two/again.cgi",      'index.cgi');
link_at("$bin/one/far.cgi",        '../two/again.cgi');
link_at("$bin/two/other.cgi",      '.././two/../one/far.cgi');
link_at("$bin/current",            'releases/5');
link_at("$bin/latest",             'current');
link_at("$bin/current/linked.cgi", '../../../app/show');
link_at("$bin/through.cgi",        'current/linked.cgi');
script("$bin/releases/5/show.cgi");
# The directory of the program that is linked is what nobody sees.
link_at('/home/alice/public/user.cgi',               '../app/show');
link_at('/sites/one/cgi-bin/mass.cgi',               '../../../home/alice/app/show');
link_at($alice->jail_htdocs . '/types/multi.cgi',    '../../app/show');
link_at($alice->jail_htdocs . '/index/index.cgi',    '../../app/show');
text($alice->jail_htdocs . '/pictures/a.card', 'a card');
link_at($alice->jail_htdocs . '/linked.card',  'pictures/a.card');
text('/home/alice/app/page.shtml', <<'END');
cmd <!--#exec cmd="pwd -P; pwd; cat settings" -->
cgi <!--#exec cgi="/cgi-bin/one/index.cgi" -->
virtual <!--#include virtual="/cgi-bin/two/index.cgi" -->
END
text($alice->jail_htdocs . '/pages/settings', "of pages\n");
link_at($alice->jail_htdocs . '/pages/linked.shtml', '../../app/page.shtml');

# Programs that root shares: the link is the tenant's, and so is where they start.
$alice->directory('/usr/lib/shared', uid => 0, gid => 0);
script('/usr/lib/shared/show', uid => 0, gid => 0);
link_at("$bin/one/shared.cgi", '../../../../usr/lib/shared/show');
link_at("$bin/roots.cgi",      'one/index.cgi', '0:0');
link_at("$bin/others.cgi",     'one/index.cgi', $third->uid . ':' . $third->gid);

my $htdocs = "$root" . $alice->jail_htdocs;
my $site   = <<"END";
    AddOutputFilter INCLUDES .shtml
    AddHandler card .card
    Action card /cgi-bin/one/index.cgi
    UserDir $root/home/*/public
    <Directory $root>
        Options Includes ExecCGI FollowSymLinks MultiViews
        AddHandler cgi-script .cgi
        DirectoryIndex index.cgi
        MultiviewsMatch Handlers
    </Directory>
    <IfModule jailcgi_module>
        JailTrust /usr/lib/shared
    </IfModule>
END
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
my $pair = JailCGI::Pair->new(
    tenant  => $alice,
    modules => [qw(actions include negotiation userdir vhost_alias)],
    vhosts  => [
        JailCGI::Pair::host($alice, $site),
        JailCGI::Pair::host($alice, $site, name => 'owner', user => 'owner'),
        $mass,
    ],
);

my $one = qr{^starts in $bin/one, PWD $bin/one\ncalled $bin/one/index.cgi\n}m;
my @rows = (
    ['a link to a program elsewhere', '/cgi-bin/one/index.cgi', qr/$one.*settings: of one\nlibrary: of one/s],
    ['the same in another directory', '/cgi-bin/two/index.cgi', qr/settings: of two\nlibrary: of two/],
    ['a link to a link', '/cgi-bin/two/again.cgi', qr{called $bin/two/again.cgi\n.*of two}s],
    ['a link to a link elsewhere', '/cgi-bin/one/far.cgi', qr{called $bin/one/far.cgi\n.*of one}s],
    ['a chain with . and ..', '/cgi-bin/two/other.cgi', qr{called $bin/two/other.cgi\n.*of two}s],
    [
        'a directory that is a link', '/cgi-bin/current/show.cgi',
        qr{starts in $bin/releases/5.*called $bin/current/show.cgi.*of releases/5}s
    ],
    [
        'one behind two links', '/cgi-bin/latest/show.cgi',
        qr{starts in $bin/releases/5.*called $bin/latest/show.cgi.*of releases/5}s
    ],
    [
        'a link in a linked directory', '/cgi-bin/current/linked.cgi',
        qr{starts in $bin/releases/5.*called $bin/current/linked.cgi.*of releases/5}s
    ],
    ['a link to one in a linked directory', '/cgi-bin/through.cgi', qr{starts in $bin, }],
    ['a link with path info', '/cgi-bin/one/index.cgi/more/info', qr{PATH_TRANSLATED .*/more/info}],
    ['a link to a program of root\'s', '/cgi-bin/one/shared.cgi', qr{starts in $bin/one,.*of one}s],
    ['a link that root has made', '/cgi-bin/roots.cgi', qr{starts in $bin, }],
    ['a link that another has made', '/cgi-bin/others.cgi', qr{starts in $bin, }],
    ['mod_userdir', '/~alice/user.cgi', qr{starts in /home/alice/public,}],
    ['MultiViews', '/types/multi', qr{called @{[$alice->jail_htdocs]}/types/multi.cgi}],
    ['DirectoryIndex', '/index/', qr{called @{[$alice->jail_htdocs]}/index/index.cgi}],
    ['Action', '/linked.card', qr{${one}.*PATH_TRANSLATED .*/linked.card}s],
    [
        'pages: exec cmd, exec cgi, include virtual', '/pages/linked.shtml',
        qr{cmd .*/pages\n.*of pages.*of one.*of two}s
    ],
);
for my $row (@rows) {
    my ($name, $path, $has) = @$row;
    $pair->compare($name, { path => $path, has => { body => $has } });
}
for my $row (grep { $_->[1] !~ m{shared|shtml} } @rows) {
    my ($name, $path, $has) = @$row;
    $pair->compare("owner, $name", { path => $path, host => 'owner', has => { body => $has } });
}
$pair->compare('mod_vhost_alias',
    { path => '/cgi-bin/mass.cgi', host => 'one.mass', has => { body => qr{starts in /sites/one/cgi-bin,} } });

# What a link may not do: lead over a directory that somebody else may change, or to a script
# of somebody else's. The control is above.
my $ours = $pair->ours;

sub refused {
    my ($host, $path, $code, $name) = @_;
    my $res = $ours->get($host, $path);
    is($res->code, 500, "$host: $name: refused");
    unlike($res->content, qr/starts in/, "$host: $name: not run");
    $ours->log_like($host, qr/JCGI$code/, "$host: $name: JCGI$code");
    return;
}
$alice->directory("$bin/open");
link_at("$bin/open/index.cgi", '../../app/show');
for my $host (qw(alice owner)) {
    is($ours->get($host, '/cgi-bin/open/index.cgi')->code, 200, "$host: control");
    chmod 0777, "$root$bin/open" or die $!;
    refused($host, '/cgi-bin/open/index.cgi', 1504, 'a link that others can replace');
    chmod 0755, "$root$bin/open" or die $!;
    chown $third->uid, $third->gid, "$root$bin/open" or die $!;
    refused($host, '/cgi-bin/open/index.cgi', 1505, 'a link in the directory of another');
    chown $alice->uid, $alice->gid, "$root$bin/open" or die $!;
}
$alice->directory('/home/third', uid => $third->uid, gid => $third->gid);
script('/home/third/show', uid => $third->uid, gid => $third->gid);
link_at("$bin/one/third.cgi", '../../../third/show');
refused('alice', '/cgi-bin/one/third.cgi', 1505, 'a link to a script of another');
# The owner of the script is asked for, who does not own the directory of the link.
refused('owner', '/cgi-bin/one/third.cgi', 1505, 'a link to a script of another');

# Without a change of root the paths are those of the machine.
$ours->regenerate(vhosts => [$alice->vhost('', root => 'none', name => 'none')]);
like($ours->get('none', '/cgi-bin/one/index.cgi')->content,
    qr{starts in \Q$root\E$bin/one,.*called \Q$root\E$bin/one/index.cgi.*of one}s,
    'JailRoot none');

done_testing;
