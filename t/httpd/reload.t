# What a graceful restart keeps, replaces and ends; jails that nobody uses; and
# that .htaccess, read at each request, has no say.

use lib 't/lib';
use JailCGI::Test;

my %tenant = map { $_ => tenant($_) } qw(alice bob carol dave);
my ($alice, $bob, $carol, $dave) = @tenant{qw(alice bob carol dave)};
for my $tenant (values %tenant) {
    $tenant->script('level', <<'END');
#!/bin/sh
echo Content-Type: text/plain
echo
echo "level ${LEVEL:-none}"
END
    # Runs until the file "go" is beside it.
    $tenant->script('waits', <<'END');
#!/bin/sh
echo Content-Type: text/plain
echo
echo begun
: >waiting
while [ ! -e go ]; do sleep 0.05; done
echo ended
END
    # While it runs others may be idle for long.
    $tenant->script('slow', <<'END');
#!/bin/sh
sleep 3
echo Content-Type: text/plain
echo
echo slow
END
}

my @vhosts = ($alice, $bob, $carol, [$dave, 'JailIdle 100ms']);
my $httpd  = httpd(vhosts => \@vhosts);

sub keepers {
    my ($tenant) = @_;
    my $helper = $httpd->helper_pid or return;
    my $uid    = $tenant->uid;
    return grep {
        my $status = process_status($_);
        $status && $status->{PPid} == $helper && $status->{Uid} =~ /\b$uid\b/
          && $status->{State} !~ /^Z/
    } descendants($helper);
}

sub is_gone { return !process_status($_[0]) }

sub answers {
    my ($tenant, $level, $name) = @_;
    my $res = $httpd->get($tenant, '/cgi-bin/level');
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    return is($res->content, "level $level\n", $name);
}

# A child of httpd that is about to end may still take a request.
sub comes_to_answer {
    my ($tenant, $level, $name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    return ok(
        wait_until(
            sub {
                $httpd->get($tenant, '/cgi-bin/level')->content eq "level $level\n";
            },
            20
        ),
        $name
    );
}

# The one keeper of a tenant, after a request of his.
sub keeper_of {
    my ($tenant, $name) = @_;
    my @found = keepers($tenant);
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is(scalar @found, 1, "$name: one keeper");
    return $found[0] // 0;
}

sub script_begins {
    my ($tenant) = @_;
    my $file = $tenant->cgi_bin;
    unlink "$file/go", "$file/waiting";
    my $socket = $httpd->connect or die "connect: $@";
    print {$socket} "GET /cgi-bin/waits HTTP/1.1\r\nHost: @{[$tenant->name]}\r\n"
      . "Connection: close\r\n\r\n";
    $socket->flush;
    wait_until(sub { -e "$file/waiting" }, 20) or die 'the script does not begin';
    return $socket;
}

sub script_ends {
    my ($tenant, $socket, $name) = @_;
    open my $go, '>', $tenant->cgi_bin . '/go' or die "go: $!";
    close $go;
    my $got = JailCGI::Httpd::read_all($socket, 30) // 'nothing';
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    return like($got, qr/200 OK\r\n.*begun\n.*ended\n.*\r\n0\r\n\r\n\z/s, $name);
}

# --- what stays ---------------------------------------------------------------

answers($_, 'none', $_->name . ' answers') for $alice, $bob, $carol;
my $helper = $httpd->helper_pid;
my %keeper = map { $_->name => keeper_of($_, $_->name) } $alice, $bob, $carol;

my $running = script_begins($alice);
$httpd->graceful;
is($httpd->helper_pid, $helper, 'a graceful restart keeps the helper');
answers($alice, 'none', 'alice answers after it');
is(keeper_of($alice, 'alice after it'), $keeper{alice}, 'from the same keeper');
script_ends($alice, $running, 'a script that ran across it ends its page');

# Its policy has another number now, and the same bytes.
$httpd->graceful(vhosts => [
    [$bob, 'JailEnv LEVEL first', name => 'first'], $carol, $alice, $bob
]);
answers($alice, 'none', 'alice answers when others came before her');
is(keeper_of($alice, 'alice, renumbered'), $keeper{alice}, 'from the same keeper');
is((grep { $_ == $keeper{carol} } keepers($carol)), 1, 'carol\'s waits, unused');

# --- what is replaced -----------------------------------------------------------

$running = script_begins($alice);
$httpd->graceful(vhosts => [[$alice, 'JailEnv LEVEL two'], $bob, $carol]);
comes_to_answer($alice, 'two', 'a changed policy is in force');
my ($new) = grep { $_ != $keeper{alice} } keepers($alice);
ok($new, 'in a new keeper');
ok(!is_gone($keeper{alice}), 'the old one stays for the script that runs in it');
script_ends($alice, $running, 'which ends its page');
ok(wait_until(sub { is_gone($keeper{alice}) }, 30), 'then the old keeper goes');
is(keeper_of($alice, 'alice, changed'), $new, 'and the new one stays');
is((grep { $_ == $keeper{bob} } keepers($bob)), 1, 'bob\'s has not been touched');

# --- what is removed --------------------------------------------------------------

$httpd->graceful(vhosts => [[$alice, 'JailEnv LEVEL two'], $bob]);
ok(wait_until(sub { is_gone($keeper{carol}) }, 30), 'the keeper of a removed host goes');
answers($bob, 'none', 'bob answers');
is(keeper_of($bob, 'bob'), $keeper{bob}, 'from the keeper that he had from the start');
is($httpd->helper_pid, $helper, 'the helper is the first one still');

$httpd->graceful(vhosts => [[$alice, 'JailRoot off', root => ''], $bob]);
ok(wait_until(sub { is_gone($new) }, 30), 'the keeper of a host that is off now goes');
$httpd->graceful(vhosts => \@vhosts);
comes_to_answer($alice, 'none', 'and comes back with it');

# --- JailIdle ---------------------------------------------------------------------

comes_to_answer($dave, 'none', 'dave answers');
ok(wait_until(sub { !keepers($dave) }, 30), 'JailIdle ends his keeper');
is(keeper_of($bob, 'bob\'s does not idle'), $keeper{bob}, 'bob\'s stays');
answers($dave, 'none', 'dave answers again');
is($httpd->get($dave, '/cgi-bin/slow')->content, "slow\n",
    'JailIdle does not end a script that runs');

# --- a helper that lacks a capability -----------------------------------------------

my $none = httpd(vhosts => [[$carol, '', root => 'none']]);
my $first = $none->helper_pid;
like($none->get($carol, '/cgi-bin/level')->content, qr/level none/,
    'a host without a root of its own');
$httpd->stop;
$httpd   = $none;
$running = script_begins($carol);
$none->graceful(vhosts => [[$carol, '', root => 'none'], [$bob, 'JailNamespaces none']]);
comes_to_answer($bob, 'none', 'a host with one is added');
isnt($none->helper_pid, $first, 'by a new helper, with the capability for it');
script_ends($carol, $running, 'a script that ran under the old one ends its page');
$none->stop;

# --- .htaccess ------------------------------------------------------------------------

$httpd = httpd(
    vhosts => [[
        $alice, "<Directory \"@{[$alice->cgi_bin]}\">\nAllowOverride All\n</Directory>"
    ]]
);
my $htaccess = $alice->cgi_bin . '/.htaccess';
my @lines    = (
    'JailRoot none', 'JailRoot off', 'JailUser games', 'JailUser owner',
    'JailMinUID 1', 'JailMinGID 1', 'JailEagerBinding Off', 'JailEnv A b',
    'JailLimit cpu unlimited', 'JailIdle 1', 'JailConcurrency none',
    'JailTrust /usr', 'JailStrict Off', 'JailHelper /bin/sh', 'SuexecUserGroup games games'
);
answers($alice, 'none', 'without .htaccess');
for my $line (@lines) {
    $alice->replace($alice->jail_cgi_bin . '/.htaccess', "$line\n");
    $httpd->mark($alice);
    my $res = $httpd->get($alice, '/cgi-bin/level');
    is($res->code, 500, ".htaccess, $line: 500");
    unlike($res->content, qr/level/, ".htaccess, $line: nothing is run");
    my ($directive) = split ' ', $line;
    $httpd->log_like($alice, qr/\.htaccess: $directive not allowed here/,
        ".htaccess, $line: is not allowed");
}
$alice->replace($alice->jail_cgi_bin . '/.htaccess',
    "SetEnv LEVEL set\nSetEnv LD_BIND_NOW 0\n");
answers($alice, 'set', '.htaccess with other directives is read');

done_testing;
