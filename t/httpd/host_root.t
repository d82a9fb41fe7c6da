# JailRoot host: a root that is made of the machine's own directories, and what
# JailMount adds to it.

use lib 't/lib';
use JailCGI::Test;
use JailCGI::Namespace;

private_mounts() or skip_or_fail('no private mounts here');

my ($alice, $bob) = map { tenant($_) } qw(alice bob);
my $group = 'jailcgi-editors';
make_accounts($alice, $bob, "$group:x:61900:@{[$alice->name]},@{[$bob->name]},nobody");

sub shell {
    my ($tenant, $name, $command) = @_;
    return $tenant->script("$name.sh",
        "#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\n'\n$command\n");
}

my $data = work_dir() . '/data';
mkdir $data, 0755 or die "$data: $!";
chown $alice->uid, $alice->gid, $data;
symlink "$data/nowhere", home_of($alice) . '/link' or die $!;

# Mail servers of Debian's make /usr/sbin/sendmail a link (exim4, dma) or a file (postfix,
# nullmailer); alternatives lead through /etc.
my $mailer = work_dir() . '/mailer';
open my $fh, '>', $mailer or die "$mailer: $!";
print {$fh} "#!/bin/sh\necho mailed\n";
close $fh;
chmod 0755, $mailer;
my $linked = (grep { (readlink // '') =~ m{^/etc/alternatives/} } glob '/usr/bin/*')[0];
symlink '/usr', home_of($bob) . '/way' or die $!;
my $jail = tenant('jail');
for my $path ('/usr/sbin/exim4', '/usr/sbin/mailer') {
    $jail->replace($path, '');
}
symlink 'exim4', $jail->root . '/usr/sbin/sendmail' or die $!;
symlink '../../../../../../../../usr/sbin/mailer', $jail->root . '/usr/sbin/up' or die $!;
symlink '/usr/sbin/nowhere', $jail->root . '/usr/sbin/gone' or die $!;

my %command = (
    mailed   => "$linked 2>&1 || echo not run",
    root     => 'ls -1 /',
    write    => 'for d in / /usr /etc /dev /home /var /opt; do
        echo >"$d/jailcgi-test" && echo "$d"; done 2>/dev/null; echo done',
    tmp      => 'echo one >/tmp/here; cat /tmp/here; ls -A /tmp; stat -c %a /tmp;
        ls -ld /var/tmp/here | wc -l',
    home     => 'cd "$HOME" && echo mine >note && cat note && pwd',
    homes    => "ls ${\work_dir()}; ls /home",
    passwd   => 'cat /etc/passwd /etc/group',
    etc      => 'for f in shadow gshadow ssh sudoers apache2 crontab passwd- fstab; do
        test -e "/etc/$f" && echo "$f"; done; echo done',
    proc     => 'echo /proc/[0-9]*; cat /proc/self/status | grep -c ^Pid',
    dev      => 'ls -1 /dev; echo x >/dev/null; head -c 3 /dev/zero | wc -c;
        echo to-stdout >/dev/stdout',
    mounts   => 'cat /proc/self/mountinfo',
    perl     => q{perl -MPOSIX -e 'print strftime("%Y", localtime), "\n"'},
    python   => q{python3 -c 'import json,ssl,socket;print(json.dumps(1+1))'},
    tz       => 'TZ=Europe/Berlin date -d @0 +%H',
    certs    => 'ls /etc/ssl/certs | head -1 | wc -l',
    name     => 'id -un; id -Gn; getent hosts localhost | head -1 | wc -l',
    data     => "echo kept >$data/kept && cat $data/kept",
    readonly => "cat /shown/kept; echo 2>/dev/null >/shown/no || echo refused",
    size     => 'df -k --output=size /scratch | tail -1; stat -c %a /scratch',
    inodes   => 'i=0; while [ $i -lt 300 ] && echo >/scratch/$i; do i=$((i+1)); done 2>&-
        echo $i',
    fill     => 'head -c 200000000 /dev/zero >/tmp/full 2>/dev/null; stat -c %s /tmp/full;
        rm /tmp/full',
);
shell($jail, 'mailed', '/usr/sbin/sendmail; /usr/sbin/exim4; /usr/sbin/up; /usr/sbin/mailer');
for my $tenant ($alice, $bob) {
    shell($tenant, $_, $command{$_}) for keys %command;
}

sub vhost {
    my ($tenant, $extra, %option) = @_;
    return $tenant->vhost($extra, root => 'host', user => $tenant->name, %option);
}

my $httpd = httpd(
    vhosts => [
        vhost($alice, <<"END"),
JailMount bind $data
    JailMount ro $data /shown
    JailMount tmpfs /scratch size=1M mode=1777 inodes=100
END
        vhost($bob),
        vhost($bob, "JailMount ro ${\home_of($alice)}/link /shown", name => 'linked'),
        vhost($bob, 'JailMount bind /nowhere/at/all /shown', name => 'absent'),
        vhost($bob, 'JailMount bind /nowhere/at/all /shown optional',
            name => 'optional'),
        vhost($bob, "JailMount bind $data ${\home_of($bob)}/no/place", name => 'placeless'),
        vhost($bob, "JailMount ro $mailer $linked", name => 'alternative'),
        vhost($bob, "JailMount ro $mailer ${\home_of($bob)}/way/bin/env", name => 'misled'),
        [$jail, "JailMount ro $mailer /usr/sbin/sendmail\n    JailMount ro $mailer /usr/sbin/up"],
        [$jail, "JailMount ro $mailer /usr/sbin/gone", name => 'gone'],
        [$jail, "JailMount ro /usr/share /usr/sbin/up", name => 'other-kind'],
        vhost($bob, 'JailMount tmpfs /tmp size=1M', name => 'smaller'),
        vhost($bob, 'JailNamespaces pid', name => 'unmounted'),
        vhost($bob, 'JailMount home ro', name => 'owner', user => 'owner'),
        vhost($bob, "JailMount bind ${\home_of($bob)}", name => 'owned', user => 'owner'),
    ],
);

sub says {
    my ($host, $name) = @_;
    my $res = $httpd->get($host, "/cgi-bin/$name.sh");
    is($res->code, 200, ref $host ? "$name answers" : "$host: $name answers")
      or diag(ref $host ? $httpd->log($host) : ());
    return $res->content;
}

my $mounts_before = `cat /proc/self/mountinfo`;
my $of_machine    = `cat /proc/1/mountinfo`;

my %root = map { $_ => 1 } split /\n/, says($alice, 'root');
ok($root{$_}, "/$_ is there") for qw(usr bin lib etc dev proc tmp home run var);
ok(!$root{$_}, "/$_ is not") for qw(root boot sys mnt media);
is(says($alice, 'write'), "done\n", 'nothing of the machine can be written to');
is(says($alice, 'tmp'), "one\nhere\n1777\n1\n", '/tmp is empty and its own, /var/tmp the same');
ok(!-e '/tmp/here', 'and not the machine\'s');
unlike(says($bob, 'root'), qr/^here$/m, 'nor another tenant\'s');
is(says($alice, 'home'), "mine\n" . home_of($alice) . "\n", 'the home can be written to');
is((stat home_of($alice) . '/note')[4], $alice->uid, 'and is the real one');
is(says($alice, 'homes'), "alice\ndata\n", 'no home of another is there');
is(says($bob, 'homes'), "bob\n", 'nor with the other one');

my ($name, $uid, $gid, $home) = ($alice->name, $alice->uid, $alice->gid, home_of($alice));
is(says($alice, 'passwd'), <<"END", 'passwd and group have root, the user and the groups of the user');
root:x:0:0:root:/:/usr/sbin/nologin
$name:x:$uid:$gid\::$home:/bin/sh
root:x:0:
$name:x:$gid:
$group:x:61900:$name
END
is(says($alice, 'etc'), "done\n", 'what no program needs of /etc is not there');
like(says($alice, 'proc'), qr{^/proc/\d+(?: /proc/\d+)*\n1$}, '/proc has a few processes');
my @dev = split /\n/, says($alice, 'dev');
is_deeply([sort @dev], [sort qw(fd full log null ptmx pts random shm stderr stdin stdout tty urandom
        zero 3 to-stdout)], '/dev is a minimal one and works');
is(says($alice, 'perl'),   (localtime)[5] + 1900 . "\n", 'Perl runs');
is(says($alice, 'python'), "2\n", 'Python runs');
is(says($alice, 'tz'),     "01\n", 'time zones are there');
is(says($alice, 'certs'),  "1\n", 'certificates are there') if -d '/etc/ssl/certs';
is(says($alice, 'name'),   "$name\n$name $group\n1\n", 'names are found');
is(says($alice, 'data'),   "kept\n", 'bind can be written to');
is(says($alice, 'readonly'), "kept\nrefused\n", 'ro cannot');
like(says($alice, 'size'), qr/^ *1024\n1777$/, 'tmpfs has its size and mode');
is(says($alice, 'inodes'), "99\n", 'and its number of inodes');
like(says($alice, 'fill'), qr/^67\d{6}$/, '/tmp has an end');
like(says($alice, 'mounts'), qr{ / / ro,nosuid,nodev.* - tmpfs }, 'the root is a tmpfs');
for my $line (split /\n/, says($alice, 'mounts')) {
    my ($at, $flags) = (split / /, $line)[4, 5];
    like($flags, qr/\bnosuid\b/, "$at is nosuid");
    like($flags, qr/\bnodev\b/, "$at is nodev") if $at !~ m{^/dev/};
}

sub refuses {
    my ($host, $code, $words, $script) = @_;
    my $res = $httpd->get($host, '/cgi-bin/' . ($script // 'root') . '.sh');
    is($res->code, 503, "$host is refused");
    $httpd->log_like($host, qr/JCGI$code: .*$words/, "$host: and the log says why");
    return;
}
refuses('linked', 1421, 'the path to a source of JailMount');
refuses('absent', 1420, 'a source of JailMount does not exist: /nowhere');
refuses('placeless', 1422, 'the jail has no place for a mount at');
refuses('misled', 1422, 'the jail has no place for a mount at .*/way ', 'mailed');
refuses('gone', 1422, '/usr/sbin/gone', 'mailed');
refuses('other-kind', 1422, '/usr/sbin/up', 'mailed');
is(says('alternative', 'mailed'), "mailed\n", "a target that is a link of root's: $linked");
is(says($jail, 'mailed'), "mailed\n" x 4, 'and in a built jail, where .. ends at its root');
refuses('unmounted', 1013, 'JailNamespaces without mount');
refuses('owner', 1014, 'JailMount home, and JailUser owner, expected JailRoot host, and home without ro');
is(says('owned', 'passwd'), says($bob, 'passwd'), 'JailUser owner: the same users and groups');
unlike(says('optional', 'root'), qr/^shown$/m, 'what is optional may be absent');
like(says('smaller', 'fill'), qr/^10\d{5}$/, 'a JailMount takes the place of the default');

is(`cat /proc/self/mountinfo`, $mounts_before, 'no mount shows where httpd runs');
is(`cat /proc/1/mountinfo`,    $of_machine,    'nor in the machine\'s table');
done_testing;
