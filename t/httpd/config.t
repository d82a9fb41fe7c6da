# The directives: what is wrong with a line, what a virtual host inherits, who
# its scripts run as, and that one bad site is alone with its trouble.

use lib 't/lib';
use JailCGI::Test;

use File::Path 'make_path';

my $alice = tenant('alice');
my $bob   = tenant('bob');
my %id    = (
    alice => $alice->uid . ' ' . $alice->gid,
    bob   => $bob->uid . ' ' . $bob->gid,
);
my $who = <<'END';
#!/bin/sh
# not to be seen
echo Content-Type: text/plain
echo
echo "$(id -u) $(id -g)"
echo "${LEVEL:-no level} ${LD_BIND_NOW:-lazy} $(ulimit -n)"
END
$_->script('who', $who) for $alice, $bob;

# --- bad values ---------------------------------------------------------------

# line, what its sentence must contain: value, reason, remedy
my @wrong = (
    ['JailRoot relative/path', qr/'relative\/path' is not absolute; give/],
    ['JailRoot /srv/../etc',   qr/'\/srv\/\.\.\/etc' has a component \. or/],
    ['JailRoot /srv/./jail',   qr/has a component/],
    ['JailRoot /',             qr/jails nothing; write JailRoot host/],
    ['JailRoot //',            qr/jails nothing/],
    ['JailRoot /' . 'x/' x 3000, qr/longer than a path/],
    ['JailRoot',               qr/JailRoot takes one argument/],
    ['JailRoot /a /b',         qr/JailRoot takes one argument/],
    ['JailNamespaces',         qr/JailNamespaces: nothing is named; write some of/],
    ['JailNamespaces user',    qr/'user' is not understood; write some of mount/],
    ['JailNamespaces mount none', qr/'none' is not understood/],
    ['JailMount',              qr/'' is not a kind of mount; write bind SOURCE/],
    ['JailUmask 8',            qr/'8' is not an octal number up to 777; write one as 027/],
    ['JailUmask 1000',         qr/'1000' is not an octal number/],
    ['JailUmask -1',           qr/'-1' is not an octal number/],
    ['JailMount overlay /a',   qr/'overlay' is not a kind of mount; write bind/],
    ['JailMount bind',         qr/bind: an absolute path must follow; write/],
    ['JailMount bind a',       qr/bind: an absolute path must follow/],
    ['JailMount bind /a /b /c', qr/bind: '\/c' is not understood after SOURCE TARGET/],
    ['JailMount bind /a/../b', qr/'\/a\/\.\.\/b' has a component \. or/],
    ['JailMount bind /',       qr/'\/' is the whole root/],
    ['JailMount ro /a / ',     qr/'\/' is the whole root/],
    ['JailMount ro /a size=1M', qr/'size=1M' is not understood/],
    ['JailMount tmpfs',        qr/tmpfs: an absolute path must follow/],
    ['JailMount tmpfs /a size=1', qr/'size=1' is not a size from 4096 bytes up/],
    ['JailMount tmpfs /a size=1T', qr/'size=1T' is not a size/],
    ['JailMount tmpfs /a size=99999999999999999G', qr/is not a size/],
    ['JailMount tmpfs /a mode=8', qr/'mode=8' is not an octal mode up to 1777/],
    ['JailMount tmpfs /a mode=4755', qr/is not an octal mode up to 1777/],
    ['JailMount tmpfs /a inodes=1', qr/'inodes=1' is not a number from 2 up/],
    ['JailMount tmpfs /a optional', qr/'optional' is not understood/],
    ['JailMount pty /dev/pts', qr/'\/dev\/pts' is not understood after \/dev\/pts/],
    ['JailMount pty max=0',    qr/'max=0' is not a number of pseudo-terminals from 1 to 4096/],
    ['JailMount pty max=4097', qr/'max=4097' is not a number of pseudo-terminals/],
    ['JailMount tmpfs /a max=4', qr/'max=4' is not understood/],
    ['JailMount proc /proc',   qr/'\/proc' is not understood after \/proc/],
    ['JailMount home rw',      qr/'rw' is not understood/],
    ['JailMount none /a',      qr/'none' is not a kind of mount/],
    ['JailAbort never',        qr/'never' is not understood; write kill, finish, or/],
    ['JailAbort kill max=5',   qr/'kill max=5' is not understood/],
    ['JailAbort finish 5',     qr/'finish 5' is not understood/],
    ['JailAbort finish max=0', qr/'finish max=0' is not understood/],
    ['JailUser ""',            qr/JailUser takes 1-2 arguments/],
    ['JailUser "#12x"',        qr/'#12x' is not # and a number.*"#1001"/],
    ['JailUser "#"',           qr/'#' is not # and a number/],
    ['JailUser "#-5"',         qr/'#-5' is not # and a number/],
    ['JailUser "# 5"',         qr/'# 5' is not # and a number/],
    ['JailUser "#4294967295"', qr/'#4294967295' is not # and a number/],
    ['JailUser "#99999999999999999999"', qr/is not # and a number/],
    ['JailUser games "#x"',    qr/'#x' is not # and a number/],
    ['JailUser owner games',   qr/owner takes no group, but 'games'/],
    ['JailUser a b c',         qr/JailUser takes/],
    ['SuexecUserGroup games',  qr/SuexecUserGroup takes two arguments/],
    ['SuexecUserGroup "#x" games', qr/SuexecUserGroup: '#x' is not #/],
    ['JailMinUID 0',           qr/JailMinUID: '0' is not a number above 0/],
    ['JailMinUID -1',          qr/JailMinUID: '-1' is not a number/],
    ['JailMinUID many',        qr/'many' is not a number.*minimum is usually 1000/],
    ['JailMinGID 0',           qr/JailMinGID: '0' is not a number above 0/],
    ['JailMinGID 10x',         qr/JailMinGID: '10x'/],
    ['JailMinGID 4294967295',  qr/'4294967295' is not a number/],
    ['JailEagerBinding maybe', qr/JailEagerBinding must be On or Off/],
    ['JailEnv NAME',           qr/takes two arguments.*JailEnv TZ/],
    ['JailEnv NAME a b',       qr/takes two arguments/],
    ['JailEnv 1NAME a',        qr/'1NAME' is not the name of a variable/],
    ['JailEnv A=B c',          qr/'A=B' is not the name of a variable/],
    ['JailEnv "" a',           qr/is not the name of a variable/],
    ['JailEnv LD_BIND_NOW 0',  qr/set by JailEagerBinding/],
    ['JailLimit',              qr/pairs of a name and a value/],
    ['JailLimit cpu',          qr/pairs of a name and a value/],
    ['JailLimit cpu 1 as',     qr/pairs of a name and a value/],
    ['JailLimit cups 1',       qr/'cups' is not the name of a limit.*cpu, fsize/],
    ['JailLimit cpu ten',      qr/cpu: 'ten' is neither a number nor unlimited/],
    ['JailLimit cpu -1',       qr/'-1' is neither/],
    ['JailLimit cpu 10K',      qr/'10K' has the suffix of a size, but/],
    ['JailLimit as 1T',        qr/'1T' does not end in K, M, G/],
    ['JailLimit as 99999999999G', qr/too large; write unlimited/],
    ['JailLimit cpu 20:10',    qr/soft limit 20 is above the hard limit 10/],
    ['JailLimit cpu 20:x',     qr/'x' is neither/],
    ['JailLimit cpu unlimited:10', qr/above the hard limit 10/],
    ['JailLimit nice 20',      qr/'20' is not a number from -20/],
    ['JailLimit nice 1:2',     qr/'1:2' is not a number from -20/],
    ['JailLimit nofile unlimited', qr/nofile.*unlimited/],
    ['JailCgroup',             qr/takes limits, as in JailCgroup memory=512M/],
    ['JailCgroup memory',      qr/'memory' is not understood; write NAME=VALUE/],
    ['JailCgroup mem=1G',      qr/'mem=1G' is not understood.*memory, swap, cpu/],
    ['JailCgroup pids=5 none', qr/'none' is not understood/],
    ['JailCgroup memory=much', qr/memory: 'much' is neither a size .* nor max/],
    ['JailCgroup memory=1T',   qr/'1T' is neither a size/],
    ['JailCgroup memory=-1M',  qr/'-1M' is neither a size/],
    ['JailCgroup memory=100K', qr/'100K' is less than a jail itself needs; write 1M/],
    ['JailCgroup memory=99999999999999G', qr/is neither a size/],
    ['JailCgroup swap=1MB',    qr/swap: '1MB' is neither a size/],
    ['JailCgroup cpu=50',      qr/cpu: '50' is neither a share of one processor core/],
    ['JailCgroup cpu=0%',      qr/'0%' is neither a share/],
    ['JailCgroup cpu=100001%', qr/'100001%' is neither a share/],
    ['JailCgroup pids=0',      qr/pids: '0' is neither a number of processes/],
    ['JailCgroup pids=5x',     qr/'5x' is neither a number/],
    ['JailCgroup pids=4194304', qr/'4194304' is neither a number/],
    ['JailCgroup io=10001',    qr/io: '10001' is not a weight from 1 to 10000/],
    ['JailCgroup io=max',      qr/'max' is not a weight/],
    ['JailIdle soon',          qr/'soon' is not a time.*seconds/],
    ['JailIdle 0',             qr/'0' is not a time/],
    ['JailIdle -3',            qr/'-3' is not a time/],
    ['JailIdle 30d',           qr/'30d' is not a time/],
    ['JailTrust',              qr/JailTrust requires at least one argument/],
    ['JailTrust lib/cgi',      qr/'lib\/cgi' is not absolute/],
    ['JailTrust /',            qr/would trust every file/],
    ['JailTrust /usr/../bin',  qr/has a component/],
    ['JailTrustMount',         qr/JailTrustMount requires at least one argument/],
    ['JailTrustMount home',    qr/'home' is not absolute.*findmnt/],
    ['JailTrustMount /a/../b', qr/has a component/],
    ['JailStrict perhaps',     qr/JailStrict must be On or Off/],
    ['JailHelper helper',      qr/'helper' is not absolute/],
);
# Where a line may not stand.
my @misplaced = (
    ["<VirtualHost *:1>\nJailStrict On\n</VirtualHost>", qr/JailStrict/],
    ["<VirtualHost *:1>\nJailHelper /x\n</VirtualHost>", qr/JailHelper/],
    map { ["<Directory /srv>\n$_\n</Directory>", qr/not allowed/] } 'JailRoot none',
    'JailUser games', 'SuexecUserGroup games games', 'JailEnv A b', 'JailTrust /x', 'JailTrustMount /x'
);

# One directory for all of them: only the text is written anew.
my $tried = JailCGI::Test::new_httpd();

sub try_config {
    my (%option) = @_;
    $tried->configure(config => '', vhosts => [], modules => [], %option);
    my $said    = "$tried->{dir}/said";
    my $command = join ' ', $tried->command('-t');
    my $status  = system "$command >$said.out 2>$said.err </dev/null";
    my ($out, $err) = map { JailCGI::Httpd::slurp("$said.$_") } qw(out err);
    return ($status, $err, $out);
}

for my $row (@wrong, @misplaced) {
    my ($lines, $sentence) = @$row;
    my ($status, $err) = try_config(config => "\n$lines");
    my $name = substr $lines =~ s/\n/; /gr, 0, 60;
    isnt($status, 0, "$name: is refused");
    like($err, qr/Syntax error on line \d+ of \S+httpd\.conf:\n/,
        "$name: file and line");
    like($err, $sentence, "$name: says why");
    unlike($err, qr/Syntax OK/, "$name: and not Syntax OK");
}

my ($status, $err, $out) = try_config(
    vhosts => [$alice],
    config => 'JailIdle 1500ms'
);
is_deeply([$status, $err, $out], [0, "Syntax OK\n", ''],
    'a good configuration: Syntax OK on stderr, and nothing else');

# --- who scripts run as -------------------------------------------------------

my @games  = (getpwnam 'games')[2, 3];
my @backup = (getpwnam 'backup')[2, 3];
my %games = (
    own   => tenant('games', uid => $games[0], gid => $games[1]),
    mixed => tenant('games2', uid => $games[0], gid => $backup[1]),
    alice => $alice,
    bob   => $bob,
);
$games{$_}->script('who', $who) for qw(own mixed);
my $low = "JailMinUID 2\nJailMinGID 2\n";
my ($g, $gg) = @games;
my ($a, $b)  = ($alice->uid, $bob->uid);

# directives, whose jail it is (and so who must be seen)
my @named = (
    ["${low}JailUser games",                  'own'],
    ["${low}JailUser \"games\"",              'own'],
    ["${low}JailUser games games",            'own'],
    ["${low}JailUser games backup",           'mixed'],
    ["${low}JailUser games \"#$backup[1]\"",  'mixed'],
    ["${low}JailUser #$g",                    'own'],
    ["${low}JailUser \"#$g\"",                'own'],
    ["${low}JailUser \"#$g\" games",          'own'],
    ["${low}JailUser \"#$g\" \"#$gg\"",       'own'],
    ["${low}SuexecUserGroup games games",     'own'],
    ["${low}SuexecUserGroup games backup",    'mixed'],
    ["${low}SuexecUserGroup \"#$g\" \"#$gg\"", 'own'],
    ["${low}JailUser owner",                  'own'],
    ["${low}JailUser OWNER",                  'mixed', $gg],    # the group of the account
    ["JailMinUID $g\nJailMinGID $gg\nJailUser games", 'own'],
    ["JailUser #$a #$a",                      'alice'],
    ["JailUser #$b #$b\nJailUser #$a #$a",    'alice'],
    ["JailUser #$a #$a\nSuexecUserGroup #$b #$b", 'alice'],
    ["SuexecUserGroup #$b #$b\nJailUser #$a #$a", 'alice'],
    ["JailMinUID $a\nJailMinGID $a\nJailUser #$a #$a", 'alice'],
    ['JailUser owner',                        'alice'],
    ['JailUser owner',                        'bob'],
    ["JailUser owner\nJailUser #$a #$a",      'alice'],
    ["JailUser #$b #$b\nJailUser owner",      'alice'],
);

# directives, code, what was found; 'no root' leaves JailRoot out
my $to_user = qr/remedy: .*JailUser/;
my @refused = (
    ['',                                   1001, qr/neither.*$to_user/],
    ["${low}JailUser nosuchuser",          1002, qr/'nosuchuser', which does not exist.*$to_user/],
    ["SuexecUserGroup nosuchuser games",   1002, qr/'nosuchuser'/],
    ["${low}JailUser games nosuchgroup",   1003, qr/'nosuchgroup', which does not exist.*$to_user/],
    ["SuexecUserGroup games nosuchgroup",  1003, qr/'nosuchgroup'/],
    ['JailUser "#4000000000"',             1003, qr/no group is given/],
    ['JailUser root',                      1004, qr/uid 0/],
    ['JailUser #0 #60',                    1004, qr/uid 0/],
    ["${low}JailUser games root",          1004, qr/gid 0/],
    ["${low}JailUser games #0",            1004, qr/gid 0/],
    ['SuexecUserGroup root root',          1004, qr/uid 0/],
    ["JailMinUID 1\nJailMinGID 1\nJailUser root", 1004, qr/uid 0/],
    ['JailUser games',                     1005, qr/uid $g, expected at least 1000/],
    ["SuexecUserGroup games games",        1005, qr/uid $g/],
    ["JailMinUID " . ($a + 1) . "\nJailUser #$a #$a", 1005, qr/uid $a, expected/],
    ["JailMinUID 2\nJailUser games",       1006, qr/gid $gg, expected at least 1000/],
    ["JailMinGID " . ($a + 1) . "\nJailUser #$a #$a", 1006, qr/gid $a, expected/],
    ["JailUser nobody #$a",                1010, qr/httpd's own User/],
    ["JailUser #65534 #$a",                1010, qr/httpd's own User/],
    ["no root\nJailUser #$a #$a",          1007, qr/remedy: .*JailRoot/],
    ["no root\nJailRoot off\nJailUser #$a #$a", 1008, qr/remedy: load mod_cgid/],
);

sub vhost_of {
    my ($name, $tenant, $lines) = @_;
    my $root = $lines =~ s/^no root\n//;
    return [$tenant, $lines =~ s/^/    /gmr, name => $name, user => '',
        $root ? (root => '') : ()];
}

my (@vhosts, @bad_vhosts);
for my $i (0 .. $#named) {
    push @vhosts, vhost_of("named$i", $games{ $named[$i][1] }, $named[$i][0]);
}
for my $i (0 .. $#refused) {
    push @bad_vhosts, vhost_of("refused$i", $alice, $refused[$i][0]);
}
push @bad_vhosts, [$alice, '', name => 'rootless', root => '/nonexistent/jail'];

my $httpd = httpd(vhosts => [$alice, @vhosts, @bad_vhosts]);

sub seen {
    my ($server, $host) = @_;
    my $res = $server->get($host, '/cgi-bin/who');
    return $res->content if $res->code == 200;
    return $res->code . ' ' . $server->log($host);
}

for my $i (0 .. $#named) {
    my ($lines, $jail, $group) = @{ $named[$i] };
    my $tenant = $games{$jail};
    $group //= $tenant->gid;
    my $name   = join '; ', split /\n/, $lines =~ s/^\Q$low\E//r;
    like(seen($httpd, "named$i"), qr/^@{[$tenant->uid]} $group$/m,
        "$name: $jail");
}

sub is_refused {
    my ($server, $host, $name, $code, $found) = @_;
    $server->mark($_) for $host, undef;
    my $res   = $server->get($host, '/cgi-bin/who');
    my @lines = grep { /JCGI/ } split /\n/, $server->log($host);
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is($res->code, 503, "$name: 503") or diag($res->as_string);
    unlike($res->content, qr/not to be seen|bin.sh/, "$name: no source");
    is(scalar @lines, 1, "$name: one line");
    like($lines[0] // '', qr/JCGI$code: script \S+ not run: .*; remedy: \w/,
        "$name: JCGI$code");
    like($lines[0] // '', $found, "$name: what was found");
    $server->log_unlike(undef, qr/JCGI/, "$name: nothing in the main log");
    return;
}

for my $i (0 .. $#refused) {
    my ($lines, $code, $found) = @{ $refused[$i] };
    my $name = join('; ', split /\n/, $lines) || 'no identity';
    is_refused($httpd, "refused$i", $name, $code, $found);
}
like(seen($httpd, $alice), qr/^$id{alice}$/m, 'a good site beside them runs');

# --- what configtest says of them ---------------------------------------------

($status, $err, $out) = try_config(vhosts => [$alice, @bad_vhosts]);
is($status, 0, 'configtest passes with bad sites');
like($err, qr/^Syntax OK$/m, 'and says Syntax OK on stderr');
is($out, '', 'and nothing on stdout');
for my $i (0 .. $#refused) {
    my ($lines, $code) = @{ $refused[$i] };
    like($err, qr/JCGI$code: virtual host refused$i \(\S+httpd\.conf:\d+\)/,
        "but warns of refused$i: JCGI$code, name, file and line");
}
like($err, qr/JCGI1406: JailRoot \/nonexistent\/jail of virtual host rootless/,
    'and of a missing JailRoot');

for my $bad (@bad_vhosts) {
    my (undef, $lines, %option) = @$bad;
    my ($code) = $err =~ /(JCGI\d+): (?:JailRoot \S+ of )?virtual host $option{name} /;
    ($status, my $strict) =
      try_config(config => 'JailStrict On', vhosts => [$alice, $bad]);
    isnt($status, 0, "JailStrict On, $option{name}: is fatal");
    like($strict, qr/$code: .*JailStrict On/, "JailStrict On, $option{name}: why");
    unlike($strict, qr/Syntax OK/, "JailStrict On, $option{name}: not OK");
}
($status) = try_config(config => 'JailStrict On', vhosts => [$alice, @vhosts]);
is($status, 0, 'JailStrict On lets good sites pass');
ok(!eval { httpd(config => 'JailStrict On', vhosts => [$bad_vhosts[1]]) },
    'JailStrict On: the server does not start');
like($@, qr/JCGI1002.*JailStrict On/, 'and says why');

# --- inheritance ----------------------------------------------------------------

my @inherit = (
    # name, lines, jail, user '' or undef, whose, what the second line says
    ['all',      '',                       $alice, 'alice', qr/^server 1 64$/m],
    ['suexec',   "SuexecUserGroup #$b #$b\nJailRoot " . $bob->root, $bob, 'bob', qr/server/],
    ['jailuser', "JailUser #$b #$b\nJailRoot " . $bob->root, $bob, 'bob', qr/server/],
    ['env',      'JailEnv LEVEL host',     $alice, 'alice', qr/^host 1 64$/m],
    ['env-twice', "JailEnv LEVEL x\nJailEnv LEVEL host2", $alice, 'alice', qr/^host2 /m],
    ['limit',    'JailLimit nofile 50 core 0', $alice, 'alice', qr/ 50$/m],
    ['other-limit', 'JailLimit core 0',    $alice, 'alice', qr/ 64$/m],
    ['lazy',     'JailEagerBinding Off',   $alice, 'alice', qr/^server lazy 64$/m],
);
my $inherited = httpd(
    config => "JailRoot @{[$bob->root]}\nJailRoot @{[$alice->root]}\n"
      . "JailUser #$a #$a\nJailEnv LEVEL server\nJailLimit nofile 64\nJailMinGID 3000",
    vhosts => [
        (map { [$_->[2], $_->[1], name => $_->[0], root => '', user => ''] } @inherit),
        [$alice, "JailMinGID " . ($a + 1), name => 'higher', root => '', user => ''],
        [$alice, 'JailRoot off', name => 'off', root => '', user => ''],
        [$alice, 'JailUser games', name => 'games', root => '', user => ''],
        [$alice, 'JailRoot none', name => 'none', root => '', user => ''],
    ]
);
for my $row (@inherit) {
    my ($name, undef, undef, $whose, $level) = @$row;
    my $seen = seen($inherited, $name);
    like($seen, qr/^$id{$whose}$/m, "inheritance, $name: runs as $whose");
    like($seen, $level, "inheritance, $name: the rest");
}
is_refused($inherited, 'higher', 'a nearer minimum', 1006, qr/at least @{[$a + 1]}/);
is_refused($inherited, 'off', 'JailRoot off under a server with one', 1008, qr/off/);
is_refused($inherited, 'games', 'a nearer user too low', 1005, qr/uid $g/);
like(seen($inherited, 'none'), qr/^$id{alice}$/m, 'JailRoot none runs');
$inherited->stop;

my $suexec = httpd(
    config => "SuexecUserGroup #$b #$b\nJailRoot none",
    vhosts => [
        [$alice, '', name => 'nearer', root => ''],
        [$bob, 'LogLevel info', name => 'further', root => '', user => ''],
    ]
);
like(seen($suexec, 'nearer'), qr/^$id{alice}$/m,
    'the host\'s JailUser wins over the server\'s SuexecUserGroup');
like(seen($suexec, 'further'), qr/^$id{bob}$/m,
    'SuexecUserGroup of the server is inherited');
$suexec->stop;

# --- beside mod_cgi, mod_cgid and mod_suexec ------------------------------------

my $cgi  = mpm() eq 'prefork' ? 'cgi' : 'cgid';
my $both = httpd(
    modules => [$cgi],
    vhosts  => [
        $alice,
        [$alice, 'JailRoot off', name => 'off', root => ''],
        [$alice, '', name => 'unset', root => ''],
        [$alice, 'JailUser nosuchuser', name => 'unknown', user => ''],
        map({ [$alice, $_->[1], name => $_->[0], root => '', user => ''] }
            ['plain', ''], ['limited', 'JailLimit cpu 5'], ['suexec', "SuexecUserGroup #$a #$a"]),
    ]
);
$both->log_like(undef, qr/\b2 hosts have neither JailRoot nor JailUser; .*JailRoot off if/,
    'both are counted');
my @nobody = (getpwnam 'nobody')[2, 3];
like(seen($both, $alice), qr/^$id{alice}$/m, "a jailed host with mod_$cgi");
like(seen($both, 'off'), qr/^@nobody$/m, "JailRoot off: mod_$cgi runs it");
is_refused($both, 'unset', "no JailRoot with mod_$cgi", 1007, qr/JailRoot/);
is_refused($both, 'unknown', "no user with mod_$cgi", 1002, qr/nosuchuser/);
like(seen($both, $_), qr/^@nobody$/m, "$_, neither root nor user: mod_$cgi runs it")
  for qw(plain limited);
is_refused($both, 'suexec', 'SuexecUserGroup without mod_suexec', 1007, qr/JailRoot/);
$both->stop;

# Without either module nobody else runs it.
my $alone = httpd(vhosts => [$alice, [$alice, '', name => 'plain', root => '', user => '']]);
$alone->log_unlike(undef, qr/hosts have neither/, 'no host stays with another module');
is_refused($alone, 'plain', 'neither root nor user', 1007, qr/JailRoot/);
$alone->stop;

# --- SuexecUserGroup where suexec cannot work -------------------------------------

my $stays = 'SuexecUserGroup, JailRoot off';
my $off   = "JailRoot off\n    SuexecUserGroup #$a #$a";
my $suexec_off = qr/virtual host off \(\S+httpd\.conf:\d+\): SuexecUserGroup \#$a \#$a applies to a host that is not jailed \(JailRoot off\), but suEXEC is disabled: \S.*write JailRoot PATH or none/;

# Without mod_suexec the line is ours alone.
($status, $err) = try_config(
    modules => [$cgi],
    vhosts  => [[$alice, $off, name => 'off', root => '', user => '']]
);
isnt($status, 0, "$stays, no mod_suexec: is refused");
like($err, $suexec_off, "$stays, no mod_suexec: says why");
like($err, qr/disabled: mod_suexec is not loaded;/, "$stays, no mod_suexec: names it");

sub beside_suexec {
    my $load = 'LoadModule suexec_module /usr/lib/apache2/modules/mod_suexec.so';
    my $own  = "SuexecUserGroup #$a #$a";
    my @off  = (name => 'off', root => '', user => '');

    # whose line it is, what is loaded, the server's lines, the host, what is said
    my $inherited = qr/virtual host off .*: SuexecUserGroup \#$b \#$b applies to a host that is not/;
    my @rows = (
        ['jailed',            [],           '', [$alice, $own, user => '']],
        ['JailRoot none',     [],           '', [$alice, $own, user => '', root => 'none']],
        ['Suexec On',         [],  'Suexec On', [$alice, $own, user => '']],
        ['off without it',    [],           '', [$alice, '', name => 'off', root => 'off']],
        ['no JailRoot, no mod_cgi', [],     '', [$alice, $own, root => '', user => '']],
        ['off',               [],           '', [$alice, $off, @off], $suexec_off],
        ['off, with Suexec On', [], 'Suexec On', [$alice, $off, @off], $suexec_off],
        ['off, inherited',    [], "SuexecUserGroup #$b #$b\nJailRoot none",
            [$alice, 'JailRoot off', @off], $inherited],
        ['off, inherited, JailUser', [], "SuexecUserGroup #$b #$b\nJailRoot none",
            [$alice, 'JailRoot off', name => 'off', root => ''], $inherited],
        ['no JailRoot',       [$cgi],       '', [$alice, $own, root => '', user => ''],
            qr/virtual host alice .*not jailed \(no JailRoot\).*Missing suexec/],
        ['the main server',   [$cgi], $own, $alice,
            qr/the main server: SuexecUserGroup .*not jailed \(no JailRoot\)/],
        ['Suexec Off',        [], 'Suexec Off', [$alice, $own, user => ''],
            qr/SuexecUserGroup.*Suexec (?:Off|directive is Off)/],
    );
    for my $row (@rows) {
        my ($name, $modules, $config, $vhost, $sentence) = @$row;
        for my $order ('before', 'after') {
            my $test = "mod_suexec loaded $order, $name";
            ($status, $err) = try_config(
                modules => [@$modules, $order eq 'before' ? 'suexec' : ()],
                config  => ($order eq 'after' ? "$load\n" : '') . $config,
                vhosts  => [$vhost]
            );
            if ($sentence) {
                isnt($status, 0, "$test: is refused");
                like($err, $sentence, "$test: says why");
            }
            else {
                is($status, 0, "$test: passes") or diag($err);
            }
        }
    }

    my %hosts = (
        modules => [$cgi, 'suexec'],
        vhosts  => [
            [$alice, $own, user => ''],
            [$bob,   '',   name => 'off', root => 'off', user => ''],
        ]
    );
    my $server = httpd(%hosts);
    for my $when ('at start', 'after a graceful restart', 'after another') {
        $server->graceful if $when ne 'at start';
        like(seen($server, $alice), qr/^$id{alice}$/m,
            "beside mod_suexec, $when: a jailed host");
        like(seen($server, 'off'), qr/^@nobody$/m,
            "beside mod_suexec, $when: mod_$cgi runs the scripts of another");
    }
    unlike($server->log, qr/suEXEC mechanism enabled/,
        'and httpd is not told that there is a suexec');
    $server->stop;
    ok(!eval { httpd(%hosts, vhosts => [[$alice, $off, @off]]) },
        "$stays: the server does not start");
    like($@, $suexec_off, "$stays: and says why");
    return;
}

SKIP: {
    skip 'there is a suexec program', 1 if -e '/usr/lib/apache2/suexec';
    beside_suexec();
}
($status, $err) = try_config(modules => ['suexec'], vhosts => [$alice]);
is($status, 0, 'mod_suexec loaded and not used: passes');

# --- one policy for equals ------------------------------------------------------

# Of a server that has nothing else to do.
sub keepers {
    my ($server, $uid) = @_;
    return scalar grep { (process_status($_) || { Uid => '' })->{Uid} =~ /\b$uid\b/ }
      descendants($server->pid);
}

sub settles {
    my ($server, $uid, $count, $name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    ok(wait_until(sub { keepers($server, $uid) == $count }, 20), $name)
      or diag(keepers($server, $uid), ' keepers');
    return;
}

$httpd->stop;
my $many = httpd(
    vhosts => [
        $alice,
        [$alice, '', name => 'alice-tls'],
        (map { [$bob, '', name => "many$_"] } 1 .. 500),
    ]
);
like(seen($many, $_), qr/^$id{alice}$/m, "$_ runs") for 'alice', 'alice-tls';
settles($many, $alice->uid, 1, 'two equal hosts share one keeper');
is(scalar(grep { seen($many, "many$_") =~ /^$id{bob}$/m } map { 50 * $_ } 1 .. 10),
    10, 'ten of 500 equal hosts run');
settles($many, $bob->uid, 1, 'and share one keeper');
settles($many, $alice->uid, 1, 'which is not their neighbour\'s');
$many->stop;

my $differing = httpd(
    vhosts => [
        $alice,
        [$alice, 'JailEnv A b', name => 'env'],
        [$alice, 'JailEnv A b', name => 'env-again'],
        [$alice, 'JailLimit core 0', name => 'limit'],
        [$alice, 'JailEagerBinding Off', name => 'lazy'],
    ]
);
seen($differing, $_) for qw(alice env env-again limit lazy);
settles($differing, $alice->uid, 4, 'hosts that differ in one thing do not share');
$differing->stop;

# --- JailUser owner ---------------------------------------------------------------

my $mixed = tenant('mixed');
sub owned {
    my ($dir, $uid, $gid) = @_;
    my $path = $mixed->jail_cgi_bin . "/$dir";
    $mixed->directory($path, uid => $uid, gid => $gid);
    $mixed->replace("$path/who", $who, uid => $uid, gid => $gid, mode => 0755);
    return;
}
$mixed->directory($mixed->jail_home, uid => 0, gid => 0);
$mixed->directory($mixed->jail_cgi_bin, uid => 0, gid => 0);
owned('a', $a, $a);
owned('b', $b, $b);
owned('a-of-b', $a, $b);
my @not_owners = (
    ['root',      0,  0],
    ['root-gid',  $a, 0],
    ['low-uid',   5,  $a],
    ['low-gid',   $a, 60],
    ['web-user',  @nobody],
    ['web-user2', $nobody[0], $a],
);
owned(@$_) for @not_owners;
my $owner = httpd(
    vhosts => [[$mixed, 'JailUser owner', user => '', name => 'mixed']]
);

sub seen_in {
    my ($dir) = @_;
    my $res = $owner->get('mixed', "/cgi-bin/$dir/who");
    return (split /\n/, $res->content)[0] // '';
}
is(seen_in('a'), $id{alice}, 'JailUser owner: a\'s script as a');
is(seen_in('b'), $id{bob},   'JailUser owner: b\'s script as b');
settles($owner, $a, 1, 'JailUser owner: a keeper for a');
settles($owner, $b, 1, 'JailUser owner: a keeper for b');
is(seen_in('a-of-b'), "$a $b", 'JailUser owner: the group is the script\'s');
settles($owner, $a, 2, 'JailUser owner: another group, another keeper');
for my $row (@not_owners) {
    my ($dir, $uid, $gid) = @$row;
    $owner->mark('mixed');
    my $res = $owner->get('mixed', "/cgi-bin/$dir/who");
    is($res->code, 500, "JailUser owner, $dir: 500");
    unlike($res->content, qr/^\d+ \d+$/m, "JailUser owner, $dir: is not run");
    $owner->log_like('mixed', qr/JCGI1306: .*found .*; remedy: chown/,
        "JailUser owner, $dir: JCGI1306");
}

done_testing;
