# A tenant who serves a file system himself, or who has made the disk that is mounted,
# says whose its files are. Owners count there only if the machine's root vouches for it:
# not on FUSE and not where it is mounted nosuid, unless JailTrustMount names it.

use lib 't/lib';
use JailCGI::Test;
use JailCGI::Namespace;
use File::Path 'make_path';
use POSIX ();

-c '/dev/fuse' or skip_or_fail('there is no /dev/fuse');
private_mounts() or skip_or_fail('no mount namespace can be made');

my ($liar, $victim) = map { tenant($_) } qw(liar victim);
my ($uid, $gid) = ($victim->uid, $victim->gid);
my $base = work_dir() . '/sites';
my @served;

sub place {
    my ($name) = @_;
    make_path("$base/$name");
    return "$base/$name";
}

sub write_script {
    my ($dir, $owner) = @_;
    open my $fh, '>', "$dir/app.cgi" or die "$dir/app.cgi: $!";
    print {$fh} "#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\nruns as %s\\n' \"\$(id -u)\"\n";
    close $fh or die "$dir/app.cgi: $!";
    chmod 0755, $dir, "$dir/app.cgi";
    chown $owner, $owner, $dir, "$dir/app.cgi" or die "chown: $!";
    return;
}

# A file system that says that all in it is $owner's.
sub lie {
    my ($name, %option) = @_;
    my $dir    = place($name);
    my $device = (stat $dir)[0];
    my $pid    = fork // die "fork: $!";
    if (!$pid) {
        POSIX::close($_) for 3 .. 63;
        exec fixture('liar'), $dir, 'allow_other' . ($option{nosuid} ? '' : ',suid'),
          $option{owner} // $uid, $option{link} // '/nowhere', $option{mounter} // 0
          or POSIX::_exit(127);
    }
    push @served, [$dir, $pid];
    wait_until { (stat $dir)[0] != $device || waitpid $pid, POSIX::WNOHANG() }
    or die 'liar does not mount';
    return $dir;
}

END {
    my $status = $?;
    if ($base) {
        for my $served (@served) {
            unmount($served->[0]);
            kill 'KILL', $served->[1];
            waitpid $served->[1], 0;
        }
    }
    $? = $status;
}

# --- what there is ------------------------------------------------------------

my @suid   = ('-t', 'tmpfs', '-o', 'mode=755');
my @nosuid = ('-t', 'tmpfs', '-o', 'mode=755,nosuid');

# name => what the line says of it, or '' if root vouches for it
my %kind = (disk => '', tmpfs => '', named => '');
write_script(place('disk'), $uid);
mount_at(place('tmpfs'), @suid, 'none');
write_script("$base/tmpfs", $uid);
# Blanks and backslashes stand in the kernel's table in another way.
mount_at(place('named'), @suid, 'fuse nosuid\\040- ');
write_script("$base/named", $uid);

lie('fuse');
lie('fuse-nosuid', nosuid  => 1);
lie('fuse-user',   mounter => $liar->uid);
mount_at(place('nosuid'), @nosuid, 'none');
write_script("$base/nosuid", $uid);
mount_at(place('bound'), '--bind', "$base/disk");
system('mount', '-o', 'remount,bind,nosuid', "$base/bound") == 0 or die 'remount';
write_script(place('filed'), $uid);
mount_at("$base/filed/app.cgi", '--bind', "$base/fuse/app.cgi");
# Over the tenant's own directory, which is how he does it.
write_script(place('over'), $liar->uid);
lie('over', mounter => $liar->uid);
$kind{$_} = qr/FUSE/ for qw(fuse fuse-nosuid fuse-user filed over);
$kind{$_} = qr/nosuid/ for qw(nosuid bound);

my $image = work_dir() . '/image';
if (system("truncate -s 8M $image && mkfs.ext4 -q $image 2>/dev/null") == 0
    && system('mount', '-o', 'loop,nosuid', $image, place('image')) == 0) {
    mount_at("$base/image", '-o', 'remount,nosuid');    # so that it is remembered
    write_script("$base/image", $uid);
    note("ext4 on a loop device");
    $kind{image} = qr/nosuid/;
}
my $third = place('third');
write_script($third, $liar->uid);
lie('third/deep');

# --- scripts that run as their owner ------------------------------------------------

my $aliases = join "\n    ", map { qq(ScriptAlias /$_/ "$base/$_/") } sort(keys %kind),
  'third/deep';
my $trust = 'JailTrustMount ' . join ' ', map { "$base/$_" } qw(fuse fuse-nosuid fuse-user over
  nosuid image), $base;
my %host = (
    none      => [['none'], ''],
    directory => [['none', 'owner directory'], ''],
    machine   => [['none'], 'JailNamespaces pid ipc uts'],
    root      => [['host'], "JailMount bind $base"],
    setid     => [['host'], "JailMount bind $base\n    JailNoNewPrivs Off"],
    bound     => [['none'], "JailMount bind $base"],
    jail      => [[$victim->root], "JailMount bind $base"],
);
$victim->directory($base, uid => 0, gid => 0);

sub host {
    my ($name, $more) = @_;
    my ($root, $lines) = @{ $host{ $name =~ s/ trusting//r } };
    return $victim->vhost(
        join("\n    ", grep { $_ } $aliases, $lines, $more),
        root => $root->[0],
        user => $root->[1] // 'owner',
        name => $name =~ tr/ /-/r
    );
}

my $fixed = sub {
    my ($name, @lines) = @_;
    return $victim->vhost(join("\n    ", $aliases, @lines), root => 'none', name => $name);
};
my $httpd = httpd(
    vhosts => [
        (map { host($_), host("$_ trusting", $trust) } sort keys %host),
        # Without a shell in it: what runs there cannot be seen.
        (
            map {
                $victim->vhost(
                    "$aliases\n    JailNamespaces pid ipc uts\n    $_",
                    root => $base,
                    user => 'owner',
                    name => $_ ? 'chroot-trusting' : 'chroot'
                )
            } '',
            $trust
        ),
        $fixed->('fixed'), $fixed->('fixed-machine', 'JailNamespaces pid ipc uts')
    ]
);

sub runs {
    my ($host, $path, $name, $server) = @_;
    my $res = ($server // $httpd)->get($host, $path);
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    like($res->content, qr/runs as $uid$/m, $name)
      or diag($res->code, ' ', ($server // $httpd)->log($host));
    return;
}

sub refused {
    my ($host, $path, $code, $says, $name, $server) = @_;
    $server //= $httpd;
    $server->mark($host);
    my $res = $server->get($host, $path);
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    unlike($res->content, qr/runs as/, $name) or diag($server->log($host));
    $server->log_like($host, qr/JCGI$code:.*$says/, "$name: $code");
    return;
}

my %named = map { $_ => 1 } qw(fuse fuse-nosuid nosuid image);
for my $host (sort keys %host) {
    for my $kind (sort keys %kind) {
        my $path = "/$kind/app.cgi";
        if ($kind{$kind}) {
            refused($host, $path, 1518, $kind{$kind}, "$host, $kind: refused");
        }
        else {
            runs($host, $path, "$host, $kind: runs");
        }
        if (!$kind{$kind} || $named{$kind}) {
            runs("$host-trusting", $path, "$host, $kind, JailTrustMount: runs");
        }
    }
    # What a user has mounted is his word whatever the administrator has named.
    refused("$host-trusting", "/$_/app.cgi", 1518, qr/FUSE/,
        "$host, $_, and others are trusted")
      for qw(fuse-user over);
    refused($host, '/third/deep/app.cgi', 1505, qr//, "$host: below a third user");
}

# A bound directory is of the file system that is named, where that is known.
runs('none-trusting', '/filed/app.cgi', 'a file that was bound from there');
refused('machine-trusting', '/filed/app.cgi', 1518, qr/FUSE/,
    'by mount points alone where the mounts are the machine\'s');

for my $kind (grep { $kind{$_} } sort keys %kind) {
    refused('chroot', "/$kind/app.cgi", 1518, $kind{$kind}, "chroot, $kind");
}
for my $path ('chroot/disk', map { "chroot-trusting/$_" } sort keys %named) {
    my ($host, $kind) = split m{/}, $path;
    $httpd->get($host, "/$kind/app.cgi");
    $httpd->log_like($host, qr{JCGI1603: script $base/$kind/app.cgi}, "$host, $kind: no shell");
}

# Whoever runs as himself may serve his files himself.
for my $host (qw(fixed fixed-machine)) {
    runs($host, "/$_/app.cgi", "$host: $_") for sort keys %kind;
}
$httpd->stop;

# JailTrustMount is the mount point, and not what is mounted below it.
{
    my $server = httpd(
        vhosts => [
            host('none', "JailTrustMount $base /"),
            host('root', "JailTrustMount $base/fuse\n    JailTrustMount none"),
        ]
    );
    refused('none', '/fuse/app.cgi', 1518, qr/FUSE/, 'a mount point above it', $server);
    refused('root', '/fuse/app.cgi', 1518, qr/FUSE/, 'none', $server);
    $server->stop;
}

# --- the word of a "root" -------------------------------------------------------------

my $shown = place('shown');
open my $fh, '>', "$shown/word" or die "$shown/word: $!";
close $fh or die "$shown/word: $!";
my $lied = lie('root-link', owner => 0, link => $shown);
mount_at(place('root-nosuid'), @nosuid, 'none');
mount_at(place('root-tmpfs'),  @suid,        'none');
symlink $shown, "$base/$_/link" or die "symlink: $!" for qw(root-nosuid root-tmpfs);
write_script("$base/$_", 0) for qw(root-nosuid root-tmpfs);
my $own = place('own-link');
symlink $shown, "$own/link" or die "symlink: $!";
chown $liar->uid, $liar->gid, $own or die "chown: $!";

$victim->script('look.sh', <<'END');
#!/bin/sh
printf 'Content-Type: text/plain\n\n'
test -e /data/word && echo "runs as $(id -u)"
END
$victim->directory('/data', uid => 0, gid => 0);
write_script($victim->directory('/www'), $uid);

my %from = ('root-link' => qr/FUSE/, 'root-nosuid' => qr/nosuid/, 'root-tmpfs' => '',
    'own-link' => qr/found 0\d+/);
my @hosts;
for my $name (sort keys %from) {
    for my $named (0, 1) {
        my $trusted = $named ? "JailTrustMount $base/$name" : '';
        my $suffix  = $named ? '-named' : '';
        my $path    = "$base/$name";
        push @hosts, $victim->vhost("JailMount bind $path/link /data\n    $trusted",
            name => "mount-$name$suffix");
        my $to = work_dir() . "/roots-$name";
        push @hosts, $fixed->("trust-$name$suffix", qq(ScriptAlias /t/ "$path/"),
            "JailTrust $path", $trusted),
          $fixed->("trust-machine-$name$suffix", qq(ScriptAlias /t/ "$path/"),
            "JailTrust $path", $trusted, 'JailNamespaces pid ipc uts');
    }
}
# The way to JailRoot: a link of the file system leads to the jail.
my %root = (fuse => lie('way-fuse', owner => 0, link => $victim->root), own => place('way-own'));
symlink $victim->root, "$root{own}/link" or die "symlink: $!";
for my $namespaces ('', 'JailNamespaces pid ipc uts') {
    my $suffix = $namespaces ? '-machine' : '';
    my $to = sub {
        my ($from, $name, @lines) = @_;
        return $victim->vhost(
            join("\n    ", qq(ScriptAlias /w/ "$from/link/www/"), $namespaces, @lines),
            root => "$from/link",
            name => "way-$name$suffix"
        );
    };
    push @hosts, $to->($root{own}, 'own'), $to->($root{fuse}, 'fuse'),
      $to->($root{fuse}, 'named', "JailTrustMount $root{fuse}");
}
my $words = httpd(vhosts => \@hosts);

for my $name (sort keys %from) {
    my $says = $from{$name};
    if ($says) {
        refused("mount-$name", '/cgi-bin/look.sh', 1421, $says,
            "a link of $name as a source", $words);
    }
    else {
        runs("mount-$name", '/cgi-bin/look.sh', "control: a link of root's on $name", $words);
    }
    if ($name =~ /^root/) {
        runs("mount-$name-named", '/cgi-bin/look.sh', "$name, JailTrustMount", $words);
    }
}
for my $host ('trust', 'trust-machine') {
    for my $name (qw(root-link root-nosuid)) {
        refused("$host-$name", '/t/app.cgi', 1518, $from{$name},
            "$host, a script of $name that is called root's", $words);
        runs("$host-$name-named", '/t/app.cgi', "$host, $name, JailTrustMount", $words);
    }
    runs("$host-root-tmpfs", '/t/app.cgi', "$host, control: root's", $words);
}
for my $suffix ('', '-machine') {
    refused("way-fuse$suffix", '/w/app.cgi', 1407, qr/FUSE/, "JailRoot by its link$suffix", $words);
    runs("way-named$suffix", '/w/app.cgi', "the same$suffix, JailTrustMount", $words);
    runs("way-own$suffix", '/w/app.cgi', "control$suffix: by root's own link", $words);
}
$words->stop;

# Places for mounts are made where root's word counts, also in what the jail has itself.
{
    my @lines = ($aliases, 'JailMount bind ' . place('inner') . ' /inner',
        'JailMount tmpfs /own mode=755', "JailMount bind $shown /inner/data",
        "JailMount bind $shown /own/data", "JailMount bind $base");
    my %more = (
        made  => [],
        setid => ['JailNoNewPrivs Off'],
        lied  => ["JailMount bind $lied /lied", "JailMount bind $shown /lied/data"],
    );
    my $server = httpd(
        vhosts => [
            map {
                $victim->vhost(join("\n    ", @lines, @{ $more{$_} }), root => 'host', name => $_)
            } sort keys %more
        ]
    );
    rmdir "$base/inner/data";
    runs('made', '/disk/app.cgi', 'places for mounts are made', $server);
    ok(rmdir "$base/inner/data", 'in a directory of root\'s');
    runs('setid', '/disk/app.cgi', 'and without no_new_privs', $server);
    ok(rmdir "$base/inner/data", 'likewise');
    refused('lied', '/disk/app.cgi', 1422, qr{/lied/data \(Operation not permitted\)},
        'and not where a process says that it is root\'s', $server);
    $server->stop;
}

# --- said at start ------------------------------------------------------------------------

sub said {
    my ($root, @lines) = @_;
    my ($status, $text) = configtest(
        vhosts => [
            $victim->vhost(
                join("\n    ", qq(DocumentRoot "$root"), @lines),
                root => 'none',
                user => 'owner'
            )
        ]
    );
    is($status, 0, 'a configtest passes');
    return $text;
}
like(said("$base/fuse"), qr{JCGI1518: .*FUSE.*JailTrustMount $base/fuse$}m,
    'the test of the configuration says what will be refused');
like(said("$base/nosuid/"), qr{JCGI1518: .*nosuid.*JailTrustMount $base/nosuid$}m,
    'and of nosuid');
unlike(said("$base/nosuid", "JailTrustMount $base/nosuid"), qr/JCGI1518/, 'not if it is named');
unlike(said("$base/disk"), qr/JCGI1518/, 'nor on a disk');
like(said("$base/over", "JailTrustMount $base/over"), qr{JCGI1518: .*a user mounted it},
    'but if a user has mounted it');

done_testing;
