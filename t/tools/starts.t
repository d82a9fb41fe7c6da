# jailcgi check starts what was named, as the tenant and with nothing but the jail: a
# module that perl does not find, a symbol that no library has. What it starts has no
# right of root's, no network, and is gone afterwards.

use strict;
use warnings;

use lib 't/lib';
use JailCGI::Tool;
use JailCGI::Namespace;
use Test::More;

private_host();
my $jail = place() . '/jail';
my $script = '/opt/bin/page.pl';
my $main = "print qq{Content-type: text/plain\\n\\n}; die 'was run';\n";

sub page {
    my (@lines) = @_;
    unlink "$jail$script";
    write_file("$jail$script", join("\n", @lines, $main), 0755);
    return findings('--no-host', $jail);
}

sub does_not_start { return { 'does-not-start' => [@_] } }

install($_->[0], $_->[1]) for ['greet_new.so', '/opt/greet/libgreet.so.1'], ['greeter', '/opt/bin/greeter'];
sub install {
    my ($from, $to) = @_;
    return write_file($to, slurp(fixture($from)), 0755);
}
write_file('/opt/lib/Greeting.pm', "package Greeting;\n1;\n");
write_file($script, "#!/usr/bin/perl -w\n$main", 0755);
write_file('/opt/bin/page.py', "#!/usr/bin/python3\nimport os, json.decoder\ntry:\n    import nosuch\nexcept ImportError:\n    pass\nraise Exception\n", 0755);
write_file('/opt/bin/page.sh', "#!/bin/sh\nexit 1\n", 0755);
jailcgi_ok('a jail', 'mkjail', $jail, '--minimal', '--user', '#61190:#61190', '--home', '/home/alice',
    map({ ('--program', $_) } '/bin/sh', '/usr/bin/perl', '/usr/bin/python3', '/opt/bin/greeter', $script,
        '/opt/bin/page.py', '/opt/bin/page.sh'), '--exclude', '*/dist-packages', '--exclude', '*/Text/Wrap.pm');

my ($found, $text, $status) = findings('--no-host', $jail);
is_deeply($found, {}, 'all is well, and no script was run') or diag($text);
is($status, 0, 'status 0');

# --- what is missing
($found, $text, $status) = page('#!/usr/bin/perl', 'use Text::Wrap;');
is_deeply($found, does_not_start($script), 'a module of perl is missing') or diag($text);
is($status, 1, 'status 1');
like($text, qr{: broken: 1 of 1 findings}, 'it is broken');
like($text, qr{found Can't locate Text/Wrap\.pm in \@INC, expected success, as uid 61190; remedy: jailcgi mkjail \Q$jail\E --program (/\S+/Text/Wrap\.pm)$}m,
    'and how it comes');
my ($module) = $text =~ m{--program (/\S+/Text/Wrap\.pm)$}m;
jailcgi_ok('the remedy', 'mkjail', $jail, '--program', $module // '/none');
($found, $text) = findings('--no-host', $jail);
is_deeply($found, {}, 'helps') or diag($text);
($found, $text) = page('#!/usr/bin/perl', 'use Nosuch::Module;');
like($text, qr{found Can't locate Nosuch/Module\.pm in \@INC, .*; remedy: install the package that has Nosuch/Module\.pm}, 'one that the machine lacks too');
($found, $text) = page('#!/usr/bin/perl', 'if (1) {');
like($text, qr{: does-not-start: \Q$script\E: .* found Missing right curly}, 'a script that perl does not understand');
($found) = findings('--no-host', '--no-start', $jail);
is_deeply($found, {}, '--no-start starts nothing');
page('#!/usr/bin/perl');
write_file("$jail/opt/bin/page.py", "#!/usr/bin/python3\nfrom nosuch.module import x\n", 0755);
($found, $text) = findings('--no-host', $jail);
is_deeply($found, does_not_start('/opt/bin/page.py'), 'a module of python is missing');
like($text, qr/found no module nosuch/, 'which');
write_file("$jail/opt/bin/page.py", "#!/usr/bin/python3\n", 0755);
write_file("$jail/opt/bin/page.sh", "#!/bin/sh\nif\n", 0755);
is_deeply((findings('--no-host', $jail))[0], does_not_start('/opt/bin/page.sh'), 'a script that sh does not understand');
write_file("$jail/opt/bin/page.sh", "#!/bin/sh\n", 0755);
unlink "$jail/opt/greet/libgreet.so.1";
install('greet_old.so', "$jail/opt/greet/libgreet.so.1");
($found, $text) = findings('--no-host', $jail);
is_deeply($found, does_not_start('/opt/bin/greeter'), 'a symbol is missing') or diag($text);
like($text, qr{found undefined symbol: \w+}, 'which');
unlink "$jail/opt/greet/libgreet.so.1";
is_deeply([sort keys %{ (findings('--no-host', $jail))[0] }], [qw(missing-file missing-library)],
    'a library that has gone is said once');
install('greet_new.so', "$jail/opt/greet/libgreet.so.1");
rename "$jail/usr/share/perl", "$jail/usr/share/away";
($found, $text) = findings('--no-host', $jail);
ok($found->{'missing-file'} && !$found->{'does-not-start'}, 'so are files of perl');
rename "$jail/usr/share/away", "$jail/usr/share/perl";

# --- as whom
sub says {
    my ($code) = @_;
    my (undef, $out) = page('#!/usr/bin/perl', "BEGIN { $code }");
    return $out =~ /: found (.*?) at \S+ line \d+\., expected/ ? $1 : $out;
}
is(says('die join q{ }, $<, $>, $(, $)'), '61190 61190 61190 61190 61190 61190', 'it is the tenant, without other groups');
is(says('$> = 0; $< = 0; die "$< $>"'), '61190 61190', 'for good');
is(says('die join q{ }, map { s{.*/}{}r } glob q{/*}'), join(' ', sort map { s{.*/}{}r } glob "$jail/*"), 'in the jail');
is(says('chroot q{.}; die $!'), 'Operation not permitted', 'without a capability');
is(says('use Socket; socket my $s, PF_INET, SOCK_DGRAM, 0; connect $s, sockaddr_in(9, inet_aton(q{127.0.0.1})) or die $!; die q{connected}'),
    'Network is unreachable', 'without network');
is(says('kill 0, ' . $$ . ' or die $!; die q{seen}'), 'No such process', 'and sees no process of the machine');
is(says('$SIG{XFSZ} = q{IGNORE}; $| = 1; open my $f, q{>}, q{/home/alice/x}; print {$f} 1; close $f or die $!; die q{written}'),
    'File too large', 'and fills no disk');
is(says('die join q{ }, sort grep { !/^(?:PATH|HOME|LC_ALL|PWD|OLDPWD|_|SHLVL)$/ } keys %ENV, q{.}'), '.', 'and no environment');

# --- and then
my $mark = "left-by-check-$$";
page('#!/usr/bin/perl', "BEGIN { if (!fork) { use POSIX; POSIX::setsid(); \$0 = '$mark'; sleep 300 } }");
my $began = time;
my ($out) = (findings('--no-host', $jail))[1];
is_deeply([grep { slurp($_) =~ /^\Q$mark\E/ } glob '/proc/[0-9]*/cmdline'], [], 'no process stays');
page('#!/usr/bin/perl', 'BEGIN { fork; sleep 300 }');
like((findings('--no-host', $jail))[1], qr/found has not ended after 10 seconds, expected/, 'what does not end is ended');
cmp_ok(time - $began, '<', 200, 'in time');

done_testing;
