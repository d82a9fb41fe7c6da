# jailcgi mkjail --like: jails of one shape share their files and nothing else. No
# tenant can write what is shared, no change of one jail reaches another, and each of
# them outlives the others.

use strict;
use warnings;

use lib 't/lib';
use JailCGI::Tool;
use JailCGI::Namespace;
use Test::More;

private_host();
my ($one, $two, $other) = map { place() . "/$_" } qw(one two other);
my $tool = '/opt/bin/tool';

sub inode { return join ':', (stat $_[0])[0, 1] }

sub is_shared {
    my ($path, $name) = @_;
    return is(inode("$two$path"), inode("$one$path"), $name);
}

sub isnt_shared {
    my ($path, $name) = @_;
    return isnt(inode("$two$path"), inode("$one$path"), $name) || diag $path;
}

sub weight { return (split ' ', `du -skc @_ | tail -n 1`)[0] }

write_file($tool, "#!/bin/sh\necho 1\n", 0755);
write_file('/opt/data/notes', "notes\n");
write_file('/opt/data/etc/notes', "notes\n");
write_file('/opt/data/site.conf', "conf\n");
jailcgi_ok('a jail', 'mkjail', $one, '--minimal', '--program', '/bin/cat', '--program', $tool, '--tree',
    '/opt/data', '--package', 'mawk', '--exclude', '/usr/share/doc/*', '--user', '#61190:#61190', '--home', '/home/alice');
my $said = jailcgi_ok('one like it', 'mkjail', $two, '--like', $one, '--user', '#61191:#61191',
    '--home', '/home/bob');
my ($count) = $said =~ m{; (\d+) files shared with \Q$one\E \(hard links\)$}m;
cmp_ok($count // 0, '>', 15, 'says how many files they share') or diag($said);
is_shared($_, "$_ is shared") for '/usr/bin/mawk', '/bin/cat', $tool, '/opt/data/notes', '/etc/jailcgi.shape';
isnt_shared($_, "$_ is not") for qw(/etc/passwd /etc/hosts /etc/nsswitch.conf /etc/jailcgi.files
  /opt/data/etc/notes /opt/data/site.conf /etc/jailcgi.lock);
is(slurp("$two/etc/passwd") =~ s/^root.*\n//r, "uid61191:x:61191:61191::/home/bob:/bin/sh\n",
    'it has its own tenant alone');
like(slurp("$two/etc/jailcgi.jail"), qr/^like=\Q$one\E\n(?=.*^program=\Q$tool\E\n)(?=.*^tree=)/ms,
    'and the options of the other');
$said = jailcgi_ok('again', 'mkjail', $two);
like($said, qr/nothing to change/, 'nothing changes');
is_deeply((findings($two))[0], {}, 'check finds nothing');

# --- what tenants can do to shared files
my @shared = split /\0/, `find $two -type f -links +1 -print0`;
is(scalar @shared, $count, 'these files have several names, the record among them');
is_deeply([grep { my @st = stat; $st[4] || $st[5] || $st[2] & 06022 } @shared], [],
    'root has them, and nobody else may write them');
my $try = 'for (@ARGV) { print "$_\n" if open my $fh, "+<", $_ or chmod 0777, $_ or utime 1, 1, $_ or truncate $_, 0 }';
sub as_tenant {
    my (@files) = @_;
    open my $fh, '-|', 'setpriv', '--reuid=61191', '--regid=61191', '--clear-groups', 'perl', '-e', $try, @files
      or die "setpriv: $!";
    return join '', <$fh>;
}
is(as_tenant(@shared), '', 'the tenant can write none of them');
write_file("$two/home/bob/own", "own\n");
chown 61191, 61191, "$two/home/bob/own";
is(as_tenant("$two/home/bob/own"), "$two/home/bob/own\n", 'control: a file of his own');

# --- five of one shape
my @five = map { place() . "/five.$_" } 1 .. 5;
jailcgi_ok('a first', 'mkjail', $five[0], '--minimal', '--program', '/usr/bin/perl');
jailcgi_ok('another', 'mkjail', $_, '--like', $five[0]) for @five[1 .. 4];
my ($single, $all) = (weight($five[0]), weight(@five));
cmp_ok($all, '<', 1.25 * $single, 'five of one shape weigh less than five quarters of one');
diag(sprintf 'five jails weigh %.2f times as much as one', $all / $single);
system('rm', '-rf', @five);

# --- the host changes: each jail follows by itself
write_file($tool, "#!/bin/sh\necho two\n", 0755);
my $before = snapshot($one);
$said = jailcgi_ok('update of the second', 'update', $two);
like($said, qr/: 1 replaced/, 'replaces one file');
is(slurp("$two$tool"), slurp($tool), 'which is the new one');
is(slurp("$one$tool"), "#!/bin/sh\necho 1\n", 'the first keeps the old one');
is_deeply([grep { $_ !~ /jailcgi\.shape/ } @{ snapshot_but_links($before, snapshot($one)) }], [],
    'and all else');
jailcgi_ok('update of the first', 'update', $one);
is(slurp("$one$tool"), slurp($tool), 'has the new one too');
isnt_shared($tool, 'but another file');
$said = jailcgi_ok('update of the second', 'update', $two);
like($said, qr/: 1 shared.*; 2 files shared with/, 'shares it again, and the record');
is_shared($tool, 'it is one file');
like(jailcgi_ok('again', 'update', $two), qr/nothing to change/, 'nothing more to do');

# The time of the last change of an inode is also that of its last new name.
sub snapshot_but_links {
    my ($then, $now) = map { my %all = %$_; s/ [\d.]+ (\S*)$/ $1/ for values %all; \%all } @_;
    return difference($then, $now);
}

# --- both in one run: the one that others are like comes first
write_file($tool, "#!/bin/sh\necho three\n", 0755);
rename $one, "$one.z" or die;
write_file("$two/etc/jailcgi.jail", slurp("$two/etc/jailcgi.jail") =~ s/^like=.*/like=$one.z/mr);
$said = jailcgi_ok('update of both', 'update', $two, "$one.z");
like($said, qr/\A\Q$one.z\E: 1 replaced.*^\Q$two\E: 1 replaced.*; [12] files shared/ms, 'the first before those like it');
is(inode("$two$tool"), inode("$one.z$tool"), 'the new file is shared');
rename "$one.z", $one or die;
write_file("$two/etc/jailcgi.jail", slurp("$two/etc/jailcgi.jail") =~ s/^like=.*/like=$one/mr);

# --- somebody writes into a shared file
open my $fh, '>>', "$one$tool" or die;
print {$fh} "echo more\n";
close $fh;
for my $root ($one, $two) {
    my ($found, $text) = findings($root);
    is_deeply($found, { 'shared-file' => [$tool] }, 'check finds it in each jail') or diag($text);
    like($text, qr{a file with 2 names.*: found \d+ bytes of \S+, expected \d+ bytes of \S+; remedy: jailcgi update --adopt \Q$root\E$}m,
        'and says what');
}
jailcgi_ok('its remedy', 'update', '--adopt', $two);
is(slurp("$two$tool"), slurp($tool), 'makes one jail whole');
is_deeply((findings($two))[0], {}, 'where check finds nothing');
isnt(slurp("$one$tool"), slurp($tool), 'and is not that of the other');
jailcgi_ok('which has its own', 'update', '--adopt', $one);
is_deeply((findings($one))[0], {}, 'and then is whole too');

# --- files that are not shared, though they are there
sub not_shared {
    my ($name, $spoil) = @_;
    system('rm', '-rf', $other);
    $spoil->() if $spoil;
    jailcgi_ok($name, 'mkjail', $other, '--like', $one);
    return is(inode("$other$tool") eq inode("$one$tool") ? 1 : 0, $spoil ? 0 : 1,
        $spoil ? 'its file is another' : 'its file is shared')
      && is(slurp("$other$tool"), slurp($tool), 'and is the right one');
}
not_shared('control');
not_shared('a file that the group may write', sub { chmod 0775, "$one$tool" });
chmod 0755, "$one$tool";
not_shared('a file of somebody else', sub { chown 61190, 61190, "$one$tool" });
chown 0, 0, "$one$tool";
my $mtime = (stat $tool)[9];
not_shared('a file that was changed, by its size', sub { write_file("$one$tool", "#!/bin/sh\nexit 1\n\n", 0755); utime $mtime, $mtime, "$one$tool" });
not_shared('a link', sub { rename "$one$tool", "$one/opt/away"; symlink '/opt/away', "$one$tool" });
unlink "$one$tool";
rename "$one/opt/away", "$one$tool";
jailcgi_ok('all well again', 'update', '--adopt', $one);
not_shared('control');
not_shared('a directory of the tenant', sub { chown 61190, 61190, "$one/opt/bin" });
chown 0, 0, "$one/opt/bin";

# --- wrong usage
for my $case ([$one, qr/^jailcgi: --like \Q$one\E: is the jail itself; remedy: /, $one],
    [place() . '/none', qr{/none: is not a directory}], ['one', qr/--like one: is not an absolute path; remedy: /],
    ['/opt', qr{^jailcgi: /opt: has no etc/jailcgi\.jail, .*; remedy: }]) {
    my ($root, $pattern, $jail) = @$case;
    my ($status, $out, $err) = jailcgi('mkjail', $jail // place() . '/wrong', '--like', $root);
    isnt($status, 0, "--like $root is refused");
    like($err, $pattern, 'and why');
}

# --- --dry-run
$before = snapshot($one);
$said = jailcgi_ok('--dry-run', 'mkjail', place() . '/dry', '--like', $one, '--dry-run') if mkdir place() . '/dry';
like($said, qr/added \(dry run/, 'says what it would do');
is_deeply([glob place() . '/dry/{*,.jail*}'], [], 'and does nothing');
is_deeply(difference($before, snapshot($one)), [], 'in neither jail');

# --- the jail that others are like goes
my $whole = { map { $_ => slurp($_) } @shared };
system('rm', '-rf', $one) == 0 or die 'rm';
is_deeply([grep { slurp($_) ne $whole->{$_} } @shared], [], 'what it shared stays');
is_deeply((findings($two))[0], {}, 'the jail is whole');
write_file($tool, "#!/bin/sh\necho four\n", 0755);
$said = jailcgi_ok('update', 'update', $two);
like($said, qr/^jailcgi: \Q$two\E: shares no new file with \Q$one\E: .*is not a directory/m, 'says what is no longer there');
is(slurp("$two$tool"), slurp($tool), 'and goes on with copies');

# --- unshared
jailcgi_ok('a third, like the second', 'mkjail', $one, '--like', $two);
is_shared($tool, 'shares with it');
$said = jailcgi_ok('--like none', 'mkjail', $one, '--like', 'none');
like($said, qr/: \d+ unshared/, 'says what it does');
isnt_shared($tool, 'it has files of its own');
is(`find $one -type f -links +1`, '', 'only');
like(jailcgi_ok('again', 'update', $one), qr/nothing to change/, 'and keeps them');

# --- another file system
mkdir place() . '/elsewhere';
mount_at(place() . '/elsewhere', '-t', 'tmpfs', '-o', 'mode=0755', 'none');
my $far = place() . '/elsewhere/jail';
$said = jailcgi_ok('a jail on another file system', 'mkjail', $far, '--like', $two);
like($said, qr/its files are copies, and are not shared with \Q$two\E: it is on another file system$/m, 'says so');
is(slurp("$far$tool"), slurp($tool), 'and copies');
like(jailcgi_ok('again', 'update', $far), qr/nothing to change/, 'once');
unmount(place() . '/elsewhere');

# --- reflinks
my $image = place() . '/image';
system("truncate -s 600M $image && mkfs.btrfs -q $image") == 0 or skip_or_fail('mkfs.btrfs is missing');
mount_at(place() . '/elsewhere', '-o', 'loop', $image);
my ($here, $there) = map { place() . "/elsewhere/$_" } qw(here there);
jailcgi_ok('a jail on btrfs', 'mkjail', $here, '--minimal', '--program', '/usr/bin/mawk', '--program', $tool);
system 'sync', '-f', $here;
my $used = (split ' ', `df -k --output=used $here | tail -n 1`)[0];
$said = jailcgi_ok('one like it', 'mkjail', $there, '--like', $here);
like($said, qr/files shared with \Q$here\E \(reflinks\)$/m, 'shares by reflinks');
system 'sync', '-f', $here;
cmp_ok((split ' ', `df -k --output=used $here | tail -n 1`)[0] - $used, '<', 0.25 * $used, 'with little more on the disk');
isnt(inode("$there/usr/bin/mawk"), inode("$here/usr/bin/mawk"), 'each has an inode of its own');
is(slurp("$there/usr/bin/mawk"), slurp('/usr/bin/mawk'), 'with the same content');
is((stat "$there/usr/bin/mawk")[9], (stat '/usr/bin/mawk')[9], 'and time');
like(jailcgi_ok('again', 'update', $there), qr/nothing to change/, 'once');
open $fh, '>>', "$here/usr/bin/mawk" or die;
print {$fh} "more\n";
close $fh;
is(slurp("$there/usr/bin/mawk"), slurp('/usr/bin/mawk'), 'what is written into one stays there');
unmount(place() . '/elsewhere');

done_testing;
