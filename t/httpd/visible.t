# What a tenant sees of the others: nothing. Not their processes, not their
# files, not their shared memory, not what is outside of his root. And the
# keeper, which is his as well, has nothing of theirs in its hands.

use lib 't/lib';
use JailCGI::Test;
use JailCGI::Watch 'is_same_directory';
use IPC::SysV qw(IPC_CREAT IPC_EXCL IPC_RMID);

system('unshare --pid --ipc --fork true 2>/dev/null') == 0
  or skip_or_fail('no PID namespace can be made');
JailCGI::Httpd::mounts_work() or skip_or_fail('no private mounts here');

# Carol has a jail of her own and alice's numbers: only the PID namespace is
# between them.
my $alice = tenant('alice');
my $bob   = tenant('bob');
my $carol = tenant('carol', uid => $alice->uid, gid => $alice->gid);
my @all   = ($alice, $bob, $carol);

for my $tenant (@all) {
    $tenant->install(probe('reach'), 'reach');
    $tenant->script('sleep.sh', <<'SCRIPT');
#!/bin/sh
printf 'Content-Type: text/plain\n\n'
exec sleep 600
SCRIPT
    $tenant->replace($tenant->jail_home . '/open', "for all\n");
}

# Scopes keep even the requests of one jail apart (scope.t): they would hide whether the
# namespaces do their part.
my $httpd = httpd(config => 'JailScope Off', vhosts => \@all);

# --- processes from outside -----------------------------------------------

# Those whose root is the tenant's.
sub processes_in {
    my ($tenant, $name) = @_;
    return grep {
        is_same_directory("/proc/$_/root/.", $tenant->root)
          && process_status($_)->{Name} eq $name
    } descendants($httpd->helper_pid);
}

sub keeper_of {
    my ($tenant) = @_;
    my ($pid) = grep { process_status($_)->{PPid} == $httpd->helper_pid }
      processes_in($tenant, 'jailcgi-keeper');
    return $pid;
}

# A request that stays; returns its connection.
sub start_sleeper {
    my ($tenant) = @_;
    my $socket = $httpd->connect or die 'no connection';
    print {$socket} "GET /cgi-bin/sleep.sh HTTP/1.0\r\nHost: "
      . $tenant->name . "\r\n\r\n";
    $socket->flush;
    wait_until { processes_in($tenant, 'sleep') } or die 'no sleeper';
    return $socket;
}

sub namespace {
    my ($pid, $kind) = @_;
    return readlink "/proc/$pid/ns/$kind";
}

my %sleeper_of = map { $_->name => start_sleeper($_) } @all;
my %keeper = map { $_->name => keeper_of($_) } @all;
my %sleeper = map { $_->name => (processes_in($_, 'sleep'))[0] } @all;

# --- the keeper -----------------------------------------------------------

sub has_no_privilege {
    my ($tenant) = @_;
    my $status = process_status($keeper{ $tenant->name });
    my ($uid, $gid) = ($tenant->uid, $tenant->gid);
    is($status->{Uid}, join("\t", ($uid) x 4), 'every uid is the tenant\'s');
    is($status->{Gid}, join("\t", ($gid) x 4), 'every gid too');
    like($status->{Groups}, qr/^\s*$gid\s*$/, 'and no other group');
    like($status->{"Cap$_"}, qr/^0+$/, "no capability: Cap$_")
      for qw(Inh Prm Eff Bnd Amb);
    is($status->{NoNewPrivs}, 1, 'no new privileges');
    return;
}

sub stands_in_its_jail {
    my ($tenant) = @_;
    my $pid = $keeper{ $tenant->name };
    ok(is_same_directory("/proc/$pid/root/.", $tenant->root), 'its root is the jail');
    ok(is_same_directory("/proc/$pid/cwd/.", $tenant->root), 'so is its directory');
    isnt(namespace($pid, $_), namespace($$, $_), "$_ namespace of its own")
      for qw(mnt pid ipc uts);
    return;
}

sub named_descriptors {
    my ($pid) = @_;
    my %target;
    for my $fd (glob "/proc/$pid/fd/*") {
        $target{ $fd =~ s{.*/}{}r } = readlink $fd;
    }
    return %target;
}

my @expected = (
    # The last is of a /dev that is mounted nowhere any more.
    (qr{^(?:/dev)?/null$}) x 3, qr/eventfd/, qr/^socket:/, qr/pidfd/,
    qr{/task/1/children$},
    # The root of a procfs that is mounted nowhere and shows the jail alone.
    qr{^/$}, qr/signalfd/, qr/eventpoll/
);
# Where a kernel has them (src/keeper/keeper.h): what keeps requests apart, and what hears of
# refused calls.
my %more_of_kernel = (13 => qr/landlock/, 15 => qr/seccomp notify/, 16 => qr/^socket:/);

# Besides these only the two sockets of the one channel that it has, and a pidfd of the
# httpd child at its other end.
sub holds_nothing_else {
    my ($tenant) = @_;
    my %target = named_descriptors($keeper{ $tenant->name });
    like($target{$_} // 'closed', $expected[$_], "descriptor $_")
      for 0 .. $#expected;
    for my $fd (sort keys %more_of_kernel) {
        my $target = delete $target{$fd} // next;
        like($target, $more_of_kernel{$fd}, "descriptor $fd");
    }
    my @more = map { $target{$_} } grep { $_ > $#expected } keys %target;
    is(scalar @more, 3, 'and three more for the channel of its one request');
    is(scalar(grep { /^socket:/ } @more), 2, 'two sockets');
    is(scalar(grep { /pidfd/ } @more),    1, 'and a pidfd');
    return;
}

for my $tenant (@all) {
    subtest 'keeper of ' . $tenant->name => sub {
        has_no_privilege($tenant);
        stands_in_its_jail($tenant);
        holds_nothing_else($tenant);
    };
}

sub sockets_of {
    my ($pid) = @_;
    my %target = named_descriptors($pid);
    return grep { /^socket:/ } values %target;
}

subtest 'keepers share nothing' => sub {
    my %owners;
    $owners{$_}++ for map { sockets_of($_) } values %keeper;
    is_deeply([grep { $owners{$_} > 1 } keys %owners], [], 'no socket');
    for my $kind (qw(mnt pid ipc uts)) {
        my %seen = map { namespace($_, $kind) => 1 } values %keeper;
        is(scalar keys %seen, scalar keys %keeper, "no $kind namespace");
    }
};

# --- the script -----------------------------------------------------------

# A segment that is open to all, outside of the jails.
sub host_segment {
    for my $try (1 .. 100) {
        my $key = 1 + int rand 2_000_000_000;
        my $id = shmget $key, 4096, IPC_CREAT | IPC_EXCL | 0666;
        return ($key, $id) if defined $id;
    }
    die "shmget: $!";
}
my ($key, $segment) = host_segment();
END { shmctl $segment, IPC_RMID, 0 if defined $segment }

my @foreign = (
    @keeper{qw(bob carol)}, @sleeper{qw(bob carol)},
    $httpd->pid, $httpd->helper_pid, $httpd->children('apache2'), $$
);
my @files = ('/etc/shadow', $bob->root . $bob->jail_home . '/open',
    '/home/bob/open', '/proc/self/status', '/sys/kernel');
my $own_file = '/home/alice/open';

sub reach {
    my ($tenant) = @_;
    my $query = join '&', "shm=$key", (map { "pid=$_" } @foreign),
      map { "file=$_" } @files, $own_file;
    my $res = $httpd->get($tenant, "/cgi-bin/reach?$query");
    is($res->code, 200, 'the probe runs');
    my %said;
    for (split /\n/, $res->content) {
        push @{ $said{$1} }, $2 if /^(.+?): ?(.*)$/;
    }
    return \%said;
}

sub is_alive {
    my ($pid) = @_;
    my $status = process_status($pid);
    return $status && $status->{State} !~ /^[ZX]/;
}

sub entries_of {
    my ($dir) = @_;
    opendir my $handle, $dir or die "$dir: $!";
    return sort grep { !/^\.\.?$/ } readdir $handle;
}

my $said = reach($alice);

subtest 'processes' => sub {
    my @reached = split ' ', $said->{'signals reach'}[0];
    is($reached[0], 1, 'a signal reaches the keeper, which is PID 1');
    is(scalar @reached, 2, 'and the one other script of the same jail');
    is($said->{'signals are refused by'}[0], '', 'it sees no other process');
    is($said->{"pid=$_"}[0], 'ESRCH', "kill $_, which is another's")
      for @foreign;
    is($said->{'kill first'}[0], 'done', 'a SIGKILL for its keeper is taken');
    ok(is_alive($keeper{alice}), 'and does nothing');
    is($said->{'trace first'}[0], 'EPERM', 'it cannot trace its keeper');
    ok((wait_until { !is_alive($sleeper{alice}) }),
        'control: kill(-1) ends what it may end');
    ok(is_alive($_), "$_ lives") for @foreign;
    is(keeper_of($_), $keeper{ $_->name }, 'no keeper was replaced') for @all;
};

subtest 'files' => sub {
    my @top = stat $alice->root;
    is_deeply($said->{top}, ["$top[0] $top[1]"], 'the way up ends at its root');
    is_deeply([sort @{ $said->{entry} }], [entries_of($alice->root)],
        'and that holds what the jail holds');
    is($said->{"file=$_"}[0], 'ENOENT', $_) for @files;
    is($said->{"file=$own_file"}[0], 'done', 'control: a file of its own');
};

subtest 'ways out' => sub {
    is($said->{$_}[0], 'EPERM', $_)
      for 'chroot', 'user namespace', 'mount namespace', 'mount';
};

subtest 'shared memory' => sub {
    is($said->{"shm=$key"}[0], 'ENOENT', 'what is the host\'s is not there');
    ok(defined shmget($key, 0, 0), 'control: outside it is');
};

done_testing;
