# 200 scripts at once, in one jail and in 20, and what is left of them: nothing.

use lib 't/lib';
use JailCGI::Test;
use JailCGI::Client;
use JailCGI::Watch qw(scripts_of keepers_of all_keepers server_processes
  descriptor_counts channels zombie_list);

use constant { SCRIPTS => 200, JAILS => 20 };

# No child of httpd comes or goes, so that each can be compared with itself.
my $sizes = <<'END';
Timeout 120
<IfModule mpm_prefork_module>
    StartServers 220
    MinSpareServers 1
    MaxSpareServers 256
</IfModule>
<IfModule !mpm_prefork_module>
    ThreadLimit 64
    ThreadsPerChild 64
    StartServers 4
    ServerLimit 4
    MinSpareThreads 1
    MaxSpareThreads 256
    MaxRequestWorkers 256
</IfModule>
END

# Jails for a static program: the usual ones are a thousand links each.
my $base = work_dir() . '/base';
mkdir $_ or die "$_: $!" for $base, "$base/tmp";
chmod 01777, "$base/tmp" or die "$base/tmp: $!";

my @tenants = map { tenant("t$_", base => $base) } 1 .. JAILS;
$_->install(probe('gather'), 'gather') for @tenants;
my $httpd = httpd(vhosts => [map { [$_] } @tenants], config => $sizes);

# One file for all: who is in one jail sees how many are in the others.
sub reset_count {
    my $count = $tenants[0]->replace('/tmp/count', '', mode => 0666);
    for my $tenant (@tenants[1 .. $#tenants]) {
        my $other = $tenant->root . '/tmp/count';
        unlink $other;
        link $count, $other or die "$other: $!";
    }
    return;
}

# That many at once, by turns in these jails. Returns how they were answered.
sub gather {
    my ($count, @where) = @_;
    my (%answers, @clients);
    reset_count();
    for my $i (1 .. $count) {
        my $client = JailCGI::Client->new($httpd);
        $client->send_request('GET', $where[$i % @where],
            "/cgi-bin/gather?$count", ['Connection: close']);
        push @clients, $client;
    }
    for my $client (@clients) {
        my $res = $client->response;
        $answers{"$res->{code} $res->{whole} $res->{body}"}++;
        $client->close;
    }
    return \%answers;
}

# Those of the web server's processes that hold more than before.
sub holders {
    my ($before) = @_;
    my $now = descriptor_counts(keys %$before);
    return grep { $now->{$_} > $before->{$_} } keys %$before;
}

sub is_as_before {
    my ($before) = @_;
    ok(wait_until(sub { !scripts_of(@tenants) }, 30), 'no process is left of them');
    ok(wait_until(sub { !zombie_list($httpd) }, 30), 'and no zombie');
    ok(wait_until(sub { !holders($before) }, 30), 'no descriptor')
      or diag(map { my $pid = $_; map { "$pid $_\n" } descriptors($pid) }
          holders($before));
    ok(wait_until(sub { my ($count, @loose) = channels($httpd); !@loose }, 30),
        'and each end of a channel has its other one');
    my ($held) = channels($httpd);
    cmp_ok($held, '>=', 1, "httpd's children keep channels");
    cmp_ok($held, '<=', 2 * SCRIPTS + 3 * JAILS, 'no more than they have used at once');
    is_deeply([grep { !process_status($_) } keys %$before],
        [], "httpd's children, helper and keepers are the same");
    return;
}

sub many {
    my ($name, @where) = @_;
    my @warm = map { gather(3, $_) } @where;
    is_deeply(\@warm, [map { { "200 1 all were there\n" => 3 } } @where],
        "$name: each jail is warm");
    my $before = descriptor_counts(server_processes($httpd));
    cmp_ok(scalar keys %$before, '>=', @where + 5, 'the processes are seen');
    is_deeply(gather(SCRIPTS, @where), { "200 1 all were there\n" => SCRIPTS },
        'all run at the same time, and are answered');
    is_as_before($before);
    my @keepers = keepers_of(@where);
    is(scalar @keepers, scalar @where, 'one keeper for each jail')
      or diag(`ps -o pid,ppid,stat,lstart,uid,args -p @{[join ',', @keepers]}`);
    return;
}

many(SCRIPTS . ' scripts in one jail', $tenants[0]);
many(SCRIPTS . ' scripts in ' . JAILS . ' jails', @tenants);
is(scalar all_keepers($httpd), scalar @tenants, 'and no other');
done_testing;
