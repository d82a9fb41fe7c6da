# No script changes its keeper or another request of its jail by a system call that
# looks at the uid alone, whatever JailSeccomp, JailScope and JailNamespaces say; what
# Landlock is asked about it reaches exactly where there are no scopes (t/probe/others.c).

use lib 't/lib';
use JailCGI::Test;
use JailCGI::Client;
use JailCGI::Watch qw(touch_in scripts_of keepers_of);

use constant { MAX => 3, PATIENCE => 30 };

JailCGI::Httpd::mounts_work() or skip_or_fail('no private mounts here');

my ($alice, $bob) = map { tenant($_) } qw(alice bob);
for my $tenant ($alice, $bob) {
    $tenant->install(probe('others'), 'others');
    $tenant->directory('/proc', uid => 0, gid => 0);
}

# Where there are scopes; and what is set there.
my @proc = 'JailMount proc';
my %jail = (
    default    => [1, @proc],
    nolist     => [1, @proc, 'JailSeccomp off'],
    noscope    => [0, @proc, 'JailScope Off'],
    neither    => [0, @proc, 'JailScope Off', 'JailSeccomp off'],
    background => [1, @proc, 'JailSeccomp off', 'JailBackground allow'],
    privs      => [0, @proc, 'JailSeccomp off', 'JailNoNewPrivs Off'],
    nopid      => [1, 'JailNamespaces none'],
    nothing    => [0, 'JailNamespaces none', 'JailScope Off', 'JailSeccomp off'],
);
sub vhost {
    my ($name, $scoped, @lines) = @_;
    return $alice->vhost(join("\n    ", @lines), name => $name);
}
my $httpd = httpd(
    vhosts => [
        (map { vhost($_, @{ $jail{$_} }) } sort keys %jail),
        $bob->vhost('JailBackground allow max=' . MAX, name => 'mortal'),
    ],
    config => 'Timeout 120',
);

# Landlock ABI, as landlock_create_ruleset(2) says; 6 has scopes.
my $abi = syscall 444, 0, 0, 1;
skip_or_fail("Landlock here is of version $abi: no scopes") if $abi < 6;

# What the keeper's filter refuses: EPERM, whomever it names.
my @changes = qw(prlimit affinity scheduler param attr priority ioprio migrate move robust
  priority-group priority-user ioprio-group ioprio-user core keyring);
my @self = @changes[0 .. 9];
# What Landlock is asked about.
my @signals = qw(kill tkill tgkill sigqueue tgsigqueue pidfd-signal);
my @reads   = qw(pidfd-getfd vm-read vm-write kcmp perf ptrace);
my @listed  = qw(pidfd-getfd vm-read vm-write kcmp madvise perf ptrace);
my @strikes = qw(setown setown-ex fiosetown siocspgrp);
# What is nobody's but its own, its parent's or an administrator's.
my %never = (
    setpgid        => 'ESRCH',
    'setpgid-into' => 'EPERM',
    waitid         => 'ECHILD',
    'waitid-pidfd' => 'ECHILD',
    capset         => 'EPERM',
    setns          => 'EPERM',
);
my @files = map { "proc-$_" } qw(autogroup oom_score_adj timerslack_ns coredump_filter
  clear_refs comm sched loginuid attr/current setgroups uid_map gid_map mem);

sub said {
    my ($text) = @_;
    return { $text =~ m{^([\w/-]+): (\w+)$}mg };
}

sub get {
    my ($host, $query) = @_;
    my $res = $httpd->get($host, "/cgi-bin/others?$query");
    is($res->code, 200, "$host, $query: a page") or diag($httpd->log($host));
    return $res->content;
}

# --- outside of a jail, on a process of the same user: all of it works there
my @as = ('setpriv', '--reuid=' . $alice->uid, '--regid=' . $alice->gid, '--clear-groups',
    'setsid');
my $outsider = fork // die $!;
if (!$outsider) {
    open STDOUT, '>', work_dir() . '/outsider' or die $!;
    exec @as, probe('others'), 'victim' or die $!;
}
END { my $status = $?; kill 'KILL', $outsider if $outsider; waitpid $outsider, 0; $? = $status }

sub struck_outside {
    open my $fh, '<', work_dir() . '/outsider' or return 0;
    return scalar grep { /^struck/ } <$fh>;
}
ok(wait_until(sub { -s work_dir() . '/outsider' }, PATIENCE), 'a process outside');
# Its parent is a shell of the same user's, which gets its keyring.
my $control = said(scalar qx{@as sh -c '@{[probe('others')]} others $outsider; true'});
my @works = grep { !/^(?:core|migrate|move|keyring)$/ } @changes;
is_deeply({ map { $_ => $control->{$_} } @works }, { map { $_ => 'done' } @works },
    'control: outside of a jail one process changes the other');
isnt($control->{$_}, 'EPERM', "control: $_ comes to the kernel") for qw(core migrate move keyring);
is($control->{$_}, 'done', "control: $_") for @signals, @reads, @strikes;
is($control->{"proc-$_"}, 'done', "control: /proc/PID/$_ can be written")
  for qw(autogroup oom_score_adj coredump_filter clear_refs sched mem);
ok(wait_until(sub { struck_outside() }, PATIENCE), 'control: it is struck by signals');
my @modes = ('x32');
SKIP: {
    skip_or_fail('no int 0x80 on this machine', 1) if $control->{'prlimit-i386'} eq 'ENOEXEC';
    push @modes, 'i386';
    is($control->{'prlimit-i386'}, 'done', 'control: the same by int 0x80');
}

# --- in jails
sub changes_nothing {
    my ($host, $got, $what) = @_;
    # x32 has the answer of the helper's filter, which a jail inherits and which comes first
    # because the keeper is asked only after all filters; t/unit/joint_filter.c has the rest.
    my %way = (x32 => 'ENOSYS', i386 => 'EPERM');
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is_deeply({ map { $_ => $got->{$_} } @changes }, { map { $_ => 'EPERM' } @changes },
        "$host: it changes nothing of $what");
    for my $mode (@modes) {
        my @names = map { "$_-$mode" } @changes;
        is_deeply({ map { $_ => $got->{$_} } @names }, { map { $_ => $way{$mode} } @names },
            "$host: nor by calls of $mode");
    }
    is($got->{"$_-upper"}, 'EPERM', "$host: nor by $_ with the upper half set")
      for qw(prlimit priority);
    is($got->{'prlimit-pointer'}, 'EPERM', "$host: nor with a pointer in the upper half only");
    is($got->{'priority-upper-self'}, 'done', "$host: where the upper half says nothing");
    is_deeply({ map { $_ => $got->{$_} } keys %never }, \%never, "$host: what no process may");
    return;
}

for my $host (sort keys %jail) {
    my ($scoped, @lines) = @{ $jail{$host} };
    my $has_pid = !grep { /JailNamespaces/ } @lines;
    my $has_list = !grep { /JailSeccomp off/ } @lines;

    my $self = said(get($host, 'others+0'));
    is_deeply({ map { $_ => $self->{$_} } @self }, { map { $_ => 'done' } @self },
        "$host: a script changes itself");

    touch_in($alice, '/tmp/go', 0);
    my $victim = JailCGI::Client->new($httpd);
    $victim->send_request('GET', $host, '/cgi-bin/others?victim');
    ok($victim->wait_for(qr/^victim \d+$/m), "$host: another request goes on");
    my ($pid) = $victim->{in} =~ /^victim (\d+)$/m;

    my $got = said(get($host, 'others+keeper'));
    changes_nothing($host, $got, 'its keeper');
    is_deeply([grep { $got->{$_} eq 'done' } @files], [], "$host: nor a file about its keeper");
    is_deeply([sort grep { $got->{$_} eq 'done' } @listed, 'ptrace'], [],
        "$host: it reads nothing of its keeper");
    # Without a PID namespace nor scopes the keeper is not asked about (SECURITY.md).
    is_deeply({ map { $_ => $got->{$_} } @signals },
        { map { $_ => $scoped ? 'EPERM' : 'done' } @signals },
        "$host: signals to its keeper: " . ($scoped ? 'none' : 'all'));

    $got = said(get($host, "others+$pid"));
    changes_nothing($host, $got, 'another request');
    is_deeply({ map { $_ => $got->{$_} } @signals },
        { map { $_ => $scoped ? 'EPERM' : 'done' } @signals },
        "$host: signals to another request: " . ($scoped ? 'none' : 'all'));
    is_deeply([map { $got->{$_} eq 'done' ? 1 : 0 } @reads],
        [($scoped || $has_list ? 0 : 1) x @reads],
        "$host: its memory and descriptors: " . ($scoped || $has_list ? 'no' : 'yes'));
    my @written = grep { $got->{$_} eq 'done' } @files;
    if ($scoped || !$has_pid) {
        is_deeply(\@written, [], "$host: no file about another request");
    }
    else {
        note("$host: files about another request that it can write: @written");
    }
    $victim->step(0.2);
    my $struck = $victim->{in} =~ /^struck/m ? 1 : 0;
    is($struck, $scoped ? 0 : 1, "$host: a signal by a descriptor's owner: $struck");

    is(get($host, "limit+cpu+$pid"), "limit-cpu: EPERM\n", "$host: no RLIMIT_CPU 0 for another");
    is(get($host, "limit+$_+keeper"), "limit-$_: EPERM\n", "$host: no limit of $_ for the keeper")
      for qw(cpu nofile);
    touch_in($alice, '/tmp/go', 1);
    my $res = $victim->response;
    is("$res->{code} $res->{whole}", '200 1', "$host: the other request comes to its end");
}

# --- a script that makes its parent, the keeper, its tracer
$httpd->mark('nolist');
my $traced = $httpd->get('nolist', '/cgi-bin/others?traceme');
unlike($traced->content, qr/^goes on/m, 'a script that is traced by its keeper does not go on');
ok(wait_until(sub { !scripts_of($alice) }, PATIENCE), 'it has ended');
$httpd->log_like('nolist', qr/JCGI1701/, 'by a signal, as the log says');
is(get('nolist', 'child'), "traceme: done\nchild: stopped\n", 'control: its child makes it one');
is(get('default', 'child'), "traceme: EPERM\ngoes on\nchild: not stopped\n",
    'which the default list does not allow');

# --- what the keeper cannot read is old: root takes its descriptors away
sub stays {
    my ($content) = @_;
    is(get('mortal', 'stay'), "session: done\n", 'a process in a session of its own');
    return ok(wait_until(sub { scripts_of($bob) == 1 }, PATIENCE), 'is there');
}
stays();
ok(wait_until(sub { !scripts_of($bob) }, PATIENCE), 'and gone in time');
my ($keeper) = keepers_of($bob);
stays();
# Root may not be able to change limits here; whoever has the keeper's uid is.
system('setpriv', '--reuid=' . $bob->uid, '--regid=' . $bob->gid, '--clear-groups',
    'prlimit', "--pid=$keeper", '--nofile=0:') == 0 or die 'prlimit';
ok(wait_until(sub { !scripts_of($bob) }, PATIENCE), 'and where its keeper can open nothing as well');
is_deeply([keepers_of($bob)], [$keeper], 'which goes on');
done_testing;
