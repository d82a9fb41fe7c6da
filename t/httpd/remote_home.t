# A home where root may not read: an NFS server with root_squash, or a mount of
# the tenant's own. A FUSE file system (t/fixtures/rootsquash.c) stands in its
# place. The script is checked by descriptor, as the tenant, so it runs.

use lib 't/lib';
use JailCGI::Test;
use JailCGI::Namespace;
use Errno qw(EACCES);
use POSIX ();

-c '/dev/fuse' or skip_or_fail('there is no /dev/fuse');
private_mounts() or skip_or_fail('no mount namespace can be made');

sub start_squash {
    my ($backing, $where) = @_;
    my $pid = fork // die "fork: $!";
    if (!$pid) {
        POSIX::close($_) for 3 .. 63;
        exec fixture('rootsquash'), $backing, $where or POSIX::_exit(127);
    }
    my $device = (stat $where)[0];
    wait_until { (stat $where)[0] != $device || waitpid $pid, POSIX::WNOHANG() }
    or die 'rootsquash does not mount';
    return $pid;
}

my $alice = tenant('alice');
$alice->script('who.sh', <<'SCRIPT');
#!/bin/sh
printf 'Content-Type: text/plain\n\n%s %s\n' "$(id -u)" "$PWD"
cat ../secret
SCRIPT
$alice->script('writable.sh', "#!/bin/sh\n", mode => 0775);
$alice->script('other.sh', "#!/bin/sh\n", uid => 0, gid => 0);
$alice->replace($alice->jail_home . '/secret', "of alice's\n",
    mode => 0400, uid => $alice->uid, gid => $alice->gid);

my $home    = $alice->root . $alice->jail_home;
my $backing = work_dir() . '/server';
rename $home, $backing or die "$home: $!";
mkdir $home, 0755 or die "$home: $!";
my $squash = start_squash($backing, $home);
END { end_squash() if $squash && $home }

sub end_squash {
    my $status = $?;
    unmount($home);
    kill 'TERM', $squash;
    waitpid $squash, 0;
    undef $squash;
    $? = $status;
    return;
}

# Control: it is as the head of this file says.
sub errno_of_open {
    my ($file) = @_;
    return open(my $fh, '<', $file) ? 0 : $! + 0;
}
is(errno_of_open($alice->cgi_bin . '/who.sh'),
    EACCES, 'control: root may not read the script');
ok(!-e $alice->cgi_bin, 'nor see its directory');
is(errno_of_open("$backing/cgi-bin/who.sh"), 0, 'where it really lies it may');

my $httpd = httpd(vhosts => [$alice]);
for my $request (1 .. 2) {
    my $res = $httpd->get($alice, '/cgi-bin/who.sh');
    is($res->code, 200, "request $request: the script runs");
    is($res->content,
        join(' ', $alice->uid, $alice->jail_cgi_bin) . "\nof alice's\n",
        'as its tenant, in its directory, and reads what only he may');
}

# The checks were made there, and not left out.
is($httpd->get($alice, '/cgi-bin/writable.sh')->code,
    500, 'a script that the group may write does not run');
$httpd->log_like($alice, qr/JCGI1508/, 'and the log says so');
is($httpd->get($alice, '/cgi-bin/other.sh')->code,
    500, 'nor one that belongs to root');
$httpd->log_like($alice, qr/JCGI1510/, 'and the log says so');

done_testing;
