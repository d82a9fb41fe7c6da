# Every way in which a script fails to start or ends badly is told apart from
# the others: by its code, in one line of its site's own log.

use lib 't/lib';
use JailCGI::Test;

use File::Path 'make_path';

my $alice = tenant('alice');
my $bare  = tenant('bare');      # its jail has no loader
my $crowd = tenant('crowd');     # its user has too many processes
my $late  = tenant('late');
my $third = tenant('third');
my $other_uid = $third->uid;
my $ok        = "#!/bin/sh\necho Content-Type: text/plain\necho\necho ran\n";
my @options;                     # of more virtual hosts of alice's

unlink $bare->root . '/usr/lib64/ld-linux-x86-64.so.2';
unlink glob $alice->root . '/usr/lib/x86_64-linux-gnu/libselinux.so*';

sub slurp {
    my ($file) = @_;
    open my $fh, '<:raw', $file or die "$file: $!";
    local $/;
    return scalar <$fh>;
}

# A shell script that sends a header and then does more.
sub page_then { return "#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\n'\n$_[0]" }
sub status_is { return "#!/bin/sh\nprintf 'Status: $_[0]\\n\\nx'\n" }

# --- scripts that fail ------------------------------------------------------

my $hello    = slurp(probe('hello'));
my $elsewhere = $hello;
substr $elsewhere, 18, 2, pack 'v', 0xf7;    # e_machine: none of ours
my $dynamic = slurp('/usr/bin/id');

# name => [content, code, what the line says, status]
my %script = (
    'no-interpreter' =>
      ["#!/opt/ruby -w\n", 1603, qr{interpreter /opt/ruby .*not exist}],
    'interpreter-is-no-directory' =>
      ["#!/etc/passwd/sh\n", 1603, qr{/etc/passwd/sh}],
    'crlf'  => ["#!/bin/sh\r\necho\r\n", 1605, qr/Windows.*dos2unix/],
    'text'  => ["echo hello\n",          1606, qr/#!/],
    'empty' => ['',                      1606, qr/an empty file/],
    'bom'   => ["\xef\xbb\xbf$ok",       1606, qr/a byte order mark/],
    'blank-line-first'   => ["\n$ok",    1606, qr/#!/],
    'other-machine'      => [$elsewhere, 1610, qr/247, expected \d+/],
    'interpreter-no-x'   => ["#!/etc/passwd\n", 1611, qr{/etc/passwd.*chmod a\+rx}],
    'interpreter-closed' => ["#!/opt/closed/sh\n", 1611, qr{/opt/closed/sh}],
    'library'  => [$dynamic, 1702, qr/libselinux\.so\.1/],
    'killed'   => ["#!/bin/sh\nkill -KILL \$\$\n", 1701, qr/signal 9 \(SIGKILL\)/],
    'crashed'  => ["#!/bin/sh\nkill -SEGV \$\$\n", 1701, qr/signal 11 \(SIGSEGV\)/],
    'silent'   => ["#!/bin/sh\n",         1704, qr/before headers/],
    'silent-3' => ["#!/bin/sh\nexit 3\n", 1704, qr/exit status 3/],
    'chatty'   => ["#!/bin/sh\necho hello there\n", 1705, qr/"?hello there/],
    'bad-line' => [
        "#!/bin/sh\nprintf 'Content-Type: text/plain\\nno colon\\n\\nx'\n",
        1705, qr/no colon/
    ],
    'no-end' => [
        "#!/bin/sh\necho Content-Type: text/plain\n",
        1705, qr/empty line should be/
    ],
    'bad-name' =>
      ["#!/bin/sh\nprintf 'Content Type: x\\n\\nx'\n", 1705, qr/Content Type/],
    'long-header' => [
        "#!/usr/bin/perl\nprint 'X-', 'a' x 1000, qq{: b\\n} for 1 .. 1200;\n"
          . 'print qq{\\nx}',
        1706, qr/longer than JailHeaderMax/
    ],
    'long-line' => [
        "#!/usr/bin/perl\nprint 'X-A: ', 'a' x 1_200_000, qq{\\n\\nx}",
        1706, qr/longer than JailHeaderMax/
    ],
    'many-lines' => [
        "#!/usr/bin/perl\nprint qq{a: b\n} x 1001, qq{\nx}",
        1706, qr/1,000 lines/
    ],
    'status-abc'   => [status_is('abc'),   1709, qr/"Status: abc"/],
    'status-999'   => [status_is('999'),   1709, qr/"Status: 999"/],
    'status-100'   => [status_is('100 Continue'), 1709, qr/"Status: 100 Continue"/],
    'status-101'   => [status_is('101'),   1709, qr/"Status: 101"/],
    'status-199'   => [status_is('199 X'), 1709, qr/"Status: 199 X"/],
    'status-600'   => [status_is('600'),   1709, qr/"Status: 600"/],
    'status-99'    => [status_is('99'),    1709, qr/"Status: 99"/],
    'status-2000'  => [status_is('2000'),  1709, qr/"Status: 2000"/],
    'status-minus' => [status_is('-200'),  1709, qr/"Status: -200"/],
    'exit-7' => [page_then("echo ran\nexit 7\n"), 1715, qr/exit status 7/, 200],
    'noisy'  => [
        page_then("echo ran\nexec seq 1 5000 >&2\n"),
        1711, qr/4000 more lines/, 200
    ],
);
for my $name (keys %script) {
    $alice->script($name, $script{$name}[0]);
}
$alice->replace('/opt/closed/sh', slurp('/bin/sh'), mode => 0755);
chmod 0700, $alice->root . '/opt/closed' or die "chmod: $!";

# --- hosts whose settings make scripts fail ---------------------------------

# name, directives, script, its content, code, what the line says, status
my @limited = (
    [
        'cpu', 'JailLimit cpu 1', "#!/bin/sh\nwhile :; do :; done\n",
        1713, qr/processor time.*SIGKILL.*JailLimit cpu/
    ],
    [
        'cpu-soft', 'JailLimit cpu 1:9', "#!/bin/sh\nwhile :; do :; done\n",
        1713, qr/processor time.*SIGXCPU.*JailLimit cpu/
    ],
    [
        'fsize', 'JailLimit fsize 4K',
        "#!/bin/sh\nexec cat /bin/sh >big\n",
        1714, qr/SIGXFSZ.*JailLimit fsize/
    ],
    [
        'nofile', 'JailLimit nofile 4294967290', # above any fs.nr_open
        $ok, 1404, qr/JailLimit nofile, hard limit 4294967290;/, 503
    ],
    [
        'one-string', 'JailEnv BIG ' . 'x' x 140_000,
        $ok, 1608, qr/larger than the kernel allows.*fewer or shorter/
    ],
);
for my $row (@limited) {
    $alice->script("$row->[0].sh", $row->[2]);
    push @options, [$alice, $row->[1], name => $row->[0]];
}
push @options, [$alice, 'JailLimit stack 64K', name => 'small-stack'];
push @options, [$crowd, 'JailLimit nproc 1', name => 'nproc'];
push @options, [$crowd, 'JailLimit nproc 30', name => 'enough'];
$crowd->install(probe('hello'), 'hello');

my %limit = (
    cpu      => '70:80',
    fsize    => '1M:2M',
    data     => '500M:501M',
    stack    => '4M:5M',
    core     => '0:4K',
    rss      => '1G:2G',
    nproc    => '77:78',
    nofile   => '99:100',
    memlock  => '16K:17K',
    as       => '2G:unlimited',
    locks    => '5:6',
    sigpending => '11:12',
    msgqueue => '4K:5K',
    rtprio   => '0:0',
);
push @options, [
    $alice, join("\n", map { "JailLimit $_ $limit{$_}" } sort keys %limit)
      . "\nJailLimit nice 3",
    name => 'limits'
  ],
  [$alice, 'JailLimit nofile 200 cpu unlimited nofile 64', name => 'limits2'];
$alice->install(probe('limits'), 'limits');

$alice->script('env', "#!/usr/bin/perl\nprint qq{Content-Type: text/plain\\n\\n};\n"
      . 'print qq{$_=$ENV{$_}\n} for sort keys %ENV; printf qq{umask=%03o\n}, umask;');
push @options, [
    $alice, <<'END', name => 'env'
    JailEnv REGION north
    JailEnv region small
    JailEnv WORDS "two words"
    JailEnv QUOTE "say \"yes\""
    JailEnv EMPTY ""
    JailEnv PERL5LIB /opt/perl5
    JailEnv TMPDIR /other
    SetEnv REGION south
    SetEnv SET_BY_SETENV 1
    SetEnv PYTHONPATH /evil
    SetEnv LD_PRELOAD /evil.so
    SetEnv LD_BIND_NOW 0
END
];

# --- JailRoots that are missing or unsafe -----------------------------------

# The scripts lie elsewhere on the host and are linked into the jails, so that
# httpd finds them when the jail is not there.
my $outside = work_dir() . '/outside';
my $aside   = work_dir() . '/aside';
make_path($outside, $aside);
$late->own($outside, mode => 0755);
for my $name (qw(above owned linked-in-tenants linked sticky self)) {
    make_path("$aside/$name");
}
my $late_script = $late->replace("$outside/t.sh", $ok, mode => 0755,
    uid => $late->uid, gid => $late->gid);
$late->directory($outside);
link $late_script, "$outside/t.sh" or die "link: $!";

sub clone_of_late {
    my ($to) = @_;
    make_path($to =~ s{/[^/]+$}{}r);
    system('cp', '-al', $late->root, $to) == 0 or die 'cp failed';
    chown 0, 0, $to or die "chown: $!";
    return $to;
}

sub late_host {
    my ($name, $root) = @_;
    push @options, [
        $late, "ScriptAlias /outside/ \"$outside/\"",
        name => $name,
        root => $root
    ];
    return;
}

# name, directory that is to be mended, what the line says
my @unsafe = (
    ['above',   sub { chmod 0775, "$aside/above" }, qr/0775/],
    ['sticky',  sub { chmod 01777, "$aside/sticky" }, qr/1777/],
    ['owned',   sub { chown $other_uid, 0, "$aside/owned" }, qr{/owned}],
    ['self',    sub { chmod 0757, "$aside/self/jail" }, qr/0757/],
);
for my $row (@unsafe) {
    my $name = $row->[0];
    late_host($name, clone_of_late("$aside/$name/jail"));
    $row->[1]->();
}
clone_of_late("$aside/real");
symlink "$aside/real", "$aside/linked/jail" or die "symlink: $!";
symlink "$aside/real", "$aside/linked-in-tenants/jail" or die "symlink: $!";
chown $late->uid, 0, "$aside/linked-in-tenants" or die "chown: $!";
late_host($_, "$aside/$_/jail") for qw(linked linked-in-tenants);
late_host('missing',   "$aside/missing");
late_host('is-a-file', "$aside/file");
open my $touch, '>', "$aside/file" or die "$aside/file: $!";
close $touch;

# --- the server -------------------------------------------------------------

# NAME => DIRECTIVES as above; the server level's JailEnv is every host's.
my $httpd = httpd(
    config => "JailEnv EVERYWHERE yes\nJailEnv REGION west",
    vhosts => [$alice, $bare, $crowd, @options]
);

# Lines that mod_jailcgi wrote itself, and not a script's stderr.
sub reasons {
    my ($host) = @_;
    return grep { /\[client [^\]]+\] JCGI\d+: / } split /\n/, $httpd->log($host);
}

sub fails {
    my ($host, $path, $name, $code, $says, $status, @headers) = @_;
    $status ||= 500;
    $httpd->mark($_) for $host, undef;
    my $res   = $httpd->get($host, $path, @headers);
    my @lines = reasons($host);
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is($res->code,    $status, "$name: status");
    is(scalar @lines, 1,       "$name: one line") or diag($httpd->log($host));
    my $script = $httpd->log($host) =~ /JCGI17/ ? ': ' : ' not run: ';
    like($lines[0] // '', qr/ JCGI$code: script \/\S+$script/, "$name: JCGI$code");
    like($lines[0] // '', $says, "$name: what was found");
    like($lines[0] // '', qr/; remedy: \w/, "$name: a remedy")
      if $status != 200;
    $httpd->log_unlike(undef, qr/JCGI/, "$name: nothing in the main log");
    return $res;
}

sub runs {
    my ($host, $path, $name, @headers) = @_;
    my $res = $httpd->get($host, $path, @headers);
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is($res->code, 200, "$name: runs") or diag($httpd->log($host));
    return $res->decoded_content;
}

# A keeper that has just failed may not have gone yet, and its jail's next
# request meets the same end.
sub runs_soon {
    my ($host, $path, $name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    ok(wait_until(sub { $httpd->get($host, $path)->code == 200 }, 30),
        "$name: runs")
      or diag($httpd->log($host));
    return;
}

for my $name (sort keys %script) {
    my (undef, $code, $says, $status) = @{ $script{$name} };
    my $res = fails($alice, "/cgi-bin/$name", $name, $code, $says, $status);
    is($res->content, "ran\n", "$name: the page came whole")
      if ($status || 0) == 200;
}

for my $row (@limited) {
    my ($name, undef, undef, @expected) = @$row;
    fails($name, "/cgi-bin/$name.sh", $name, @expected);
}

# --- no loader --------------------------------------------------------------

$bare->install('/usr/bin/id', 'id');
$bare->script('shell', $ok);
$bare->install(probe('limits'), 'static');
my $loader = qr{loader /lib64/ld-linux-x86-64\.so\.2 };
fails($bare, '/cgi-bin/id',    'program without loader',     1604, $loader);
fails($bare, '/cgi-bin/shell', 'interpreter without loader', 1604, $loader);
runs($bare, '/cgi-bin/static', 'a static program without loader');

# --- being written, too large, too many ---------------------------------------

# Linux 6.11 and 6.12 let a program that is open for writing run.
my $busy = $alice->install(probe('limits'), 'busy');
open my $writer, '+<', $busy or die "$busy: $!";
no warnings 'exec';
if (system({$busy} 'busy') == -1 && $!{ETXTBSY}) {
    fails($alice, '/cgi-bin/busy', 'program being written', 1612, qr/written/,
        503);
}
close $writer;
runs($alice, '/cgi-bin/busy', 'program written');

# The kernel takes a quarter of the stack's limit, and always 128 kB.
my @large = map { ("X-Large-$_" => 'x' x 8000) } 1 .. 25;
runs($alice, '/cgi-bin/env', '200 kB of headers', @large);
fails('small-stack', '/cgi-bin/env', '200 kB of headers and a small stack',
    1608, qr/JailLimit stack/, 500, @large);
runs('small-stack', '/cgi-bin/env', 'a small stack');

fails('nproc', '/cgi-bin/hello', 'too many processes',
    1601, qr/limit is 1\b.*JailLimit nproc/, 503);
$crowd->script('hello.sh', $ok);
runs('enough', '/cgi-bin/hello.sh', 'enough processes');

# --- what passes --------------------------------------------------------------

$alice->script('long-ok', "#!/usr/bin/perl\n"
      . 'print qq{Content-Type: text/plain\nX-Long: }, q{a} x 60_000, qq{\n\nran\n}');
my $raw = $httpd->raw(
    "GET /cgi-bin/long-ok HTTP/1.0\r\nHost: alice\r\n\r\n");
like($raw, qr/\AHTTP\/1\.1 200 /, 'a header line of 60,000 bytes: status');
is(length(($raw =~ /^X-Long: (a+)\r$/m)[0]), 60_000, 'and arrives whole');
$alice->script('lines-ok', "#!/usr/bin/perl\n"
      . 'print qq{X-B: b\n} x 900, qq{Content-Type: text/plain\n\nran\n}');
is(runs($alice, '/cgi-bin/lines-ok', 'a header of 901 lines'), "ran\n",
    'and its page');
for my $status ('200', '404 Not Found', '299 Odd', '503 Later', '599') {
    my ($number) = $status =~ /(\d+)/;
    $alice->script("good-$number", status_is($status));
    is($httpd->get($alice, "/cgi-bin/good-$number")->code,
        $number, "Status: $status passes");
}

# --- a page that a signal cuts short ---------------------------------------

$alice->script('cut', page_then("echo begun\nsleep 0.5\nkill -KILL \$\$\n"));
$httpd->mark($alice);
$raw = $httpd->raw("GET /cgi-bin/cut HTTP/1.1\r\nHost: alice\r\n\r\n");
like($raw, qr/\AHTTP\/1\.1 200 .*begun/s, 'a page cut short had begun');
unlike($raw, qr/\r\n0\r\n\r\n\z/, 'and has no last chunk');
is(scalar(reasons($alice)), 1, 'and one line says why');
$httpd->log_like($alice, qr/JCGI1701: .*SIGKILL/, 'which names the signal');

# --- JailRoot -----------------------------------------------------------------

for my $row (@unsafe) {
    my ($name, undef, $says) = @$row;
    fails($name, '/outside/t.sh', "JailRoot, $name", 1407, $says, 503);
    for my $path ("$aside/$name", "$aside/$name/jail") {
        chown 0, 0, $path or die "chown: $!";
        chmod 0755, $path or die "chmod: $!";
    }
    runs_soon($name, '/outside/t.sh',
        "JailRoot, $name, mended, without a reload");
}
fails('linked-in-tenants', '/outside/t.sh', 'JailRoot, link of a tenant\'s',
    1407, qr{/linked-in-tenants/jail}, 503);
SKIP: {
    # The table of mounts leaves out what a chroot of a plain directory lies on.
    skip_or_fail('no private mounts here', 1) if !JailCGI::Httpd::mounts_work();
    runs('linked', '/outside/t.sh', 'JailRoot, link of root\'s');
}

fails('missing', '/outside/t.sh', 'JailRoot is missing',
    1406, qr{$aside/missing.*no reload}, 503);
clone_of_late("$aside/missing");
runs_soon('missing', '/outside/t.sh', 'JailRoot has appeared');
$httpd->mark('is-a-file');
is($httpd->get('is-a-file', '/outside/t.sh')->code, 503, 'JailRoot is a file');
my @lines = reasons('is-a-file');
is(scalar @lines, 1, 'JailRoot is a file: one line');
like($lines[0], qr{JCGI140[68]: .*$aside/file}, 'JailRoot is a file: code');

# --- what scripts find ------------------------------------------------------

sub bytes {
    my ($text) = @_;
    my %unit = (K => 1 << 10, M => 1 << 20, G => 1 << 30);
    return $text =~ /^(\d+)([KMG])$/ ? $1 * $unit{$2} : $text;
}

my %got = runs('limits', '/cgi-bin/limits', 'a probe of limits') =~ /^(\w+) (.*)$/mg;
for my $name (sort keys %limit) {
    is($got{$name}, join(' ', map { bytes($_) } split /:/, $limit{$name}),
        "JailLimit $name $limit{$name}, seen from inside");
}
is($got{nice}, 3, 'JailLimit nice 3, seen from inside');
%got = runs('limits2', '/cgi-bin/limits', 'limits, last one') =~ /^(\w+) (.*)$/mg;
is($got{nofile}, '64 64', 'the last JailLimit of a name counts, also as hard limit');
is($got{cpu}, 'unlimited unlimited', 'JailLimit cpu unlimited');

my $env = runs('env', '/cgi-bin/env', 'environment',
    Proxy => 'http://evil', Region => 'east');
my %env = $env =~ /^(\w+)=(.*)$/mg;
my %expected = (
    REGION        => 'north',
    region        => 'small',
    WORDS         => 'two words',
    QUOTE         => 'say "yes"',
    EMPTY         => '',
    EVERYWHERE    => 'yes',
    PERL5LIB      => '/opt/perl5',
    TMPDIR        => '/other',
    SET_BY_SETENV => 1,
    PYTHONPATH    => undef,
    LD_PRELOAD    => undef,
    HTTP_PROXY    => undef,
    LD_BIND_NOW   => 1,
    umask         => '022',
);
is($env{$_}, $expected{$_}, "environment: $_") for sort keys %expected;

# --- nobody forges a line ---------------------------------------------------

my $escape  = "\e[31m";
my $forged  = '[Mon Jan 01 00:00:00.000000 2001] [jailcgi:error] [pid 1:tid 1] '
  . '[client 127.0.0.1:1] JCGI1999: script forged';
my %forger = (
    "newline\n$forged" => "$ok#",
    'stderr'      => page_then("printf '%s\\n' 'a\r$forged$escape\001\177' >&2\n"),
    'header'      => "#!/usr/bin/perl\nprint qq{a\r$forged$escape\\n\\n}",
    'status'      => "#!/usr/bin/perl\nprint qq{Status: a\r$forged$escape\\n\\n}",
    'interpreter' => "#!/no$escape\001\177\n",
    'loader'      => "#!/bin/sh\n"
      . "printf 'error while loading shared libraries: a\r$escape\\n' >&2\nexit 127\n",
);
for my $name (sort keys %forger) {
    my $is_newline = $name =~ /\n/;
    $alice->script($name, $forger{$name}, mode => $is_newline ? 0644 : 0755);
    $httpd->mark($alice);
    my $path = $name =~ s/([^\w-])/sprintf '%%%02X', ord $1/ger;
    $httpd->get($alice, "/cgi-bin/$path", Referer => "a$forged");
    my $log   = $httpd->log($alice);
    my $shown = $is_newline ? 'path' : $name;
    isnt($log, '', "forger, $shown: is logged");
    unlike($log, qr/[^\n\x20-\x7e\x80-\xff]/, "forger, $shown: no control character");
    my $begin = qr/\[\w{3} \w{3} \d\d [\d:.]+ 20(?!01)\d\d\] \[jailcgi:error\]/;
    is(scalar(grep { !/^$begin \[pid/ } split /\n/, $log),
        0, "forger, $shown: each line is httpd's own")
      or diag($log);
    is(scalar(grep { /^$begin \[pid [^\]]+\] \[client [^\]]+\] JCGI1999/ } split /\n/, $log),
        0, "forger, $shown: no reason is forged");
}

done_testing;
