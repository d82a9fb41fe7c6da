# The remedies of what the helper refuses (13xx), and of what keeps a request from reaching it
# (1206, 1207). See t/httpd/remedies.t. Codes of cgroups are in t/vm/guest/cgroup.

use lib 't/lib';
use JailCGI::Test;
use JailCGI::Client;
use JailCGI::Remedy qw(remedy_holds remedies_hold healed one_child);
use JailCGI::Process qw(descriptors);
use JailCGI::Watch qw(keepers_of scripts_of);

my $alice = tenant('alice');
my ($root, $cgi, $uid, $gid) = ($alice->root, $alice->cgi_bin, $alice->uid, $alice->gid);
my $body = "printf 'Content-Type: text/plain\\n\\nran\\n'\n";
my $ok   = "#!/bin/sh\n$body";
my $home = $root . $alice->jail_home;
$alice->script('t.sh', $ok);
my @path = (path => '/cgi-bin/t.sh');

# --- a queue that is full -----------------------------------------------------------------

# Requests whose answers nobody waits for, until the line comes.
sub flood {
    my ($httpd, $host, $code) = @_;
    my @clients;
    for my $round (1 .. 300) {
        push @clients, map { JailCGI::Client->new($httpd)->send_request('GET', $host, '/cgi-bin/t.sh') } 1 .. 50;
        Time::HiRes::sleep(0.1);
        return \@clients if $httpd->log($host) =~ /JCGI$code/;
    }
    return;
}

# While the process is stopped, its queue fills.
sub stopped_row {
    my ($name, $code, $status, $remedy, $host, $of) = @_;
    my $httpd = httpd(vhosts => [[$alice, 'Timeout 1']], config => "KeepAlive Off\n");
    is($httpd->get('alice', '/cgi-bin/t.sh')->code, 200, "JCGI$code, $name: before");
    my ($pid, $clients) = $of->($httpd);
    remedy_holds($httpd, name => $name, code => $code, host => $host, @path, status => $status, remedy => $remedy,
        ask => sub {
            kill 'STOP', $pid;
            $clients = flood($httpd, $host, $code);
            return $clients ? $httpd->get($host, '/cgi-bin/t.sh')->code : 'no line';
        },
        by => sub { kill 'CONT', $pid; $_->close for @{ $clients || [] }; return 1 });
    $httpd->stop;
    return;
}
stopped_row('the helper does not run', 1207, 503, qr/^the machine is overloaded, or jailcgi-helper does not run/, 'alice',
    sub { return $_[0]->helper_pid });
stopped_row('the keeper does not run', 1304, 503, qr/^the site is overloaded: find out which client asks so often/, 'alice',
    sub { return (keepers_of($alice))[0] });

# --- too few descriptors in httpd ------------------------------------------------------------

my $few = httpd(vhosts => [[$alice, '']], config => one_child());
is($few->get('alice', '/cgi-bin/t.sh')->code, 200, 'JCGI1206: before');
sub set_limit {
    my ($number) = @_;
    my @as = qw(--reuid nobody --regid nogroup --clear-groups);
    return !grep { system('setpriv', @as, 'prlimit', '--pid', $_, "--nofile=$number:") != 0 } $few->children('apache2');
}
remedy_holds($few, name => 'descriptors', code => 1206, host => 'alice', @path, status => 503, says => qr/Too many open files/,
    remedy => qr/^raise LimitNOFILE of Apache's service/,
    ask => sub {
        my ($child) = $few->children('apache2');
        my ($highest) = sort { $b <=> $a } map { m{(\d+)\z} } glob "/proc/$child/fd/*";
        for my $number (reverse 10 .. $highest + 10) {
            set_limit($number) or die 'prlimit';
            my $code = $few->get('alice', '/cgi-bin/t.sh')->code;
            return $code if $few->log('alice') =~ /JCGI1206/;
        }
        return 'no line';
    },
    by => sub { return set_limit(1000) });
$few->stop;

# --- too many jails, or scripts in one ----------------------------------------------------------

my ($bob, $carol) = map { tenant($_) } qw(bob carol);
$_->script('t.sh', $ok) for $bob, $carol;
$bob->script('long.sh', "#!/bin/sh\n: >../begun\nexec sleep 300\n");
my @jails = map { [$alice, "JailEnv NUMBER $_", name => "jail$_"] } 1 .. 65;
my $owners = JailCGI::Test::tenant('owners');
my %owned = (
    root       => [0, 0], 'root-group' => [$uid, 0], 'low-uid' => [5, $gid], 'low-gid' => [$uid, 60],
    'web-user' => [(getpwnam 'nobody')[2], $gid], 'high-uid' => [61_900, $gid], 'high-gid' => [$uid, 61_900],
);
for my $name (keys %owned) {
    my ($u, $g) = @{ $owned{$name} };
    $owners->directory($owners->jail_cgi_bin, uid => 0, gid => 0);
    $owners->directory($owners->jail_home, uid => 0, gid => 0);
    $owners->script("$name.sh", $ok, uid => $u, gid => $g);
}
sub vhosts {
    my ($concurrency, @lines) = @_;
    return [@jails, [$bob, $concurrency], [$bob, "$concurrency\nJailEnv WAITS 1", name => 'waits'],
        [$owners, "JailUser owner\nJailMaxUID 61899\nJailMaxGID 61899"]];
}
my $httpd = httpd(vhosts => vhosts('JailConcurrency 1 queue=0'), config => 'JailIdle 5min');
for my $name (sort keys %owned) {
    remedy_holds($httpd, name => $name, code => 1306, host => 'owners', path => "/cgi-bin/$name.sh",
        remedy => qr/^chown it to the site's user, and to a group of the site's own .* JailMinUID, JailMaxUID, JailMinGID and JailMaxGID set the bounds/,
        by => sub { return chown $uid, $gid, $owners->cgi_bin . "/$name.sh" });
}

is($httpd->get("jail$_", '/cgi-bin/t.sh')->code, 200, "JCGI1305: jail $_") for 1 .. 63;
$httpd->get('jail64', '/cgi-bin/t.sh');
remedies_hold($httpd, sub { $httpd->regenerate(config => 'JailIdle 300ms') },
    { name => 'too many jails', code => 1305, host => 'jail65', @path, status => 503, remedy => qr/^lower JailIdle/,
        says => qr/found 64, expected at most 64/, by => sub { return 1 } });

my $runs = JailCGI::Client->new($httpd)->send_request('GET', $bob, '/cgi-bin/long.sh');
my $begun = $bob->root . $bob->jail_home . '/begun';
ok(wait_until(sub { -e $begun }, 30), 'JCGI1308: one script runs');
my @full = (code => 1308, host => 'bob', @path, status => 503, remedy => qr/^make them faster, or raise JailConcurrency \(scripts, queue or wait\)$/);
remedy_holds($httpd, name => 'the queue is full', @full, says => qr/found 1 running and the queue of 0 full, expected at most 1/,
    by => sub { return kill 'KILL', scripts_of($bob) });
for ([queue => 'JailConcurrency 1 queue=0', 'the queue of 0 full'], [wait => 'JailConcurrency 1 queue=1 wait=200ms', 'no place free within 200 ms']) {
    my ($name, $line, $says) = @$_;
    $httpd->regenerate(vhosts => vhosts($line));
    unlink $begun;
    $runs = JailCGI::Client->new($httpd)->send_request('GET', $bob, '/cgi-bin/long.sh');
    ok(wait_until(sub { -e $begun }, 30), "JCGI1308, $name: one script runs");
    remedies_hold($httpd, sub { $httpd->graceful(vhosts => vhosts('JailConcurrency 2 queue=1 wait=20s')) },
        { name => $name, @full, says => qr/$says/, by => healed('JailConcurrency') });
    kill 'KILL', scripts_of($bob);
}
$httpd->stop;

# --- a helper that may not make namespaces ---------------------------------------------------------

my $bound = work_dir() . '/bound-helper';
open my $fh, '>', $bound or die "$bound: $!";
print {$fh} "#!/bin/sh\nexec setpriv --bounding-set=-sys_admin " . JailCGI::Test::run_dir() . "/lib/jailcgi-helper \"\$@\"\n";
close $fh or die "$bound: $!";
chmod 0755, $bound or die "$bound: $!";
my $bounded = httpd(vhosts => [[$alice, '']], config => "JailHelper $bound");
my $namespaces = qr/^the helper needs CAP_SYS_ADMIN; RestrictNamespaces= .* must allow .*, or set JailNamespaces none/;
my @row = (code => 1307, host => 'alice', @path, status => 503, remedy => $namespaces);
remedies_hold($bounded, sub { $bounded->stop; $bounded->take(config => ''); $bounded->start },
    { name => 'the capability', @row, by => sub { return $_[0] =~ /CAP_SYS_ADMIN/ } });
$bounded->stop;
done_testing;
