# Who a script is, as it sees it from inside.

use lib 't/lib';
use JailCGI::Test;

my $alice = tenant('alice');
my $bob   = tenant('bob');
for ($alice, $bob) {
    $_->install(probe('identity'), 'identity');
    $_->script('env.sh', <<'END');
#!/bin/sh
echo Content-Type: text/plain
echo
exec env
END
}

my $httpd = httpd(
    vhosts => [
        $alice, $bob,
        # Nothing but the PID namespace is between scripts and their keeper.
        $alice->vhost('JailScope Off', name => 'unscoped'),
    ]
);

sub probed {
    my ($tenant, $body) = @_;
    my $res = $httpd->request(defined $body ? 'POST' : 'GET',
        $tenant, '/cgi-bin/identity', [], $body);
    is($res->code, 200, 'the probe answers') or diag($httpd->log($tenant));
    return { $res->decoded_content =~ /^(\w+): ?(.*)$/mg };
}

for my $tenant ($alice, $bob) {
    my ($name, $uid, $gid) = map { $tenant->$_ } qw(name uid gid);
    my $got = probed($tenant);
    is($got->{uid},    "$uid $uid $uid", "$name: real, effective, saved uid");
    is($got->{gid},    "$gid $gid $gid", "$name: real, effective, saved gid");
    is($got->{fsuid},  $uid,             "$name: file system uid");
    is($got->{fsgid},  $gid,             "$name: file system gid");
    like($got->{groups}, qr/^(?:$gid)?$/, "$name: no group but its own");

    for my $set (qw(effective permitted inheritable)) {
        is($got->{"cap_$set"}, '0 0', "$name: no $set capability");
    }
    is($got->{cap_bounding}, '0', "$name: empty bounding set");
    is($got->{cap_ambient},  '0', "$name: no ambient capability");
    is($got->{no_new_privs}, '1', "$name: no_new_privs");

    # SECBIT_NOROOT, NO_SETUID_FIXUP, NO_CAP_AMBIENT_RAISE, each with its lock
    # (capabilities(7)); KEEP_CAPS is off, and a program may set it.
    my $bits = hex $got->{securebits};
    is($bits & 0x01, 0x01, "$name: NOROOT");
    is($bits & 0x02, 0x02, "$name: NOROOT is locked");
    is($bits & 0x08, 0x08, "$name: NO_SETUID_FIXUP is locked");
    is($bits & 0x30, 0x00, "$name: KEEP_CAPS is off and not locked");
    is($got->{keepcaps}, '0', "$name: PR_SET_KEEPCAPS succeeds, as in ping");
    is($bits & 0xc0, 0xc0, "$name: NO_CAP_AMBIENT_RAISE, locked");

    is($got->{descriptors}, "0=null,r,0 1=pipe,w,$uid 2=pipe,w,$uid",
        "$name: two pipes of its own are open, /dev/null and nothing else");
    is(probed($tenant, 'a=b')->{descriptors},
        "0=pipe,r,$uid 1=pipe,w,$uid 2=pipe,w,$uid",
        "$name: with a body a third pipe");
    is($got->{session_leader}, '1', "$name: leads its session");
    is($got->{group_leader},   '1', "$name: and its process group");
    is($got->{blocked},     '', "$name: no signal is blocked");
    is($got->{not_default}, '', "$name: no signal is ignored");
    is($got->{umask},       '022', "$name: umask");
    is($got->{cwd}, $tenant->jail_cgi_bin, "$name: starts beside the script");
    my ($dev, $ino) = stat $tenant->root;
    is($got->{root}, "$dev:$ino", "$name: its root is its jail");

    is($got->{"${_}_0"}, 'Operation not permitted', "$name: no $_(0)")
      for qw(setuid seteuid setgid setgroups);
    is($got->{chroot}, 'Operation not permitted', "$name: no chroot");
}

# PID namespaces: each keeper is 1 in its own, and cannot be killed from there.
SKIP: {
    my $got = probed('unscoped');
    skip_or_fail('no PID namespace on this machine', 2) if $got->{ppid} != 1;
    is($got->{kill_init}, 'allowed', 'SIGKILL to 1 is not an error ...');
    is(probed('unscoped')->{ppid}, 1, '... and has no effect');
}

# Process numbers: scripts name files by them, so jails of one user do not all begin with
# the same ones. That four do by chance happens once in 30,000^3 times.
SKIP: {
    -e '/proc/sys/kernel/ns_last_pid' or skip_or_fail('a kernel that cannot do that', 2);
    my @of_one = map { "numbers$_" } 1 .. 4;
    $alice->script('number.sh', "#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\n%s' \$\$\n");
    my $server = httpd(vhosts => [map { [$alice, "JailEnv N $_", name => $_] } @of_one]);
    my @number = map { $server->get($_, '/cgi-bin/number.sh')->content } @of_one;
    my %seen   = map { $_ => 1 } @number;
    cmp_ok(scalar keys %seen, '>', 1, 'jails of one user have different process numbers')
      or diag("@number");
    is_deeply([grep { !/^\d+$/ || $_ < 300 } @number], [], 'above those that the kernel keeps');
    $server->stop;
}

# The environment that names the user comes from JailUser, not from httpd.
my %env = $httpd->get($alice, '/cgi-bin/env.sh')->content =~ /^(\w+)=(.*)$/mg;
is($env{LD_BIND_NOW}, '1', 'eager binding');
isnt($env{HOME} // '', '/root', 'HOME is not root\'s');

# Ways to say who.
my $other = tenant('other');
$other->install(probe('identity'), 'identity');
my %way = (
    'JailUser "#UID" "#GID"'      => qr/^uid: UID UID UID$/m,
    'SuexecUserGroup "#UID" "#GID"' => qr/^uid: UID UID UID$/m,
    'JailUser owner'              => qr/^uid: UID UID UID$/m,
);
for my $line (sort keys %way) {
    my $expected = $way{$line} =~ s/UID/$other->uid/ger;
    my $config   = $line =~ s/UID/$other->uid/er =~ s/GID/$other->gid/er;
    my $server   = httpd(vhosts => [$other->vhost($config, user => '')]);
    my $res = $server->get($other, '/cgi-bin/identity');
    like($res->decoded_content, qr/$expected/, $line)
      or diag($server->log($other), $server->log);
    $server->stop;
}

# Refusals: the host runs nothing and its log says why.
my %refused = (
    'JailUser root'      => 'JCGI1004',
    'JailUser "#0" "#0"' => 'JCGI1004',
    'JailUser "#60999"'  => 'JCGI1003',
    "JailUser \"#999\" \"#@{[$other->gid]}\"" => 'JCGI1005',
    'JailUser no-such-user-here' => 'JCGI1002',
    "JailUser \"#@{[$other->uid]}\" no-such-group-here" => 'JCGI1003',
    "JailUser \"#@{[$other->uid]}\" \"#50\"" => 'JCGI1006',
    "JailUser \"#@{[$other->uid]}\" \"#0\"" => 'JCGI1004',
    '' => 'JCGI1001',
);
for my $line (sort keys %refused) {
    my $server = httpd(vhosts => [$other->vhost($line, user => '')]);
    my $res    = $server->get($other, '/cgi-bin/identity');
    my $name   = $line || 'no JailUser at all';
    cmp_ok($res->code, '>=', 500, "$name: refused");
    unlike($res->content, qr/^uid:/m, "$name: nothing was run");
    $server->log_like($other, qr/$refused{$line}/, "$name: $refused{$line}");
    $server->stop;
}

done_testing;
