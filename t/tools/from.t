# jailcgi mkjail --from: the distribution's tool makes a tree, and the jail is
# made from it and updated like any other. A script stands in for the tools.

use strict;
use warnings;

use lib 't/lib';
use JailCGI::Tool;
use JailCGI::Namespace;
use Test::More;

private_host();
my $jail = place() . '/jail';

sub stand_in {
    my ($name, $script) = @_;
    return write_file("/usr/local/sbin/$name", "#!/bin/sh\nset -e\n$script", 0755);
}

# --- no tool at all
for my $tool (grep { -e } map { ("/usr/bin/$_", "/usr/sbin/$_") } qw(mmdebstrap debootstrap dnf)) {
    mount_at($tool, '--bind', '/dev/null');
}
my ($status, $out, $err) = jailcgi('mkjail', $jail, '--from', 'debian:bookworm');
is($status, 1, 'without a tool it is refused');
like($err, qr/neither mmdebstrap nor debootstrap is installed; remedy: apt-get install mmdebstrap/,
    'and the package is named');
($status, $out, $err) = jailcgi('mkjail', $jail, '--from', 'fedora:40');
like($err, qr/dnf is not installed; remedy: apt-get install dnf/, 'dnf too');

# --- mmdebstrap
stand_in('mmdebstrap', <<'END');
printf '%s\n' "$@" >/opt/arguments
for t; do case $t in */.jailcgi~*) break ;; esac; done
mkdir -p "$t/usr/bin" "$t/etc" "$t/dev" "$t/tmp" "$t/var/tmp" "$t/usr/lib"
ln -s usr/bin "$t/bin"
cp /bin/echo "$t/usr/bin/cat"
chmod 4755 "$t/usr/bin/cat"
echo 'root:x:0:0::/root:/bin/sh' >"$t/etc/passwd"
echo 'root:x:0:' >"$t/etc/group"
cp /opt/version "$t/etc/version"
ln -s /etc/shadow "$t/etc/out"
echo secret >"$t/tmp/left"
mkdir -p "$t/var/lib/php/sessions"; chmod 1733 "$t/var/lib/php/sessions"
echo secret >"$t/var/lib/php/sessions/sess_of_another"
mkdir -p "$t/var/lib/open"; chmod 0777 "$t/var/lib/open"
END
write_file('/opt/version', "1\n");
my @told = ('--from', 'debian:bookworm', '--package', 'gitweb', '--mailer', 'none',
    '--user', '#61190:#61190', '--mirror', 'http://127.0.0.1:1/debian');
jailcgi_ok('debian', 'mkjail', $jail, @told);
is_deeply([grep { !/jailcgi~/ } split /\n/, slurp('/opt/arguments')],
    ['--variant=minbase', '--include=gitweb,ca-certificates,tzdata', 'bookworm',
        'http://127.0.0.1:1/debian'], 'mmdebstrap was told so');
is(slurp("$jail/etc/version"), "1\n", 'its files are there');
is((stat "$jail/usr/bin/cat")[2] & 07777, 0755, 'not setuid');
like(slurp("$jail/etc/passwd"), qr/^root:.*^uid61190:x:61190:61190:/ms, 'with the tenant');
is(readlink "$jail/etc/out", 'shadow', 'a link stays a link, and becomes relative');
ok(!-e "$jail/tmp/left", 'nothing of its /tmp');
ok(-c "$jail/dev/null", 'devices');
is((stat "$jail/var/tmp")[2] & 07777, 01777, '/var/tmp is for all');
is((stat "$jail/var/lib/php/sessions")[2] & 07777, 01733, 'so is the directory of sessions, by its mode');
ok(!-e "$jail/var/lib/php/sessions/sess_of_another", 'without the sessions of others');
is((stat "$jail/var/lib/open")[2] & 07777, 0755, 'a directory without the sticky bit is root\'s alone');
is_deeply([glob place() . '/.jailcgi~*'], [], 'the tree is gone');

my $before = snapshot($jail);
sleep 1;    # what the tool makes itself is of another second now
like(jailcgi_ok('the same again', 'mkjail', $jail, @told), qr/nothing to change/, 'says so')
  or diag(explain difference($before, snapshot($jail)));
is_deeply(difference($before, snapshot($jail)), [], 'and no inode changes');
write_file('/opt/version', "2\n");
jailcgi_ok('update', 'update', $jail);
is(slurp("$jail/etc/version"), "2\n", 'follows the distribution');
my ($found, $text) = findings($jail);
ok(!$found->{differs}, 'check does not compare it with the host') or diag($text);

# --- it fails
stand_in('mmdebstrap', "mkdir -p \"\$4/etc\"; echo broken >&2; exit 3\n");
$before = snapshot($jail);
($status, $out, $err) = jailcgi('update', $jail);
is($status, 1, 'when the tool fails, update does');
like($err, qr/^broken\n.*mmdebstrap ended with status 3/ms, 'and shows what it said');
is_deeply(difference($before, snapshot($jail)), [], 'the jail is as it was');
is_deeply([glob place() . '/.jailcgi~*'], [], 'and nothing is left beside it');

# --- debootstrap and dnf
unlink '/usr/local/sbin/mmdebstrap';
stand_in($_, "printf '%s\\n' \"\$@\" >/opt/arguments; exit 1\n") for qw(debootstrap dnf);
jailcgi('mkjail', place() . '/two', '--from', 'debian:trixie', '--minimal');
like(slurp('/opt/arguments'), qr/^--variant=minbase\ntrixie\n/, 'debootstrap is the second choice');
jailcgi('mkjail', place() . '/two', '--from', 'fedora:40', '--package', 'perl', '--minimal');
like(slurp('/opt/arguments'), qr/\n--installroot=.*\n--releasever=40\n.*\ninstall\n.*\nperl\n/s,
    'dnf for fedora');

# --- what does not go together
for my $told (['--program', '/bin/sh'], ['--tree', '/opt'], ['--locale', 'C.UTF-8']) {
    ($status, $out, $err) = jailcgi('mkjail', place() . '/three', '--from', 'debian:sid', @$told);
    is($status, 2, "$told->[0] with --from is refused");
    like($err, qr/cannot be mixed with --from debian:sid.*; remedy: name a package/, 'and why');
}
($status, $out, $err) = jailcgi('mkjail', place() . '/three', '--from', 'plan9:4');
like($err, qr/plan9:4: is no DISTRIBUTION:RELEASE/, 'and an unknown distribution');

done_testing;
