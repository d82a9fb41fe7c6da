# Whose script and directory may be, where the owner decides (JailUser owner) and where the
# configuration does, in the layouts of panels and packages: directories of root's, groups of
# the web server, set-id bits. The offences are in checks.t.

use lib 't/lib';
use JailCGI::Test;

my $alice = tenant('alice');
my $bob   = tenant('bob');
my ($uid, $gid, $bob_gid) = ($alice->uid, $alice->gid, $bob->gid);
my $text = <<'END';
#!/bin/sh
printf 'Content-Type: text/plain\n\n%s %s\n' "$(id -u)" "$(id -g)"
END

# Returns the address of a script, its directory and itself as the arguments say.
my $number = 0;
sub script {
    my ($dir, $file) = @_;
    my $name = 'row' . $number++;
    my $in   = $alice->jail_cgi_bin . "/$name";
    $alice->directory($in, uid => $uid, gid => $gid, %$dir);
    $alice->replace("$in/t.sh", $text, uid => $uid, gid => $gid, mode => 0755, %$file);
    return "/cgi-bin/$name/t.sh";
}

my $httpd = httpd(
    vhosts => [
        $alice,
        $alice->vhost('', user => 'owner',           name => 'owner'),
        $alice->vhost('', user => 'owner directory', name => 'directory'),
        $alice->vhost('JailNoNewPrivs Off', name => 'privileged'),
        $alice->vhost("JailTrust ${\$alice->jail_cgi_bin}", name => 'trusting'),
    ]
);

sub runs {
    my ($host, $path, $ids, $name) = @_;
    my $res = $httpd->get($host, $path);
    is($res->content, "$ids\n", "$host: $name") or diag($httpd->log($host));
    return;
}

sub refused {
    my ($host, $path, $code, $says, $name) = @_;
    my $res = $httpd->get($host, $path);
    is($res->code, 500, "$host: $name: refused");
    unlike($res->content, qr/^\d+ \d+$/, "$host: $name: not run");
    $httpd->log_like($host, qr/JCGI$code: .*$says/, "$host: $name: JCGI$code");
    return;
}

my $mine  = "$uid $gid";
my $roots = script({ uid => 0, gid => 0 }, {});
runs($_, $roots, $mine, 'a script in a directory of root\'s') for qw(alice owner);
refused('directory', $roots, 1306, 'JailUser', 'a directory of root\'s decides');

my $panel = script({ gid => $bob_gid, mode => 02755 }, {});
runs($_, $panel, $mine, 'a directory of another group') for qw(alice owner);
runs('directory', $panel, "$uid $bob_gid", 'a directory of another group decides');

my $group = script({}, { gid => $bob_gid, mode => 0750 });
runs($_, $group, $mine, 'a script of another group') for qw(alice directory);
runs('owner', $group, "$uid $bob_gid", 'the group of the script decides');

my $setuid = script({}, { mode => 04755 });
my $setgid = script({ gid => $bob_gid }, { mode => 02755 });
for my $host (qw(alice owner privileged)) {
    runs($host, $setuid, $mine, 'a script that is set-user-id to the tenant');
    runs($host, $setgid, $mine, 'a script that is set-group-id to the tenant\'s group');
}
# The tenant runs as the directory's group, and the bit would give another.
refused('directory', $setgid, 1509, 'setgid to another', 'the bit would give another group');

# JailTrust admits root's, and no set-id bit of root's.
runs('trusting', script({}, { uid => 0, gid => 0 }), $mine, 'a script of root\'s');
refused('trusting', script({}, { uid => 0, gid => 0, mode => 04755 }),
    1509, 'setuid', 'set-user-id to root');

# A link from the directory of one user to that of another: the remedy is to put the script
# itself there.
my $shared = script({ uid => 0, gid => 0 }, { uid => 0, gid => 0 });
my $linked = script({}, {});
my $file   = $alice->cgi_bin . ($linked =~ s{^/cgi-bin}{}r);
unlink $file or die $!;
symlink '..' . ($shared =~ s{^/cgi-bin}{}r), $file or die $!;
refused('directory', $linked, 1514, 'put the script itself', 'a link to a script of root\'s');
unlink $file or die $!;
$alice->replace($alice->jail_cgi_bin . ($linked =~ s{^/cgi-bin}{}r), $text, mode => 0755);
runs('directory', $linked, $mine, 'a script of root\'s itself');

done_testing;
