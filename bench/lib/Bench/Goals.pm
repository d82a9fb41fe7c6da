package Bench::Goals;

# The goals, each with what was measured and whether it was reached.

use strict;
use warnings;

use Exporter 'import';
use Bench::Report qw(accounts_rows errors_of value);
use Bench::Util 'processors';

our @EXPORT_OK = qw(goals);

my ($results, $figures, $text);

sub rate { return value($results, $_[0], $_[1], 'rate') }

# One goal: at least (or at most) so much. Without a value it was not measured.
sub goal {
    @_ == 4 || @_ == 5 or die "goal: @_";
    my ($what, $value, $sign, $wanted, $unit) = @_;
    my $state = '- | not measured';
    if (defined $value) {
        my $good = $sign eq '>=' ? $value >= $wanted : $value <= $wanted;
        $state = sprintf '%.2f%s | %s', $value, $unit // '', $good ? 'reached' : 'MISSED';
    }
    $text .= "| $what | $sign $wanted" . ($unit // '') . " | $state |\n";
    return;
}

sub quotient {
    my ($one, $other) = @_;
    return defined $one && $other ? $one / $other : undef;
}

sub against {
    my ($row, $one, $other) = @_;
    return quotient(rate($row, $one), rate($row, $other));
}

sub isolated { return against($_[0], 'isolated', $_[1]) }

# What a request costs beside the bare loop of its own script, against mod_cgid's: in time
# of the median request with one at once, where nothing else has the processors; and, with
# more at once, by the rates, which are near each other: a difference of two near figures.
sub own_share {
    my ($row, $field) = @_;
    my ($ours, $theirs, $bare) = map { value($results, $row, $_, $field) }
      qw(isolated mod_cgid limit);
    ($ours, $theirs, $bare) = map { $_ ? 1 / $_ : undef } $ours, $theirs, $bare
      if $field eq 'rate';
    return undef if !$ours || !$theirs || !$bare || $theirs <= $bare;
    return $ours > $bare ? ($ours - $bare) / ($theirs - $bare) : 0;
}

sub speed {
    goal('static C against the limit',    isolated('static', 'limit'),    '>=', '0.8');
    goal('static C against mod_cgid',     isolated('static', 'mod_cgid'), '>=', '2.8');
    goal(
        'its p99 against that of mod_cgid',
        quotient(map { value($results, 'static', $_, 'p99') } qw(isolated mod_cgid)),
        '<=', '0.5'
    );
    goal('static C against mod_cgid + suexec', isolated('static',  'suexec'),   '>=', 4);
    goal('static C against mod_cgid + sbox',   isolated('static',  'sbox'),     '>=', 4);
    goal('static C against mod_cgi',           isolated('static',  'mod_cgi'),  '>=', 10);
    goal('sh against mod_cgid',                isolated('shell',   'mod_cgid'), '>=', '2.2');
    goal('dynamic C against mod_cgid',         isolated('dynamic', 'mod_cgid'), '>=', '2.2');
    for (['cgipm', 'Perl with CGI.pm'], ['python', 'Python'], ['php', 'php-cgi']) {
        my ($row, $what) = @$_;
        $what .= ": the server's own share against mod_cgid's";
        goal("$what, 1 at once",       own_share("${row}1", 'p50'), '<=', '0.25');
        goal("$what, by the rates of many at once", own_share($row, 'rate'), '<=', '0.25');
    }
    return;
}

sub transfers {
    for (['page1g', 'page of 1 GB'], ['upload', 'upload of 100 MB']) {
        my ($row, $what) = @$_;
        goal("$what against mod_cgid", isolated($row, 'mod_cgid'), '>=', 2);
        my $growth = value($results, $row, 'isolated', 'growth');
        goal("$what: peak memory grows by",
            defined $growth ? $growth / 1024 : undef, '<=', 4, ' MB');
    }
    return;
}

sub hosts {
    my $many = 'hosts10000';
    my ($tenants) = grep { $_ > 1 } map { /^$many-(\d+)$/ ? $1 : () } keys %$results;
    my @rows = accounts_rows($figures);
    for (@rows ? @rows : ['10,000 hosts', 'configtest and start']) {
        my ($what, $test, $without, $with) = @$_;
        goal("$what: $test against no module", quotient($with, $without), '<=', '1.3');
    }
    my $helper = $figures->{helper} // {};
    goal('10,000 hosts: memory of the helper for each',
        defined $helper->{10000} && defined $helper->{1}
        ? ($helper->{10000} - $helper->{1}) / 10_000 : undef, '<=', 2, ' KB');
    goal('10,000 hosts: requests of one tenant against a server with 1 host',
        quotient(rate("$many-1", 'isolated'), rate('hosts1-1', 'isolated')), '>=', '0.95');
    goal('graceful restart: jails that stay warm',
        quotient($figures->{keepers_same}, $figures->{keepers_before}), '>=', 1);
    $tenants //= 1000;
    goal("$tenants tenants, all warm, against one",
        quotient(rate("$many-$tenants", 'isolated'), rate("$many-1", 'isolated')), '>=', '0.8');
    return;
}

sub crowd {
    my $rate = rate('c256', 'isolated');
    my $p99  = value($results, 'c256', 'isolated', 'p99');
    goal('256 at once: errors', defined $rate ? errors_of($results, 'c256', 'isolated') : undef,
        '<=', 0);
    goal('256 at once: p99 against the fair share',
        defined $rate ? $p99 / (256 / $rate * 1e6) : undef, '<=', 3);
    return;
}

sub older {
    goal('plain chroot: static C against mod_cgid', against('static', 'mod_jailcgi', 'mod_cgid'),
        '>=', '2.0');
    goal('plain chroot: static C against the limit', against('static', 'mod_jailcgi', 'limit'),
        '>=', '0.6');
    goal('plain chroot: sh against mod_cgid', against('shell', 'mod_jailcgi', 'mod_cgid'),
        '>=', '1.6');
    goal('everything on against plain chroot', isolated('static', 'mod_jailcgi'), '>=', '0.9');
    return;
}

# What would be left if the module cost nothing beyond the bare loop: a request then
# takes the processor time of httpd and wrk, which a file of six bytes at the pace of
# scripts shows, and that of the loop.
sub possible {
    my $file = value($results, 'paced', 'isolated', 'cpu') or return '';
    my $table = "\n| the processor time of the bare loop and of a file's request | us | requests/s"
      . " | x limit | x mod_cgid | measured, of that |\n|---|---|---|---|---|---|\n";
    my $rows = 0;
    for (['static', 'static C'], ['shell', 'sh'], ['dynamic', 'dynamic C']) {
        my ($row, $what) = @$_;
        my ($limit, $cgid, $ours) = map { rate($row, $_) } qw(limit mod_cgid isolated);
        my $loop = value($results, $row, 'limit', 'cpu');
        next if !$loop || !$cgid || !$ours;
        my $both = 1e6 * processors() / ($loop + $file);
        $table .= sprintf "| %s | %.0f + %.0f | %.0f | %.2f | %.2f | %.2f |\n", $what, $loop,
          $file, $both, $both / $limit, $both / $cgid, $ours / $both;
        $rows++;
    }
    return $rows ? $table : '';
}

sub goals {
    ($results, $figures) = @_;
    $text = "| goal: mod_jailcgi, everything on | wanted | measured | |\n|---|---|---|---|\n";
    speed();
    transfers();
    hosts();
    crowd();
    older();
    return $text . possible();
}

1;
