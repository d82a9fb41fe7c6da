# JailSeccomp: the calls of the default list are refused with the error that stands there,
# and the same calls get further with it off; a FILE changes the list.

use lib 't/lib';
use JailCGI::Test;
use JailCGI::Refused qw(refused_calls);

my $alice = tenant('alice');
$alice->install(probe('calls'), 'calls');

sub file {
    my ($name, $content, $mode, $uid) = @_;
    my $path = work_dir() . "/$name";
    open my $fh, '>', $path or die "$path: $!";
    print {$fh} $content;
    close $fh or die "$path: $!";
    chmod $mode // 0644, $path or die $!;
    chown $uid // 0, 0, $path or die $!;
    return $path;
}
my @always = grep { !defined $_->[2] } refused_calls();
my $all    = file('all', join '', map { "deny $_->[0] EDOM\n" } @always);
my $some   = file('some', <<'END');
# What a site wants.

allow ptrace        # a debugger
deny  getppid  EXDEV
	allow	clone3
deny setuid
deny memfd_create
allow memfd_create
deny personality
END

sub vhost {
    my ($name, @lines) = @_;
    return $alice->vhost(join("\n    ", @lines), name => $name);
}
my $httpd = httpd(
    config => "JailSeccomp $some",
    vhosts => [
        vhost('default',    'JailSeccomp default'),
        vhost('off',        'JailSeccomp off'),
        vhost('all',        "JailSeccomp $all"),
        vhost('inherits'),
        vhost('privs',      'JailSeccomp Default', 'JailNoNewPrivs Off'),
        vhost('background', 'JailSeccomp DEFAULT', 'JailBackground allow'),
        vhost('plain',      'JailSeccomp default', 'JailNamespaces none'),
    ],
);

sub calls {
    my ($host) = @_;
    my $res = $httpd->get($host, '/cgi-bin/calls');
    is($res->code, 200, "$host: a page") or diag($httpd->log($host));
    return { $res->content =~ /^(\S+): (\w+)$/mg };
}
my %got = map { $_ => calls($_) } qw(default off all inherits privs background plain);
my ($default, $off) = @got{qw(default off)};

# --- refused whatever the arguments are
my %here = map { $_->[0] => $_->[1] } grep { exists $default->{ $_->[0] } } @always;
is_deeply([sort grep { !exists $here{$_} } map { $_->[0] } @always],
    [qw(vm86 vm86old)], 'all calls of the list are tried, but those of i386');
is_deeply({ map { $_ => $default->{$_} } keys %here }, \%here, 'each has the error of the list');
is_deeply({ map { $_ => $got{all}{$_} } keys %here }, { map { $_ => 'EDOM' } keys %here },
    'and the error that a file gives it');
my @told = grep { $off->{$_} ne $default->{$_} } keys %here;
cmp_ok(scalar @told, '>=', 20, 'off: these get further: ' . join ' ', sort @told);
is_deeply([grep { $off->{$_} eq 'EDOM' } keys %here], [], 'off: and none is refused by a filter');

# --- refused by their arguments
my %by_argument = (
    (map { ("clone-$_" => 'EPERM') } qw(user mount cgroup uts ipc pid net)),
    'clone-none' => 'done',
    (map { ("mknod$_-character" => 'EPERM', "mknod$_-block" => 'EPERM') } '', 'at'),
    'mknod-fifo'          => 'EFAULT',
    'mknodat-fifo'        => 'EFAULT',
    'personality-ask'     => 'done',
    'personality-usual'   => 'done',
    (map { ("personality-$_" => 'EPERM') } qw(no-random bsd top bottom nearly)),
    (map { ("ioctl-$_" => 'EPERM') } qw(tiocsti tiocsti-upper tioclinux tiocsetd)),
    'ioctl-fionread'      => 'EBADF',
    (map { ("ioctl-$_" => 'EPERM') } qw(getbridge setbridge addbridge delbridge getvlan
          setvlan)),
    'ioctl-getaddress'    => 'EBADF',
    (map { ("fcntl-$_" => 'EPERM') } qw(lease lease-upper delegation)),
    'fcntl-getlease'      => 'EBADF',
    (map { ("setsockopt-$_" => 'ENOENT') } qw(ulp ulp-upper)),
    (map { ("setsockopt-$_" => 'ENOPROTOOPT') } qw(filter bpf reuse-cbpf reuse-ebpf)),
    (map { ("setsockopt-$_" => 'EBADF') } qw(nodelay buffer)),
    (map { ("socket-$_" => 'done') } qw(unix inet inet-dgram inet6 route tcp udp6)),
    'socket-netfilter'    => 'EPROTONOSUPPORT',
    (map { ("socket-$_" => 'EPERM') } qw(raw raw-upper raw6 packet-old
          packet-old6)),
    (map { ("socket-$_" => 'EPROTONOSUPPORT') } qw(mptcp mptcp6-upper sctp smc l2tp udplite)),
    (map { ("socket-$_" => 'ESOCKTNOSUPPORT') } qw(seqpacket rdm6 type-7)),
    'types-inet'          => '1_2',
    'types-inet6'         => '1_2',
    'protocols-inet'      => '0_1_6_17',
    'protocols-inet6'     => '0_6_17_58',
    'types-unix'          => '0_1_2_3_4_5_6_7_8_9_10',
    (map { ("socket-$_" => 'EAFNOSUPPORT') }
          qw(packet packet-upper x25 key alg vsock xdp unspec)),
    'socketpair-unix'     => 'EFAULT',
    'socketpair-tipc'     => 'EAFNOSUPPORT',
);
is_deeply({ map { $_ => $default->{$_} } keys %by_argument }, \%by_argument,
    'what its arguments decide');
like($default->{"socket-$_"}, qr/^(?:EPERM|ESOCKTNOSUPPORT|EPROTONOSUPPORT)$/,
    "socket-$_: refused by two rows")
  for qw(raw-odd raw6-odd sctp-packets dccp);
# user_namespaces(7): none in a chroot
my $user_namespaces = system(qw(setpriv --reuid=65534 --regid=65534 --clear-groups unshare -U true)) == 0;
my %without = (
    'clone-user'         => $user_namespaces ? 'done' : 'EPERM',
    'mknod-character'    => 'EFAULT',
    'mknod-block'        => 'EFAULT',
    'mknodat-character'  => 'EFAULT',
    'mknodat-block'      => 'EFAULT',
    'socket-netfilter'   => 'done',
    'socketpair-tipc'    => 'EFAULT',
    (map { ("personality-$_" => 'done') } qw(no-random bsd top bottom nearly)),
    (map { ("ioctl-$_" => 'EBADF') } qw(tiocsti tiocsti-upper tioclinux tiocsetd getbridge
          setbridge addbridge delbridge getvlan setvlan)),
    (map { ("fcntl-$_" => 'EBADF') } qw(lease lease-upper delegation)),
    (map { ("setsockopt-$_" => 'EBADF') } qw(ulp ulp-upper filter bpf reuse-cbpf reuse-ebpf)),
    (map { ("types-$_" => '0_1_2_3_4_5_6_7_8_9_10') } qw(inet inet6)),
    (map { ("protocols-$_" => join '_', 0 .. 70000) } qw(inet inet6)),
    (map { ("socket-$_" => 'EPERM') } qw(raw raw-upper packet packet-upper)),
);
is_deeply({ map { $_ => $off->{$_} } keys %without }, \%without, 'off: the same get further');

# --- what no list has, and other modes
my %plain = (getppid => 'done', memfd_create => 'EFAULT', openat2 => 'EINVAL', setpgid => 'EINVAL',
    setuid => 'EINVAL');
is_deeply({ map { $_ => $default->{$_} } keys %plain }, \%plain, 'other calls work');
SKIP: {
    skip_or_fail('no i386 calls on this machine', 2) if $off->{i386} eq 'ENOEXEC';
    is($off->{i386}, 'done', 'control: a call of i386');
    is($default->{i386}, 'ENOSYS', 'no call of i386');
    is($got{all}{i386},  'ENOSYS', 'with a file neither');
}
is($default->{x32}, 'ENOSYS', 'no call of x32') if exists $default->{x32};

# --- a file
my $file = $got{inherits};
is_deeply(
    { map { $_ => $file->{$_} } qw(ptrace getppid clone3 setuid memfd_create mount chroot
          personality-ask personality-usual) },
    { ptrace => $off->{ptrace}, getppid => 'EXDEV', clone3 => $off->{clone3}, setuid => 'EPERM',
        memfd_create => 'EFAULT', mount => 'EPERM', chroot => 'EPERM',
        'personality-ask' => 'EPERM', 'personality-usual' => 'EPERM' },
    'a file adds to the list and takes off it; a host inherits it'
);
is_deeply($got{$_}, $default, "$_: the list is the same") for qw(privs background plain);

# --- errors of the configuration
my @wrong = (
    [work_dir() . '/absent', qr{cannot be read: No such file.*default or off}],
    [file('loose', "deny mount\n", 0664), qr/mode 664; it must be a regular file that belongs to root/],
    [file('owned', "deny mount\n", 0644, $alice->uid), qr/belongs to uid @{[$alice->uid]}/],
    [work_dir(), qr/regular file|Is a directory/],
    [file('unknown', "\n# x\ndeny moutn\n"), qr/line 3: 'moutn' is not a system call/],
    [file('errno', "deny mount EWHAT\n"), qr/line 1: 'EWHAT' is not the name of an error/],
    [file('needed', "deny execve\n"), qr/line 1: 'execve' cannot be denied/],
    [file('word', "refuse mount\n"), qr/line 1: 'refuse mount' is not understood; write deny/],
    [file('more', "allow mount EPERM\n"), qr/line 1: .* is not understood/],
    [file('long', 'deny ' . 'x' x 600 . "\n"), qr/line 1: it is too long/],
);
for my $case (@wrong) {
    my ($path, $says) = @$case;
    my ($status, $output) = configtest(vhosts => [vhost('wrong', "JailSeccomp $path")]);
    isnt($status, 0, "JailSeccomp $path: an error");
    like($output, qr/httpd\.conf:.*JailSeccomp: .*$says/s, 'which says what and where');
}
for my $line ('JailBackground maybe', 'JailBackground deny max=3', 'JailBackground allow max=0',
    'JailBackground allow for=3')
{
    my ($status, $output) = configtest(vhosts => [vhost('wrong', $line)]);
    isnt($status, 0, "$line: an error");
    like($output, qr/JailBackground: '.*' is not understood; write deny, allow/, 'with a remedy');
}
done_testing;
