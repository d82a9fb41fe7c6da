# jailcgi mkjail brings what packages generate on this machine, the programs on which each
# package may rely without saying so, and the loader's cache.

use strict;
use warnings;

use lib 't/lib';
use JailCGI::Tool;
use JailCGI::Namespace;
use Test::More;

private_host();

# A package in dpkg's database, with a directory in which its maintainer script has made
# files.
my %mode = (owned => 0644, cache => 0644, 'deep/cache' => 0644, secret => 0600,
    writable => 0666, foreign => 0644, left => 0644, 'closed/cache' => 0644);
write_file("/opt/data/$_", "$_\n", $mode{$_}) for keys %mode;
chown 61190, 61190, '/opt/data/foreign' or die "chown: $!";
chmod 0700, '/opt/data/closed' or die "chmod: $!";
symlink 'cache', '/opt/data/link' or die "symlink: $!";
my $info = place() . '/info';
write_file("$info/jailcgi-test.list", "/.\n/opt\n/opt/data\n/opt/data/owned\n");
write_file(place() . '/status', slurp('/var/lib/dpkg/status') . <<'END');

Package: jailcgi-test
Status: install ok installed
Maintainer: nobody <nobody@example.org>
Architecture: all
Version: 1
Description: a package of the test
END
mount_at('/var/lib/dpkg/status', '--bind', place() . '/status');
mount_at('/var/lib/dpkg/info', '-t', 'overlay', '-o', "lowerdir=$info:/var/lib/dpkg/info",
    'overlay');

my $jail = place() . '/jail';
jailcgi_ok('a package', 'mkjail', $jail, '--minimal', '--package', 'jailcgi-test', '--exclude',
    '*/left');
ok(-e "$jail/opt/data/owned", 'its file');
ok(-e "$jail/opt/data/$_", "what was generated: $_") for qw(cache deep/cache link);
ok(!-e "$jail/opt/data/$_", "not $_")
  for qw(secret writable foreign left closed closed/cache);
ok(!-e "$jail/bin/gzip", 'no program besides');
like(jailcgi_ok('once more', 'mkjail', $jail), qr/nothing to change/, 'changes nothing');
unlink '/opt/data/cache';
jailcgi_ok('when it is gone', 'update', $jail);
ok(!-e "$jail/opt/data/cache", 'it is gone in the jail too');

jailcgi_ok('with all that it depends on', 'mkjail', $jail, '--with-depends', '--exclude',
    '/usr/share/*');
ok(-x "$jail/bin/$_", "the essential $_") for qw(gzip sed grep tar sh);
is((stat "$jail/var/tmp")[2] & 07777, 01777, '/var/tmp is everybody\'s');

# --- a library that only the loader's cache knows
mkdir '/opt/greet';
system('cp', fixture('greet_new.so'), '/opt/greet/libgreet.so.1') == 0 or die 'cp';
write_file(place() . '/ld.so.conf', "/opt/greet\ninclude /etc/ld.so.conf\n");
system('ldconfig', '-X', '-f', place() . '/ld.so.conf', '-C', place() . '/cache') == 0
  or die 'ldconfig';
mount_at('/etc/ld.so.cache', '--bind', place() . '/cache');
my $greet = place() . '/greet';
jailcgi_ok('a library', 'mkjail', $greet, '--minimal', '--program', '/opt/greet/libgreet.so.1',
    '--program', '/usr/bin/env', '--program', '/bin/true');
my $said = `chroot '$greet' /usr/bin/env LD_PRELOAD=libgreet.so.1 /bin/true 2>&1`;
is("$?$said", '0', 'is found in the jail');
done_testing;
