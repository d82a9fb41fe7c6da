# What a script finds (doc/manual/index.md), in each kind of root, with namespaces and
# without, for each way to name a user. A cell holds what is promised, or the exception
# that the manual names. What it finds around it is in matrix_namespaces.t.

use lib 't/lib';
use JailCGI::Test;
use JailCGI::Namespace;

private_mounts() or skip_or_fail('no private mounts here');

my $alice = tenant('alice');    # has an account and a group more
my $carol = tenant('carol');    # is a number without an account
make_accounts([$alice, home_of($alice) . '//./'], "jailcgi-editors:x:61900:@{[$alice->name]}");
for my $tenant ($alice, $carol) {
    $tenant->install(probe('identity'), 'identity');
    $tenant->install(probe('identity'), 'raw');
    $tenant->install(probe('identity'), 'setid', uid => 0, gid => 0, mode => 06755);
    $tenant->install(probe('limits'), 'limits');
    $tenant->script('run.sh', "#!/bin/sh\nexec ./setid\n");
    $tenant->script('env.sh', <<'END');
#!/bin/sh
printf 'Content-Type: text/plain\n\n'
env
echo "NAME=$(id -un 2>/dev/null)"
echo "GROUPS=$(id -Gn 2>/dev/null | tr ' ' ,)"
echo "PROCESSES=$(ls -d /proc/[0-9]* 2>/dev/null | wc -l)"
[ -c /dev/null ] && [ -w /tmp ] && echo 'PLACES=yes'
END
}
# Capabilities of a file are void, and it runs all the same.
my $has_caps = !grep { system("setcap cap_net_raw=ep @{[$_->cgi_bin]}/raw 2>/dev/null") } $alice, $carol;

# Each kind of JailLimit, with soft and hard where they may differ.
my %limit = (
    cpu => '30 60', fsize => '10M 20M', data => '1G 2G', stack => '4M 8M', core => '0 4096',
    rss => '1G 2G', nproc => '300 400', nofile => '100 200', memlock => '32K 64K', as => '2G 3G',
    locks => '10 20', sigpending => '100 200', msgqueue => '4K 8K', rtprio => '0 0',
);
my @lines = ('JailLimit nice 5', map { "JailLimit $_ " . $limit{$_} =~ tr/ /:/r } sort keys %limit);
push @lines, 'SetEnv SITE_NAME north', 'SetEnv REGION north', 'JailEnv REGION south', 'SetEnv LD_BIND_NOW ""';

my %user = (
    named   => [$alice, $alice->name],
    numeric => [$carol, "#@{[$carol->uid]} #@{[$carol->gid]}"],
    owner   => [$alice, 'owner'],
    unknown => [$carol, 'owner'],
);
my %root = (path => undef, host => 'host', none => 'none');
my %spaces = (default => '', none => 'JailNamespaces none');

my (@cells, @vhosts);
for my $root (sort keys %root) {
    for my $spaces (sort keys %spaces) {
        for my $user (sort keys %user) {
            my ($tenant, $line) = @{ $user{$user} };
            my $name = "$root-$spaces-$user";
            my @more = (@lines, $spaces{$spaces});
            # Who has no account has no home either; show the directory of the scripts.
            push @more, "JailMount bind ${\home_of($tenant)}"
              if $root eq 'host' && $tenant == $carol && $spaces eq 'default';
            push @cells, { root => $root, spaces => $spaces, user => $user, name => $name, tenant => $tenant };
            push @vhosts, $tenant->vhost(join("\n    ", grep { $_ } @more), name => $name,
                root => $root{$root} // $tenant->root, user => $line);
        }
    }
}
my $httpd = httpd(vhosts => \@vhosts);

sub lines_of { return { $_[0] =~ /^(\w+)[:=] ?(.*)$/mg } }

sub walk {
    my ($cell) = @_;
    my ($root, $spaces, $user, $host, $tenant) = @$cell{qw(root spaces user name tenant)};
    my $res = $httpd->get($host, '/cgi-bin/identity');
    if ($root eq 'host' && $spaces eq 'none') {    # the exception: mounts need their namespace
        is($res->code, 503, "$host: refused");
        $httpd->log_like($host, qr/JCGI1013/, "$host: and the log says why");
        return;
    }
    is($res->code, 200, "$host: runs") or return diag($httpd->log($host));
    my $got = lines_of($res->decoded_content);
    my ($uid, $gid) = ($tenant->uid, $tenant->gid);
    my $known = $tenant == $alice;
    my @groups = $known ? ($gid, 61900) : ($gid);
    is($got->{uid}, "$uid $uid $uid", "$host: user");
    is($got->{gid}, "$gid $gid $gid", "$host: group");
    is($got->{groups} // '', "@groups", "$host: supplementary groups");
    is($got->{umask}, '022', "$host: umask");
    is($got->{no_new_privs}, 1, "$host: no_new_privs");
    is($got->{"cap_$_"}, '0 0', "$host: no $_ capability") for qw(effective permitted inheritable);
    is($got->{cap_bounding}, '0', "$host: empty bounding set");
    is($got->{descriptors}, "0=null,r,0 1=pipe,w,$uid 2=pipe,w,$uid", "$host: descriptors");
    is("$got->{blocked}$got->{not_default}", '', "$host: signals");
    is($got->{session_leader}, 1, "$host: a session of its own");
    is($got->{nice}, 5, "$host: nice");
    like($httpd->request('POST', $host, '/cgi-bin/identity', [], 'body')->content,
        qr/^descriptors: 0=pipe,r,$uid 1=pipe,w,$uid 2=pipe,w,$uid$/m, "$host: descriptors with a body");
    my $inside = $root eq 'path' ? '' : $tenant->root;
    is($got->{cwd}, $inside . $tenant->jail_cgi_bin, "$host: working directory");
    walk_shell($cell, $inside);
    walk_limits($host);
    my $set = lines_of($httpd->get($host, '/cgi-bin/run.sh')->content);
    is($set->{uid}, "$uid $uid $uid", "$host: a set-user-id program gains nothing");
    is($set->{gid}, "$gid $gid $gid", "$host: nor does a set-group-id one");
    is($set->{cap_permitted}, '0 0', "$host: nor a capability");
  SKIP: {
        $has_caps or skip_or_fail('setcap does not work here', 1);
        my $raw = $httpd->get($host, '/cgi-bin/raw');
        if ($spaces eq 'none') {    # the exception: what has no mounts cannot make them nosuid
            is($raw->code, 500, "$host: a program with file capabilities is refused");
        }
        else {
            like($raw->content, qr/^cap_effective: 0 0$/m, "$host: or runs without them");
        }
    }
    return;
}

sub walk_limits {
    my ($host) = @_;
    my %bytes = (K => 1 << 10, M => 1 << 20, G => 1 << 30);
    my %got = $httpd->get($host, '/cgi-bin/limits')->content =~ /^(\w+) (\S+ \S+)$/mg;
    for my $name (sort keys %limit) {
        is($got{$name}, $limit{$name} =~ s/(\d+)([KMG])/$1 * $bytes{$2}/ger, "$host: JailLimit $name");
    }
    return;
}

sub walk_shell {
    my ($cell, $inside) = @_;
    my ($root, $spaces, $user, $host, $tenant) = @$cell{qw(root spaces user name tenant)};
    my $env = lines_of($httpd->get($host, '/cgi-bin/env.sh')->content);
    my $known = $tenant == $alice;
    my $home = $known ? $inside . $tenant->jail_home : '/';
    is($env->{PATH}, '/usr/local/bin:/usr/bin:/bin', "$host: PATH");
    is($env->{HOME}, $home, "$host: HOME");
    is($env->{SHELL}, '/bin/sh', "$host: SHELL");
    is($env->{TMPDIR}, '/tmp', "$host: TMPDIR");
    is($env->{LD_BIND_NOW}, 1, "$host: LD_BIND_NOW");
    is($env->{$_}, $known ? $tenant->name : $tenant->uid, "$host: $_") for qw(USER LOGNAME);
    is($env->{REGION}, 'south', "$host: JailEnv wins over SetEnv");
    is($env->{SITE_NAME}, $user =~ /owner|unknown/ ? undef : 'north', "$host: SetEnv of one user's host");
    is($env->{SCRIPT_FILENAME}, $inside . $tenant->jail_cgi_bin . '/env.sh', "$host: SCRIPT_FILENAME");
    is($env->{DOCUMENT_ROOT}, $inside . $tenant->jail_htdocs, "$host: DOCUMENT_ROOT");
    is($env->{ $_->[0] }, $_->[1], "$host: $_->[0]")
      for [GATEWAY_INTERFACE => 'CGI/1.1'], [REQUEST_METHOD => 'GET'], [SCRIPT_NAME => '/cgi-bin/env.sh'];
    is($env->{PLACES}, 'yes', "$host: /dev/null and /tmp");
    if ($root eq 'host') {
        is($env->{NAME}, $known ? $tenant->name : $tenant->uid, "$host: /etc/passwd");
        is($env->{GROUPS}, $known ? $tenant->name . ',jailcgi-editors' : $tenant->gid, "$host: /etc/group");
        cmp_ok($env->{PROCESSES}, '<', 10, "$host: only its own processes");
    }
    return;
}

walk($_) for @cells;
is(scalar @cells, 24, 'every cell was walked');
done_testing;
