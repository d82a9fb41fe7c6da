# Thousands of virtual hosts, each with a policy of its own: what they have alike is looked up,
# put together and kept once, and a graceful restart that takes its time keeps warm
# jails warm.

use lib 't/lib';
use JailCGI::Test;
use JailCGI::Namespace;
use JailCGI::Watch 'all_keepers';

private_mounts() or skip_or_fail('no private mounts here');
-x '/usr/bin/strace' or skip_or_fail('there is no strace');

use constant HOSTS => 2000;

my $alice = tenant('alice');
my ($uid, $gid) = ($alice->uid, $alice->gid);
make_accounts($alice);
$alice->script('site', <<'END');
#!/bin/sh
echo Content-Type: text/plain
echo
echo "site $SITE"
END

# Their root is the machine's; of the rest each has a line that no other has.
sub site {
    my ($number, $user) = @_;
    return <<"END";
<VirtualHost 127.0.0.1:\@port\@>
    ServerName s$number
    ScriptAlias /cgi-bin/ "@{[$alice->cgi_bin]}/"
    JailRoot host
    JailUser $user
    JailEnv SITE $number
</VirtualHost>
END
}

sub many {
    my ($user) = @_;
    return map { site($_, $user) } 1 .. HOSTS;
}

my $httpd = httpd(vhosts => [many('alice')]);

sub private_kb {
    my ($pid) = @_;
    open my $fh, '<', "/proc/$pid/smaps_rollup" or die "smaps_rollup: $!";
    my $sum = 0;
    while (<$fh>) { $sum += $1 if /^Private_\w+:\s+(\d+) kB/ }
    return $sum;
}

sub site_is {
    my ($number, $name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    return is($httpd->get("s$number", '/cgi-bin/site')->content, "site $number\n", $name);
}

# --- memory -------------------------------------------------------------------------

my $helper = $httpd->helper_pid;
site_is(HOSTS, 'the last of ' . HOSTS . ' hosts answers');
site_is(1,     'and the first');
cmp_ok(private_kb($helper), '<=', 2 * HOSTS, 'the helper has 2 KB for each policy at most');
cmp_ok($httpd->table_bytes, '<=', 2048 * HOSTS, 'and so has the table');

# --- a reload -------------------------------------------------------------------------

# Stopped in the midst of reading its configuration, for as long as its old children take
# to go and the helper to look after its jails once more.
my @warm = sort(all_keepers($httpd));
is(scalar @warm, 2, 'two jails are warm');
my @old = $httpd->children('apache2');
my $log = work_dir() . '/strace';
my $tracer = fork // die "fork: $!";
if (!$tracer) {
    exec 'strace', '-qq', '-o', $log, '-e', 'trace=memfd_create',
      '-e', 'inject=memfd_create:signal=STOP:when=1', '-p', $httpd->pid;
    die "strace: $!";
}
ok(wait_until(sub { process_status($httpd->pid)->{TracerPid} == $tracer }, 20),
    'httpd is traced');
my $begun = () = $httpd->log =~ /resuming normal operations/g;
kill 'USR1', $httpd->pid;
ok(wait_until(sub { process_status($httpd->pid)->{State} =~ /^T/i }, 60),
    'httpd is stopped while it reads its configuration');
ok(
    wait_until(
        sub {
            !grep { my $status = process_status($_); $status && $status->{State} !~ /^Z/ } @old;
        },
        60
    ),
    'its children have gone'
);
ok(!wait_until(sub { "@warm" ne join ' ', sort(all_keepers($httpd)) }, 3),
    'their jails have not');
kill 'CONT', $httpd->pid;
kill 'INT', $tracer;
waitpid $tracer, 0;
ok(
    wait_until(
        sub {
            my $now = () = $httpd->log =~ /resuming normal operations/g;
            $now > $begun;
        },
        60
    ),
    'httpd goes on'
);
site_is($_, "site $_ answers") for HOSTS, 1;
is_deeply([sort(all_keepers($httpd))], \@warm, 'from its old jail');
is($httpd->helper_pid, $helper, 'by the same helper');

# A policy that is gone takes its jail with it all the same.
$httpd->graceful(vhosts => [(many('alice'))[0 .. HOSTS - 2]]);
ok(wait_until(sub { all_keepers($httpd) == 1 }, 30), 'the jail of a removed host goes');
site_is(1, 'and the others answer');
is((grep { $_ == (all_keepers($httpd))[0] } @warm), 1, 'from the old jail');

# --- what is looked up ------------------------------------------------------------------

# How many calls a configtest makes, for each pattern.
sub calls {
    my (@patterns) = @_;
    $httpd->configure;
    my $command = join ' ', map { quotemeta } $httpd->command('-t');
    my $said = `strace -f -qq -o $log -e trace=file,memfd_create,socket $command 2>&1 </dev/null`;
    like($said, qr/Syntax OK/, 'the configuration is valid');
    open my $fh, '<', $log or die "$log: $!";
    my @count = (0) x @patterns;
    while (my $line = <$fh>) {
        $line =~ $patterns[$_] and $count[$_]++ for 0 .. $#patterns;
    }
    return @count;
}

my @asked = (
    [passwd => qr{openat\(.*"/etc/passwd"}],
    [group  => qr{openat\(.*"/etc/group"}],
    [usr    => qr{(?:stat|statx|readlink)\w*\(.*"/usr"}],
    [filter => qr{memfd_create}],
);
for my $user ('alice', 'alice alice', "#$uid", "#$uid #$gid") {
    $httpd->take(vhosts => [many($user)]);
    my @count = calls(map { $_->[1] } @asked);
    cmp_ok($count[$_], '<=', 12, "JailUser $user: $asked[$_][0] once and not for each host")
      for 0 .. $#asked;
    cmp_ok($count[$_], '>=', 1, "$asked[$_][0]: and once it is") for 0, 2, 3;
}

# Each number of its own is looked up, and a group that all of them have is not.
$httpd->take(
    vhosts => [
        map {
            my $other = 70_000 + $_;
            site($_, "#$other #$gid")
        } 1 .. 200
    ]
);
my @count = calls(map { $_->[1] } @asked);
cmp_ok($count[0], '<=', 212, 'a user is looked up once');
cmp_ok($count[0], '>=', 200, 'each of them');
cmp_ok($count[1], '<=', 12,  'the group of all of them once');

done_testing;
