# JailMount of the main server: hosts that only inherit its lines share what they make of
# them, and a host with lines of its own, or with none, is no part of that.

use lib 't/lib';
use JailCGI::Test;
use JailCGI::Namespace;

private_mounts() or skip_or_fail('no private mounts here');

my ($alice, $bob) = map { tenant($_) } qw(alice bob);
make_accounts($alice, $bob);
my $shown = work_dir() . '/shown';
mkdir $shown, 0755 or die "$shown: $!";
open my $fh, '>', "$shown/word" or die "$shown/word: $!";
print {$fh} "seen\n";
close $fh or die "$shown/word: $!";

for my $tenant ($alice, $bob) {
    $tenant->directory("/$_", uid => 0, gid => 0) for qw(shown scratch more);
    $tenant->directory(home_of($tenant));
    my $home = home_of($tenant);
    $tenant->script('look.sh', <<"END");
#!/bin/sh
printf 'Content-Type: text/plain\\n\\n'
cat /shown/word 2>/dev/null || echo unseen
for d in /scratch /more; do
    echo >"\$d/\$\$" 2>/dev/null && echo "\$d"
done
cat "$home/whose" 2>/dev/null
END
    open my $whose, '>', "$home/whose" or die "whose: $!";
    print {$whose} 'home of ' . $tenant->name . "\n";
    close $whose or die "whose: $!";
}

my $httpd = httpd(
    config => <<"END",
JailMount ro $shown /shown
JailMount tmpfs /scratch size=1M mode=1777
END
    vhosts => [
        $alice->vhost(),
        $bob->vhost(),
        $bob->vhost('JailMount tmpfs /more size=1M mode=1777', name => 'more'),
        $bob->vhost('JailMount none',                          name => 'none'),
        $bob->vhost("JailMount none\n    JailMount tmpfs /more size=1M mode=1777",
            name => 'other'),
    ],
);

sub looks {
    my ($host) = @_;
    my $res = $httpd->get($host, '/cgi-bin/look.sh');
    is($res->code, 200, "$host answers") or diag($httpd->log($host));
    return [split /\n/, $res->content];
}

my $both = ['seen', '/scratch'];
is_deeply(looks('alice'), $both, 'one host has what it inherits');
is_deeply(looks('bob'),   $both, 'so has another');
is_deeply(looks('more'),  [@$both, '/more'], 'with a line of its own it has that too');
is_deeply(looks('none'),  ['unseen'], 'with none it has nothing');
is_deeply(looks('other'), ['unseen', '/more'], 'and then its own alone');
is_deeply(looks('bob'),   $both, 'nobody got another\'s');

# So many hosts, each with an environment of its own, in the table: what they inherit is there
# once, whatever its length.
sub table_bytes {
    my (@lines) = @_;
    my @hosts = map { $alice->vhost("JailEnv NUMBER $_", name => "s$_") } 1 .. 50;
    $httpd->graceful(config => join("\n", @lines), vhosts => \@hosts);
    return $httpd->table_bytes;
}
my $long   = 'x' x 200;
my $before = table_bytes('JailMount tmpfs /a');
my $after  = table_bytes(map { "JailMount tmpfs /$long$_" } 1 .. 10);
cmp_ok($after - $before, '>', 2000,     'ten long lines are in the table');
cmp_ok($after - $before, '<', 2 * 3000, 'and not once for each host');

# What depends on the user cannot be shared.
$httpd->regenerate(
    config => 'JailMount home',
    vhosts => [map { $_->vhost('', user => $_->name) } $alice, $bob],
);
is_deeply(looks($_->name), ['unseen', 'home of ' . $_->name], $_->name . ' has a home of its own')
  for $alice, $bob;

done_testing();
