# JailListen: which TCP ports a script may bind (t/probe/listen.c).

use lib 't/lib';
use JailCGI::Test;
use IO::Socket::INET;

my $abi = syscall 444, 0, 0, 1;
skip_or_fail("Landlock here is of version $abi: no TCP ports") if $abi < 4;

# A port that nobody has. It is free for whoever may bind it.
my @ports;
{
    my @held = map { IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1') // die $! } 1 .. 2;
    @ports = map { $_->sockport } @held;
}
my ($port, $other) = @ports;

my $alice = tenant('alice');
my $bob   = tenant('bob');
$_->install(probe('listen'), 'listen') for $alice, $bob;

sub vhost {
    my ($name, @lines) = @_;
    my %root = grep({ /^JailRoot/ } @lines) ? (root => '') : ();
    return $alice->vhost(join("\n    ", @lines), name => $name, %root);
}
my $httpd = httpd(
    vhosts => [
        vhost('default'),
        vhost('off',       'JailListen Off'),
        vhost('none',      'JailRoot none', 'JailNamespaces none'),
        vhost('noscope',   'JailScope Off'),
        vhost('privs',     'JailNoNewPrivs Off'),
        vhost('noseccomp', 'JailSeccomp off'),
        vhost('on',        'JailListen On', 'JailSeccomp off'),
        vhost('port',      "JailListen $port"),
        vhost('zero',      'JailListen 0'),
        vhost('both',      "JailListen $other 0 $port"),
        vhost('last',      'JailListen On', 'JailListen 0'),
        $bob->vhost("JailListen $port"),
    ],
);

sub tried {
    my ($host, $what, $number) = @_;
    my $res = $httpd->get($host, "/cgi-bin/listen?$what+$number");
    return $res->code == 200 ? $res->content =~ s/\n\z//r : 'status ' . $res->code;
}

sub is_tried {
    my ($host, $what, $number, $expected) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is(tried($host, $what, $number), $expected, "$host: $what, $number: $expected");
    return;
}

my @ways = qw(ipv4 ipv6 any unspecified);
my @off  = qw(default off none noscope privs noseccomp);

# IPv6 may be turned off.
@ways = grep { tried('on', $_, $port) ne 'EADDRNOTAVAIL' } @ways;

# --- nobody listens who may not
for my $host (@off) {
    is_tried($host, $_, $port, 'EACCES') for @ways;
    is_tried($host, 'ipv4', 0, 'EACCES');
    is_tried($host, 'source', $httpd->port, 'EACCES');
}
is_tried('on', $_, $port, 'done') for @ways;
is_tried('on', $_, 0,     'done') for @ways;
SKIP: {
    my $control = tried('on', 'i386', $port);
    skip_or_fail('no int 0x80 on this machine', 1) if $control eq 'ENOEXEC';
    is($control, 'done', 'control: listening is by int 0x80 as well');
    is_tried('noseccomp', 'i386', $port, 'EACCES');
}

# --- what is no listening, and what Landlock is not asked about
for my $host (@off, 'on') {
    is_tried($host, 'connect', $httpd->port, 'done');
    is_tried($host, 'unix',    0,            'done');
    is_tried($host, 'unbound', 0,            'done');
    is_tried($host, 'udp',     $port,        'done');
}

# A port of those that the kernel chooses from, where it lets itself be told (Linux 6.3).
# doc/manual/directives.md says so; JailNamespaces net is the cure.
like(tried('default', 'range', $port), qr/^(?:done|ENOPROTOOPT|ERANGE|EPERM)$/, 'range');

# Sockets of these protocols answer TCP's clients. JailSeccomp has to refuse them.
isnt(tried('default', $_, $port), 'done', "default: $_ is refused") for qw(smc mptcp);

# --- single ports
is_tried('port', 'ipv4',   $port,        'done');
is_tried('port', 'ipv4',   $other,       'EACCES');
is_tried('port', 'ipv4',   0,            'EACCES');
is_tried('zero', 'ipv4',   0,            'done');
is_tried('zero', 'source', $httpd->port, 'done');
is_tried('zero', 'ipv4',   $port,        'EACCES');
is_tried('both', 'ipv4',   $_,           'done') for @ports, 0;
is_tried('both', 'ipv4',   $port + 1,    'EACCES');
is_tried('last', 'ipv4',   0,            'done');
is_tried('last', 'ipv4',   $port,        'EACCES');

# --- the port of a tenant that is down for a moment
is_tried('bob', 'ipv4', $port, 'done');
is_tried('default', 'ipv4', $port, 'EACCES');

# --- inheritance: the nearest line
my $inherits = httpd(
    config => "JailListen $port",
    vhosts => [vhost('as-server'), vhost('own', "JailListen $other"), vhost('back', 'JailListen Off')],
);
sub of_server {
    my ($host, $number) = @_;
    return $inherits->get($host, "/cgi-bin/listen?ipv4+$number")->content =~ s/\n\z//r;
}
is(of_server('as-server', $port), 'done',   'a host without the line has the server\'s');
is(of_server('own', $other),      'done',   'a host has its own');
is(of_server('own', $port),       'EACCES', '... and not the server\'s as well');
is(of_server('back', $port),      'EACCES', 'Off takes it back');

# --- the directive
for my $wrong (['65536', "'65536' is not understood"], ['-1', "'-1' is not understood"],
    ['http', "'http' is not understood"], ['80 On', "'On' is not understood"],
    ['Off 80', "'Off' is not understood"], ['8x', "'8x' is not understood"],
    ['', '0 arguments'], [join(' ', 1 .. 17), '17 arguments']) {
    my ($status, $said) = configtest(vhosts => [vhost('wrong', "JailListen $wrong->[0]")]);
    isnt($status, 0, "JailListen $wrong->[0]: refused");
    like($said, qr/JailListen: \Q$wrong->[1]\E.*write Off.*On/s, '... with what is right');
}
for my $right ('on', 'OFF', '0', '65535', join(' ', 1 .. 16), '80 80 443') {
    my ($status, $said) = configtest(vhosts => [vhost('right', "JailListen $right")]);
    is($status, 0, "JailListen $right: taken") or diag($said);
}
done_testing;
