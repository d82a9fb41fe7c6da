# The umask of scripts: that of httpd, as with mod_cgi, mod_cgid and suexec, or JailUmask.
# What root makes in a jail does not depend on either.
# MPM: event, worker, prefork

use lib 't/lib';
use JailCGI::Test;
use JailCGI::Namespace;

private_mounts() or skip_or_fail('no private mounts here');

my $alice = tenant('alice');
make_accounts($alice);
$alice->script('file.sh', <<'END');
#!/bin/sh
printf 'Content-Type: text/plain\n\n'
echo secret >"$HOME/file.$$" && stat -c %a "$HOME/file.$$"
rm -f "$HOME/file.$$"
END
$alice->script('made.sh', <<'END');
#!/bin/sh
printf 'Content-Type: text/plain\n\n'
stat -c '%n %a' / /etc /etc/passwd /etc/group /tmp /dev /dev/shm /home
END

sub vhost {
    my ($name, $extra) = @_;
    return $alice->vhost($extra, root => 'host', user => $alice->name, name => $name);
}

sub says {
    my ($httpd, $host, $script) = @_;
    my $res = $httpd->get($host, "/cgi-bin/$script.sh");
    is($res->code, 200, "$host answers") or diag($httpd->log($host));
    return $res->content;
}

my $tight = httpd(
    umask  => 077,
    vhosts => [vhost('plain'), vhost('own', 'JailUmask 002')],
);
is(says($tight, 'plain', 'file'), "600\n", 'a script has the umask of httpd');
is(says($tight, 'own',   'file'), "664\n", 'or that of JailUmask');
my $made = <<'END';
/ 755
/etc 755
/etc/passwd 644
/etc/group 644
/tmp 1777
/dev 755
/dev/shm 1777
/home 755
END
is(says($tight, 'plain', 'made'), $made, 'which does not reach what the jail is made of');
$tight->stop;

my $loose = httpd(
    umask  => 0,
    config => 'JailUmask 027',
    vhosts => [vhost('server'), vhost('anew', 'JailUmask inherit')],
);
is(says($loose, 'server', 'file'), "640\n", 'a host has the JailUmask of the server');
is(says($loose, 'anew',   'file'), "666\n", 'or goes back to that of httpd');
is(says($loose, 'anew', 'made'), $made, 'and the jail is as before');
done_testing;
