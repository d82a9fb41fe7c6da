# jailcgi as root against a tenant, and against an administrator's slip: links,
# mounts, hard links, FIFOs, writable directories. Nothing outside of the jail
# changes, and nothing of the host is read into it.

use strict;
use warnings;

use lib 't/lib';
use JailCGI::Tool;
use JailCGI::Namespace;
use POSIX ();
use Test::More;

private_host();
my $place = place();
my $outside = "$place/outside";
write_file("$outside/$_", "precious\n") for qw(file etc/passwd usr/bin/cat lib/x);
my $before = snapshot($outside, '/opt');

my @program = ('--minimal', '--program', '/bin/cat');

sub untouched {
    my ($name) = @_;
    return is_deeply(difference($before, snapshot($outside, '/opt')), [], "$name: nothing outside changed");
}

sub refused {
    my ($name, $pattern, @arguments) = @_;
    my ($status, $out, $err) = jailcgi(@arguments);
    is($status, 1, "$name: refused");
    like($err, $pattern, "$name: and why");
    return untouched($name);
}

# --- where a ROOT may lie: the rule of JCGI1407
mkdir "$place/open" or die;
chmod 0777, "$place/open";
refused('below a directory for all', qr{/open: is a directory that others .* mode 0777.*JCGI1407.*; remedy: put the jail where root alone can write},
    'mkjail', "$place/open/jail", @program);
chmod 01777, "$place/open";
refused('with the sticky bit', qr{/open: is a directory that others .*; remedy: put the jail [^;]*$}, 'mkjail', "$place/open/jail", @program);
chmod 0755, "$place/open";
chown 61190, 61190, "$place/open";
refused('of a tenant', qr{/open: .* belongs to uid 61190.*; remedy: put the jail [^;]*$}, 'mkjail', "$place/open/jail", @program);
ok(!-e "$place/open/jail", 'and none was made');
symlink "$place/good", "$place/open/link";
refused('through a link of a tenant', qr{/open: .* belongs to uid 61190}, 'mkjail', "$place/open/link", @program);
ok(!-e "$place/good", 'nor where the link leads');
chown 0, 0, "$place/open";
chmod 0775, "$place/open";
refused('of a group', qr{/open: .*; remedy: .* chmod g-w \S+/open$}, 'mkjail', "$place/open/jail", @program);
chmod 0755, "$place/open";
chown 61190, 61190, "$place/open";
refused('the root of the machine', qr{^jailcgi: /: is the root of this machine; remedy: name a directory}, 'mkjail', '/', @program);
mkdir "$place/root";
mount_at("$place/root", '--bind', '/');
refused('the same by a mount', qr{is the root of this machine}, 'mkjail', "$place/root", @program);
unmount("$place/root");

# --- links in the jail, absolute and relative, in the way of each write
my $jail = "$place/jail";
sub fresh {
    system('rm', '-rf', '--one-file-system', $jail);
    mkdir $jail or die "$jail: $!";
    return;
}

for my $link (['etc', "$outside/etc"], ['etc', '../outside/etc'], ['usr', '../outside/usr']) {
    fresh();
    symlink $link->[1], "$jail/$link->[0]";
    my ($status, $out, $err) = jailcgi('mkjail', $jail, @program);
    isnt($status, 0, "$link->[0] -> $link->[1]: refused") or diag($out, $err);
    untouched("$link->[0] -> $link->[1]");
}
fresh();
mkdir "$jail/etc";
symlink "$outside/file", "$jail/etc/passwd";
symlink "$outside/file", "$jail/etc/.jailcgi~group";
jailcgi('mkjail', $jail, @program);
untouched('files that are links');
is(readlink "$jail/etc/passwd", "$outside/file", 'a link that was there is left');
ok(!-l "$jail/etc/group" && -s _, 'a link in the way of the other name goes');
jailcgi_ok('with --adopt', 'mkjail', $jail, '--adopt');
ok(!-l "$jail/etc/passwd", 'it is replaced');
untouched('with --adopt');

# --- a directory of the tenant's on the way
fresh();
mkdir "$jail/usr";
chown 61190, 61190, "$jail/usr";
refused('a directory of the tenant in the way', qr{/jail/usr: is a directory that others .*uid 61190},
    'mkjail', $jail, @program);
fresh();
jailcgi_ok('a jail with a home', 'mkjail', $jail, @program, '--user', '#61190:#61190', '--home', '/home/a');
write_file('/opt/tree/home/file', "x\n");
$before = snapshot($outside, '/opt');
system('rm', '-rf', "$jail/home/a");
symlink "$outside", "$jail/home/a";
jailcgi('update', $jail);
untouched('a home that has become a link');

# --- what update removes: a link has come in since, or another thing
write_file('/opt/tree/usr/bin/cat', "x\n");
write_file('/opt/tree/lib/x', "x\n");
$before = snapshot($outside);
fresh();
jailcgi_ok('a jail with a tree', 'mkjail', $jail, '--minimal', '--tree', '/opt/tree');
system('rm', '-rf', "$jail/opt/tree/usr", '/opt/tree/usr', '/opt/tree/lib');
symlink "$outside/usr", "$jail/opt/tree/usr";
jailcgi('update', $jail);
is_deeply(difference($before, snapshot($outside)), [], 'nothing is removed through an absolute link');
system('rm', '-rf', "$jail/opt/tree");
mkdir "$jail/opt/tree";
symlink '../../../outside/usr', "$jail/opt/tree/usr";
jailcgi('update', $jail);
is_deeply(difference($before, snapshot($outside)), [], 'nor through a relative one');

write_file('/opt/tree/usr/bin/cat', "x\n");
jailcgi_ok('once more', 'mkjail', $jail, '--anew', '--adopt', '--minimal', '--tree', '/opt/tree')
  if unlink "$jail/opt/tree/usr";
rename "$jail/opt/tree/usr", "$jail/moved" or die "moved: $!";
symlink '/moved', "$jail/opt/tree/usr";
system('rm', '-rf', '/opt/tree/usr');
jailcgi('update', $jail);
is(slurp("$jail/moved/bin/cat"), "x\n", 'nor from where an administrator has put it');

# --- mounts: a bind mount has the device number of what it shows
for my $how (['--bind', $outside], ['-t', 'tmpfs', '-o', 'mode=0755', 'none']) {
    fresh();
    write_file("/opt/tree/usr/bin/cat", "x\n");
    jailcgi_ok('a jail with a tree', 'mkjail', $jail, '--minimal', '--tree', '/opt/tree');
    mount_at("$jail/opt/tree", @$how);
    write_file('/opt/tree/usr/bin/cat', "newer\n");
    system('rm', '-rf', '/opt/tree/home');
    my ($status, $out, $err) = jailcgi('update', '--adopt', $jail);
    is($status, 1, "@$how in the jail: refused");
    like($err, qr{/opt/tree: is a mount point.*; remedy: umount}, 'and why');
    is_deeply(difference($before, snapshot($outside)), [], 'nothing in it changed');
    ($status, $out, $err) = jailcgi('mkjail', $jail, '--anew', '--minimal');
    is($status, 1, 'nor is anything removed there');
    is_deeply(difference($before, snapshot($outside)), [], 'nothing in it changed');
    unmount("$jail/opt/tree");
}

# --- a record that a tenant could have written names what is copied
fresh();
jailcgi_ok('a jail', 'mkjail', $jail, @program);
chown 61190, 61190, "$jail/etc/jailcgi.jail";
my ($status, $out, $err) = jailcgi('update', $jail);
is($status, 1, 'a record that is not root\'s is not believed');
like($err, qr{jailcgi\.jail: is not a file that root alone can write}, 'and it says so');
unlink "$jail/etc/jailcgi.jail";
write_file("$jail/told", "tree=/root\n");
symlink '/told', "$jail/etc/jailcgi.jail";
($status, $out, $err) = jailcgi('update', $jail);
is($status, 1, 'nor is one that is a link');
like($err, qr{jailcgi\.jail: is not a file that root alone can write}, 'and it says so');

# --- a program that others can write is not executed
write_file('/opt/bin/perl', "#!/bin/sh\ntouch /opt/was-run\necho /opt\n", 0777);
($status, $out, $err) = jailcgi('mkjail', "$place/untrusted", '--minimal', '--program', '/opt/bin/perl');
is($status, 1, 'an interpreter that others can write is refused');
like($err, qr{/opt/bin/perl: can be written by others than root}, 'and why');
ok(!-e '/opt/was-run', 'and was not run');
chmod 0755, '/opt/bin/perl';
jailcgi_ok('control', 'mkjail', "$place/untrusted", '--minimal', '--program', '/opt/bin/perl');
ok(-e '/opt/was-run', 'root\'s own is');
write_file('/opt/data/theirs.so', slurp(fixture('greeter')), 0775);
($status, $out, $err) = jailcgi('mkjail', "$place/untrusted", '--program', '/opt/data/theirs.so');
is($status, 1, 'nor is the loader asked about a program that others can write');
like(jailcgi_ok('in a tree', 'mkjail', "$place/untrusted", '--tree', '/opt/data'),
    qr{theirs\.so can be written by others than root; its libraries are left out}, 'it comes alone');
system('cp', fixture('greeter'), '/opt/own-loader');
my $elf = slurp('/opt/own-loader');
$elf =~ s{/lib64/ld-linux-x86-64\.so\.2}{"/opt/l/ld-linux-x86-64.so" . "\0" x 2}e or die 'no interp';
write_file('/opt/own-loader', $elf, 0755);
write_file('/opt/l/ld-linux-x86-64.so', "#!/bin/sh\ntouch /opt/loader-was-run\n", 0757);
jailcgi('mkjail', "$place/untrusted", '--program', '/opt/own-loader');
ok(!-e '/opt/loader-was-run', 'a loader that others can write is not run');

# --- the caller's environment does not reach what is asked
write_file('/opt/bin/perl', "#!/bin/sh\nprintenv >/opt/environment\n", 0755);
{
    local $ENV{PERL5LIB} = $outside;
    jailcgi_ok('with PERL5LIB set', 'mkjail', "$place/environment", '--minimal', '--program', '/opt/bin/perl');
}
like(slurp('/opt/environment'), qr/^PATH=/m, 'an interpreter gets an environment');
unlike(slurp('/opt/environment'), qr/PERL5LIB/, 'but not the caller\'s');

# --- check reads what a tenant has made, and neither hangs nor leaves the jail
fresh();
jailcgi_ok('a jail', 'mkjail', $jail, @program, '--user', '#61190:#61190', '--home', '/home/a');
my $home = "$jail/home/a";
POSIX::mkfifo("$home/fifo.so", 0777);
symlink '/', "$home/up";
symlink "$outside/file", "$home/out.so";
symlink 'loop', "$home/loop";
system('ln', '-s', '/home/a', "$home/self");
write_file("$home/script", "#!/home/a/loop\n", 0755);
write_file("$home/escape", "#!../../../../../../bin/cat\n", 0755);
write_file("$home/short", "\x7fELF", 0755);
write_file("$home/noise", "\x7fELF\x02\x01\x01" . "\xff" x 500, 0755);
my $real = slurp('/bin/cat');
for my $at (map { $_ * 8 } 4 .. 60) {
    my $copy = $real;
    substr $copy, $at, 8, "\xff" x 8;
    write_file("$home/damaged.$at", substr($copy, 0, 1 << 16), 0755);
}
write_file("$home/new\nline", "#!/no/such\n", 0755);
write_file("$home/esc\e[2J", "#!/no/such\n", 0755);
system('mkdir', '-p', $home . '/d' x 200);
system('chown', '-hR', '61190:61190', $home);
local $SIG{ALRM} = sub { die "check hangs\n" };
for my $n (1 .. 2001) {
    link "$home/short", "$home/zany.$n" or die "link: $!";
}
my $all = snapshot($jail);
alarm 60;
my ($found, $text, $checked) = findings($jail);
alarm 0;
is($checked, 1, 'check comes to its end');
unlike($text, qr/[\x00-\x09\x0b-\x1f\x7f]/, 'without a control character');
like($text, qr{new\\x0aline}, 'names with line ends take one line');
unlike($text, qr/uninitialized|at \S+ line \d/, 'and without a warning of Perl\'s');
ok($found->{'too-many'}, 'there is an end to what a tenant can have looked at');
ok((grep { $_ eq '/home/a/script' } @{ $found->{'no-interpreter'} }), 'the loop is a finding');
my $after = snapshot($jail);
is_deeply(difference($all, $after), [], 'check changes nothing');
mount_at("$jail/tmp", '--bind', $jail);
alarm 60;
($found, $text, $checked) = findings($jail);
alarm 0;
is($checked, 1, 'nor does a mount of the jail in itself keep it');
is_deeply([grep { m{^/tmp/} } map { @$_ } values %$found], [], 'nor is the same looked at twice');
unmount("$jail/tmp");

# --- a script's interpreter is looked for in the jail, though the host has it
unlink "$jail/usr/bin/tr";
symlink '/usr/bin/tr', "$home/tr";
write_file("$home/by-link", "#!/home/a/tr\n", 0755);
chown 61190, 61190, "$home/by-link";
($found) = findings($jail);
ok((grep { $_ eq '/home/a/by-link' } @{ $found->{'no-interpreter'} }),
    'an absolute link begins at the jail\'s root');
is_deeply(difference($before, snapshot($outside)), [], 'and nothing outside changed at all');

done_testing;
