# Each remedy of the table of reasons is carried out as the line in the site's log has it, in the
# layout for which it is given, and the same request then works. t/httpd/diagnosis.t does this for
# what keeps a program from running, t/httpd/remedies_*.t for the configuration, the helper and the
# launch. t/lint/carried_out.t counts the codes.

use lib 't/lib';
use JailCGI::Test;
use JailCGI::Remedy qw(remedy_holds remedies_hold command_in directive);
use JailCGI::Source qw(read_file);

use File::Path 'make_path';

my $alice = tenant('alice');
my $third = tenant('third');
my ($uid, $gid, $root) = ($alice->uid, $alice->gid, $alice->root);
my $head = "#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\n'\n";
my $ok   = "${head}echo ran\n";
my $loop = 'while :; do :; done';

# --- what is wrong ------------------------------------------------------------

my $cgi = $alice->jail_cgi_bin;

# A script in a directory of its own, on which the offence is committed.
sub own_dir {
    my ($name, $offence) = @_;
    $name =~ s/ /-/g;
    $alice->directory("$cgi/$name");
    $alice->script("$name/t.sh", $ok);
    $offence->("$root$cgi/$name", "$root$cgi/$name/t.sh");
    return "/cgi-bin/$name/t.sh";
}
sub mode  { my ($mode) = @_; return sub { chmod $mode, $_[1] or die } }
sub dmode { my ($mode) = @_; return sub { chmod $mode, $_[0] or die } }

my @rows;
sub row { push @rows, {@_}; return }

sub file_row {
    my ($name, $code, $offence, $remedy, $by) = @_;
    row(name => $name, code => $code, path => own_dir($name, $offence), remedy => $remedy,
        by => $by);
    return;
}
sub command { return command_in($root, @_) }

file_row('script for a group', 1508, mode(0775), qr/^chmod go-w/, command(qr/chmod go-w \S+/));
file_row('setuid', 1509, sub { chown $third->uid, $third->gid, $_[1]; chmod 04755, $_[1] },
    qr/^chmod ug-s/, sub { command(qr/chmod ug-s \S+/)->(@_); chown $uid, $gid, "$root$cgi/setuid/t.sh" });
file_row('not executable', 1512, mode(0644), qr/^chmod u\+x/, command(qr/chmod u\+x \S+/));
file_row('of another', 1510, sub { chown $third->uid, $gid, $_[1] }, qr/chown $uid /,
    command(qr/chown $uid \S+/));
file_row('directory for all', 1504, dmode(0777), qr/^chmod go-w/, command(qr/chmod go-w \S+/));
file_row('sticky', 1504, dmode(01777), qr/^put the script below a directory of the site's own/,
    sub { $alice->directory("$cgi/unshared"); $alice->script('unshared/t.sh', $ok) });
$rows[-1]{at} = [$alice, '/cgi-bin/unshared/t.sh'];
file_row('directory of another', 1505, sub { chown $third->uid, $gid, $_[0] }, qr/several sites/,
    command(qr/chown $uid \S+/));
file_row('closed', 1503, sub { chown 0, scalar getgrnam('nogroup'), $_[0]; chmod 0750, $_[0] }, qr/^chmod a\+x/,
    command(qr/chmod a\+x \S+/));

# httpd sees these outside of the jail.
my $outside = work_dir() . '/outside';
make_path($outside, "$root$outside");
$alice->own($outside, mode => 0755);
$alice->own("$root$outside", mode => 0755);
sub outside_row {
    my ($name, $code, $inside, $remedy, $by) = @_;
    my $real = "$outside/$name.sh";
    open my $fh, '>', $real or die "$real: $!";
    print {$fh} $ok;
    close $fh;
    $alice->own($real, mode => 0755);
    $inside->("$root$real");
    row(name => "outside, $name", code => $code, path => "/outside/$name.sh", remedy => $remedy,
        by => sub { unlink "$root$real"; rmdir "$root$real"; return $by->($real, "$root$real") });
    return;
}
my $same = sub { return link $_[0], $_[1] };
outside_row('absent', 1502, sub { }, qr/the same path must exist again inside/, $same);
outside_row('other', 1513, sub { $alice->replace("$outside/other.sh", $ok, mode => 0755) },
    qr/put the site itself below JailRoot/, $same);
outside_row('loop', 1506, sub { symlink 'loop.sh', $_[0] }, qr/^replace the link/, $same);
outside_row('folder', 1507, sub { mkdir $_[0] }, qr/name the script itself/, $same);

# --- hosts and their directives --------------------------------------------------

# A host with the lines that are wrong, and from the reload on with those of the remedy.
my (@hosts, @host_rows);

sub host_row {
    my ($name, $code, $path, $bad, $good, $remedy, %more) = @_;
    push @hosts, [$name, $bad, $good];
    push @host_rows, {
        name => $name, code => $code, host => $name, path => $path, remedy => $remedy,
        by => directive(scalar((split /\n\s*/, $good)[-1])), %more
    };
    return;
}

sub vhosts {
    my ($is_healed) = @_;
    return [map { ref $_->[1] ? [$alice, @{ $_->[1 + $is_healed] }, name => $_->[0]]
              : [$alice, $_->[1 + $is_healed], name => $_->[0]] } @hosts];
}

$alice->script('shared.sh', $ok, uid => 0, gid => 0);
$alice->script('t.sh', $ok);
host_row('trust', 1510, '/cgi-bin/shared.sh', '', "JailTrust $cgi/shared.sh", qr/name it in JailTrust/);
$alice->script('real-shared.sh', $ok, uid => 0, gid => 0);
symlink 'real-shared.sh', "$root$cgi/linked.sh";
host_row('trust-link', 1510, '/cgi-bin/linked.sh', '', "JailTrust $cgi/linked.sh", qr/name it in JailTrust/);
my $alias = "Alias /plain/ \"$root$cgi/\"\n    <Location /plain/>\n    SetHandler cgi-script\n    </Location>";
host_row('exec', 1201, '/plain/t.sh', $alias,
    "$alias\n    <Directory \"$root$cgi\">\n    Options +ExecCGI\n    </Directory>", qr/Options \+ExecCGI/,
    status => 403, by => sub { $_[0] =~ /Options \+ExecCGI/ });
host_row('path-info', 1205, '/cgi-bin/t.sh/more', 'AcceptPathInfo Off', 'AcceptPathInfo On',
    qr/set AcceptPathInfo On/, status => 404);
host_row('nofile', 1404, '/cgi-bin/t.sh', 'JailLimit nofile 4294967290', 'JailLimit nofile 200',
    qr/lower the JailLimit/, status => 503);
$alice->script('cpu.sh', "$head perl -e '1 for 1 .. 60_000_000'\n");
$alice->script('header-late.sh', "#!/bin/sh\nsleep 2\nprintf 'Content-Type: text/plain\\n\\nran\\n'\n");
$alice->script('file.sh', "#!/bin/sh\nhead -c 20000 /dev/zero >big\nprintf 'Content-Type: text/plain\\n\\n'\n");
$alice->script('fsize.sh', "#!/bin/sh\nexec perl -e 'open F, q{>}, q{big}; print F q{x} x 20_000; close F; "
      . "print qq{Content-Type: text/plain\\n\\nran\\n}'\n");
host_row('fsize', 1714, '/cgi-bin/fsize.sh', 'JailLimit fsize 4K', 'JailLimit fsize 1M', qr/JailLimit fsize/);
host_row('late', 1707, '/cgi-bin/header-late.sh', 'JailTimeout idle=1s', 'Timeout 20', qr/raise Timeout/, status => 504);
host_row('total', 1717, '/cgi-bin/header-late.sh', 'JailTimeout total=1s', 'JailTimeout total=20s',
    qr/raise JailTimeout total/, status => 504);
$alice->script('headers.sh', "#!/usr/bin/perl\nprint map({ qq{X-\$_: @{['a' x 100]}\\n} } 1 .. 100), qq{Content-Type: text/plain\\n\\nran\\n};");
host_row('header-max', 1706, '/cgi-bin/headers.sh', 'JailHeaderMax 8192', 'JailHeaderMax 65536', qr/raise JailHeaderMax/);
$alice->script('spin.sh', "#!/bin/sh\nexec perl -e 'my \$t = time; 1 while (times)[0] < 1.5;"
      . "print qq{Content-Type: text/plain\\n\\nran\\n}'\n");
host_row('cpu', 1713, '/cgi-bin/spin.sh', 'JailLimit cpu 1', 'JailLimit cpu 20', qr/JailLimit cpu/);
my @large = map { ("X-Large-$_" => 'x' x 8000) } 1 .. 25;
host_row('stack', 1608, '/cgi-bin/t.sh', 'JailLimit stack 64K', 'JailLimit stack 8M', qr/raise JailLimit stack/,
    headers => \@large);
host_row('nproc', 1601, '/cgi-bin/t.sh', 'JailLimit nproc 1', 'JailLimit nproc 50', qr/raise JailLimit nproc/,
    status => 503);
my $source = work_dir() . '/source';
my $data   = work_dir() . '/data';
mkdir $data, 0755 or die;
$alice->directory('/shown');
host_row('source', 1420, '/cgi-bin/t.sh', "JailMount ro $source /shown", "JailMount ro $source /shown optional",
    qr/create it, correct the line, or add the word optional/, status => 503, by => sub { $_[0] =~ /optional/ });
make_path($data . '/tenants');
chown $uid, $gid, "$data/tenants";
symlink $data, "$data/tenants/link";
host_row('unsafe', 1421, '/cgi-bin/t.sh', "JailMount ro $data/tenants/link /shown", "JailMount ro $data /shown",
    qr/name the real directory/, status => 503, by => sub { 1 });
host_row('target', 1422, '/cgi-bin/t.sh', "JailMount ro $data /place", "JailMount ro $data /place", qr/create it below JailRoot/,
    status => 503, by => sub { $alice->directory('/place', uid => 0, gid => 0) });

# --- the rest of the scripts --------------------------------------------------------

sub script_row {
    my ($name, $code, $content, $remedy, $good, %more) = @_;
    $alice->script("$name.sh", $content);
    row(name => $name, code => $code, path => "/cgi-bin/$name.sh", remedy => $remedy,
        by => sub { $alice->script("$name.sh", $good) }, %more);
    return;
}
script_row('silent', 1704, "#!/bin/sh\n", qr/must print Content-Type: and an empty line/, $ok);
script_row('chatty', 1705, "#!/bin/sh\necho hello there\n", qr/print Content-Type: and an empty line/, $ok);
script_row('status', 1709, "#!/bin/sh\nprintf 'Status: 99\\n\\n'\n", qr/three digits from 200 to 599/,
    "#!/bin/sh\nprintf 'Status: 200 OK\\n\\n'\n");
script_row('machine', 1610, do { my $e = read_file(probe('hello')); substr $e, 18, 2, pack 'v', 0xf7; $e },
    qr/compile it for this machine/, $ok);
row(name => 'absent', code => 1202, path => '/cgi-bin/absent.sh', status => 404, remedy => qr/^upload it/,
    by => sub { $alice->script('absent.sh', $ok) });
$alice->directory("$cgi/only");
$alice->script('only/t.sh', $ok);
row(name => 'a directory', code => 1203, path => '/cgi-bin/only/', status => 403,
    remedy => qr/^name a script in the URL/, by => sub { 1 }, at => [$alice, '/cgi-bin/only/t.sh']);

# A JailRoot that is missing, and one that a group can write.
my $aside = work_dir() . '/aside';
make_path("$aside/open");
sub clone_to {
    my ($to) = @_;
    return system('cp', '-al', $root, $to) == 0 && chown 0, 0, $to;
}
clone_to("$aside/open/jail");
chmod 0775, "$aside/open";
my $twice = "$outside/twice.sh";
open my $fh, '>', $twice or die;
print {$fh} $ok;
close $fh;
$alice->own($twice, mode => 0755);
for my $jail ("$aside/open/jail") {
    link $twice, "$jail$twice" or die "link: $!";
}
sub jail_at {
    my ($to) = @_;
    return clone_to($to) && link $twice, "$to$twice";
}
my $outer = "ScriptAlias /outside/ \"$outside/\"";
host_row('no-root', 1406, '/outside/twice.sh', [$outer, root => "$aside/missing"],
    [$outer, root => "$aside/missing"], qr/^create the directory, which needs no reload/,
    status => 503, by => sub { jail_at("$aside/missing") });
host_row('open-root', 1407, '/outside/twice.sh', [$outer, root => "$aside/open/jail"],
    [$outer, root => "$aside/safe"], qr{put the jail below one that serves nothing else},
    status => 503, by => sub { jail_at("$aside/safe") });

my $own = [$alice, $outer];
my $httpd = httpd(vhosts => [$own, @{ vhosts(0) }]);
remedy_holds($httpd, host => $alice, %$_) for @rows;
# What needs no reload works before it.
my %at_once = map { $_ => 1 } 1406, 1422;
remedy_holds($httpd, %$_) for grep { $at_once{ $_->{code} } } @host_rows;
remedies_hold($httpd, sub { $httpd->regenerate(vhosts => [$own, @{ vhosts(1) }]) },
    grep { !$at_once{ $_->{code} } } @host_rows);
done_testing;
