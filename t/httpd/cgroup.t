# JailCgroup where there is no cgroup v2: the sites that use it are refused, and
# said to be; the others run. What it does where there is one is in
# t/vm/cgroup.t.

use lib 't/lib';
use JailCGI::Test;

if (-e '/sys/fs/cgroup/cgroup.controllers') {
    plan skip_all => 'this machine has cgroup v2: t/vm/cgroup.t';
}

my $alice = tenant('alice');
my $bob   = tenant('bob');
my $carol = tenant('carol');
my $fine  = "#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\nfine\\n'\n";
$_->script('fine', $fine) for $alice, $bob, $carol;

my %with = (
    config => 'JailCgroup pids=20',
    vhosts => [[$alice, 'JailCgroup memory=64M'], [$bob, 'JailCgroup none'], [$carol]],
);
my ($status, $said) = configtest(%with);
is($status, 0, 'configtest is content');
like($said, qr/Syntax OK/, 'and says so');
like($said, qr/JCGI1320: JailCgroup of .*alice.*no cgroup v2 at \/sys\/fs\/cgroup/,
    'with a warning');
unlike($said, qr/JailCgroup of .*bob/, 'not of a host without');

my $httpd = httpd(%with);
is($httpd->get($bob, '/cgi-bin/fine')->content, "fine\n", 'JailCgroup none: served');
for my $tenant ($alice, $carol) {
    my $name = $tenant->name;
    is($httpd->get($tenant, '/cgi-bin/fine')->code, 503, "$name is refused");
    $httpd->log_like($tenant, qr/JCGI1320: .*JailCgroup: no cgroup could be made/,
        'with its code');
}
my @lines = $httpd->log =~ /JailCgroup will not work here: .*; remedy: .*Delegate=yes/g;
is(scalar @lines, 1, 'the self-test says so once');
done_testing;
