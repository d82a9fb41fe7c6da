# jailcgi check: each finding is made once and mended once, by its own remedy
# where that is a command. A whole jail has none.

use strict;
use warnings;

use lib 't/lib';
use JSON::PP ();
use JailCGI::Tool;
use JailCGI::Namespace;
use Test::More;

private_host();
my $jail = place() . '/jail';
my $sh   = do { my ($libc) = `ldd /bin/sh` =~ m{=> (\S+/libc\.so\.6)}; $libc };
my $libc = '/usr' . ($sh =~ s{^/usr}{}r);
my $interp = do { my ($path) = `ldd /bin/sh` =~ m{^\t(/\S+ld\S+) \(}m; $path };

sub install {
    my ($from, $to) = @_;
    return write_file($to, slurp(fixture($from)), 0755);
}
install('greet_new.so', '/opt/greet/libgreet.so.1');
install('greeter', '/opt/bin/greeter');
write_file('/opt/bin/report', "#!/bin/sh\necho\n", 0755);
jailcgi_ok('a jail', 'mkjail', $jail, map({ ('--program', $_) } qw(/bin/sh /usr/bin/perl
          /usr/bin/env /opt/bin/greeter /opt/bin/report)), '--mailer', 'none',
    '--user', '#61190:#61190', '--home', '/home/alice', '--exclude', '/usr/share/zoneinfo/*');

my ($found, $text, $status) = findings($jail);
is($status, 0, 'a whole jail: status 0') or diag($text);
is($text, "$jail: nothing to fix\n", 'and it says so');
($found, $text) = findings('--quiet', $jail);
is($text, '', '--quiet: not a word');

# damage(NAME, KIND, PATH, what breaks it, what the line says, what mends it):
# the remedy of the line itself if it is 'remedy'.
sub damage {
    my ($name, $kind, $path, $break, $pattern, $mend) = @_;
    $break->();
    my ($found, $text, $status) = findings($jail);
    is($status, 1, "$name: status 1");
    is_deeply($found, { $kind => [$path] }, "$name: found, and nothing else") or diag($text);
    like($text, $pattern, "$name: what, found, expected");
    my ($remedy) = $text =~ /; remedy: (.*)$/m;
    if (ref $mend) {
        $mend->();
    }
    else {
        $remedy =~ s{\bjailcgi (update|mkjail)}{tools/jailcgi $1}g;
        system("($remedy) >/dev/null 2>&1") == 0 or diag("$remedy failed");
    }
    ($found, $text, $status) = findings($jail);
    is_deeply($found, {}, "$name: mended by " . (ref $mend ? 'hand' : $remedy)) or diag($text);
    return;
}

# Changes bytes of a file in the jail, as a new file.
sub patch {
    my ($path, $from, $to) = @_;
    my $content = slurp("$jail$path");
    my $at = index $content, $from;
    die "$path has no $from" if $at < 0 || length $from != length $to;
    substr $content, $at, length $from, $to;
    write_file("$jail$path", $content, 0755);
    return;
}

# Puts away what is there, and back.
sub put_away { my $path = "$jail$_[0]"; return sub { rename $path, place() . '/away' or die "$path: $!" } }
sub put_back { my $path = "$jail$_[0]"; return sub { rename place() . '/away', $path or die "$path: $!" } }

# --- programs that cannot start
my $script = "$jail/home/alice/report";
sub script {
    my ($first) = @_;
    return sub {
        write_file($script, "#!$first\n", 0755);
        chown 61190, 61190, $script;
    };
}
my $gone = sub { unlink $script };
damage('a script without interpreter', 'no-interpreter', '/home/alice/report',
    script('/usr/bin/nosuch -w'), qr{its interpreter /usr/bin/nosuch: found none}, $gone);
damage('an interpreter that the host has', 'no-interpreter', '/home/alice/report',
    script('/bin/tr'), qr{its interpreter /bin/tr: found none, .*mkjail \S+ --program /bin/tr}, 'remedy');
damage('a script with Windows line ends', 'no-interpreter', '/home/alice/report',
    script("/bin/sh\r"), qr{/bin/sh\\x0d: found none, .*Windows}, $gone);
damage('env that does not find a name', 'no-interpreter', '/home/alice/report',
    script('/usr/bin/env nosuch'), qr{its interpreter nosuch, which env looks for: found none}, $gone);
damage('an interpreter that is not executable', 'no-interpreter', '/home/alice/report',
    sub { script('/home/alice/i')->(); write_file("$jail/home/alice/i", '', 0644) },
    qr{found mode 0644, .*chmod a\+x}, 'remedy');
$gone->();
my $fitting = slurp("$jail/opt/bin/greeter");
my $program = "$jail/home/alice/program";
my $no_program = sub { unlink $program };
sub program {
    my ($from, $to) = @_;
    return sub {
        my $elf = $fitting;
        my $at = index $elf, $from;
        die "no $from" if $at < 0 || length $from != length $to;
        substr $elf, $at, length $from, $to;
        write_file($program, $elf, 0755);
        chown 61190, 61190, $program;
    };
}
damage('a program without loader', 'no-loader', '/home/alice/program',
    program($interp, $interp =~ s/ld/xx/r), qr{its loader /\S*xx\S*: found none}, $no_program);
damage('a program without library', 'missing-library', '/home/alice/program',
    program('libgreet.so.1', 'libgreet.so.9'), qr{library libgreet\.so\.9: found none}, $no_program);
damage('a program with another libc', 'missing-version', '/home/alice/program',
    program('GLIBC_2.34', 'GLIBC_9.99'), qr{version GLIBC_9\.99 of libc\.so\.6: found none in \S+libc}, $no_program);

# --- a remedy is copied into root's shell
{
    my $evil = "$jail/home/alice/a;touch pwned;\$(id)'b";
    my $elf = $fitting =~ s/libgreet\.so\.1/libgreet.so.9/r;
    write_file($evil, $elf, 0755);
    chown 61190, 61190, $evil;
    my ($seen, $text_of) = findings($jail);
    like($text_of, qr{--program '/home/alice/a;touch pwned;\$\(id\)'\\''b'$}m,
        'a tenant\'s name is quoted in it') or diag(explain $seen);
    unlink $evil;
}

# --- the same by the library's going, and update brings it back
unlink "$jail/opt/greet/libgreet.so.1";
($found, $text) = findings($jail);
is_deeply($found, { 'missing-file' => ['/opt/greet/libgreet.so.1'], 'missing-library' => ['/opt/bin/greeter'] },
    'a library that has gone: the file, and the program that needs it') or diag($text);
jailcgi_ok('update', 'update', $jail);
is_deeply((findings($jail))[0], {}, 'mends both');

# --- drift from the host
# Another build of the same, by its build id.
my $build_id = slurp(fixture('greet_new.so'));
$build_id =~ s/(\x04\0\0\0\x14\0\0\0\x03\0\0\0GNU\0)./$1\x55/s or die 'no build id';
write_file('/opt/greet/libgreet.so.1', $build_id, 0755);
is_deeply((findings('--no-host', $jail))[0], {}, '--no-host does not look there');
damage('a library older than the host\'s', 'differs', '/opt/greet/libgreet.so.1', sub { },
    qr{build id: found [0-9a-f]{40}, expected [0-9a-f]{40} as on this machine; remedy: jailcgi update}, 'remedy');
write_file('/opt/bin/plain', "\x7fELF" . substr($fitting, 4) =~ s/GNU\0/GNX\0/gr, 0755);
jailcgi_ok('a program without build id', 'mkjail', $jail, '--program', '/opt/bin/plain');
write_file('/opt/bin/plain', slurp('/opt/bin/plain') . "\0", 0755);
damage('and another content', 'differs', '/opt/bin/plain', sub { }, qr{build id: found none, and other content}, 'remedy');
rename '/opt/bin/plain', '/opt/bin/away';
damage('a program that the host has no more', 'not-on-host', '/opt/bin/plain', sub { },
    qr{found none on this machine}, sub {
        jailcgi('mkjail', $jail, '--anew', map({ ('--program', $_) } qw(/bin/sh /bin/tr
            /usr/bin/env /opt/bin/greeter /opt/bin/report)), '--minimal');
    });
($found) = findings('--no-host', $jail);
is_deeply($found, {}, '--no-host');
patch($libc, 'stable release version', 'stable release versioN');
($found, $text) = findings('--no-host', $jail);
is_deeply($found, {}, 'control: a libc that does not say which it is');
write_file("$jail$libc", slurp($libc), 0755);
my ($build) = slurp($libc) =~ /GNU C Library (\([^)]*\)) stable/;
patch($libc, $build, $build =~ s/\d(?=\D*$)/x/r);
($found, $text) = findings('--no-host', $jail);
is_deeply($found, { 'libc-and-loader' => [$libc] }, 'a libc of another build than the loader') or diag($text);
jailcgi_ok('update', 'update', '--adopt', $jail);
is_deeply((findings($jail))[0], {}, 'mended');

# --- name service
damage('nsswitch.conf has gone', 'name-service', '/etc/nsswitch.conf',
    sub { unlink "$jail/etc/nsswitch.conf" }, qr{found none}, 'remedy');
SKIP: {
    my ($module) = map { m{/libnss_(\w+)\.so\.2$} } grep { !m{nss_(?:files|dns)\.} }
      glob(($sh =~ m{^(.*)/})[0] . '/libnss_*.so.2');
    skip 'the host has no module but files and dns', 4 if !defined $module;
    my $switch = slurp("$jail/etc/nsswitch.conf");
    my $files = slurp("$jail/etc/jailcgi.files") =~ s/^.*libnss_$module.*\n//mgr;
    damage('a module that nsswitch.conf names', 'name-service', '/etc/nsswitch.conf', sub {
            write_file("$jail/etc/nsswitch.conf", "passwd: files $module [NOTFOUND=return]\n");
            write_file("$jail/etc/jailcgi.files", $files);
            unlink glob "$jail/usr/lib/*/libnss_$module*";
        },
        qr{$module, which it names: found no libnss_$module\.so\.2}, 'remedy');
    write_file("$jail/etc/nsswitch.conf", $switch);
    jailcgi('update', '--adopt', $jail);
}

# --- devices and /tmp
damage('no /dev/null', 'device', '/dev/null', sub { unlink "$jail/dev/null" },
    qr{found none, expected a character device 1, 3}, 'remedy');
damage('a file in its place', 'device', '/dev/zero',
    sub { write_file("$jail/dev/zero", '') }, qr{found no character device}, 'remedy');
damage('a device that is closed', 'device', '/dev/random',
    sub { chmod 0600, "$jail/dev/random" }, qr{found mode 0600}, 'remedy');
damage('no /dev/stdin', 'device', '/dev/stdin', sub { unlink "$jail/dev/stdin" }, qr{a link: found none}, 'remedy');
damage('no /tmp', 'tmp', '/tmp', sub { rmdir "$jail/tmp" }, qr{found none}, 'remedy');
damage('a /tmp that is closed', 'tmp', '/tmp', sub { chmod 0755, "$jail/tmp" }, qr{found uid 0, mode 0755}, 'remedy');
chmod 0700, "$jail/tmp";
chown 61190, 61190, "$jail/tmp";
is_deeply((findings($jail))[0], {}, 'a /tmp of the tenant will do');
chown 0, 0, "$jail/tmp";
chmod 01777, "$jail/tmp";

# --- what others could write
for my $case (['/etc', 'directory'], ['/usr/bin', 'directory'], ['/usr/bin/env', 'file'],
    [$libc, 'file'], ['/etc/ld.so.cache', 'file'], ['/etc/nsswitch.conf', 'file'], ['/usr/lib', 'directory']) {
    my ($path, $kind) = @$case;
    if (!-e "$jail$path") {
        $kind eq 'file' ? write_file("$jail$path", '') : mkdir "$jail$path";
    }
    damage("$path of the tenant", 'writable', $path || '/', sub { chown 61190, -1, "$jail$path" },
        qr{a $kind that decides what programs run: found it belongs to uid 61190}, 'remedy');
}
damage('a library that the group may write', 'writable', $libc, sub { chmod 0775, "$jail$libc" },
    qr{found it has mode 0775}, 'remedy');
chmod 0775, place();
($found, $text) = findings($jail);
is_deeply($found, { 'unsafe-root' => [place()] }, 'a directory above the jail');
chmod 0755, place();
damage('the root of the jail', 'unsafe-root', $jail, sub { chown 61190, -1, $jail },
    qr{a directory on the way to the jail: found belongs to uid 61190}, 'remedy');
chown 61190, -1, "$jail/etc/jailcgi.jail";
($found, $text, $status) = findings($jail);
ok($found->{'bad-record'}, 'a record of the tenant');
like($text, qr{jailcgi\.jail: is not a file that root alone can write \(belongs to uid 61190\)}, 'and why');
chown 0, 0, "$jail/etc/jailcgi.jail";

# --- how it is mounted
mount_at($jail, '--bind', $jail);
system('mount', '-o', 'remount,bind,nodev,noexec', $jail) == 0 or die 'remount';
($found, $text) = findings($jail);
is_deeply([keys %$found], ['mount'], 'nodev and noexec');
is(scalar(() = $text =~ /how its file system is mounted \(no\w+\): found no/g), 2, 'both');
unmount($jail);

# --- --json, several jails, what cannot be checked
script('/usr/bin/no"such')->();
my ($out, $err);
($status, $out, $err) = jailcgi('check', '--json', $jail);
my $json = JSON::PP->new->decode($out);
is_deeply($json->{findings}[0], {
    root => $jail, kind => 'no-interpreter', path => '/home/alice/report',
    what => 'its interpreter /usr/bin/no"such', found => 'none', expected => 'a program in the jail',
    remedy => $json->{findings}[0]{remedy},
}, '--json');
is($status, 1, 'with the same status');
($status, $out, $err) = jailcgi('check', place() . '/nosuch', $jail);
is($status, 2, 'a jail that is not there: status 2');
like($err, qr{/nosuch: is not a directory}, 'and why');
like($out, qr{no-interpreter}, 'and the others are checked');
unlink $script;
($status, $out, $err) = jailcgi('check', '--json', $jail);
is_deeply(JSON::PP->new->decode($out)->{findings}, [], '--json with nothing to fix');

# --- first of all one sentence that says what matters
install('greet_new.so', '/opt/greet/libgreet.so.1');
install('greet_old.so', '/opt/greet/libgreet.so.2');
jailcgi_ok('a jail with two libraries', 'mkjail', $jail, '--tree', '/opt/greet');
unlink '/opt/greet/libgreet.so.2';
($found, $text) = findings($jail);
like($text, qr{^\Q$jail\E: whole, and 1 of its files are not those of this machine: works\n},
    'a file that only the jail has: it works');
chmod 0775, "$jail/usr/bin";
like((findings($jail))[1], qr{^\Q$jail\E: works, but not all of it is safe}, 'not safe');
chmod 0755, "$jail/usr/bin";
unlink "$jail/opt/greet/libgreet.so.1";
like((findings($jail))[1], qr{^\Q$jail\E: broken: 2 of 3 findings keep programs}, 'broken');
jailcgi_ok('update', 'update', $jail);
{
    package JailCGI::OfVersion;
    sub object { return { elf => { interp => '/ld' } } }
    sub find   { return { elf => { defines => { map { $_ => 1 } 'GLIBC_2.4', $_[0][0] } } } }
}
require './tools/lib/JailCGI/Builder/Check.pm' if unshift @INC, 'tools/lib';
my %age = ('2.31' => qr/of an older system \(libc 2\.31; here 2\.36\): works; programs of this/,
    '2.41' => qr/of a newer system \(libc 2\.41; here 2\.36\): works$/,
    '2.36' => qr/whole, and 1 of its files/);
for my $version (sort keys %age) {
    my ($here, $there) = map { bless ["GLIBC_$_"], 'JailCGI::OfVersion' } $version, '2.36';
    like(JailCGI::Builder::Check::sentence({ loader => $here, host_loader => $there },
            { kind => 'differs' }), $age{$version}, "a jail with libc $version");
}

# --- a jail that jailcgi has not made: what would build it is named
my $bare = place() . '/bare';
mkdir $bare;
($found, $text, $status) = findings($bare);
is($status, 1, 'an empty directory lacks much');
like($text, qr{; remedy: rm -f \S+/dev/null; jailcgi mkjail \Q$bare\E$}m, 'which mkjail would bring');

done_testing;
