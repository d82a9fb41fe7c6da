# The warnings of a start and of a configtest: a code that promises one gives it, and one mistake
# in 500 hosts is one line.

use lib 't/lib';
use JailCGI::Test;

use constant HOSTS => 500;

my $alice = tenant('alice');
my ($uid, $gid) = ($alice->uid, $alice->gid);
my $tried = JailCGI::Test::new_httpd();

# What a configtest says, without the lines of httpd itself.
sub said {
    my (%option) = @_;
    $tried->configure(config => '', vhosts => [], modules => [], %option);
    my $file    = "$tried->{dir}/said";
    my $command = join ' ', $tried->command('-t');
    my $status  = system "$command >/dev/null 2>$file </dev/null";
    my $text    = JailCGI::Httpd::slurp($file);
    is($status, 0, 'the configtest passes');
    like($text, qr/^Syntax OK$/m, 'with its usual words');
    return grep { !/^Syntax OK$/ } split /\n/, $text;
}

sub hosts {
    my ($count, $lines, $prefix) = @_;
    return map { [$alice, $lines, name => "$prefix$_", root => '', user => ''] } 1 .. $count;
}

# --- one mistake in many hosts --------------------------------------------------------

my @many = (
    ['no identity', 'JailRoot host', 1001, qr/found neither JailUser nor/],
    ['an unknown user', "JailRoot host\nJailUser nosuchuser", 1002, qr/nosuchuser/],
    ['no root', "JailUser #$uid #$gid", 1007, qr/expected JailRoot PATH/],
);
for my $case (@many) {
    my ($name, $lines, $code, $found) = @$case;
    my @lines = said(vhosts => [hosts(HOSTS, $lines, 'many')]);
    is(scalar @lines, 1, "$name in 500 hosts: one line") or diag(join "\n", @lines[0 .. 5]);
    like($lines[0], qr/JCGI$code: virtual host many1 \(\S+:\d+\) runs no CGI scripts: /,
        "$name: the first of them");
    like($lines[0], $found, "$name: what is wrong");
    like($lines[0], qr/ 499 more hosts have JCGI$code, such as virtual host many2 /,
        "$name: how many, and some of them");
}

# Different mistakes do not hide each other.
my @lines = said(
    vhosts => [
        hosts(50, 'JailRoot host', 'many'),
        [$alice, "JailUser #$uid #0", name => 'other', root => '/nonexistent', user => ''],
        hosts(3, "JailRoot host\nJailUser root", 'few'),
        hosts(7, "JailRoot /nonexistent\nJailUser #$uid #$gid", 'rootless'),
    ]
);
is(scalar(grep { /JCGI1001/ } @lines), 1, 'fifty hosts: a line');
is(scalar(grep { /JCGI1004: virtual host few\d/ } @lines), 3, 'three hosts: a line each');
is(scalar(grep { /JCGI1004: virtual host other/ } @lines), 1, 'and the one beside them');
is(scalar(grep { /JCGI1406/ } @lines), 1, 'seven hosts with one root: a line');

# --- a host that no line asks to be jailed ----------------------------------------------

my $mpm = mpm();
my $cgi = $mpm eq 'prefork' ? 'cgi' : 'cgid';
@lines = said(vhosts => [hosts(HOSTS, '', 'plain')]);
is(scalar @lines, 1, 'no module for CGI: one line');
like($lines[0], qr/JCGI1007: 500 hosts have no JailRoot, and neither mod_cgi nor mod_cgid/,
    'it counts them, and has the code that their requests will have');
@lines = said(modules => [$cgi], vhosts => [hosts(HOSTS, '', 'plain')]);
is(scalar @lines, 1, "mod_$cgi: one line");
like($lines[0], qr/500 hosts have neither JailRoot nor JailUser; mod_cgi or mod_cgid runs/,
    'it says who runs their scripts');
@lines = said(vhosts => [[$alice, '']]);
is_deeply(\@lines, [], 'control: no warning of a host that is right');

# JailStrict is about mistakes, and a host without scripts is none.
@lines = said(config => 'JailStrict On', vhosts => [[$alice, ''], hosts(1, '', 'plain')]);
is(scalar(grep { /JCGI1007: 1 host/ } @lines), 1, 'JailStrict On: it is counted, and httpd starts');

# --- the start says the same -------------------------------------------------------------

my $httpd = httpd(vhosts => [hosts(HOSTS, 'JailRoot host', 'many')]);
my @logged = grep { /JCGI1001/ } split /\n/, $httpd->log(undef);
is(scalar @logged, 1, 'the start logs one line as well');
is($httpd->get('many77', '/cgi-bin/any')->code, 503, 'a request of such a host gets 503');
$httpd->log_like('many77', qr/JCGI1001: /, 'and its own log has the reason');
$httpd->stop;
done_testing;
