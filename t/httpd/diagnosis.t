# What keeps a script from running although all checks let it pass, and what makes it end at once:
# its first line, the chain of its interpreters, its class, its libraries. The line names the one
# thing that is wrong, and when that is put right the script runs.

use lib 't/lib';
use JailCGI::Test;
use JailCGI::Remedy qw(remedy_holds command_in directive);

my $alice = tenant('alice');
my $home  = $alice->jail_home;
my $ok    = "#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\nran\\n'\n";
my $body  = $ok =~ s/^.*\n//r;
my $python = "print('Content-Type: text/plain\\n\\nran')\n";

sub slurp {
    my ($file) = @_;
    open my $fh, '<:raw', $file or die "$file: $!";
    local $/;
    return scalar <$fh>;
}

# --- programs ---------------------------------------------------------------

# A static program for 32 bits of x86 that prints a page.
sub narrow {
    my ($interpreter) = @_;
    my $page = "Content-Type: text/plain\n\nran\n";
    my $at   = 0x08048000;
    my @interp = $interpreter ? ("$interpreter\0") : ();
    my $headers = 52 + 32 * (1 + @interp);
    my $code = pack 'CVCVCVCV', 0xb8, 4, 0xbb, 1, 0xb9, 0, 0xba, length $page;
    my $exit = pack 'CCCVCCCCC', 0xcd, 0x80, 0xb8, 1, 0x31, 0xdb, 0xcd, 0x80, 0xf4;
    my $text = $headers + length($code . $exit);
    substr $code, 11, 4, pack 'V', $at + $text;
    my $size = $text + length $page;
    my @segments = (pack 'V8', 1, 0, $at, $at, $size, $size, 5, 0x1000);
    if (@interp) {
        unshift @segments, pack 'V8', 3, $size, $at + $size, $at + $size,
          length $interp[0], length $interp[0], 4, 1;
    }
    return "\x7fELF\1\1\1" . "\0" x 9
      . pack('vvVVVVVvvvvvv', 2, 3, 1, $at + $headers, 52, 0, 0, 52, 32, scalar @segments, 0, 0, 0)
      . join('', @segments) . $code . $exit . $page . join '', @interp;
}

# A dynamic program that wants a version that its C library does not have.
my $newer = slurp('/usr/bin/id');
my ($version) = $newer =~ /(GLIBC_2\.\d\d)\0/ or die 'id wants no version of two digits';
$newer =~ s/\Q$version\E\0/GLIBC_2.99\0/;

# --- scripts ----------------------------------------------------------------

my $deep = "$home/" . join '/', 'd' x 120, 'e' x 120;
$alice->directory($deep);
symlink '/bin/sh', $alice->root . "$deep/sh" or die "symlink: $!";
symlink '/opt/gone/sh', $alice->root . '/opt-sh' or die "symlink: $!";
$alice->directory('/opt/folder');
$alice->replace('/opt/text', "just text\n", mode => 0755);
$alice->replace('/opt/wrapper', "#!/opt/php8 -q\n", mode => 0755);
$alice->replace('/opt/crlf', "#!/bin/sh\r\n. \"\$1\"\r\n", mode => 0755);
$alice->replace('/opt/closed', $ok, mode => 0600);
# The kernel follows five scripts, with the first. The shell at the end reads the last of these,
# whose arguments are the others.
for my $i (1 .. 5) {
    $alice->replace("/opt/chain$i",
        $i == 1 ? "#!/bin/sh\nfor i; do :; done\n. \"\$i\"\n" : '#!/opt/chain' . ($i - 1) . "\n",
        mode => 0755);
}

sub script { my @args = @_; return sub { return $alice->script(@args) } }
sub first_line { my ($name, $line) = @_; return script($name, "$line\n$body") }
sub dos2unix {
    my ($remedy) = @_;
    my ($file) = $remedy =~ /\bdos2unix ([^)]+)\)/ or return 0;
    my $text = slurp($alice->root . $file) =~ s/\r$//mgr;
    return $alice->replace($file, $text, uid => $alice->uid, gid => $alice->gid, mode => 0755);
}
sub both { my @by = @_; return sub { for my $by (@by) { $by->(@_) or return 0 } return 1 } }

# name, content, code, what the line says, the remedy, how it is carried out
my @rows = (
    ['direct', "#!/bin/sh\r\n$body", 1605, qr/the first line of \S+direct .*Windows/,
        qr/Unix line endings/, \&dos2unix],
    ['env-cr', "#!/usr/bin/env python3\r\n$python", 1605, qr/carriage return/,
        qr/Unix line endings/, \&dos2unix],
    ['option-cr', "#!/usr/bin/python3 -u\r\n$python", 1605, qr/carriage return/,
        qr/Unix line endings/, \&dos2unix],
    ['wrapper-cr', "#!/opt/crlf\n$body", 1605, qr{the first line of /opt/crlf }, qr/Unix/,
        \&dos2unix],
    ['long', "#!$deep/sh\n$body", 1615, qr/#! line of \S+long .*longer.*found 2\d\d bytes.*at most 255/,
        qr/symbolic link/,
        both(sub { symlink $deep, $alice->root . '/opt/short' }, first_line('long', '#!/opt/short/sh'))],
    ['long-argument', '#!/usr/bin/env -S ' . 'A=1 ' x 70 . "sh\n$body", 1615, qr/found 300 bytes/,
        qr/shorter/, first_line('long-argument', '#!/usr/bin/env sh')],
    ['wrapped', "#!/opt/wrapper\n$body", 1616, qr{itself a script, and /opt/php8 }, qr{install /opt/php8 },
        sub { return $alice->replace('/opt/php8', "#!/bin/sh\n. \"\$3\"\n", mode => 0755) }],
    ['env-missing', "#!/usr/bin/env c9ruby\n$body", 1617, qr/program c9ruby;/, qr/directory of PATH/,
        sub { return symlink '/bin/sh', $alice->root . '/usr/bin/c9ruby' }],
    ['env-path', "#!/usr/bin/env -S X=1 c9sh\n$body", 1617, qr/program c9sh;/, qr/JailEnv PATH/,
        directive('JailEnv PATH /opt/sh:/bin'), 'path'],
    ['env-options', "#!/usr/bin/env sh -e\n$body", 1617, qr/program sh -e;/, qr/env -S/,
        first_line('env-options', '#!/usr/bin/env -S sh -e')],
    ['by-name', "#!sh\n$body", 1618, qr/interpreter sh without/, qr{#!/usr/bin/env sh},
        first_line('by-name', '#!/usr/bin/env sh')],
    ['dangling', "#!/opt-sh\n$body", 1619, qr{/opt-sh .*leads nowhere}, qr{readlink /opt-sh},
        sub {
            my ($command) = $_[0] =~ m{\((readlink \S+)\)} or return 0;
            my $to = readlink $alice->root . ($command =~ s/^readlink //r);
            return $alice->replace($to, slurp('/bin/sh'), mode => 0755);
        }],
    ['folder', "#!/opt/folder\n$body", 1620, qr{/opt/folder .*found a directory}, qr/name a program/,
        first_line('folder', '#!/bin/sh')],
    ['text', "#!/opt/text\n$body", 1620, qr{/opt/text .*neither a program nor}, qr/name a program/,
        first_line('text', '#!/bin/sh')],
    ['chain-of-six', "#!/opt/chain5\n$body", 1620, qr/the sixth in a row/, qr/name a program/,
        first_line('chain-of-six', '#!/opt/chain3')],
    ['missing', "#!/opt/none -w\n$body", 1603, qr{interpreter /opt/none }, qr{install /opt/none },
        sub { return $alice->replace('/opt/none', slurp('/bin/sh'), mode => 0755)
              && $alice->script('missing', "#!/opt/none\n$body") }],
    ['closed', "#!/opt/closed\n$body", 1611, qr{execute its interpreter /opt/closed }, qr/chmod a\+rx/,
        command_in($alice->root, qr/chmod a\+rx \S+/)],
    ['only-hash', "#!\n$body", 1606, qr/found #! without an interpreter/, qr{#!/path},
        first_line('only-hash', '#!/bin/sh')],
    ['half', substr(slurp('/usr/bin/id'), 0, 100), 1606, qr/damaged/, qr/first characters/,
        script('half', slurp(fixture('page_static')))],
    ['version', $newer, 1703, qr/GLIBC_2\.99. not found/, qr/rebuild the program/,
        script('version', slurp(fixture('page_static')))],
    ['dlopen', "#!/bin/sh\necho 'x.so: cannot open shared object file: No such file' >&2\nexit 2\n",
        1702, qr/x\.so/, qr/copy that library/, script('dlopen', $ok)],
    ['undefined', "#!/bin/sh\necho 'ImportError: x.so: undefined symbol: f' >&2\nexit 1\n",
        1703, qr/undefined symbol: f/, qr/JailEagerBinding Off/, script('undefined', $ok)],
    ['pipe', "#!/bin/sh\nkill -PIPE \$\$\n", 1701, qr/SIGPIPE\); remedy: it wrote to a pipe/,
        qr/ignore SIGPIPE/, first_line('pipe', "#!/bin/sh\ntrap '' PIPE\nkill -PIPE \$\$")],
    ['fault', "#!/bin/sh\nkill -SEGV \$\$\n", 1701, qr/SIGSEGV/, qr/fault of the program/,
        script('fault', $ok)],
);
$alice->replace('/opt/sh/c9sh', slurp('/bin/sh'), mode => 0755);
$alice->script($_->[0], $_->[1]) for @rows;

# These begin as some that are diagnosed, and are right.
my %right = (
    'env-s'       => "#!/usr/bin/env -S sh -e\n$body",
    'env-s-cr'    => "#!/usr/bin/env -S python3\r\n$python",
    'chain-of-5'  => "#!/opt/chain4\n$body",
    'perl-cr'     => "#!/usr/bin/perl -w\r\nprint qq{Content-Type: text/plain\\n\\nran\\n};\r\n",
    'long-enough' => '#!/bin/sh ' . ' ' x 240 . "\n$body",
);
$alice->script($_, $right{$_}) for keys %right;
# Nothing in these files says why they end, and what does not explain an end is not said.
my %other = (
    'exit'    => ["#!/bin/sh\nexit 3\n", 1704, qr/exit status 3/],
    'perl-cr-exit' => ["#!/usr/bin/perl -w\r\nexit 3;\r\n", 1704, qr/exit status 3/],
    'env-exit'     => ["#!/usr/bin/env sh\nexit 3\n", 1704, qr/exit status 3/],
    'killed'  => ["#!/usr/bin/env sh\nkill -KILL \$\$\n", 1701, qr/SIGKILL.*limit/],
);
$alice->script($_, $other{$_}[0]) for keys %other;

my $is_x86 = `uname -m` =~ /x86_64/;
$alice->script('narrow', narrow());
$alice->script('narrow-loader', narrow('/lib/c9-loader.so'));
$alice->script('narrow-shell', "#!$home/cgi-bin/narrow\n");

my $httpd = httpd(
    vhosts => [
        $alice,
        [$alice, 'JailEnv PATH /opt/sh:/bin', name => 'path'],
        [$alice, 'JailSeccomp off', name => 'unfiltered'],
    ]
);

for my $row (@rows) {
    my ($name, undef, $code, $says, $remedy, $by, $host) = @$row;
    remedy_holds(
        $httpd,
        name => $name, code => $code, host => $alice, path => "/cgi-bin/$name",
        says => $says, remedy => $remedy, by => $by,
        $host ? (at => [$host, "/cgi-bin/$name"]) : ()
    );
}
is($httpd->get($alice, "/cgi-bin/$_")->content, "ran\n", "$_ is right") for sort keys %right;
for my $name (sort keys %other) {
    $httpd->mark($alice);
    is($httpd->get($alice, "/cgi-bin/$name")->code, 500, "$name: status");
    $httpd->log_like($alice, qr/JCGI$other{$name}[1]: .*$other{$name}[2]/, "$name: the line");
    $httpd->log_unlike($alice, qr/JCGI16/, "$name: nothing that does not explain it");
}

# --- programs for 32 bits -----------------------------------------------------

SKIP: {
    skip_or_fail('no processor of x86', 1) if !$is_x86;
    skip_or_fail('the kernel runs no program for 32 bits', 1)
      if $httpd->get('unfiltered', '/cgi-bin/narrow')->code != 200;
    for my $name ('narrow', 'narrow-shell') {
        remedy_holds(
            $httpd,
            name => $name, code => 1733, host => $alice, path => "/cgi-bin/$name",
            says => qr{: script \S+: $home/cgi-bin/narrow \(inside the jail \S+\) is a program for 32 bits},
            remedy => qr/JailSeccomp off/, by => directive('JailSeccomp off'),
            at => ['unfiltered', "/cgi-bin/$name"]
        );
    }
    remedy_holds(
        $httpd,
        name => 'narrow-loader', code => 1604, host => 'unfiltered', path => '/cgi-bin/narrow-loader',
        says => qr{loader /lib/c9-loader\.so .*found a program for 32 bits},
        remedy => qr{copy /lib/c9-loader\.so|link the program statically},
        by => script('narrow-loader', narrow())
    );
}
done_testing;
