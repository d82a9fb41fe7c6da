# What only the jail can be the reason of names the jail: a path that JailRoot host does not show
# (JCGI1724), and a pseudo-terminal (JCGI1725), each once for a host, and with the line that helps.

use lib 't/lib';
use JailCGI::Test;
use JailCGI::Namespace;

private_mounts() or skip_or_fail('no private mounts here');

my $alice = tenant('alice');
make_accounts($alice);
my $data = work_dir() . '/data';
mkdir $data, 0755 or die "$data: $!";
open my $fh, '>', "$data/list" or die $!;
print {$fh} "found\n";
close $fh or die $!;

my $header = "#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\n'\n";
my %says = (
    cat    => "cat $data/list",
    perl   => qq{perl -e 'open my \$f, "<", "$data/list" or die "Cannot open $data/list: \$!"; print <\$f>'},
    python => qq{python3 -c 'print(open("$data/list").read(), end="")'},
    own    => 'cat $HOME/nothing /tmp/nothing /usr/share/nothing /etc/ssl/nothing /proc/nothing nothing',
    quoted => q{printf '/srv/a b: No such file\n/srv/x*y: No such file or directory (/../z)\n' >&2},
    pty    => 'exec python3 -c "import pty; pty.openpty(); print(1)"',
    many   => 'exec python3 -c "import pty
for i in range(4): pty.openpty()
print(4)"',
);
$alice->script($_, "$header$says{$_}\n") for keys %says;
sub vhost {
    my ($name, $root, @lines) = @_;
    return $alice->vhost(join("\n    ", @lines), name => $name,
        $root eq 'path' ? () : (root => $root, user => $alice->name));
}
my $mount = "JailMount ro $data/list";
my $httpd = httpd(
    vhosts => [
        (map { vhost($_, 'host') } qw(cat perl python own)),
        vhost('fixed',  'host', $mount),
        vhost('none',   'none'),
        vhost('dev',    'host', 'JailMount dev'),
        vhost('pty',    'host', 'JailMount dev', 'JailMount pty max=2'),
        vhost('enough', 'host', 'JailMount dev', 'JailMount pty max=4'),
        vhost('built',  'path'),
        vhost('builtp', 'path', 'JailMount pty'),
    ],
);

sub page {
    my ($host, $name) = @_;
    return $httpd->get($host, "/cgi-bin/$name")->content;
}
sub lines_of {
    my ($host, $code) = @_;
    return scalar(() = $httpd->log($host) =~ /JCGI$code/g);
}

for my $way (qw(cat perl python)) {
    unlike(page($way, $way), qr/found/, "$way: not shown");
    $httpd->log_like($way, qr/JCGI1724: .* did not find \Q$data\E\/list, .*remedy: .*\Q$mount\E$/m,
        "$way: the log names the path and the line");
    page($way, $way);
    is(lines_of($way, 1724), 1, "$way: once");
    is(page('fixed', $way), "found\n", "$way: the line helps");
}
page('own', $_) for qw(own quoted);
is(lines_of('own', 1724), 0, 'not for what is the site\'s own, shown, or no plain path');
page('none', 'own');
is(lines_of($_, 1724), 0, "$_: no line") for qw(none fixed);

for (['dev', 'pty'], ['pty', 'many'], ['built', 'pty']) {
    my ($host, $name) = @$_;
    unlike(page($host, $name), qr/\d/, "$host: no terminal");
    $httpd->log_like($host, qr/JCGI1725: .*remedy: JailMount pty, or JailMount pty max=/, "$host: the log says so");
    page($host, $name);
    is(lines_of($host, 1725), 1, "$host: once");
}
is(page('pty',    'pty'),  "1\n", 'JailMount pty helps');
is(page('enough', 'many'), "4\n", 'so does a greater max');
is(page('builtp', 'pty'),  "1\n", 'and in a built jail');
is(lines_of($_, 1725), 0, "$_: no line") for qw(enough builtp);
done_testing;
