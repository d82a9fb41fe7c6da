# ScriptLog in a directory of the tenant's, as control panels have it: whatever he puts
# in its place and however he holds it, no request waits for it, nothing but an ordinary
# file is written to, and what is left out is said in the site's error log.
# MPM: event, worker, prefork

use lib 't/lib';
use JailCGI::Test;

use Fcntl qw(:flock :mode O_RDONLY O_NONBLOCK);
use IO::Socket::UNIX ();
use POSIX ();
use Time::HiRes 'time';

use constant { F_SETLEASE => 1024, F_WRLCK => 1, F_UNLCK => 2, WORKERS => 25 };

my $alice = tenant('alice');
my $bob   = tenant('bob');
$_->script('fails.sh', "#!/bin/sh\necho this is no header\n") for $alice, $bob;
$bob->script('well.sh', "#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\nwell\\n'\n");
my ($web_uid, $web_gid) = (getpwnam('nobody'))[2, 3];

# Each host has its own log, in a directory that the tenant and the web user may write.
my @kinds = qw(new ordinary readable lock-sh lock-ex lease fifo read-fifo directory socket link
  dangling link-to-device link-above roots-link hard-link unlinked full nearly closed hidden);
my %dir = map { $_ => $alice->directory("/logs/$_", gid => $web_gid, mode => 0775) } @kinds;
my %log = map { $_ => "$dir{$_}/script.log" } @kinds;

sub log_of { return JailCGI::Httpd::slurp($log{ $_[0] }) }

sub put {
    my ($path, $text, %option) = @_;
    open my $fh, '>', $path or die "$path: $!";
    print {$fh} $text;
    close $fh or die "$path: $!";
    chown $option{uid} // $web_uid, $option{gid} // $web_gid, $path or die;
    chmod $option{mode} // 0644, $path or die;
    return $path;
}

my $victim = put($alice->directory('/victim', uid => $web_uid) . '/script.log', "another's\n");
put($log{$_}, "before\n") for qw(ordinary lock-sh lock-ex lease);
put($log{readable}, '', mode => 0664);
put($log{full},     'x' x 5001);
put($log{nearly},   'x' x 4990 . "before it\n");
put($log{closed}, '', uid => 0, mode => 0600);
POSIX::mkfifo($log{$_}, 0666) or die for qw(fifo read-fifo);
chmod 0666, $log{$_} or die for qw(fifo read-fifo);
mkdir $log{directory} or die;
my $socket = IO::Socket::UNIX->new(Local => $log{socket}, Listen => 1) or die;
chmod 0777, $log{directory}, $log{socket};
symlink $victim, $log{link} or die;
symlink "$dir{dangling}/made", $log{dangling} or die;
symlink '/dev/null', $log{'link-to-device'} or die;
link $victim, $log{'hard-link'} or die;
# The directory itself is a link: the tenant's own, and one that root made.
for my $kind (qw(link-above roots-link)) {
    rmdir $dir{$kind} or die;
    symlink $alice->root . ($kind eq 'roots-link' ? '/logs/new-home' : '/victim'), $dir{$kind} or die;
}
my $new_home = $alice->directory('/logs/new-home', gid => $web_gid, mode => 0775);
system('chown', '-h', $alice->uid, $dir{'link-above'}) == 0 or die;
chmod 0700, $dir{hidden};

my $httpd = httpd(
    config => <<"END",
MaxRequestWorkers @{[WORKERS]}
<IfModule mpm_prefork_module>
    StartServers @{[WORKERS]}
    MaxSpareServers @{[WORKERS]}
</IfModule>
END
    vhosts => [
        $bob->vhost("ScriptLog $log{'lock-ex'}", name => 'bob'),
        $alice->vhost('ScriptLog /dev/null', name => 'device'),
        map { $alice->vhost("ScriptLog $log{$_}\n    ScriptLogLength 5000", name => $_) } @kinds
    ],
);

# A request that fails; it has to be answered at once.
sub fails {
    my ($host) = @_;
    my $start = time;
    my $got   = $httpd->raw(
        "GET /cgi-bin/fails.sh HTTP/1.0\r\nHost: $host\r\nX-Mark: m\r\n\r\n", 10);
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    like($got // "none in 10 s\n", qr{^HTTP/1\.1 500 }, "$host: is answered");
    return time - $start;
}

my $entry = qr{^%% \[.*\] GET /cgi-bin/fails\.sh HTTP/1\.0\n%% 500 .*\n%error\nJCGI1705: .*\n%request\n(?:.*\n)*?X-Mark: m\n}m;

# --- an ordinary file -------------------------------------------------------

fails('new');
like(log_of('new'), qr/\A$entry/, 'a new log has the entry');
my @stat = stat $log{new};
is(sprintf('%o', $stat[2] & 07777), '600', 'and is closed to others: it has their cookies');
is($stat[4], $web_uid, 'it is the web user\'s');
for my $host (qw(ordinary readable)) {
    fails($host) for 1 .. 2;
    is(scalar(() = log_of($host) =~ /$entry/g), 2, "$host: one that exists has both entries");
}
like(log_of('ordinary'), qr/\Abefore\n/, 'behind what was there');
is(sprintf('%o', (stat $log{readable})[2] & 07777), '664', 'and keeps its mode');
$httpd->log_unlike($_, qr/ScriptLog/, "$_: nothing to complain of") for qw(new ordinary readable);

# --- however it is held -----------------------------------------------------

for my $case (['lock-sh', LOCK_SH], ['lock-ex', LOCK_EX]) {
    my ($host, $how) = @$case;
    open my $held, '<', $log{$host} or die;
    flock $held, $how or die "flock: $!";
    open my $other, '<', $log{$host} or die;
    ok(!flock($other, LOCK_EX | LOCK_NB), "$host: control: who asks for the lock would wait");

    # More than there are workers, all at once.
    my @sockets = map { $httpd->connect or die } 1 .. 60;
    for my $s (@sockets) {
        print {$s} "GET /cgi-bin/fails.sh HTTP/1.0\r\nHost: $host\r\nX-Mark: m\r\n\r\n";
        $s->flush;
    }
    is($httpd->get('bob', '/cgi-bin/well.sh')->content, "well\n", "$host: another tenant is answered");
    my $answered = 0;
    while (my $s = shift @sockets) {
        $answered++ if (JailCGI::Httpd::read_all($s, 30) // '') =~ / 500 /;
    }
    is($answered, 60, "$host: and so are all 60");
    like(log_of($host), qr/$entry/, "$host: the entries are written all the same");
    cmp_ok(-s $log{$host}, '<=', 5000 + WORKERS * 1000, "$host: the length is kept but for an entry each");
}

{
    local $SIG{IO} = 'IGNORE';
    open my $held, '>>', $log{lease} or die;
    ok(fcntl($held, F_SETLEASE, F_WRLCK), 'a lease') or diag($!);
    cmp_ok(fails('lease'), '<', 8, 'a lease is not waited for');
    is(-s $log{lease}, length "before\n", 'control: it was held');
    fcntl($held, F_SETLEASE, F_UNLCK);
    $httpd->log_like('lease', qr/ScriptLog \Q$log{lease}\E: entries are left out: its owner holds a lease/,
        'and the log says so');
}

# --- whatever is in its place -----------------------------------------------

sysopen my $reader, $log{'read-fifo'}, O_RDONLY | O_NONBLOCK or die;
my %wrong = (
    'fifo'           => qr/not a regular file/,
    'read-fifo'      => qr/not a regular file/,
    'directory'      => qr/not a regular file/,
    'socket'         => qr/not a regular file/,
    'device'         => qr/not a regular file; remedy: remove it, or remove the ScriptLog line/,
    'link'           => qr/symbolic link/,
    'dangling'       => qr/symbolic link/,
    'link-to-device' => qr/symbolic link/,
    'link-above'     => qr/symbolic link/,
    'hard-link'      => qr/another name/,
    'full'           => qr/longer than ScriptLogLength/,
    'closed'         => qr/Permission denied; remedy: let httpd's User write/,
    'hidden'         => qr/Permission denied; remedy: let httpd's User write/,
);
for my $host (sort keys %wrong) {
    fails($host) for 1 .. 5;
    $httpd->log_like($host, qr/ScriptLog \S+: entries are left out: .*$wrong{$host}/,
        "$host: the log says why");
    my $said = () = $httpd->log($host) =~ /entries are left out/g;
    cmp_ok($said, '<=', mpm() eq 'prefork' ? 5 : 2, "$host: not for each request");
}
is(JailCGI::Httpd::slurp($victim), "another's\n", 'what the links lead to is untouched');
is(sysread($reader, my $got, 1), 0, 'nothing came through the FIFO');
ok(!-e "$dir{dangling}/made", 'nothing was made through the dangling link');
is(-s $log{full}, 5001, 'the full one is as it was');

# As mod_cgi does: the size before the entry decides.
fails('nearly') for 1 .. 3;
like(log_of('nearly'), qr/\Ax+before it\n$entry/, 'one that is not yet too long has an entry');
is(scalar(() = log_of('nearly') =~ /$entry/g), 1, 'and no other after it');

fails('roots-link');
like(JailCGI::Httpd::slurp("$new_home/script.log"), qr/$entry/, 'a directory that root has linked');

# Control: the same victim by its own name is written to.
chmod 0777, $dir{unlinked};
rename $victim, $log{unlinked} or die;
unlink $log{'hard-link'};
fails('unlinked');
like(log_of('unlinked'), qr/\Aanother's\n$entry/, 'control: it could have been written to');

is($httpd->get('bob', '/cgi-bin/well.sh')->content, "well\n", 'and all workers are free');
done_testing;
