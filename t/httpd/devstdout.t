# A script may open /dev/stdin, /dev/stdout and /dev/stderr by name, where its
# jail has /proc and the links: its pipes are its own.

use lib 't/lib';
use JailCGI::Test;
use JailCGI::Namespace;
use POSIX ();

private_mounts() or skip_or_fail('no mount namespace can be made');

my $alice = tenant('alice');
$alice->script('out.sh', <<'SCRIPT');
#!/bin/sh
printf 'Content-Type: text/plain\n\nfirst\n' >/dev/stdout || exit 1
echo 'for the log' >/dev/stderr || exit 1
echo "$(id -u) second" >>/dev/stdout
SCRIPT
$alice->script('echo.sh', <<'SCRIPT');
#!/bin/sh
{
    printf 'Content-Type: text/plain\n\n'
    cat </dev/stdin
    echo "status $?"
} >/dev/stdout 2>/dev/stderr
SCRIPT

my $proc = $alice->directory('/proc', uid => 0, gid => 0, mode => 0555);
mount_at($proc, '-t', 'proc', 'proc');
my $httpd = httpd(vhosts => [$alice]);

sub written {
    my ($method, $name, @body) = @_;
    my $res = $httpd->request($method, $alice, '/cgi-bin/out.sh', [], @body);
    is($res->code, 200, "$name: 200");
    is($res->content, 'first' . "\n" . $alice->uid . " second\n",
        "$name: what was written to /dev/stdout arrives");
    $httpd->log_like($alice, qr/for the log/,
        "$name: what was written to /dev/stderr is in the site's log");
    $httpd->mark($alice);
    return;
}

written('GET',  'GET');
written('POST', 'POST', 'unread');

my $body = join '', map { "line $_\n" } 1 .. 20_000;
my $res = $httpd->request('POST', $alice, '/cgi-bin/echo.sh', [], $body);
is($res->code, 200, 'POST: a script reads /dev/stdin');
ok($res->content eq "${body}status 0\n", 'and gets the whole body from it');
$res = $httpd->get($alice, '/cgi-bin/echo.sh');
is($res->content, "status 0\n", 'GET: /dev/stdin is there, and empty');
$httpd->log_unlike($alice, qr/echo\.sh/, 'without a word on stderr');

# Control: the same jail, user, shell and words, and a pipe of another's.
sub without_owner {
    my ($owner) = @_;
    pipe my $from, my $to or die "pipe: $!";
    chown $owner, $owner, $to or die "fchown: $!" if $owner;
    my $pid = fork // die "fork: $!";
    if (!$pid) {
        open STDOUT, '>&', $to or POSIX::_exit(1);
        open STDERR, '>', '/dev/null' or POSIX::_exit(1);
        chroot $alice->root and chdir '/' or POSIX::_exit(1);
        my $id = $alice->uid;
        ($(, $)) = ($id, "$id $id");
        ($<, $>) = ($id, $id);
        exec '/bin/sh', '-c', 'echo by name >/dev/stdout' or POSIX::_exit(1);
    }
    close $to;
    my $got = do { local $/; <$from> };
    waitpid $pid, 0;
    return $got;
}
is(without_owner($alice->uid), "by name\n",
    'control: a pipe of the tenant\'s can be opened by its name');
is(without_owner(0), '', 'a pipe of another\'s cannot')
  or diag('then this test proves nothing');

done_testing;
