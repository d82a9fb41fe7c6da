# JailUser owner with JailRoot host, as two lines of the server configuration: each script
# has the home, the names and the groups of its owner, and nothing of another user's.

use lib 't/lib';
use JailCGI::Test;
use JailCGI::Namespace;
use JailCGI::Remedy qw(remedy_holds directive);

private_mounts() or skip_or_fail('no private mounts here');

my ($alice, $bob, $carol) = map { tenant($_) } qw(alice bob carol);
my $group = 'jailcgi-editors';
my @lines = ("$group:x:61900:@{[$alice->name]},nobody");
make_accounts($alice, $bob, @lines);

# Carol has no account; her directory is shown by a JailMount line.
for my $tenant ($alice, $bob, $carol) {
    my %script = (
        id     => 'id -u; id -g; id -G; id -un 2>&1; id -Gn 2>&1',
        files  => 'cat /etc/passwd /etc/group',
        homes  => "ls ${\work_dir()} 2>/dev/null; ls /home",
        home   => 'echo "$HOME"; cd "$HOME" && echo mine >note && cat note && pwd',
    );
    $tenant->script("$_.sh", "#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\n'\n$script{$_}\n")
      for keys %script;
}

my %vhost = map { $_->name => $_->vhost('', root => '', user => '') } $alice, $bob;
my $of_carol = $carol->vhost("JailMount bind ${\home_of($carol)}", root => '', user => '');
my @homes = map { $alice->vhost($_->[1], name => $_->[0], root => $_->[2] // '', user => '') }
  ['home', 'JailMount home'], ['home-line', "JailMount tmpfs /scratch\n    JailMount home"],
  ['home-path', 'JailMount home', $alice->root], ['home-none', 'JailMount home', 'none'],
  ['home-ro', 'JailMount home ro'], ['home-slave', 'JailMount home slave'];
my $lines    = "JailRoot host\nJailUser owner\n";
my $httpd    = httpd(config => $lines, vhosts => [$vhost{alice}, $vhost{bob}, $of_carol, @homes]);

sub says {
    my ($tenant, $name) = @_;
    my $res = $httpd->get($tenant, "/cgi-bin/$name.sh");
    is($res->code, 200, $tenant->name . ": $name answers") or diag($httpd->log($tenant));
    return $res->content;
}

sub files_of {
    my ($name, $uid, $gid, $home, @more) = @_;
    return join '', map { "$_\n" } 'root:x:0:0:root:/:/usr/sbin/nologin',
      "$name:x:$uid:$gid\::$home:/bin/sh", 'root:x:0:', "$name:x:$gid:", @more;
}

for my $tenant ($alice, $bob) {
    my ($name, $uid, $gid, $home) = ($tenant->name, $tenant->uid, $tenant->gid, home_of($tenant));
    my @more = $name eq 'alice' ? (61900, $group) : ();
    is(says($tenant, 'id'), join("\n", $uid, $gid, "@{[$gid, grep { /\d/ } @more]}", $name,
            "@{[$name, grep { /\D/ } @more]}") . "\n", "$name: ids, groups and their names");
    is(says($tenant, 'files'), files_of($name, $uid, $gid, $home, @more ? "$group:x:61900:$name" : ()),
        "$name: nobody else has a name");
    is(says($tenant, 'homes'), "$name\n", "$name: one home");
    is(says($tenant, 'home'), "$home\nmine\n$home\n", "$name: can be written to");
    is((stat "$home/note")[4], $uid, "$name: and is the real one");
}
my ($uid, $gid) = ($carol->uid, $carol->gid);
is(says($carol, 'id'), "$uid\n$gid\n$gid\n$uid\n$gid\n", 'without an account: the numbers are names');
is(says($carol, 'files'), files_of($uid, $uid, $gid, '/') =~ s/^$uid:x:$gid:$/$gid:x:$gid:/mr,
    'in both files');
is(says($carol, 'homes'), "carol\n", 'and no home');

# --- JailMount home: the account has it, with JailRoot host, as it is

for my $host (qw(home home-line)) {
    is($httpd->get($host, '/cgi-bin/homes.sh')->content, "alice\n", "$host: one home");
    is($httpd->get($host, '/cgi-bin/home.sh')->content, "${\home_of($alice)}\nmine\n${\home_of($alice)}\n",
        "$host: can be written to");
}
for my $host (qw(home-path home-none)) {
    remedy_holds($httpd, name => $host, code => 1014, status => 503, host => $host, path => '/cgi-bin/id.sh',
        remedy => qr/with JailUser owner, set JailRoot host/, by => directive('JailRoot host'),
        at => ['home', '/cgi-bin/id.sh']);
}
for my $host (qw(home-ro home-slave)) {
    is($httpd->get($host, '/cgi-bin/id.sh')->code, 503, "$host: refused");
    $httpd->log_like($host, qr/JCGI1014: .*JailUser owner, expected .*home without ro or slave/,
        "$host: and the log says which");
}

# --- a new account, and a changed one

sub keepers {
    return grep { process_status($_)->{Name} eq 'jailcgi-keeper' } descendants($httpd->helper_pid);
}
my %before = map { $_ => 1 } keepers();
make_accounts($carol);
$httpd->regenerate;
says($_, 'id') for $alice, $bob;
is_deeply([grep { !$before{$_} } keepers()], [], 'a new account leaves the jails of others as they are');
like(says($carol, 'files'), qr/^carol:x:$uid:$gid:/m, 'and is found after a reload');

make_accounts("jailcgi-more:x:61901:@{[$bob->name]}");
$httpd->regenerate;
like(says($bob, 'id'), qr/^bob jailcgi-more$/m, 'so is a new group');

# --- root's group

make_accounts("root:x:0:@{[$bob->name]}");
$httpd->regenerate;
my $res = $httpd->get($bob, '/cgi-bin/id.sh');
is($res->code, 503, 'a member of root\'s group runs nothing');
$httpd->log_like($bob, qr/JCGI1016: .*member of root's group.*found uid @{[$bob->uid]}/, 'and the log says why');
says($alice, 'id');
done_testing;
