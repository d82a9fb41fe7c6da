# jailcgi mkjail: what each option puts into a jail, that it works there, and
# that a second run changes nothing.

use strict;
use warnings;

use lib 't/lib';
use IO::Socket::INET;
use JailCGI::Tool;
use JailCGI::Namespace;
use Test::More;

private_host();
my $jail = place() . '/jail';

# In the jail, as a tenant who is nobody of the host.
sub in_jail {
    my ($root, @command) = @_;
    open my $fh, '-|', 'chroot', '--userspec=61190:61190', $root, '/usr/bin/env', '-i',
      'LC_ALL=C.UTF-8', 'USER=alice', 'LD_BIND_NOW=1', @command or die "chroot: $!";
    local $/;
    my $out = <$fh> // '';
    close $fh;
    return $out;
}

# --- programs, and what every jail has
write_file('/opt/bin/greet.sh', "#!/usr/bin/env sh\necho from the script\n", 0755);
my @told = (
    map({ ('--program', $_) } qw(/bin/sh /usr/bin/env /usr/bin/perl /usr/bin/python3
          /bin/cat /usr/bin/id /bin/date /usr/bin/getent /usr/bin/iconv /opt/bin/greet.sh)),
    '--user', '#61190:#61190', '--home', '/home/alice',
    map({ ('--exclude', $_) } qw(*/dist-packages */test */CORE /usr/share/perl5/LWP*)),
);
my $said = jailcgi_ok('a jail with perl, python3 and programs', 'mkjail', $jail, @told);
like($said, qr{^\Q$jail\E: \d+ added$}m, 'it says how much');

my $before = snapshot($jail);
$said = jailcgi_ok('the same again', 'mkjail', $jail, @told);
like($said, qr{^\Q$jail\E: nothing to change$}m, 'it says that nothing changes');
is_deeply(difference($before, snapshot($jail)), [], 'and no inode does');
$said = jailcgi_ok('without options', 'mkjail', $jail);
like($said, qr{nothing to change}, 'what it was told is known');
is_deeply(difference($before, snapshot($jail)), [], 'and again no inode changes');

is(in_jail($jail, '/usr/bin/perl', '-MCGI', '-MSocket', '-MEncode', '-e', 'print 6 * 7'),
    '42', 'perl runs with its modules');
is(in_jail($jail, '/usr/bin/python3', '-c', 'import ssl, sqlite3, ctypes; print(6 * 7)'),
    "42\n", 'python3 runs with its modules');
is(in_jail($jail, '/opt/bin/greet.sh'), "from the script\n",
    'a script runs, and env finds its interpreter');
jailcgi_ok('a script alone', 'mkjail', place() . '/script', '--minimal', '--program', '/opt/bin/greet.sh');
is(in_jail(place() . '/script', '/opt/bin/greet.sh'), "from the script\n", 'brings env and the shell');
is(in_jail($jail, '/usr/bin/id', '-un'), "uid61190\n", 'the tenant has a name');
like(in_jail($jail, '/usr/bin/getent', 'hosts', 'localhost'), qr/localhost/,
    'host names are resolved');
is(in_jail($jail, '/usr/bin/env', 'TZ=Asia/Tokyo', '/bin/date', '-d', '@0', '+%H'), "09\n",
    'time zones are there');
is(in_jail($jail, '/bin/sh', '-c', 'echo x >/tmp/x && cat /tmp/x && echo y >/dev/null'
        . ' && cat /dev/null && echo done'), "x\ndone\n",
    '/tmp can be written, /dev/null takes and gives nothing');
is(in_jail($jail, '/bin/sh', '-c', 'printf "\303\244" | iconv -f UTF-8 -t ISO-8859-15'), "\xe4",
    'other characters than UTF-8 are converted');
is(in_jail($jail, '/usr/bin/python3', '-c', 'import os; print(len(os.urandom(4)),'
        . ' os.path.exists("/usr/lib/locale/C.utf8"))'), "4 True\n", 'urandom and C.UTF-8');
is(in_jail($jail, '/usr/bin/python3', '-c', 'import ssl;'
        . ' print(len(ssl.create_default_context().get_ca_certs()) > 50)'), "True\n",
    'CA certificates are found')
  if -s '/etc/ssl/certs/ca-certificates.crt';
for my $name (qw(null zero full random urandom)) {
    my @st = stat "$jail/dev/$name";
    is(sprintf('%o', $st[2] // 0), '20666', "/dev/$name is a device for all");
}
is(readlink "$jail/dev/fd", '/proc/self/fd', '/dev/fd');
is(readlink "$jail/dev/$_->[0]", "/proc/self/fd/$_->[1]", "/dev/$_->[0]")
  for [stdin => 0], [stdout => 1], [stderr => 2];
my @home = stat "$jail/home/alice";
is("@home[4, 5]", '61190 61190', 'the home is the tenant\'s');
is((stat "$jail/tmp")[2] & 07777, 01777, '/tmp is for all');

# --- nobody but root owns or writes anything else
my @foreign = grep { $_ !~ m{^\Q$jail\E/(?:home/alice|tmp)(?:/|$)} && $_ !~ m{/dev/\w+$} }
  split /\n/, `find $jail ! -type l \\( ! -user 0 -o ! -group 0 -o -perm /6022 \\)`;
is_deeply(\@foreign, [], 'everything else is root\'s, and not setuid');

# --- setuid is not taken over
jailcgi_ok('a setuid program', 'mkjail', place() . '/su', '--minimal', '--program', '/bin/su');
is((stat place() . '/su/bin/su')[2] & 07777, 0755, 'has lost the bit in the jail');

# --- --minimal
ok(!-e place() . '/su/usr/share/zoneinfo', '--minimal: no time zones');
ok(!-e place() . '/su/etc/ssl/certs',      'no certificates');
ok(!-e place() . '/su/usr/sbin/sendmail',  'no mailer');
is_deeply([glob place() . '/su/usr/lib/*/gconv'], [], 'no tables of characters');

# --- --tree, --exclude, links out of a tree
write_file("/opt/data/$_", "$_\n") for qw(one two.bak deep/three);
write_file('/opt/elsewhere/file', "elsewhere\n");
symlink '/opt/elsewhere/file', '/opt/data/link' or die "symlink: $!";
jailcgi_ok('a tree', 'mkjail', $jail, '--tree', '/opt/data', '--exclude', '*.bak');
is(slurp("$jail/opt/data/deep/three"), "deep/three\n", 'is there');
ok(!-e "$jail/opt/data/two.bak", 'without what --exclude leaves out');
is(readlink "$jail/opt/data/link", '../elsewhere/file', 'a link stays a link, and becomes relative');
is(slurp("$jail/opt/elsewhere/file"), "elsewhere\n", 'and what it leads to comes too');

# --- --package, --with-depends
my $packages = place() . '/packages';
# gawk may be installed too.
my ($awk) = (readlink('/etc/alternatives/awk') // 'mawk') =~ m{([^/]+)$};
jailcgi_ok('a package', 'mkjail', $packages, '--minimal', '--package', $awk,
    '--exclude', '/usr/share/*', '--program', '/usr/bin/env');
is(in_jail($packages, '/usr/bin/awk', 'BEGIN { print 6 * 7 }'), "42\n",
    'runs, by the name that update-alternatives gave it');
$packages = place() . '/depends';
jailcgi_ok('a package with those it needs', 'mkjail', $packages, '--minimal', '--package',
    'libcgi-pm-perl', '--with-depends', '--program', '/usr/bin/env');
ok(-e "$packages/usr/share/perl5/CGI.pm", 'its own files');
ok(-e "$packages/usr/bin/perl", 'and those of a package that it depends on');
is(in_jail($packages, '/usr/bin/perl', '-MCGI', '-e', 'print CGI->new("")->header ne ""'), '1',
    'work together');
my ($status, $out, $err) = jailcgi('mkjail', $packages, '--package', 'jailcgi-no-such');
is($status, 1, 'a package that is not installed is refused');
like($err, qr/jailcgi-no-such: is not installed .*; remedy: apt-get install jailcgi-no-such/,
    'with a clear sentence');

# --- --locale
my ($known) = grep { /^(?!C\b|POSIX)/ } split /\n/, `locale -a`;
SKIP: {
    skip 'this machine has no locale but C', 2 if !defined $known;
    jailcgi_ok("locale $known", 'mkjail', place() . '/locale', '--minimal', '--locale', $known,
        '--program', '/usr/bin/locale', '--program', '/usr/bin/env');
    like(in_jail(place() . '/locale', '/usr/bin/locale', '-a'), qr/^\Q$known\E$/m, 'is there');
}
($status, $out, $err) = jailcgi('mkjail', place() . '/locale', '--minimal', '--locale', 'xx_YY');
is($status, 2, 'a locale that is not there is refused');
like($err, qr/xx_YY: is no locale of this machine .*; remedy: /, 'with a clear sentence');

# --- --user by name, with the groups of the host
my ($name, $uid, $gid) = (getpwnam 'nobody')[0, 2, 3];
jailcgi_ok('a user by name', 'mkjail', place() . '/user', '--minimal', '--user', 'nobody');
like(slurp(place() . '/user/etc/passwd'), qr/^nobody:x:$uid:$gid:/m, 'is in passwd');
like(slurp(place() . '/user/etc/group'), qr/^\w+:x:$gid:/m, 'and the group in group');

# --- the mailer, and a mail
my $server = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1', Proto => 'tcp')
  or die "listen: $!";
my $port = $server->sockport;
SKIP: {
    skip 'msmtp is not installed', 3 if !-x '/usr/bin/msmtp';
    jailcgi_ok('a mailer', 'mkjail', $jail, '--mailer', "127.0.0.1:$port");
    my $pid = fork // die "fork: $!";
    if (!$pid) {
        close $server;
        exec 'chroot', '--userspec=61190:61190', $jail, '/usr/bin/env', '-i', 'USER=alice',
          '/bin/sh', '-c', 'printf "Subject: hello\n\nbody\n" |'
          . ' /usr/sbin/sendmail -t -i bob@example.org || kill -9 $$';
    }
    my ($mail, $from, $to) = receive($server);
    waitpid $pid, 0;
    is($?, 0, 'sendmail in the jail has sent a mail');
    like($mail, qr/^Subject: hello\r?\n.*^body/ms, 'which arrives');
    is("$from $to", 'alice bob@example.org', 'from the tenant');
}

# The SMTP that msmtp speaks: what was sent, the sender's local part, for whom.
sub receive {
    my ($listener) = @_;
    my ($mail, $from, $to) = ('', '', '');
    local $SIG{ALRM} = sub { die "no mail in 20 seconds\n" };
    alarm 20;
    my $client = $listener->accept or return ($mail, $from, $to);
    print {$client} "220 ready\r\n";
    while (my $line = <$client>) {
        $from = $1 if $line =~ /^MAIL FROM:<([^\@>]*)/;
        $to   = $1 if $line =~ /^RCPT TO:<([^>]*)/;
        if ($line =~ /^DATA/) {
            print {$client} "354 go on\r\n";
            while (defined($line = <$client>) && $line ne ".\r\n") { $mail .= $line }
        }
        print {$client} $line =~ /^QUIT/ ? "221 bye\r\n" : "250 ok\r\n";
        last if $line =~ /^QUIT/;
    }
    alarm 0;
    return ($mail, $from, $to);
}

# --- ruby and php-cgi are asked; these two stand in their places
for my $interpreter (qw(ruby php-cgi)) {
    write_file("/opt/lib/$interpreter/module", "of $interpreter\n");
    write_file("/opt/etc/$interpreter.ini", "ini\n");
    write_file("/opt/bin/$interpreter", "#!/bin/sh\n"
          . "echo /opt/lib/$interpreter\necho /opt/etc/$interpreter.ini,\necho /usr\n", 0755);
    jailcgi_ok($interpreter, 'mkjail', place() . '/asked', '--minimal', '--program',
        "/opt/bin/$interpreter");
    ok(-e place() . "/asked/opt/lib/$interpreter/module", 'its libraries are there');
}
ok(!-e place() . '/asked/usr/share/doc', 'but not all of /usr, whatever it says');

# --- a library that only a cache of the loader's knows, or a RUNPATH
mkdir '/opt/greet';
system('cp', fixture('greet_new.so'), '/opt/greet/libgreet.so.1') == 0 or die 'cp';
system('cp', fixture('greeter'), '/opt/bin/greeter') == 0 or die 'cp';
jailcgi_ok('a program with a library of its own', 'mkjail', place() . '/greet', '--minimal',
    '--program', '/opt/bin/greeter', '--program', '/usr/bin/env');
like(in_jail(place() . '/greet', '/opt/bin/greeter'), qr/second part/, 'it runs');
unlink '/opt/greet/libgreet.so.1';
($status, $out, $err) = jailcgi('mkjail', place() . '/greet2', '--program', '/opt/bin/greeter');
is($status, 1, 'a program whose library the host lacks is refused');
like($err, qr{/opt/bin/greeter: the loader of this machine does not find libgreet\.so\.1; remedy: },
    'with a clear sentence');
is_deeply([glob place() . '/greet2/*'], [place() . '/greet2/etc'], 'before anything is made');

# --- --dry-run, --verbose, --anew, --adopt
$before = snapshot($jail);
$said = jailcgi_ok('--dry-run', 'mkjail', $jail, '--program', '/usr/bin/tr', '--dry-run',
    '--verbose');
like($said, qr{^\Q$jail\E/usr/bin/tr: added$}m, '--verbose names the file');
like($said, qr{1 added \(dry run}, 'it says what it would do');
is_deeply(difference($before, snapshot($jail)), [], 'and does nothing');
$said = jailcgi_ok('--anew', 'mkjail', $jail, '--anew', '--minimal', '--program', '/bin/cat');
like($said, qr/removed/, 'forgets what it was told');
ok(!-e "$jail/usr/bin/perl" && !-e "$jail/opt", 'and what it had put there is gone');
ok(-x "$jail/bin/cat", 'what it is told now is there');
ok(-d "$jail/home/alice", 'a directory of the tenant is not touched');

write_file("$jail/usr/bin/id", "the administrator's own\n", 0755);
$said = jailcgi_ok('a file that is there already', 'mkjail', $jail, '--program', '/usr/bin/id');
like($said, qr{/usr/bin/id: left as it is}, 'is left, and it says so');
is(slurp("$jail/usr/bin/id"), "the administrator's own\n", 'as it was');
jailcgi_ok('--adopt', 'mkjail', $jail, '--adopt');
is(slurp("$jail/usr/bin/id"), slurp('/usr/bin/id'), 'takes it over');

done_testing;
