# JailTmp: each user has a /tmp of its own on disk that outlives the jail, in every kind of
# root; nobody else's directory becomes it; and TMPDIR is the tenant's to set.

use lib 't/lib';
use JailCGI::Test;
use JailCGI::Namespace;
use JailCGI::Watch qw(all_keepers);

use constant PATIENCE => 30;

private_mounts() or skip_or_fail('no private mounts here');

my ($alice, $bob, $carol) = map { tenant($_) } qw(alice bob carol);
make_accounts($alice, $bob);
my $disk = work_dir() . '/tmp';
mkdir $disk, 0711 or die "$disk: $!";
my %command = (
    keep   => 'echo kept >>/tmp/session; perl -e "printf qq{%o %d\\n}, (stat q{/tmp})[2] & 07777, (stat _)[4]"',
    kept   => 'cat /tmp/session 2>/dev/null; ls -A /tmp | wc -l',
    tmpdir => 'echo "$TMPDIR"',
    fill   => 'head -c 3000000 /dev/zero 2>&1 >/tmp/full | grep -o "No space left on device"; rm /tmp/full',
    run    => 'printf "#!/bin/sh\necho ran\n" >/tmp/r; perl -e "chmod 0755, q{/tmp/r}"; /tmp/r; rm /tmp/r',
);
for my $tenant ($alice, $bob, $carol) {
    $tenant->script($_, "#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\n'\n$command{$_}\n")
      for keys %command;
    $tenant->directory('/tmp', uid => 0, gid => 0, mode => 01777);
}
my $home = home_of($alice);
my @hosts = (
    [$alice, 'host',  root => 'host', user => 'alice'],
    [$alice, 'path'],
    [$alice, 'none',  root => 'none'],
    [$alice, 'owner', root => 'host', user => 'owner', extra => "JailMount bind $home"],
);
my $idle = 'JailIdle 300ms';

sub config {
    my ($dir) = @_;
    return (
        config => "JailTmp $dir\n$idle",
        vhosts => [
            (map { my ($tenant, $name, %o) = @$_; $tenant->vhost(delete $o{extra} // '', name => $name, %o) }
                @hosts),
            $bob->vhost('', root => 'host', user => 'bob'),
            $bob->vhost('SetEnv TMPDIR /home/mine', name => 'moved'),
            $bob->vhost("SetEnv TMPDIR /home/mine\n    JailEnv TMPDIR /forced", name => 'forced'),
            $alice->vhost("SetEnv TMPDIR /of/another\n    JailMount bind $home",
                name => 'other', root => 'host', user => 'owner'),
            $bob->vhost('JailTmp off', name => 'off', root => 'host', user => 'bob'),
            $bob->vhost('JailMount tmpfs /tmp size=1M', name => 'line', root => 'host', user => 'bob'),
            $bob->vhost('JailNamespaces pid', name => 'unmounted'),
            $carol->vhost(''),
        ],
    );
}
my $httpd = httpd(config($disk));

sub says {
    my ($host, $name) = @_;
    my $res = $httpd->get($host, "/cgi-bin/$name");
    is($res->code, 200, "$host: $name answers") or diag($httpd->log($host));
    return $res->content;
}

sub is_over {
    return wait_until { !all_keepers($httpd) } PATIENCE;
}

# --- it is the user's, and it lasts ----------------------------------------------

my $times = 0;
for (map { $_->[1] } @hosts) {
    is(says($_, 'keep'), '700 ' . $alice->uid . "\n", "$_: /tmp is the user's alone");
    ok(is_over(), "$_: the jail goes");
    is(says($_, 'kept'), "kept\n" x ++$times . "1\n", "$_: and its /tmp has stayed");
    is(says($_, 'run'), "ran\n", "$_: programs run in it");
}
is(says('bob', 'kept'), "0\n", 'another user does not see it');
is_deeply([sort map { s{.*/}{}r } glob "$disk/*"], [sort $alice->uid, $bob->uid], 'one directory each');
is((stat "$disk/" . $bob->uid)[2] & 07777, 0700, 'closed to others');

# --- exceptions --------------------------------------------------------------------

for (qw(off line)) {
    says($_, 'keep');
    ok(is_over(), "$_: the jail goes");
    is(says($_, 'kept'), "0\n", "$_: and its /tmp too");
}
is($httpd->get('unmounted', '/cgi-bin/kept')->code, 503, 'it needs a mount namespace');
$httpd->log_like('unmounted', qr/JCGI1013: .*JailTmp, and JailNamespaces without mount/, 'and says so');

# --- TMPDIR --------------------------------------------------------------------------

is(says('bob', 'tmpdir'), "/tmp\n", 'TMPDIR is /tmp');
is(says('moved', 'tmpdir'), "/home/mine\n", 'unless SetEnv names another');
is(says('forced', 'tmpdir'), "/forced\n", 'and JailEnv wins');
is(says('other', 'tmpdir'), "/tmp\n", 'with JailUser owner nobody chooses it for another user');

# --- what cannot be used ---------------------------------------------------------------

sub refuses {
    my ($code, $words, $what) = @_;
    ok(is_over(), "$what: no jail is left");
    is($httpd->get('carol', '/cgi-bin/kept')->code, 503, "$what is refused");
    $httpd->log_like('carol', qr/JCGI$code: .*$words/, "$what: the log says why");
    return;
}
my $hers = "$disk/" . $carol->uid;
my $away = work_dir() . '/elsewhere';
mkdir $away, 0777 or die "$away: $!";
symlink $away, $hers or die "symlink: $!";
refuses(1427, qr/\Q$hers\E/, 'a link in its place');
ok(-l $hers && -o $away, 'and left alone');
unlink $hers or die "unlink: $!";
mkdir $hers, 0700 or die "$hers: $!";
chown $bob->uid, $bob->gid, $hers or die "chown: $!";
refuses(1429, 'found uid ' . $bob->uid . ', expected uid ' . $carol->uid, 'a directory of another');
my ($remedy) = $httpd->log('carol') =~ /JCGI1429.* with (mv \S+ [^\s,]+)/;
is(system($remedy // 'false'), 0, 'the remedy can be carried out');
is(says('carol', 'kept'), "0\n", 'and helps');
ok(is_over(), 'the jail goes');
rmdir $hers or die "rmdir: $!";
mkdir $hers, 0700 or die "$hers: $!";
is(says('carol', 'keep'), '700 ' . $carol->uid . "\n", 'one that a killed keeper has left is finished');
chmod 0733, $disk or die "chmod: $!";
refuses(1427, qr/\Q$disk\E/, 'a directory in which others make names');
chmod 0711, $disk or die "chmod: $!";
rename $disk, "$disk.away" or die "rename: $!";
refuses(1427, qr/\Q$disk\E.*No such file/, 'a directory that does not exist');
is(system('install', '-d', '-m', '711', $disk), 0, 'the remedy can be carried out');
is(says('carol', 'keep'), '700 ' . $carol->uid . "\n", 'and helps without a reload');
$httpd->log_like('carol', qr/JCGI1427.* install -d -m 711;/, 'it was the one in the log');

# --- a disk that is full --------------------------------------------------------------------

mount_at($disk, '-t', 'tmpfs', '-o', 'size=1m,mode=711', 'none');
ok(is_over(), 'no jail has the one before');
is(says('carol', 'keep'), '700 ' . $carol->uid . "\n", 'a small disk');
is(says('carol', 'fill'), "No space left on device\n", 'a full disk is told to the script');
is(says('carol', 'kept'), "kept\n1\n", 'and nothing is lost by it');

# --- values ----------------------------------------------------------------------------------

for (['tmp', 'is not absolute'], ['/', 'is the whole root'], ['/a/../b', '.']) {
    my ($status, $said) = configtest(config => "JailTmp $_->[0]", vhosts => []);
    isnt($status, 0, "JailTmp $_->[0] is refused");
    like($said, qr/JailTmp: '\Q$_->[0]\E' .*$_->[1].*; write disk/, 'and the sentence says why');
}
my ($status, $said) = configtest(config => "JailRoot host\nJailTmp disk", vhosts => [$bob->vhost('', user => 'bob')]);
is($status, 0, 'JailTmp disk is accepted') or diag($said);

# --- age ------------------------------------------------------------------------------------------

SKIP: {
    skip_or_fail('no systemd-tmpfiles', 3) if !-x '/usr/bin/systemd-tmpfiles';
    my $root  = work_dir() . '/machine';
    my $lines = work_dir() . '/tmpfiles.conf';
    open my $in,  '<', 'conf/jailcgi-tmpfiles.conf' or die $!;
    open my $out, '>', $lines                       or die $!;
    print {$out} map { s{ /var/lib}{ $root/var/lib}r =~ s{ 30d$}{ 0}r } <$in>;
    close $out or die $!;
    system('mkdir', '-p', "$root/var/lib") == 0 or die 'mkdir failed';
    is(system('systemd-tmpfiles', '--create', $lines), 0, 'systemd-tmpfiles takes the lines');
    my $base = "$root/var/lib/jailcgi/tmp";
    is((stat $base)[2] & 07777, 0711, 'they make the directory');
    mkdir "$base/60000", 0700 or die $!;
    chown 60000, 60000, "$base/60000" or die $!;
    open my $old, '>', "$base/60000/old" or die $!;
    close $old or die $!;
    system('systemd-tmpfiles', '--clean', $lines);
    ok(-d "$base/60000" && !-e "$base/60000/old", 'and remove old files, but no directory of a user');
}
done_testing;
