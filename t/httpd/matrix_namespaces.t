# What a script finds around it (doc/manual/index.md, host.md) for each of JailNamespaces alone
# and for mixtures of them, in each kind of root: the namespaces themselves, what each separates,
# devices and places to write to. A cell holds what the manual promises, or the exception that it
# names.

use lib 't/lib';
use JailCGI::Test;
use JailCGI::Namespace;

use IPC::SysV qw(IPC_CREAT IPC_EXCL IPC_RMID);

private_mounts() or skip_or_fail('no private mounts here');

my %kind   = (mount => 'mnt', map { $_ => $_ } qw(pid ipc uts net cgroup));    # in /proc/PID/ns
my %spaces = (
    default => 'mount pid ipc uts', none => 'none', all => join(' ', keys %kind),
    (map { $_ => $_ } keys %kind), map { tr/ /-/r => $_ } 'mount pid', 'mount net', 'pid ipc uts',
);
my %root = (path => undef, host => 'host', none => 'none', dev => undef);

my $sessions = '/var/lib/php/sessions';
make_php_sessions();

my $tenant = tenant('alice');
$tenant->install(probe('finds'),    'finds');
$tenant->install(probe('limits'),   'limits');
$tenant->install(probe('identity'), 'raw');
$tenant->install(probe('identity'), 'setid', uid => 0, gid => 0, mode => 06755);
$tenant->script('run.sh', "#!/bin/sh\nexec ./setid\n");
my $has_caps = system("setcap cap_net_raw=ep @{[$tenant->cgi_bin]}/raw 2>/dev/null") == 0;

my (@cells, @vhosts);
my $gid = 62_000;    # of each cell its own, so that its keeper is known
for my $root (sort keys %root) {
    for my $spaces (sort keys %spaces) {
        my %has  = map { $_ => 1 } split / /, $spaces{$spaces};
        my %cell = (root => $root, has => \%has, host => "$root-$spaces", gid => $gid++);
        my @more = ("JailNamespaces $spaces{$spaces}");
        push @more, "JailMount bind ${\home_of($tenant)}" if $root eq 'host' && $has{mount};
        push @more, 'JailMount dev', $has{pid} ? 'JailMount proc' : () if $root eq 'dev';
        push @cells, \%cell;
        push @vhosts, $tenant->vhost(join("\n    ", @more), name => $cell{host},
            root => $root{$root} // $tenant->root, user => "#@{[$tenant->uid]} #$cell{gid}");
    }
}
my $httpd = httpd(vhosts => \@vhosts);

# Objects of the machine, open to all.
my $key = 0x4a430000 | ($$ & 0xffff);
my $shm = shmget($key, 1, IPC_CREAT | IPC_EXCL | 0666) // die "shmget: $!";
my $sem = semget($key, 1, IPC_CREAT | IPC_EXCL | 0666) // die "semget: $!";
my $msg = msgget($key, IPC_CREAT | IPC_EXCL | 0666) // die "msgget: $!";
END {
    shmctl($shm, IPC_RMID, 0) if defined $shm;
    semctl($sem, 0, IPC_RMID, 0) if defined $sem;
    msgctl($msg, IPC_RMID, 0) if defined $msg;
}
my $marker = work_dir() . '/marker';
mkdir $marker or die $!;

sub lines_of { return { $_[0] =~ /^([\w\/]+): ?(.*)$/mg } }

# What Apache was started with.
my $limits = `@{[probe('limits')]}` =~ s/^Content-Type.*\n\n//r;

my $absent = 'No such file or directory';

sub walk {
    my ($cell) = @_;
    my ($root, $has, $host) = @$cell{qw(root has host)};
    my $res = $httpd->get($host, "/cgi-bin/finds?$key,@{[$httpd->port]},$marker");
    if (!$has->{mount} && $root =~ /host|dev/) {    # the exception: mounts need their namespace
        is($res->code, 503, "$host: refused");
        $httpd->log_like($host, qr/JCGI1013/, "$host: and the log says why");
        return;
    }
    is($res->code, 200, "$host: runs") or return diag($httpd->log($host));
    my $got = lines_of($res->content);
    my ($keeper, @more) = grep { (split ' ', process_status($_)->{Gid} // '')[0] eq $cell->{gid} }
      descendants($httpd->helper_pid);
    is("@more", '', "$host: one keeper");
    for my $name (sort keys %kind) {
        my $is_own = namespace_of($keeper, $kind{$name}) ne namespace_of($httpd->helper_pid, $kind{$name});
        is($is_own, !!$has->{$name}, "$host: " . ($has->{$name} ? 'has' : 'shares') . " $name");
    }
    my ($pid, $parent) = split / /, $got->{pid};
    is($parent, $has->{pid} ? 1 : $keeper, "$host: process numbers");
    is($got->{$_}, $has->{ipc} ? $absent : 'works', "$host: $_") for qw(shm sem msg);
    is($got->{network}, $has->{net} ? 'Network is unreachable' : 'works', "$host: network");
    is($got->{outside}, $root eq 'none' ? 'works' : $absent, "$host: the old root");
    is($got->{nosuid}, 1, "$host: nosuid") if $has->{mount};
    is($httpd->get($host, '/cgi-bin/limits')->content, $limits, "$host: no limits of its own");
    walk_places($cell, $got);
    walk_privileges($cell);
    return;
}

sub walk_places {
    my ($cell, $got) = @_;
    my ($root, $has, $host) = @$cell{qw(root has host)};
    is($got->{dev_null}, 'c 1:3 works', "$host: null");
    like($got->{'/tmp'}, qr/^1777 works/, "$host: /tmp");
    my $own = $root =~ /host|dev/;
    if ($own) {
        my $linked = $has->{pid} ? 'works' : $absent;    # links into /proc
        is($got->{dev_zero},    'c 1:5 works', "$host: zero");
        is($got->{dev_full},    'c 1:7 works', "$host: full");
        is($got->{dev_random},  'c 1:8 works', "$host: random");
        is($got->{dev_urandom}, 'c 1:9 works', "$host: urandom");
        is($got->{"dev_$_"}, $linked, "$host: $_") for qw(fd stdin stdout stderr);
        is($got->{dev_log}, 'works', "$host: log");
        is($got->{dev_kmsg}, $absent, "$host: no kmsg");
        is($got->{dev_ptmx}, $root eq 'host' ? 'works' : $absent, "$host: ptmx");
        is($got->{'/dev/shm'}, '1777 works', "$host: /dev/shm");
        is($got->{'/dev/shm_kb'}, 65536, "$host: of 64 MB");
    }
    is($got->{proc}, $has->{pid} ? 'works' : $absent, "$host: /proc") if $own;
    if ($root eq 'host') {
        is($got->{"$_"},     '1777 works', "$host: $_")        for qw(/tmp /var/tmp);
        is($got->{"${_}_kb"}, 65536,       "$host: $_: 64 MB") for qw(/tmp /var/tmp);
    }
    is($got->{$sessions}, $root =~ /host|none/ ? '1733 works' : $absent, "$host: sessions of PHP");
    return;
}

sub walk_privileges {
    my ($cell) = @_;
    my ($has, $host) = @$cell{qw(has host)};
    my $set = $httpd->get($host, '/cgi-bin/run.sh')->content;
    like($set, qr/^uid: (\d+) \1 \1$/m, "$host: a set-user-id program");
    like($set, qr/^uid: @{[$tenant->uid]} /m, "$host: runs as the tenant");
    like($set, qr/^gid: $cell->{gid} $cell->{gid} $cell->{gid}$/m, "$host: so does a set-group-id one");
    like($set, qr/^cap_permitted: 0 0$/m, "$host: without a capability");
  SKIP: {
        $has_caps or skip_or_fail('setcap does not work here', 1);
        my $raw = $httpd->get($host, '/cgi-bin/raw');
        # The exception: what has no mounts cannot make them nosuid.
        $has->{mount}
          ? like($raw->content, qr/^cap_effective: 0 0$/m, "$host: file capabilities give nothing")
          : is($raw->code, 500, "$host: a program with file capabilities is refused");
    }
    return;
}

walk($_) for @cells;
is(scalar @cells, 4 * 12, 'every cell was walked');
done_testing;
