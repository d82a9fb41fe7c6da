# The lines that the manual recommends against a greedy site: each is accepted, and scripts run
# under all of them together.

use lib 't/lib';
use JailCGI::Test;

my $alice = tenant('alice');
my $page  = JailCGI::Httpd::slurp('doc/manual/index.md');
my ($section) = $page =~ /^## What a default jail limits\n(.*?)^## /ms;
ok($section, 'the manual has the section');

my @cells = map { (split / \| /)[2] // '' } grep { /^\| / } split /\n/, $section;
my @lines = map { /`(Jail[^`]+)`/g } @cells;
cmp_ok(scalar @lines, '>=', 12, 'its table has lines');
my ($block) = $section =~ /^((?:    Jail.*\n)+)/m;
ok($block, 'and it has lines to begin with');

my $tried = JailCGI::Test::new_httpd();
for my $lines (@lines, $block) {
    $tried->configure(config => "\n$lines", vhosts => [$alice], modules => []);
    my $said    = "$tried->{dir}/said";
    my $command = join ' ', $tried->command('-t');
    my $status  = system "$command >$said 2>&1 </dev/null";
    is($status, 0, ($lines =~ s/\n\s*/; /gr) . ': is accepted')
      or diag(JailCGI::Httpd::slurp($said));
}

# The cgroup of a jail is tried in a virtual machine (t/vm/cgroup.t).
$alice->script('limits', <<'END');
#!/bin/sh
echo Content-Type: text/plain
echo
ulimit -Sp; ulimit -Hp; ulimit -Sc
END
my $httpd = httpd(config => $block =~ s/^ *JailCgroup.*\n//mr, vhosts => [$alice]);
is($httpd->get($alice, '/cgi-bin/limits')->content, "300\n300\n0\n", 'they are in force');
$httpd->stop;
done_testing;
