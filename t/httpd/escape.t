# Attempts to leave a jail, to reach what is another's, and to take more than one's
# share (t/probe/attempt.c). Each is made twice: in a jail as it is by default, where
# it must fail with the errno that says what stopped it, and with that one protection
# off, where it must work: else the first would prove nothing.

use lib 't/lib';
use JailCGI::Test;
use JailCGI::Client;
use JailCGI::Namespace;
use JailCGI::Process qw(processes_of_uid process_status);

private_mounts() or skip_or_fail('no private mounts here');

my $alice = tenant('alice');
my $bob   = tenant('bob');

make_accounts($alice, $bob);

$alice->install(probe('attempt'), 'attempt');
$bob->install(probe('attempt'), 'attempt');
for my $tenant ($alice, $bob) {
    # A request that goes on: says who it is, and waits.
    $tenant->script('victim', <<'END');
#!/bin/sh
printf 'Content-Type: text/plain\n\nvictim %s\n' $$
exec sleep 60
END
}

# --- what lies outside: files, a device, set-id programs, and a process of the same
# user with a file and IPC objects that anyone may open

my $outside = work_dir() . '/outside';
mkdir $outside, 0755 or die "$outside: $!";
open my $marker, '>', "$outside/marker" or die $!;
print {$marker} "outside\n";
close $marker or die $!;

# As root made them in the tenant's home, or a careless backup did.
my $in_home = home_of($alice);
system('mknod', '-m', '666', "$in_home/device", 'c', '1', '3') == 0 or die 'mknod';
my $tools = work_dir() . '/tools';
mkdir $tools, 0755 or die "$tools: $!";
for my $raised (['setuser', 0, $alice->gid, 04755], ['setgroup', 0, $bob->gid, 02755],
    ['filecap', 0, 0, 0755]) {
    my ($name, $uid, $gid, $mode) = @$raised;
    system('cp', probe('attempt'), "$tools/$name") == 0 or die 'cp';
    chown $uid, $gid, "$tools/$name" or die $!;
    chmod $mode, "$tools/$name" or die $!;
}
# CAP_NET_RAW, permitted and effective (vfs_cap_data, revision 2).
my $capability = pack 'L<5', 0x02000001, 1 << 13, 0, 0, 0;
system('python3', '-c', "import os,sys
os.setxattr('$tools/filecap', 'security.capability', bytes.fromhex('"
      . unpack('H*', $capability) . "'))") == 0 or die 'setxattr';

my $key = 0x6a61696c;
my $ipc = <<'END';
use strict; use Socket; use IO::Handle;
my ($key, $dir) = @ARGV;
umask 0;
my $shm = shmget $key, 4096, 0666 | 01000; my $msg = msgget $key, 0666 | 01000;
my $sem = semget $key, 1, 0666 | 01000;
my $name = "/jailcgi-$$\0";
my $mq = syscall 240, substr($name, 1), 0102, 0666, 0;
die "ipc: $!" if !defined $shm || !defined $msg || !defined $sem || $mq < 0;
socket my $path, AF_UNIX, SOCK_STREAM, 0; bind $path, sockaddr_un("$dir/socket") or die $!;
listen $path, 5;
socket my $abstract, AF_UNIX, SOCK_STREAM, 0;
bind $abstract, sockaddr_un("\0jailcgi-$$") or die $!;
listen $abstract, 5;
open my $held, '<', "$dir/marker" or die $!;
open my $ready, '>', "$dir/ready.new" or die $!;
print {$ready} fileno $held, "\n"; close $ready; rename "$dir/ready.new", "$dir/ready";
$SIG{TERM} = sub { shmctl $shm, 0, 0; msgctl $msg, 0, 0; semctl $sem, 0, 0, 0;
    syscall 241, substr($name, 1); exit };
chdir $dir; sleep 600;
END
my $socket_dir = work_dir() . '/tenants';
mkdir $socket_dir or die $!;
link "$outside/marker", "$socket_dir/marker" or die $!;
chown $alice->uid, $alice->gid, $socket_dir;
my $outsider = fork // die "fork: $!";
if (!$outsider) {
    exec 'setpriv', '--reuid=' . $alice->uid, '--regid=' . $alice->gid, '--clear-groups', '--',
      $^X, '-e', $ipc, $key, $socket_dir;
    die "setpriv: $!";
}
END {
    my $status = $?;
    if ($outsider) { kill 'TERM', $outsider; waitpid $outsider, 0 }
    $? = $status;
}
ok(wait_until(sub { -e "$socket_dir/ready" }, 20), 'the process outside is there');
chomp(my $held_fd = `cat $socket_dir/ready`);

# --- jails

sub vhost {
    my ($name, @lines) = @_;
    return $alice->vhost(join("\n    ", "JailMount ro $tools /tools", @lines),
        name => $name, user => 'alice', root => (grep { /^JailRoot/ } @lines) ? '' : 'host');
}

my @limits = ('JailLimit nproc 20 nofile 40 as 200M fsize 1M memlock 64K cpu 1',
    'JailMount tmpfs /tmp size=1M inodes=50');
my $proc = "JailMount bind /proc";
my %jail = (
    held       => [],
    limited    => [@limits],
    unlimited  => ['JailMount tmpfs /tmp size=16M inodes=500', 'JailLimit cpu 9'],
    noroot     => ['JailRoot none', 'JailMount none'],
    chroot     => ['JailRoot ' . $alice->root, 'JailNamespaces none', 'JailMount none'],
    nopid      => ['JailNamespaces mount ipc uts', $proc, 'JailSeccomp off', 'JailScope Off'],
    noipc      => ['JailNamespaces mount pid uts'],
    noseccomp  => ['JailSeccomp off'],
    noscope    => ['JailScope Off'],
    nokernel   => ['JailScope Off', 'JailSeccomp off'],
    privs      => ['JailNoNewPrivs Off'],
    background => ['JailBackground allow max=5'],
    netless    => ['JailNamespaces mount pid ipc uts net'],
    noterminal => ['JailMount dev'],
    sys        => ['JailMount ro /sys'],
    unix       => ["JailMount bind $socket_dir"],
    variables  => [map { "JailEnv $_ x" } qw(LD_PRELOAD GCONV_PATH PERL5OPT PYTHONSTARTUP)],
);
my @variables = map { "SetEnv $_ x" } qw(LD_PRELOAD GCONV_PATH PERL5OPT PYTHONSTARTUP);
my $httpd = httpd(
    vhosts => [
        (map { vhost($_, @{ $jail{$_} }, $_ eq 'held' ? @variables : ()) } sort keys %jail),
        $bob->vhost('', root => 'host', user => 'bob'),
    ],
);

my $tcp = $httpd->port;

# Who tries it outside of a jail. Root does in namespaces that go with the process, but
# where it is about processes of the machine.
my %outside = (
    root    => [qw(unshare -m -p -f -i -u --mount-proc --)],
    machine => ['env'],
    tenant  => ['setpriv', '--reuid=' . $alice->uid, '--regid=' . $alice->gid,
        '--clear-groups', '--'],
    web     => [qw(setpriv --reuid=nobody --regid=nogroup --clear-groups --)],
);

# Returns what an attempt has come to: done, an errno, or what else was said.
sub attempt {
    my ($where, $name, @arguments) = @_;
    my $said;
    if (my $as = $outside{$where}) {
        my @as = @$as;
        open my $out, '-|', 'sh', '-c', "cd $socket_dir && exec \"\$@\"", 'sh', @as,
          probe('attempt'), $name, @arguments or die "sh: $!";
        local $/;
        $said = <$out>;
        close $out;
    }
    else {
        my $query = join '+', map { s/([^\w.~-])/sprintf '%%%02X', ord $1/ger } $name,
          @arguments;
        my $res = $httpd->get($where, "/cgi-bin/attempt?$query");
        $said = $res->code == 200 ? $res->content : 'status ' . $res->code;
    }
    return $said =~ /^\Q$name\E: (.*)$/m ? $1 : $said;
}

# [what it is, attempt, arguments], where it must fail, with what, where it must work
# and there with which arguments.
sub refused {
    my ($what, $try, $where, $errno, $control, @other) = @_;
    my ($name, @arguments) = @$try;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    like(attempt($where, $name, @arguments), qr/^(?:$errno)$/, "$what: fails");
    is(attempt($control, $name, @other ? @other : @arguments), 'done',
        "$what: control ($control) works");
    return;
}
my $held = 'held';
my $file = "$outside/marker";

# Root, in a chroot: no user namespaces, and what climbs out of it finds other files.
my $in_chroot = attempt('machine', 'userns') eq 'EPERM';

# --- the root
refused('a file outside, by name', ['read', $file], $held, 'ENOENT', 'noroot');
refused('a file outside, by ..', ['climb', $file], $held, 'ENOENT', 'noroot');
SKIP: {
    skip_or_fail('this is a chroot', 4) if $in_chroot;
    refused('a second root (chroot)', ['second-root', $file], $held, 'EPERM', 'root');
    refused('in a plain chroot as well', ['second-root', $file], 'chroot', 'EPERM', 'root');
}
refused('pivot_root', ['pivot-root'], $held, 'EPERM', 'root');
refused('the list of others\' homes', ['list', work_dir() . '/bob'], $held, 'ENOENT', 'noroot');
refused('a program of the machine, to write', ['create', '/usr/bin/jailcgi-test-attempt'],
    $held, 'EROFS|EACCES', 'root', "$socket_dir/created");
refused('/etc/shadow', ['read', '/etc/shadow'], $held, 'ENOENT', 'root');
refused('/root', ['list', '/root'], $held, 'ENOENT', 'root');
refused('/sys', ['list', '/sys/kernel'], $held, 'ENOENT', 'sys');
refused('a device in the home', ['read', "$in_home/device"], $held, 'EACCES', 'noroot');
refused('a hard link to a file of root\'s', ['hard-link', '/etc/services'], $held,
    'EXDEV|EPERM|EROFS', 'root', "$outside/marker");
refused('mknod', ['mknod'], $held, 'EPERM', 'root');
refused('name_to_handle_at', ['name-to-handle'], $held, 'EPERM', 'noseccomp');
refused('open_by_handle_at', ['open-by-handle'], $held, 'EPERM', 'root');
refused('mount', ['mount'], $held, 'EPERM', 'root');
refused('the new mount calls', ['fsopen'], $held, 'EPERM', 'root');
refused('a copy of the tree', ['open-tree'], $held, 'EPERM', 'root');
refused('umount', ['umount', '/proc'], $held, 'EPERM', 'root');
refused('remount read-write', ['remount', '/usr'], $held, 'EPERM', 'root', '/proc');

# --- processes of others, of the same user
refused('a process outside: signal', ['signal', $outsider], $held, 'ESRCH|EPERM', 'nopid');
refused('a process outside: sigqueue', ['sigqueue', $outsider], $held, 'ESRCH|EPERM', 'nopid');
refused('a process outside: pidfd', ['pidfd', $outsider], $held, 'ESRCH|EINVAL', 'nopid');
refused('a process outside: pidfd_getfd', ['pidfd-getfd', $outsider], $held,
    'ESRCH|EPERM|EINVAL', 'tenant');
refused('a process outside: ptrace', ['ptrace', $outsider], $held, 'ESRCH|EPERM', 'tenant');
refused('a process outside: memory', ['vm-read', $outsider], $held, 'ESRCH|EPERM', 'tenant');
refused('a process outside: kcmp', ['kcmp', $outsider], $held, 'ESRCH|EPERM', 'tenant');
refused('a process outside: renice', ['renice', $outsider], $held, 'EPERM', 'tenant');
refused('a process outside: prlimit', ['prlimit', $outsider], $held, 'ESRCH', 'nopid');
refused('a process outside: its root', ['read', "/proc/$outsider/root$file"], $held,
    'ENOENT', 'tenant');
refused('a process outside: its cwd', ['read', "/proc/$outsider/cwd/marker"], $held,
    'ENOENT', 'tenant');
refused('a process outside: its descriptor', ['read', "/proc/$outsider/fd/$held_fd"], $held,
    'ENOENT', 'tenant');
refused('a process outside: environment', ['read', "/proc/$outsider/environ"], $held,
    'ENOENT', 'tenant');
# Nor where its number is known: a process of the jail is in a Landlock domain, and the other
# is not.
for my $try (['ptrace', $outsider], ['vm-read', $outsider], ['kcmp', $outsider],
    ['pidfd-getfd', $outsider], ['read', "/proc/$outsider/environ"],
    ['read', "/proc/$outsider/root$file"], ['list', "/proc/$outsider/cwd"]) {
    refused("by its number: @$try", $try, 'nopid', 'EPERM|EACCES', 'tenant');
}
refused('httpd: signal', ['signal', $httpd->pid], $held, 'ESRCH|EPERM', 'root', 1);
refused('the keeper: root', ['list', '/proc/1/root'], $held, 'EACCES|ENOENT', 'tenant',
    "/proc/$outsider/root");
refused('the keeper: environment', ['read', '/proc/1/environ'], $held, 'EACCES|ENOENT',
    $held, '/proc/self/environ');
refused('the keeper: ptrace', ['ptrace', 1], $held, 'EPERM|ESRCH', 'tenant', $outsider);
refused('the keeper: memory', ['vm-read', 1], $held, 'EPERM|ESRCH', 'tenant', $outsider);
refused('the keeper: SIGSTOP', ['stop', 1], $held, 'EPERM', 'noscope');
is(attempt('noscope', 'list', '/'), 'done', 'which has not stopped it all the same');
refused('the keeper: signal', ['signal-parent'], $held, 'EPERM', 'noscope');

# --- another request of the same jail
sub victim {
    my ($host) = @_;
    my $client = JailCGI::Client->new($httpd);
    $client->send_request('GET', $host, '/cgi-bin/victim');
    $client->wait_for(qr/victim \d+/) or die "no victim in $host";
    return ($client, $client->{in} =~ /victim (\d+)/);
}
my %victim;
for my $host (qw(held noscope nokernel)) {
    @{ $victim{$host} }{qw(client pid)} = victim($host);
}
sub kept_apart {
    my ($what, $try, $errno, $control) = @_;
    my ($name, $before, @after) = @$try;
    my ($mine, $other) = map { $victim{$_}{pid} } $held, $control;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    refused("another request: $what", [$name, sprintf($before, $mine), @after], $held, $errno,
        $control, sprintf($before, $other), @after);
    return;
}
kept_apart('signal', ['signal', '%d'], 'EPERM', 'noscope');
kept_apart('sigqueue', ['sigqueue', '%d'], 'EPERM', 'noscope');
kept_apart('ptrace', ['ptrace', '%d'], 'EPERM', 'nokernel');
kept_apart('memory', ['vm-read', '%d'], 'EPERM', 'nokernel');
kept_apart('descriptors', ['pidfd-getfd', '%d'], 'EPERM', 'nokernel');
kept_apart('environment', ['read', '/proc/%d/environ'], 'EACCES|ENOENT|EPERM', 'noscope');
kept_apart('its root by /proc', ['list', '/proc/%d/root'], 'EACCES|ENOENT|EPERM', 'noscope');
kept_apart('stop', ['stop', '%d'], 'EPERM', 'noscope');
kept_apart('kill', ['kill', '%d'], 'EPERM', 'noscope');
($victim{noscope}{client}, $victim{noscope}{pid}) = victim('noscope');
my $reached = attempt($held, 'kill-all');
unlike($reached, qr/^status/, "kill(-1) has come back ($reached)");
is(attempt('noscope', 'kill-all'), 'done', 'control: without scopes it reaches somebody');
ok($victim{noscope}{client}->wait_for_close, 'namely the other request');
is(attempt($held, 'list', '/'), 'done', 'the jail itself goes on');
ok(!$victim{$held}{client}->step(0.2) && !$victim{$held}{client}->eof,
    'and so does the other request in the jail as it is');

# --- privileges
refused('setuid', ['setuid'], $held, 'EPERM', 'root');
refused('setgid', ['setgid'], $held, 'EPERM', 'root');
refused('setgroups', ['setgroups'], $held, 'EPERM', 'root');
refused("a set-$_-id program", ['raised', "/tools/set$_", 'is-raised'], $held, 'EPERM', 'privs')
  for qw(user group);
refused('a program with capabilities', ['raised', '/tools/filecap', 'raw-socket'], $held,
    'EPERM', 'tenant', "$tools/filecap", 'raw-socket');
SKIP: {
    skip_or_fail('this is a chroot', 6) if $in_chroot;
    refused('a user namespace', ['userns'], $held, 'EPERM', 'noseccomp');
    refused('the same by clone', ['userns-clone'], $held, 'EPERM', 'noseccomp');
    refused('the same by clone3', ['userns-clone3'], $held, 'ENOSYS|EPERM', 'noseccomp');
}
refused('a mount namespace', ['mountns'], $held, 'EPERM', 'root');
refused('another namespace', ['setns'], $held, 'EPERM', 'root');
refused('sethostname', ['sethostname'], $held, 'EPERM', 'root');
# With terminals it may, and terminal.t looks that the request ends it all the same.
refused('to leave the session', ['setsid'], 'noterminal', 'EPERM', 'background');

# --- the kernel
refused('a raw socket', ['raw-socket'], $held, 'EPERM', 'root');
refused('a packet socket', ['packet-socket'], $held, 'EPERM|EAFNOSUPPORT', 'root');
SKIP: {
    my $there = attempt('noseccomp', 'vsock-socket');
    skip "this kernel has no vsock: $there", 2 if $there eq 'EAFNOSUPPORT';
    refused('a socket to the hypervisor', ['vsock-socket'], $held, 'EPERM|EAFNOSUPPORT',
        'noseccomp');
}
refused('the kernel\'s events', ['uevent-socket'], $held, 'EPERM|E\w*NOSUPPORT', 'noseccomp');
refused('a key', ['add-key'], $held, 'EPERM|ENOSYS', 'noseccomp');
refused('the user\'s keyring', ['keyring'], $held, 'EPERM|ENOSYS', 'noseccomp');
refused('bpf', ['bpf'], $held, 'EPERM', 'root');
refused('userfaultfd', ['userfaultfd'], $held, 'EPERM|ENOSYS', 'noseccomp');
refused('io_uring', ['io-uring'], $held, 'EPERM|ENOSYS', 'noseccomp');
refused('perf_event_open', ['perf'], $held, 'EPERM|EACCES', 'root');
for my $try (['another kernel', 'kexec'], ['a kernel module', 'module']) {
  SKIP: {
        my $there = attempt('root', $try->[1]);
        skip "this kernel has no $try->[1]", 2 if $there eq 'ENOSYS';
        refused($try->[0], [$try->[1]], $held, 'EPERM', 'root');
    }
}
refused('adjtimex', ['adjtimex'], $held, 'EPERM', 'noseccomp');
refused('personality', ['personality'], $held, 'EPERM', 'noseccomp');
refused('TIOCSTI', ['tiocsti'], $held, 'EPERM', 'noseccomp');
refused('modify_ldt', ['modify-ldt'], $held, 'EPERM|ENOSYS', 'noseccomp');
refused('the kernel\'s log', ['syslog'], $held, 'EPERM', 'root');
refused('fanotify', ['fanotify'], $held, 'EPERM', 'root');
refused('ptrace of its own child', ['ptrace-child'], $held, 'EPERM', 'noseccomp');
refused('/proc/sys', ['write', '/proc/sys/kernel/hostname'], $held, 'EACCES|EROFS|ENOENT',
    'root');
refused('/proc/kcore', ['read', '/proc/kcore'], $held, 'EACCES|EPERM|ENOENT', 'root')
  if -e '/proc/kcore';

# --- a child of httpd that was taken over, at the helper, a keeper and the parent
my $helper = $httpd->helper_pid;
my ($keeper) = grep { (process_status($_) || {})->{PPid} == $helper } processes_of_uid($alice->uid);
for my $whose (['the helper', $helper], ['a keeper', $keeper], ['httpd\'s parent', $httpd->pid]) {
    my ($who, $pid) = @$whose;
    refused("$who by the web user: $_", [$_, $pid], 'web', 'EPERM', 'machine')
      for qw(signal ptrace vm-read pidfd-getfd kcmp);
    refused("$who by the web user: $_", [$_ eq 'root' ? 'list' : 'read', "/proc/$pid/$_"], 'web',
        'EACCES|EPERM', 'machine')
      for qw(root environ maps);
}

# --- what others have made
refused('System V shared memory', ['shm', $key], $held, 'ENOENT', 'noipc');
refused('System V messages', ['msg', $key], $held, 'ENOENT', 'noipc');
refused('System V semaphores', ['sem', $key], $held, 'ENOENT', 'noipc');
refused('a POSIX queue', ['mq', "/jailcgi-$outsider"], $held, 'ENOENT', 'noipc');
refused('a socket with a path', ['unix', "$socket_dir/socket"], $held, 'ENOENT', 'unix');
refused('an abstract socket', ['abstract', "jailcgi-$outsider"], $held,
    'EPERM', 'noscope');
refused('the network', ['tcp', $tcp], 'netless', 'ENETUNREACH', $held);

is(attempt($held, 'create', '/tmp/of-alice'), 'done', 'alice writes to /tmp');
refused('/tmp of another tenant', ['read', '/tmp/of-alice'], 'bob', 'ENOENT', $held);

# --- more than its share
my ($limited, $free) = ('limited', 'unlimited');
refused('processes', ['forks', 40], $limited, 'EAGAIN', $free);
refused('descriptors', ['descriptors', 200], $limited, 'EMFILE', $free);
refused('memory', ['memory', 500 << 20], $limited, 'ENOMEM', $free);
refused('locked memory', ['mlock', 1 << 20], $limited, 'ENOMEM|EPERM|EAGAIN', $free);
refused('a large file', ['file-size', 4 << 20], $limited, 'EFBIG', $free);
refused('space in /tmp', ['fill-tmp', 4 << 20], $limited, 'ENOSPC|EFBIG', $free);
refused('inodes of /tmp', ['inodes', 200], $limited, 'ENOSPC', $free);
refused('processor time', ['cpu', 3], $limited, '', $free);    # it says nothing any more
$httpd->log_like($limited, qr/JCGI1713/, 'and the log says why');
refused('a higher priority', ['nice'], $held, 'EACCES|EPERM', 'root');
refused('real time', ['real-time'], $held, 'EPERM', 'root');

# --- what a request could bring: JailEnv alone sets these
refused("the variable $_", ['variable', $_], $held, 'ENOENT', 'variables')
  for qw(LD_PRELOAD GCONV_PATH PERL5OPT PYTHONSTARTUP);
is(attempt($held, 'descriptor'), 'EBADF', 'no descriptor but 0, 1 and 2');

$_->{client}->close for values %victim;
done_testing;
