# JailMount pty: programs that need a pseudo-terminal run in each kind of root, no jail
# sees the terminals of another, their number is bounded, and the processes of the
# sessions that they make end with their request.

use lib 't/lib';
use JailCGI::Test;
use JailCGI::Namespace;
use JailCGI::Client;

sub sleeps {
    my ($pid) = @_;
    return ((JailCGI::Process::process_status($pid) || {})->{Name} || q()) =~ /python/;
}

private_mounts() or skip_or_fail('no private mounts here');

my ($alice, $bob) = map { tenant($_) } qw(alice bob);
make_accounts($alice, $bob);

my $header = "#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\n'\nexport TERM=dumb\n";
# Each ends with the line of a program at a terminal of its own. Below "sh" is what that
# program sees: its terminal, and whether that is its controlling one.
my $sees = 'tty; (: >/dev/tty) && echo controls';
my %program = (
    python => qq{python3 -c 'import pty; pty.spawn(["sh", "-c", "$sees"])' </dev/null},
    script => qq{script -qec '$sees' /dev/null </dev/null},
    expect => qq{expect -c 'log_user 1; spawn -noecho sh -c {$sees}; expect eof'},
    perl   => q[perl -MIO::Pty -e 'my $pty = IO::Pty->new or die; if (!fork) {
        $pty->make_slave_controlling_terminal; my $slave = $pty->slave; close $pty;
        open STDOUT, ">&", $slave or die; open STDIN, "<&", $slave or die;
        exec "sh", "-c", "] . $sees . q[" } $pty->close_slave; print while <$pty>; wait'],
    tmux => qq{tmux -L x -f /dev/null new -d '($sees) >\$HOME/tmux 2>&1; sleep 60' 2>&1
        i=0; until grep -sq . \$HOME/tmux && [ \$i -gt 1 ] || [ \$i = 100 ]; do sleep 0.1; i=\$((i+1)); done
        cat \$HOME/tmux; tmux -L x kill-server},
    # A shell with job control, which moves its terminal between process groups.
    jobs => q{script -qec 'bash -ic "sleep 100 & kill %1; fg; stty size; tty; : >/dev/tty && echo controls"' /dev/null
        </dev/null 2>&1 | grep -E 'pts|controls'},
    # As ssh asks for a password: on /dev/tty, whatever stdin is.
    asks => q{expect -c 'log_user 0; spawn sh -c {printf "Password: " >/dev/tty; read x </dev/tty;
        tty >/dev/null; tty; echo got $x; echo controls}; expect Password:; send "secret\r"; expect controls;
        puts $expect_out(buffer)'},
);
my %needs = (
    python => 'python3', script => 'script', expect => 'expect', tmux => 'tmux', asks => 'expect',
    jobs   => 'bash');

$alice->script($_, "$header$program{$_}\n") for sort keys %program;
$_->script('list', $header . <<'END') for $alice, $bob;
ls /dev/pts; ls -l /dev/ptmx | sed 's/.* -> //'; stat -f -c %T /dev/pts
END
# Holds a terminal until the file is there, and lists those of its jail.
$_->script('hold', $header . <<'END') for $alice, $bob;
exec python3 -c '
import os, time
master, slave = os.openpty()
print(os.ttyname(slave), oct(os.fstat(slave).st_mode & 0o7777), os.fstat(slave).st_uid == os.getuid(), flush=True)
while not os.path.exists(os.environ["HOME"] + "/go"): time.sleep(0.05)
print(*sorted(os.listdir("/dev/pts")))
'
END
$alice->script('many', $header . <<'END');
exec python3 -c '
import os
n = 0
try:
    while n < 5000: os.openpty(); n += 1
except OSError as e: print(n, e.strerror)
'
END
# Leaves a session behind, with a job in another process group of it.
$alice->script('leaves', $header . <<'END');
python3 -c '
import os, sys, time
for i in range(3):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.setpgid(0, 0)
        sys.stdout.flush()
        os.close(0); os.close(1); os.close(2)
        time.sleep(600)
time.sleep(0.2)
'
echo left
END
$alice->script('busy', $header . <<'END');
exec python3 -c '
import os
done = 0
for i in range(300):
    pid = os.fork()
    if pid == 0:
        try: os.setsid()
        except OSError: os._exit(1)
        os._exit(0)
    done += os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
print(done)
'
END

$alice->directory('/proc', uid => 0, gid => 0);
my @built = ('JailMount ro /usr', 'JailMount proc');

sub vhost {
    my ($tenant, $name, $root, @lines) = @_;
    my %of_machine = $root eq 'host' || $root eq 'none' ? (root => $root, user => $tenant->name) : ();
    return $tenant->vhost(join("\n    ", @lines), name => $name, %of_machine);
}

my $httpd = httpd(
    vhosts => [
        vhost($alice, 'host',    'host'),
        vhost($alice, 'host-2',  'host', 'JailMount pty max=3'),
        vhost($alice, 'pair',    'host', 'JailMount bind /dev/pts', 'JailMount bind /dev/ptmx'),
        vhost($alice, 'dev',     'host', 'JailMount dev'),
        vhost($bob,   'bob',     'host'),
        vhost($alice, 'built',   'path', @built, 'JailMount pty'),
        vhost($alice, 'built-3', 'path', @built, 'JailMount pty max=3', 'JailMount dev'),
        vhost($alice, 'bare',    'path', @built),
        vhost($alice, 'none',    'none', 'JailMount pty max=3'),
        vhost($alice, 'no-pid',  'host', 'JailNamespaces mount'),
        vhost($alice, 'allowed', 'host', 'JailNamespaces mount', 'JailBackground allow'),
        vhost($alice, 'unmounted', 'none', 'JailNamespaces none', 'JailMount pty'),
    ],
    config => 'Timeout 60',
);

sub says {
    my ($host, $name) = @_;
    my $res = $httpd->get($host, "/cgi-bin/$name");
    is($res->code, 200, "$host: $name answers") or diag($httpd->log($host));
    return $res->content =~ tr/\r//dr;
}

# --- programs
for my $name (sort keys %program) {
    my $needed = $needs{$name};
    SKIP: {
        if ($needed ? !grep { -x "$_/$needed" } '/usr/bin', '/bin' : system('perl -MIO::Pty -e1 2>&-')) {
            skip_or_fail("$name is not installed", 8);
        }
        for my $host (qw(host built none allowed)) {
            my $page = says($host, $name);
            like($page, qr{^/dev/pts/\d+\n(?:.*\n)?controls$}m, "$host: $name has a terminal")
              or diag($page, $httpd->log($host));
        }
    }
}

# --- whose they are
for my $host (qw(host built none pair)) {
    like(says($host, 'list'), qr/^(?:ptmx\n)(?:\S*ptmx\n|.*\n)devpts$/m, "$host: a devpts with no terminal");
}
unlike(says('bare', 'list'), qr/devpts/, 'control: a root without JailMount pty');
unlike(says('dev',  'list'), qr/devpts/, 'JailMount dev: a /dev without');

my %holds;
for (['host', $alice], ['bob', $bob]) {
    my ($host, $tenant) = @$_;
    $holds{$host} = JailCGI::Client->new($httpd);
    $holds{$host}->send_request('GET', $host, '/cgi-bin/hold');
    ok($holds{$host}->wait_for(qr{^/dev/pts/0 0o600 True$}m), "$host: a terminal, the user's alone")
      or diag($httpd->log($host));
}
my @machine = grep { !/ptmx$/ } glob '/dev/pts/*';
$_->replace($_->jail_home . '/go', '') for $alice, $bob;
like($holds{$_}->response->{body}, qr/^0 ptmx$/m, "$_: and no jail sees another's") for sort keys %holds;
is_deeply([grep { !/ptmx$/ } glob '/dev/pts/*'], \@machine, 'nor the machine');
unlink home_of($_) . '/go' for $alice, $bob;

# --- how many
like(says('host', 'many'), qr/^64 No space left/, 'there is a maximum by default');
like(says($_, 'many'), qr/^3 No space left/, "$_: and one of its own") for qw(host-2 built-3 none);

# --- sessions end with their request
for my $host (qw(host built)) {
    my $started = says($host, 'leaves');
    is($started, "left\n", "$host: sessions were made");
    $httpd->log_like($host, qr/JCGI1718/, "$host: they are ended with the request");
    ok(wait_until(sub { !grep { sleeps($_) } JailCGI::Process::processes_of_uid($alice->uid) }, 20),
        "$host: none of them is left");
    $httpd->log_unlike($host, qr/JCGI1719/, "$host: no call was refused");
}
is(says('host', 'busy'), "256\n", 'a request makes so many');
$httpd->log_like('host', qr/JCGI1719: .*setsid/, 'and the log says that another was refused');
is(says('host', 'busy'), "256\n", 'the next one as many');

# --- what does not suit
is($httpd->get('unmounted', '/cgi-bin/list')->code, 503, 'without a mount namespace nothing runs');
$httpd->log_like('unmounted', qr/JCGI1013: .*JailNamespaces without mount/, 'and the log says why');
is(says('no-pid', 'busy'), "0\n", 'without a PID namespace no sessions');
$httpd->log_like('no-pid', qr/JCGI1719: .*setsid/, 'and the log says so');
done_testing;
