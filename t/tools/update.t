# jailcgi update: a jail follows the host by what it was told, file by file,
# and what jailcgi did not put there stays.

use strict;
use warnings;

use lib 't/lib';
use JailCGI::Tool;
use JailCGI::Namespace;
use Test::More;

private_host();
my $jail = place() . '/jail';
my $lib  = '/opt/greet/libgreet.so.1';

sub install {
    my ($from, $to) = @_;
    return write_file($to, slurp(fixture($from)), 0755);
}

install('greet_new.so', $lib);
install('greeter', '/opt/bin/greeter');
write_file("/opt/data/$_", "$_\n") for qw(one two sub/three);
utime 1e9, 1e9, '/opt/data/one';    # not of this second
jailcgi_ok('a jail', 'mkjail', $jail, '--minimal', '--program', '/opt/bin/greeter',
    '--tree', '/opt/data');

my $before = snapshot($jail);
my $said = jailcgi_ok('update', 'update', $jail);
like($said, qr/^\Q$jail\E: nothing to change$/m, 'of a jail that is up to date does nothing');
is_deeply(difference($before, snapshot($jail)), [], 'and no inode changes');

# --- a changed library: a running program keeps what it has mapped
open my $mapped, '<', "$jail$lib" or die "$jail$lib: $!";
my $old = (stat $mapped)[1];
install('greet_old.so', $lib);
$said = jailcgi_ok('after a library of the host has changed', 'update', '--verbose', $jail);
like($said, qr{^\Q$jail$lib\E: replaced$}m, 'it is replaced');
like($said, qr{^\Q$jail\E: 1 replaced; what started before starts}m, 'and nothing else');
is(slurp("$jail$lib"), slurp($lib), 'the jail has the new one');
isnt((stat "$jail$lib")[1], $old, 'as a new file');
is(do { local $/; <$mapped> }, slurp(fixture('greet_new.so')), 'the old one was not written in');
my @changed = @{ difference($before, snapshot($jail)) };
is_deeply(\@changed, [$jail, "$jail/etc", "$jail/etc/jailcgi.shape", "$jail/opt/greet", "$jail$lib"],
    'only this file, the record, their directories and the root have changed');

# --- same size and time, other content
write_file('/opt/data/one', "eno\n");
utime 1e9, 1e9, '/opt/data/one';
$said = jailcgi_ok('a file with the same size and time', 'update', $jail);
like($said, qr/nothing to change/, 'counts as the same');
$said = jailcgi_ok('--contents', 'update', '--contents', $jail);
is(slurp("$jail/opt/data/one"), "eno\n", 'compares every byte');

# --- files that the host has no more; new ones
unlink '/opt/data/two', '/opt/data/sub/three';
rmdir '/opt/data/sub';
write_file('/opt/data/four', "four\n");
$before = snapshot($jail);
$said = jailcgi_ok('--dry-run', 'update', '--dry-run', '--verbose', $jail);
like($said, qr{/opt/data/two: removed}, 'names what would be removed');
is_deeply(difference($before, snapshot($jail)), [], 'and does nothing');
jailcgi_ok('after files have gone and come', 'update', $jail);
ok(!-e "$jail/opt/data/two", 'what the host has no more is removed');
ok(!-e "$jail/opt/data/sub", 'with its empty directory');
is(slurp("$jail/opt/data/four"), "four\n", 'what is new comes');

# --- what others have put there
write_file("$jail/opt/data/own", "own\n");
write_file("$jail/opt/more/own", "own\n");
write_file("$jail/etc/hosts", "127.0.0.1 mine\n");
unlink '/opt/data/four';
write_file("$jail/opt/data/four", "changed by hand\n");
my %kept = map { $_ => slurp("$jail$_") } qw(/opt/data/own /opt/more/own /etc/hosts
  /opt/data/four);
$said = jailcgi_ok('with files of others in it', 'update', $jail);
is_deeply({ map { $_ => slurp("$jail$_") } keys %kept }, \%kept, 'they are left');
like($said, qr{/etc/hosts: left as it is, .*--adopt}, 'what differs is named');
like($said, qr{/opt/data/four: left as it is}, 'and what would be removed');
jailcgi_ok('--adopt', 'update', '--adopt', $jail);
is(slurp("$jail/etc/hosts"), slurp('/etc/hosts'), 'takes over what is planned');
is(slurp("$jail/opt/data/own"), "own\n", 'and nothing else');

# --- a run that was killed has left a file; another has failed half way
write_file("$jail/opt/greet/.jailcgi~libgreet.so.1", 'half');
install('greet_new.so', $lib);
jailcgi_ok('after a run that was killed', 'update', $jail);
is(slurp("$jail$lib"), slurp($lib), 'the file is whole');
ok(!-e "$jail/opt/greet/.jailcgi~libgreet.so.1", 'and the half one has gone');
write_file("/opt/data/$_", "$_\n") for qw(a b);
mkdir "$jail/opt/data/.jailcgi~b" or die "mkdir: $!";
$before = snapshot($jail);
my ($status, $out, $err) = jailcgi('update', $jail);
is($status, 1, 'one that cannot make a file fails');
like($err, qr{/opt/data/b: create: File exists}, 'and says why');
my %harmless = map { $_ => 1 } "$jail/opt/data";
is_deeply([grep { !$harmless{$_} } @{ difference($before, snapshot($jail)) }],
    [], 'and leaves the jail as it was');
rmdir "$jail/opt/data/.jailcgi~b";
jailcgi_ok('when the reason has gone', 'update', $jail);
is(slurp("$jail/opt/data/b"), "b\n", 'it goes on');

# --- several jails, one of them no jail
mkdir place() . '/empty';
write_file('/opt/data/five', "five\n");
($status, $out, $err) = jailcgi('update', place() . '/empty', $jail);
is($status, 1, 'a directory that jailcgi has not made is refused');
like($err, qr{/empty: has no etc/jailcgi\.jail, .*; remedy: .*mkjail}, 'with a clear sentence');
is(slurp("$jail/opt/data/five"), "five\n", 'and the next jail has its turn');

# --- a record that is not understood
my $told = slurp("$jail/etc/jailcgi.jail");
write_file("$jail/etc/jailcgi.jail", "${told}colour=red\n");
($status, $out, $err) = jailcgi('update', $jail);
is($status, 1, 'a line in jailcgi.jail that is not known is refused');
like($err, qr{jailcgi\.jail: has a line that is not understood: colour=red}, 'and named');
write_file("$jail/etc/jailcgi.jail", $told);

# --- two at once
open my $lock, '+<', "$jail/etc/jailcgi.lock" or die "lock: $!";
flock $lock, 2 or die "flock: $!";
($status, $out, $err) = jailcgi('update', $jail);
is($status, 1, 'while another works there it is refused');
like($err, qr/another jailcgi is at work/, 'with a clear sentence');
is((stat $lock)[2] & 07777, 0600, 'no tenant can hold the lock');

close $lock;

# --- a tenant's program needs what the host has no more
my $needy = place() . '/needy';
write_file('/opt/greet/notes', "notes\n");
jailcgi_ok('a jail with a library', 'mkjail', $needy, '--minimal', '--tree', '/opt/greet',
    '--program', '/bin/sh');
write_file("$needy/home/alice/greeter", slurp(fixture('greeter')), 0755);
unlink '/opt/greet/libgreet.so.1', '/opt/greet/notes';
$said = jailcgi_ok('update', 'update', $needy);
like($said, qr{\Q$needy\E/home/alice/greeter would not start without .* libgreet\.so\.1: found none\), and so 2 files stay; remedy: .*update --prune}, 'names the program and keeps the library');
ok(-e "$needy$lib", 'which is there');
$said = jailcgi_ok('again', 'update', $needy);
like($said, qr/would not start without/, 'says so again');
write_file($lib, "no library\n", 0755);
$before = snapshot($needy);
($status, $out, $err) = jailcgi('update', $needy);
is($status, 1, 'a library that has become something else: update refuses');
like($err, qr{home/alice/greeter: starts now and would not start after this run: .*; remedy: .*
jailcgi: \Q$needy\E: the jail is as it was$}, 'and says why, and what the state is');
%harmless = map { $_ => 1 } $needy, "$needy/opt/greet";
is_deeply([grep { !$harmless{$_} } @{ difference($before, snapshot($needy)) }], [], 'and it is so');
unlink $lib;
$said = jailcgi_ok('--prune', 'update', '--prune', $needy);
like($said, qr{greeter will not start any more: }, 'names the program');
ok(!-e "$needy$lib" && !-e "$needy/opt/greet/notes", 'and removes what the host has no more');

# --- where /usr cannot be exchanged: a directory of the tenant, a mount of a jail
write_file('/usr/local/sbin/tool', "#!/bin/sh\necho 1\n", 0755);
jailcgi_ok('a jail with a tool', 'mkjail', $needy, '--program', '/usr/local/sbin/tool');
my $inode = (stat "$needy/usr")[1];
write_file('/usr/local/sbin/tool', "#!/bin/sh\necho two\n", 0755);
$said = jailcgi_ok('a newer one', 'update', $needy);
isnt((stat "$needy/usr")[1], $inode, 'control: /usr is exchanged');
unlike($said, qr/one by one/, 'without a word');
mkdir "$needy/usr/cgi-bin";
chown 61190, 61190, "$needy/usr/cgi-bin";
$inode = (stat "$needy/usr")[1];
write_file('/usr/local/sbin/tool', "#!/bin/sh\necho three\n", 0755);
$said = jailcgi_ok('with a directory of the tenant in /usr', 'update', $needy);
is((stat "$needy/usr")[1], $inode, '/usr stays');
like($said, qr{/usr/cgi-bin can be written by others than root, so .* one by one}, 'and why');
is(slurp("$needy/usr/local/sbin/tool"), slurp('/usr/local/sbin/tool'), 'but the file is replaced');
chown 0, 0, "$needy/usr/cgi-bin";
my $pid = open my $keeper, '-|', 'unshare', '-m', 'sh', '-c',
  'mount --bind /opt "$1" && echo ready && exec sleep 60', 'sh', "$needy/usr/cgi-bin" or die 'unshare';
is(readline $keeper, "ready\n", 'a mount that only another process sees');
write_file('/usr/local/sbin/tool', "#!/bin/sh\necho four times\n", 0755);
$said = jailcgi_ok('update', 'update', $needy);
kill 'KILL', $pid;
close $keeper;
is((stat "$needy/usr")[1], $inode, '/usr stays');
like($said, qr{/usr/cgi-bin is a mount point for process $pid, so }, 'and why');
is(slurp("$needy/usr/local/sbin/tool"), slurp('/usr/local/sbin/tool'), 'but the file is replaced');

done_testing;
