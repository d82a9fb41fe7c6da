# jailcgi's command line: help, wrong usage, and that it runs where `make
# install` puts it.

use strict;
use warnings;

use lib 't/lib';
use JailCGI::Tool;
use Test::More;

my $place = place();

# --- help
my ($status, $out, $err) = jailcgi('--help');
is($status, 0, '--help');
like($out, qr/jailcgi $_ ROOT/, "names $_") for qw(mkjail update check);
my $manual = slurp('doc/manual/mkjail.md');
my %text = (mkjail => '', update => '', check => '');
for my $command (sort keys %text) {
    ($status, $out, $err) = jailcgi($command, '--help');
    is($status, 0, "$command --help");
    for my $option ($out =~ /^\s*(--[a-z-]+)/mg) {
        ok($manual =~ /`\Q$option\E[` ]/, "the manual has $command $option");
    }
    $text{$command} = $out;
}
my $source = slurp('tools/jailcgi');
my ($mkjail) = $source =~ /mkjail => \[qw\(([^)]*)\), \@how\]/;
for my $option (map { /^([a-z-]+)/ ? "--$1" : () } split ' ', $mkjail // '') {
    like($text{mkjail}, qr/\Q$option\E\b/, "the help has $option");
}
cmp_ok(scalar split(' ', $mkjail // ''), '>', 10, 'options found in the source');
($status, $out, $err) = jailcgi();
is($status, 2, 'no command: status 2');
like($out, qr/jailcgi mkjail ROOT/, 'and the help');

# --- wrong usage: value, reason, remedy
my @mkjail = ('mkjail', "$place/jail");
my @wrong = (
    [['frobnicate'], qr/^jailcgi: frobnicate: is no command; remedy: use mkjail, update or check$/],
    [['mkjail'], qr/names no ROOT; remedy: /],
    [['mkjail', "$place/a", "$place/b"], qr/needs exactly one ROOT; remedy: /],
    [['mkjail', 'relative'], qr/^jailcgi: relative: is not an absolute path; remedy: /],
    [['check'], qr/names no ROOT; remedy: /],
    [['update', '--program', '/bin/sh', "$place/a"], qr/unknown option: program; remedy: see jailcgi update --help/],
    [[@mkjail, '--program'], qr/option program requires an argument; remedy: /],
    [[@mkjail, '--program', 'sh'], qr/--program sh: is not an absolute path; remedy: /],
    [[@mkjail, '--tree', 'etc'], qr/--tree etc: is not an absolute path; remedy: /],
    [[@mkjail, '--package', '-W'], qr/-W: is no name of a package; remedy: /],
    [[@mkjail, '--user', 'no such'], qr/--user no such: there is no user no such .*; remedy: /],
    [[@mkjail, '--user', 'root'], qr/--user root: has uid 0 .* never root; remedy: /],
    [[@mkjail, '--user', '#61190:#0'], qr/gid 0.* never root; remedy: /],
    [[@mkjail, '--user', '#61190'], qr/--user #61190: has no group.*; remedy: .*#1000:#1000/],
    [[@mkjail, '--user', 'nobody:nosuch'], qr/there is no group nosuch .*; remedy: /],
    [[@mkjail, '--home', '/home/x'], qr{--home /home/x: there is not exactly one --user; remedy: }],
    map({ [[@mkjail, '--user', '#61190:#61190', '--home', $_], qr{--home \Q$_\E: is no directory that a tenant can have; remedy: }] }
        qw(/ /etc /usr/lib /dev home /home/../etc /home/x:y)),
    map({ [[@mkjail, '--mailer', $_], qr{--mailer \Q$_\E: is not HOST:PORT; remedy: }] }
        qw(localhost :25 localhost:0 localhost:65536 a/b:25), "x y:1"),
    [[@mkjail, '--locale', 'xx_YY'], qr/xx_YY: is no locale of this machine .*; remedy: /],
    [[@mkjail, '--from', 'debian'], qr/--from debian: is no DISTRIBUTION:RELEASE .*; remedy: /],
    [[@mkjail, '--from', 'debian:sid', '--mirror', '-x'], qr/--mirror -x: is no URL; remedy: /],
    [[@mkjail, '--exclude', "a\nb"], qr/a\\x0ab: has a line end in it; remedy: /],
    [["mkjail", "$place/a\nb"], qr/has a line end in it; remedy: /],
);
for my $case (@wrong) {
    my ($arguments, $pattern) = @$case;
    ($status, $out, $err) = jailcgi(@$arguments);
    my $name = join(' ', @$arguments) =~ s/\Q$place\E//gr =~ s/\n/ /gr;
    is($status, 2, "$name: status 2");
    like($err, $pattern, "$name: value, reason, remedy");
    unlike($err, qr/ at \S+ line \d/, "$name: no place in the source");
}
for my $refused (["--program", "/no/such"], ['--program', '/etc'], ['--tree', '/etc/passwd']) {
    ($status, $out, $err) = jailcgi(@mkjail, @$refused);
    is($status, 1, "@$refused: status 1");
    like($err, qr/^jailcgi: \Q$refused->[1]\E: is .*; remedy: /, "@$refused: value, reason, remedy");
}
ok(!-e "$place/jail/bin", 'and nothing was made');

# --- installed
my $to = "$place/installed";
is(system("make -s install-tools DESTDIR=$to PREFIX=/usr"), 0, 'make install-tools');
is((stat "$to/usr/sbin/jailcgi")[2] & 07777, 0755, 'sbin/jailcgi');
{
    local $ENV{JAILCGI_TOOL} = "$to/usr/sbin/jailcgi";
    jailcgi_ok('the installed one', 'mkjail', "$place/by-installed", '--minimal', '--program', '/bin/sh');
    symlink "$to/usr/sbin/jailcgi", "$place/link";
    local $ENV{JAILCGI_TOOL} = "$place/link";
    my ($found, $text) = findings("$place/by-installed");
    is_deeply($found, {}, 'through a link too') or diag($text);
}
my @installed = map { s{^\Q$to\E/usr/share/jailcgi/}{}r } split /\n/, `find $to/usr/share/jailcgi -name '*.pm'`;
my @modules = map { s{^tools/lib/}{}r } split /\n/, `find tools/lib -name '*.pm'`;
is_deeply([sort @installed], [sort @modules], 'all modules are installed');

# --- no module from where the caller's environment says
write_file("$place/lib/strict.pm", "BEGIN { print qq{of the caller\\n} } 1;\n");
for my $name (qw(PERL5LIB PERLLIB)) {
    delete local $ENV{PERL5LIB};
    local $ENV{$name} = "$place/lib";
    ($status, $out, $err) = jailcgi('--help');
    unlike($out, qr/of the caller/, "$name is not used");
}

# --- not root
{
    system("chmod -R a+rX $to") == 0 or die 'chmod';
    my $said = `setpriv --reuid=65534 --regid=65534 --clear-groups $to/usr/sbin/jailcgi update /x 2>&1`;
    is($? >> 8, 2, 'without root: status 2');
    like($said, qr/needs root; remedy: sudo jailcgi update/, 'and it says so');
}

done_testing;
