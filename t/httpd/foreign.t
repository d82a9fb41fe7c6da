# Descriptors of a process outside that come into a jail by a socket: with Landlock they
# lead to no file but those below the jail's root (t/probe/foreign.c). The control is the
# same program as the same user in the same directory, by chroot(8).

use lib 't/lib';
use JailCGI::Test;
use JailCGI::Namespace;

private_mounts() or skip_or_fail('no mount namespace can be made');
my $abi = syscall 444, 0, 0, 1;
skip_or_fail("Landlock here is of version $abi: no rules for all that moves files")
  if $abi < 2;

my $alice = tenant('alice');
$alice->install(probe('foreign'), 'foreign');
$alice->directory('/passed');
mount_at($alice->directory('/proc', uid => 0, gid => 0, mode => 0555), '-t', 'proc', 'proc');

# Of the same user, and of the same file system: a link to it could be made.
my $outside = work_dir() . '/outside';
my $passed  = $alice->root . '/passed';

sub vhost {
    my ($name, $root, @lines) = @_;
    return $alice->vhost(join("\n    ", @lines), name => $name, root => $root);
}
my $path    = $alice->root;
my $no_proc = 'JailNamespaces none';
my $httpd   = httpd(
    vhosts => [
        vhost('path',      $path),
        vhost('nomount',   $path,  $no_proc),
        vhost('nopid',     $path,  'JailNamespaces mount'),
        vhost('host',      'host', "JailMount bind $passed", "JailMount ro " . $alice->cgi_bin),
        vhost('noscope',   $path,  'JailScope Off'),
        vhost('privs',     $path,  'JailNoNewPrivs Off'),
        vhost('noseccomp', $path,  'JailSeccomp off'),
        vhost('bare', $path, $no_proc, 'JailSeccomp off', 'JailScope Off',
            'JailNoNewPrivs Off', 'JailBackground allow', 'JailListen On'),
        vhost('none', 'none'),
    ],
    config => 'Timeout 60',
);

sub prepare_outside {
    system('rm', '-rf', $outside, glob "$passed/*") == 0 or die 'rm';
    mkdir $outside, 0755 or die "$outside: $!";
    for my $name (qw(marker spare move)) {
        open my $out, '>', "$outside/$name" or die $!;
        print {$out} "outside\n";
        close $out or die $!;
    }
    system('cp', probe('foreign'), "$outside/program") == 0 or die 'cp';
    system('chown', '-R', $alice->uid . ':' . $alice->gid, $outside) == 0 or die 'chown';
    return;
}

my @as = ('setpriv', '--reuid=' . $alice->uid, '--regid=' . $alice->gid, '--clear-groups', '--');

# attempts(SUB that has them made): by their names.
sub attempts {
    my ($name, $take) = @_;
    prepare_outside();
    my $giver = fork // die "fork: $!";
    if (!$giver) {
        exec @as, probe('foreign'), 'give', "$passed/socket", $outside;
        die "setpriv: $!";
    }
    my $said = $take->();
    waitpid $giver, 0;
    is($?, 0, "$name: the descriptors were sent") or diag($said);
    return { $said =~ /^([\w-]+): (\w+)$/mg };
}

sub in_jail {
    my ($host, $socket) = @_;
    return attempts($host, sub {
        my $res = $httpd->get($host, "/cgi-bin/foreign?take+$socket");
        return $res->code == 200 ? $res->content : "$host: status " . $res->code;
    });
}

# --- what works without Landlock
my $control = attempts('control', sub {
    my $ids = $alice->uid . ':' . $alice->gid;
    open my $out, '-|', 'sh', '-c', 'exec "$@" </dev/null', 'sh', 'chroot', "--userspec=$ids", '--groups=' . $alice->gid, $path,
      $alice->jail_cgi_bin . '/foreign', 'take', '/passed/socket' or die "chroot: $!";
    local $/;
    return scalar <$out>;
});
my @all     = sort keys %$control;
my @foreign = grep { !/^(?:own|left)-/ } @all;
my @left    = grep { /^left-/ } @all;
my @own     = grep { /^own-/ } @all;
cmp_ok(scalar @foreign, '>', 25, 'attempts by foreign descriptors');
is($control->{handle}, 'EPERM', 'control: handles are root\'s');

# Older kernels let only root make a name for a descriptor.
my %older = ('link-empty' => 'ENOENT');
is($control->{$_}, $control->{$_} eq ($older{$_} // '') ? $older{$_} : 'done',
    "control: $_")
  for grep { !/^(?:handle|own-pipe)$/ } @all;    # the pipe is this test's, and root's

# Linux 5.19 and 6.1 are not asked about truncate(2).
push @left, 'cd-truncate' if $abi < 3;
@foreign = grep { $_ ne 'cd-truncate' } @foreign if $abi < 3;

# --- and what does not with it
for my $host (qw(path nomount nopid host noscope privs noseccomp bare)) {
    my $got = in_jail($host, $host eq 'host' ? "$passed/socket" : '/passed/socket');
    like($got->{$_} // 'nothing', qr/^(?:EACCES|EXDEV)$/, "$host: $_ is refused")
      for grep { $_ ne 'handle' && !$older{$_} } @foreign;
    isnt($got->{$_}, 'done', "$host: $_ is refused") for 'handle', keys %older;
    is($got->{$_}, 'done', "$host: $_ is not concerned") for @left, @own;
}

# Without a root of its own there is nothing that is outside.
my $none = in_jail('none', "$passed/socket");
is($none->{$_}, 'done', "none: $_") for qw(root-file dir-file cd-parent exec), @own;
done_testing;
