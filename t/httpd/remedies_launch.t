# The remedies of codes that need more than a wrong file: a file that changes while a request is
# on its way, a keeper that has too little of something, a file system or a limit that does not let
# a program start, and a request or a path that is too long. See t/httpd/remedies.t.

use lib 't/lib';
use JailCGI::Test;
use JailCGI::Namespace;
use JailCGI::Client;
use JailCGI::Remedy qw(remedy_holds remedies_hold command_in healed one_child);
use JailCGI::Source qw(read_file);
use JailCGI::Watch qw(keepers_of scripts_of waiting_in);

private_mounts() or skip_or_fail('no private mounts here');

my $alice = tenant('alice');
my ($root, $cgi, $uid, $gid) = ($alice->root, $alice->jail_cgi_bin, $alice->uid, $alice->gid);
my $body  = "printf 'Content-Type: text/plain\\n\\nran\\n'\n";
my $ok    = "#!/bin/sh\n$body";
my $other = tenant('other');

# --- hosts whose lines are wrong, and after the reload those of the remedy ---------------

my (@hosts, @rows);

sub host_row {
    my ($name, $code, $path, $bad, $good, $remedy, %more) = @_;
    my $host = $name =~ s{ }{-}gr;
    push @hosts, [$host, $bad, $good];
    push @rows, { name => $name, code => $code, host => $host, path => $path, remedy => $remedy, by => healed($good), %more };
    return;
}

my $deep = "$cgi/" . join '/', ('d') x 130;
$alice->directory($deep);
$alice->replace("$deep/t.sh", $ok, uid => $uid, gid => $gid, mode => 0755);
$alice->script('t.sh', $ok);
host_row('deep', 1516, '/deep/t.sh', "ScriptAlias /deep/ \"$root$deep/\"", "ScriptAlias /deep/ \"$root$cgi/\"",
    qr/^see the error in parentheses: shorten a path that .* more than 127 directories/, says => qr/\(File name too long\)/,
    by => sub { return 1 });
my $large = join "\n", map { "SetEnv BIG$_ " . 'x' x 95_000 } 1 .. 95;
host_row('variables', 1210, '/cgi-bin/t.sh', $large, 'SetEnv BIG x', qr/^set fewer or shorter variables \(SetEnv, JailEnv\)/,
    status => 413, says => qr/found \d{7} bytes, expected at most 8388608/);
host_row('little memory', 1701, '/cgi-bin/t.sh', 'JailLimit as 4K', 'JailLimit as 1G', qr/or JailLimit as, data or stack is too low/,
    says => qr/SIGSEGV/);
# All programs of the machine begin with a table that says where the rest is.
my $program = read_file('/usr/bin/id');
my $headers = unpack('Q<', substr $program, 32, 8) + 56 * unpack 'v', substr $program, 56, 2;
$alice->script('cut', substr $program, 0, $headers);
host_row('cut', 1609, '/cgi-bin/cut', '', '', qr/the file may be damaged/, says => qr/\(Input\/output error\)/,
    by => sub { return $alice->install(fixture('page_static'), 'cut') });
$alice->script('closed.sh', $ok, uid => 0, gid => 0, mode => 0700);
host_row('closed', 1607, '/cgi-bin/closed.sh', "JailTrust $cgi/closed.sh", "JailTrust $cgi/closed.sh",
    qr/^chmod a\+rx \S+ in the jail if everybody/, says => qr/a mode that does not let/,
    by => command_in($root, qr/chmod a\+rx \S+/));
$alice->directory('/noexec');
mount_at("$root/noexec", '-t', 'tmpfs', '-o', 'noexec,mode=755', 'tmpfs');
$alice->replace('/noexec/t.sh', $ok, uid => $uid, gid => $gid, mode => 0755);
$alice->replace('/noexec/sh', read_file('/bin/sh'), mode => 0755);
symlink '/noexec/t.sh', "$root$cgi/there.sh" or die $!;
$alice->script('by-sh.sh', "#!/noexec/sh\n$body");
my $elsewhere = qr/^put it on a file system that is not mounted noexec$/;
host_row('noexec', 1607, '/noexec/t.sh', "ScriptAlias /noexec/ \"$root/noexec/\"", "ScriptAlias /noexec/ \"$root$cgi/\"",
    $elsewhere, says => qr{execute /noexec/t\.sh .*found a file system that is mounted noexec}, by => sub { return 1 });
host_row('noexec interpreter', 1607, '/cgi-bin/by-sh.sh', '', '', $elsewhere, says => qr{execute /noexec/sh },
    by => sub {
        return $alice->replace('/opt/by/sh', read_file('/bin/sh'), mode => 0755) && $alice->script('by-sh.sh', "#!/opt/by/sh\n$body");
    });
# A page that includes a script.
my $include = "Options +Includes\n    AddOutputFilter INCLUDES .shtml";
$alice->replace($alice->jail_htdocs . '/page.shtml', qq(<!--#include virtual="/cgi-bin/nph-t.sh" -->\n));
$alice->script('nph-t.sh', "#!/bin/sh\nprintf 'HTTP/1.1 200 OK\\r\\n'\n$body");
host_row('included', 1204, '/page.shtml', $include, $include, qr/^rename the script .* and let it print no HTTP status line/,
    status => 200, page => qr/^ran$/m, by => sub {
        $alice->script('renamed.sh', $ok);
        return $alice->replace($alice->jail_htdocs . '/page.shtml', qq(<!--#include virtual="/cgi-bin/renamed.sh" -->\n));
    });

# --- keepers that have too little of something ----------------------------------------------

my $one_child = one_child();
my ($bob, $carol, $erin, $frank) = map { tenant($_) } qw(bob carol erin frank);
$_->script('t.sh', $ok) for $bob, $carol, $erin, $frank;
push @hosts, [$_->name, ($_ == $carol ? 'JailLimit core 4K' : '') x 2, $_] for $bob, $carol, $erin, $frank;
$hosts[-3][2] = 'JailLimit core 0';
$alice->script($_, $ok) for qw(owner.sh replaced.sh);
$alice->directory("$cgi/directory");
$alice->script('directory/t.sh', $ok);
push @hosts, ['owner', 'JailUser owner', 'JailUser owner'], ['directory', 'JailUser owner directory', 'JailUser owner directory'];

sub vhosts {
    my ($is_healed) = @_;
    return [map { [$_->[3] // $alice, $_->[1 + $is_healed], name => $_->[0]] } @hosts];
}
my $httpd = httpd(modules => ['include'], config => "$one_child\nLimitRequestFields 200\nLimitRequestFieldSize 100000", vhosts => vhosts(0));

sub keeper_of {
    my ($tenant) = @_;
    my ($keeper) = keepers_of($tenant);
    return $keeper;
}

# Sets a limit of the tenant's keeper, as the machine could have had it. The tenant does that
# himself, because root may lack CAP_SYS_RESOURCE in a container.
sub limited {
    my ($tenant, $limit) = @_;
    my @as = ('--reuid', $tenant->uid, '--regid', $tenant->gid, '--clear-groups');
    return system('setpriv', @as, 'prlimit', '--pid', keeper_of($tenant), "--$limit") == 0;
}

sub keeper_row {
    my ($tenant, $code, $bad, $remedy, $good, %more) = @_;
    my $host = $tenant->name;
    is($httpd->get($host, '/cgi-bin/t.sh')->code, 200, "JCGI$code, $bad: before") if !keeper_of($tenant);
    limited($tenant, $bad) or die "prlimit $bad";
    remedy_holds($httpd, name => $bad, code => $code, host => $host, path => '/cgi-bin/t.sh', status => 503,
        remedy => $remedy, by => sub { return limited($tenant, $good) }, %more);
    return;
}
keeper_row($bob, 1614, 'nofile=5:', qr/^raise LimitNOFILE of Apache's service/, 'nofile=1000:', says => qr/Too many open files/);

# A script that sends descriptors to itself until the kernel refuses that to its user.
$erin->script('hold.py', <<'END');
#!/usr/bin/python3
import os, socket, time
pairs = [socket.socketpair()]
refused = 0
while refused < 20: # the pipes on their way to httpd count as well, for a moment
    try:
        while True:
            socket.send_fds(pairs[-1][0], [b'x'], [0], socket.MSG_DONTWAIT)
    except BlockingIOError:
        pairs.append(socket.socketpair())
    except OSError:
        refused += 1
        time.sleep(0.05)
open('../held', 'w').write('held')
time.sleep(300)
END
is($httpd->get($erin, '/cgi-bin/t.sh')->code, 200, 'JCGI1614, references: before');
limited($erin, 'nofile=200:') or die 'prlimit';
my $holder = JailCGI::Client->new($httpd)->send_request('GET', $erin, '/cgi-bin/hold.py');
ok(wait_until(sub { -s $root =~ s/alice$/erin/r . $erin->jail_home . '/held' }, 30), 'JCGI1614, references: they are held');
remedy_holds($httpd, name => 'references', code => 1614, host => 'erin', path => '/cgi-bin/t.sh', status => 503,
    says => qr/Too many references/, remedy => qr/find out which of the site's scripts hold so many pipes and descriptors/,
    by => sub { return kill 'KILL', scripts_of($erin) });

# The machine allows less than it did, and the line follows it.
is($httpd->get('carol', '/cgi-bin/t.sh')->code, 200, 'JCGI1613, core: before');
limited($carol, 'core=0:0') or die 'prlimit';
push @rows, { name => 'core', says => qr/JailLimit core, hard limit 4096;/, code => 1613, host => 'carol', path => '/cgi-bin/t.sh', status => 503,
    remedy => qr/^lower that JailLimit, or raise the limit/, by => sub { return 1 } };

# A keeper is killed while its script runs.
$frank->script('long.sh', "#!/bin/sh\n[ -e ../go ] || { : >../begun; exec sleep 300; }\n$body");
my $at_home = $frank->root . $frank->jail_home;
remedy_holds($httpd, name => 'killed', code => 1716, host => 'frank', path => '/cgi-bin/long.sh', status => 503,
    remedy => qr/^see the main error log; check whether the keeper was killed/,
    ask => sub {
        my $client = JailCGI::Client->new($httpd)->send_request('GET', 'frank', '/cgi-bin/long.sh');
        wait_until { -e "$at_home/begun" } 30 or die 'the script has not begun';
        kill 'KILL', keeper_of($frank) or die "kill: $!";
        return $client->response->{code};
    },
    by => sub {
        $frank->replace($frank->jail_home . '/go', '');
        return wait_until { $httpd->log(undef) =~ /keeper.*(?:signal 9|SIGKILL|killed)/ };
    });

# --- files that change while a request is on its way ------------------------------------------

sub meanwhile {
    my ($host, $path, $change) = @_;
    return sub {
        $httpd->get($host, $path)->code == 200 or die "$host, $path: " . $httpd->log($host);
        my @keepers = keepers_of($alice);
        kill 'STOP', @keepers;
        my $client = JailCGI::Client->new($httpd)->send_request('GET', $host, $path);
        my $is_sent = wait_until { grep { waiting_in($_) } @keepers } 30;
        $change->();
        kill 'CONT', @keepers;
        return $is_sent ? $client->response->{code} : 'not sent';
    };
}
sub change_row {
    my ($name, $code, $host, $path, $change, $remedy) = @_;
    remedy_holds($httpd, name => $name, code => $code, host => $host, path => $path, remedy => $remedy,
        ask => meanwhile($host, $path, $change), by => sub { return 1 });
    return;
}
change_row('group of the script', 1511, 'owner', '/cgi-bin/owner.sh', sub { chown $uid, $other->gid, "$root$cgi/owner.sh" }, qr/^try again/);
change_row('group of the directory', 1515, 'directory', '/cgi-bin/directory/t.sh',
    sub { chown $uid, $other->gid, "$root$cgi/directory" }, qr/if it is no link, try again/);
change_row('replaced', 1513, 'cut', '/cgi-bin/replaced.sh', sub {
        rename $alice->script('replacing.sh', $ok), "$root$cgi/replaced.sh" or die $!;
    }, qr/if the file was replaced just now, try again/);

# --- the reload --------------------------------------------------------------------------------

remedies_hold($httpd, sub { $httpd->regenerate(vhosts => vhosts(1)) }, @rows);

# The other half of what JCGI1210 says: httpd itself refuses what a client sends too much of.
my @sent = map { ("X-Large-$_" => 'x' x 95_000) } 1 .. 95;
$httpd->mark('deep');
is($httpd->get('deep', '/cgi-bin/t.sh', @sent)->code, 413, 'JCGI1210, headers of a client');
$httpd->log_like('deep', qr/JCGI1210: .*lower LimitRequestFieldSize or LimitRequestFields/, 'JCGI1210, headers: the remedy');
$httpd->regenerate(config => "$one_child\nLimitRequestFields 200\nLimitRequestFieldSize 8190");
$httpd->mark('deep');
is($httpd->get('deep', '/cgi-bin/t.sh', @sent)->code, 400, 'JCGI1210, headers: and then httpd refuses it');
$httpd->log_unlike('deep', qr/JCGI1210/, 'JCGI1210, headers: before a script is looked for');
done_testing;
