# Each row of the suexec checks (src/keeper/launch/check.c, walk.c): the script runs,
# then one offence is committed, and the same script is refused with the code of
# this offence, by one line in its site's own log, and does not run.

use lib 't/lib';
use JailCGI::Test;

use File::Path 'make_path';
use POSIX ();

my $alice = tenant('alice');
my $third = tenant('third');
my ($uid, $gid) = ($alice->uid, $alice->gid);
my ($other_uid, $other_gid) = ($third->uid, $third->gid);
my $nogroup = getgrnam 'nogroup';
my $outside = work_dir() . '/outside';
my $again   = work_dir() . '/again';

my $marker = $alice->jail_home . '/ran';
my $text   = <<"END";
#!/bin/sh
: >$marker
printf 'Content-Type: text/plain\\n\\nran as %s\\n' "\$(id -u)"
END

# Directories of the host that belong to the tenant.
for my $dir ($outside, $again, $alice->root . $outside, $alice->root . $again) {
    make_path($dir);
    $alice->own($dir, mode => 0755);
}

# A jail of the same tenant whose path begins as alice's does.
my $twin = tenant('alice2', uid => $uid, gid => $gid);

my $shared = '/usr/lib/shared';
my $scripts = join "\n    ", 'ScriptAlias /shared/ "' . $alice->root . "$shared/\"",
  'ScriptAlias /shared2/ "' . $alice->root . "${shared}2/\"",
  "ScriptAlias /outside/ \"$outside/\"", "ScriptAlias /again/ \"$again/\"",
  'ScriptAlias /alice2/ "' . $twin->cgi_bin . '/"';

my $httpd = httpd(
    vhosts => [
        [$alice, $scripts],
        [$alice, "JailTrust $shared\n    $scripts", name => 'trusting'],
        [
            $alice, "JailTrust $shared/one.sh none $shared/other.sh\n    $scripts",
            name => 'trusting-other'
        ],
    ]
);

# --- what rows are made of --------------------------------------------------

my $dir;    # of the row, inside the jail

sub real { return $alice->root . $_[0] }

sub write_script {
    my ($path, %option) = @_;
    return $alice->replace($path, $text, uid => $uid, gid => $gid, mode => 0755,
        %option);
}

# The script again at a path of the host that is not below JailRoot.
sub write_host_file {
    my ($path) = @_;
    open my $fh, '>', $path or die "$path: $!";
    print {$fh} $text;
    close $fh or die "$path: $!";
    return $alice->own($path, mode => 0755);
}

sub script_mode { my ($mode) = @_; return sub { chmod $mode, real("$dir/sub/t.sh") } }
sub dir_mode    { my ($mode) = @_; return sub { chmod $mode, real("$dir/sub") } }
sub parent_mode { my ($mode) = @_; return sub { chmod $mode, real($dir) } }

sub script_of { my @ids = @_; return sub { chown @ids, real("$dir/sub/t.sh") } }
sub dir_of    { my @ids = @_; return sub { chown @ids, real("$dir/sub") } }
sub parent_of { my @ids = @_; return sub { chown @ids, real($dir) } }

sub replace_by_link {
    my ($to) = @_;
    return sub {
        my $path = real("$dir/sub/t.sh");
        unlink $path;
        symlink $to, $path;
    };
}

sub both (@) {
    my @steps = @_;
    return sub { $_->() || return 0 for @steps; return 1 }
}

# --- the table --------------------------------------------------------------

# name, offence, code (undef: still runs; 0: httpd itself refuses), what the
# line says besides; status is 500 unless told.
my @rows = (
    ['script group-writable', script_mode(0775), 1508, qr/0775.*chmod go-w/],
    ['script other-writable', script_mode(0757), 1508, qr/0757.*chmod go-w/],
    ['script setuid to the tenant', script_mode(04755)],
    ['script setgid to the tenant\'s group', script_mode(02755)],
    ['script setuid and setgid to the tenant', script_mode(06755)],
    [
        'script setgid to another group',
        both(script_of($uid, $other_gid), script_mode(02755)),
        1509, qr/2755.*chmod ug-s/
    ],
    [
        'script setuid to the tenant and setgid to another group',
        both(script_of($uid, $other_gid), script_mode(06755)),
        1509, qr/6755.*chmod ug-s/
    ],
    [
        'script setuid to another user',
        both(script_of($other_uid, $gid), script_mode(04755)),
        1509, qr/4755.*chmod ug-s/
    ],
    [
        'script setuid to root',
        both(script_of(0, $gid), script_mode(04755)),
        1509, qr/4755.*chmod ug-s/
    ],
    ['script not executable', script_mode(0644), 1512, qr/0644.*chmod u\+x/],
    [
        'script executable by others only',
        script_mode(0655), 1512, qr/0655.*chmod u\+x/
    ],
    ['script for its owner alone', script_mode(0700)],
    [
        'script of another user',
        script_of($other_uid, $gid),
        1510, qr/uid $other_uid, expected uid $uid.*chown/
    ],
    ['script of another group', script_of($uid, $other_gid)],
    [
        'script of another group, which may write it',
        both(script_of($uid, $other_gid), script_mode(0775)),
        1508, qr/0775.*chmod go-w/
    ],
    ['script of root', script_of(0, $gid), 1510, qr/uid 0,.*JailTrust/],
    ['script of root\'s group', script_of($uid, 0)],
    ['directory group-writable', dir_mode(0775), 1504, qr/0775.*chmod go-w/],
    ['directory other-writable', dir_mode(0757), 1504, qr/0757.*chmod go-w/],
    ['directory sticky', dir_mode(01777), 1504, qr/1777.*is for all users/],
    [
        'directory of another user',
        dir_of($other_uid, $gid),
        1505, qr/uid $other_uid, expected uid $uid or root.*chown/
    ],
    ['directory of root', dir_of(0, 0)],
    [
        'directory of root, and script of root',
        both(dir_of(0, 0), script_of(0, 0)),
        1510, qr/uid 0,.*remedy: name it in JailTrust/
    ],
    [
        'directory of root that a group may write',
        both(dir_of(0, $gid), dir_mode(0775)),
        1504, qr/0775.*chmod go-w/
    ],
    ['directory of another group', dir_of($uid, $other_gid)],
    ['directory as panels have it', both(dir_of($uid, $other_gid), dir_mode(02755))],
    [
        'directory of another group, which may write it',
        both(dir_of($uid, $other_gid), dir_mode(02775)),
        1504, qr/2775.*chmod go-w/
    ],
    ['parent group-writable', parent_mode(0775), 1504, qr/0775.*chmod go-w/],
    ['parent other-writable', parent_mode(0757), 1504, qr/0757.*chmod go-w/],
    ['parent sticky', parent_mode(01777), 1504, qr/1777.*is for all users/],
    [
        'parent of a third user',
        parent_of($other_uid, $gid),
        1505, qr/uid $other_uid, expected uid $uid or root.*chown/
    ],
    ['parent of root', parent_of(0, 0)],
    ['parent of another group', parent_of($uid, $other_gid)],
    [
        'parent closed to the tenant',
        both(parent_of(0, $nogroup), parent_mode(0750)),
        1503, qr/user may not search.*chmod a\+x/
    ],
    ['link in its directory', sub { link_to('moved.sh') }],
    ['link with .. inside the jail', sub { link_to('../moved.sh') }],
    ['link to another name of itself', sub { chain_of_links(30) }],
    [
        'link out, by its path on the host',
        both(sub { write_host_file("$outside/a.sh"); 1 },
            replace_by_link("$outside/a.sh")),
        1502, qr/does not exist.*below JailRoot/
    ],
    [
        'link out, by ..',
        both(sub { write_host_file("$outside/b.sh"); 1 },
            replace_by_link('../' x 30 . "$outside/b.sh")),
        1502, qr/does not exist.*below JailRoot/
    ],
    [
        'link to a path that is another file in the jail',
        both(
            sub {
                write_host_file("$outside/c.sh");
                write_script("$outside/c.sh");
            },
            replace_by_link("$outside/c.sh")
        ),
        1513, qr/found inode \d+, expected inode \d+.*JailRoot/
    ],
    [
        'link to a path that is a FIFO in the jail',
        both(
            sub {
                write_host_file("$outside/d.sh");
                POSIX::mkfifo(real("$outside/d.sh"), 0755);
            },
            replace_by_link("$outside/d.sh")
        ),
        1507, qr/found a FIFO, expected a regular file/
    ],
    [
        'link to a path that is a directory in the jail',
        both(
            sub {
                write_host_file("$outside/e.sh");
                $alice->directory("$outside/e.sh");
            },
            replace_by_link("$outside/e.sh")
        ),
        1507, qr/found a directory, expected a regular file/
    ],
    [
        'link to a path that is a loop in the jail',
        both(
            sub {
                write_host_file("$outside/f.sh");
                symlink 'f.sh', real("$outside/f.sh");
            },
            replace_by_link("$outside/f.sh")
        ),
        1506, qr/symbolic link.*replace the link/
    ],
    [
        'link through a directory that others may write',
        both(
            sub {
                write_script("$outside/open/t.sh");
                $alice->directory("$outside/open", mode => 0777);
                make_path("$outside/open");
                link real("$outside/open/t.sh"), "$outside/open/t.sh";
            },
            replace_by_link("$outside/open/t.sh")
        ),
        1504, qr{outside/open.*0777.*chmod go-w}
    ],
    ['directory a link inside the jail', sub { move_directory("$dir/moved", 'moved') }],
    [
        'directory a link out of the jail',
        sub {
            my $to = "$outside/" . ($dir =~ s{.*/}{}r);
            mkdir $to and $alice->own($to, mode => 0755);
            write_host_file("$to/t.sh");
            rename real("$dir/sub"), real("$dir/old")
              and symlink $to, real("$dir/sub");
        },
        1502, qr/does not exist.*below JailRoot/
    ],
    ['a loop', replace_by_link('t.sh'), 0, undef, qr/^40[34]$/],
    ['a link to nowhere', replace_by_link('nowhere.sh'), 0, undef, 403],
    [
        'a FIFO',
        sub {
            unlink real("$dir/sub/t.sh");
            POSIX::mkfifo(real("$dir/sub/t.sh"), 0755);
        },
        1507, qr/found a FIFO, expected a regular file/
    ],
    [
        'the jail\'s own root group-writable',
        sub { chmod 0775, $alice->root },
        1504, qr/0775.*chmod go-w/
    ],
);

sub link_to {
    my ($to) = @_;
    my $path = real("$dir/sub/t.sh");
    rename $path, real("$dir/sub/$to") and symlink $to, $path;
}

sub chain_of_links {
    my ($links) = @_;
    link_to("0.sh") or return 0;
    my $path = real("$dir/sub/t.sh");
    unlink $path;
    for my $i (1 .. $links) {
        symlink $i - 1 . '.sh', real("$dir/sub/$i.sh") or return 0;
    }
    return symlink "$links.sh", $path;
}

sub move_directory {
    my ($to, $target) = @_;
    rename real("$dir/sub"), real($to) and symlink $target, real("$dir/sub");
}

# --- how a row is tried ---------------------------------------------------

sub ran {
    my $ran = -e real($marker);
    unlink real($marker);
    return $ran ? 1 : 0;
}

sub runs {
    my ($host, $path, $name) = @_;
    my $res = $httpd->get($host, $path);
    my $ran = ran();
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    ok($res->code == 200 && $res->content eq "ran as $uid\n" && $ran,
        "$name: runs")
      or diag($res->as_string, $httpd->log($host));
    return;
}

sub refused {
    my ($host, $path, $name, $code, $says, $status) = @_;
    $status ||= 500;
    $httpd->mark($host);
    $httpd->mark;
    my $res   = $httpd->get($host, $path);
    my @lines = grep { /JCGI/ } split /\n/, $httpd->log($host);
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    like($res->code, ref $status ? $status : qr/^$status$/, "$name: status");
    is(ran(), 0, "$name: nothing was run");
    unlike($res->content, qr/bin.sh/, "$name: the source is not shown");
    is(scalar @lines, $code ? 1 : 0, "$name: lines in its log")
      or diag($httpd->log($host));
    $httpd->log_unlike(undef, qr/JCGI/, "$name: nothing in the main log");
    return if !$code;
    like($lines[0], qr/JCGI$code: script \S+ not run: .*remedy: /,
        "$name: JCGI$code");
    like($lines[0], $says, "$name: what was found, and a remedy");
    return;
}

my $number = 0;
for my $row (@rows) {
    my ($name, $offence, $code, @expected) = @$row;
    my $base = 'row' . $number++;
    my $path = "/cgi-bin/$base/sub/t.sh";
    $dir = $alice->jail_cgi_bin . "/$base";
    $alice->directory($dir);
    $alice->directory("$dir/sub");
    write_script("$dir/sub/t.sh");
    runs($alice, $path, "before $name");
    $offence->() or die "$name: $!";
    if (defined $code) {
        refused($alice, $path, $name, $code, @expected);
    }
    else {
        runs($alice, $path, $name);
    }
}
chmod 0755, $alice->root;

refused($alice, '/cgi-bin/row0/sub/', 'a directory', 1203,
    qr/a directory as a script/, 403);
refused($alice, '/cgi-bin/row0/no.sh', 'no file', 1202, qr/not found/, 404);

# --- the two layouts --------------------------------------------------------

write_script("$again/t.sh");
link real("$again/t.sh"), "$again/t.sh" or die "link: $!";
runs($alice, '/again/t.sh', 'the same path in the jail, the same file');
unlink "$again/t.sh";
write_host_file("$again/t.sh");
refused($alice, '/again/t.sh', 'the same path in the jail, another file',
    1513, qr/inode/);
unlink real("$again/t.sh");
refused($alice, '/again/t.sh', 'a path that is not in the jail',
    1502, qr/below JailRoot/);

# As a name alice2 begins with JailRoot; cut there it would be "2/home/...".
my $beside = $twin->cgi_bin . '/t.sh';
write_host_file($beside);
$alice->directory($_) for '/2' . $twin->jail_cgi_bin, $twin->jail_cgi_bin;
link $beside, real($_) . '/t.sh' or die "link: $!"
  for '/2' . $twin->jail_cgi_bin, $twin->jail_cgi_bin;
is(index($beside, $alice->root), 0, 'the path of a jail beside begins alike');
refused($alice, '/alice2/t.sh', 'a script in a jail beside',
    1502, qr/does not exist/);

# --- JailTrust --------------------------------------------------------------

# path, options of the file, code without trust, code with it, what it says
my %root = (uid => 0, gid => 0, mode => 0755);
my @trust = (
    ['/shared/root.sh', {%root}, 1510, undef],
    ['/shared/sub/root.sh', {%root}, 1510, undef],
    ['/shared2/root.sh', {%root}, 1510, 1510, qr/uid 0, expected uid $uid/],
    ['/shared/third.sh', { %root, uid => $other_uid }, 1510, 1510, qr/uid/],
    ['/shared/gw.sh', { %root, mode => 0775 }, 1508, 1508, qr/chmod go-w/],
    ['/shared/suid.sh', { %root, mode => 04755 }, 1509, 1509, qr/chmod ug-s/],
    ['/shared/no-x.sh', { %root, mode => 0644 }, 1510, 1512, qr/chmod u\+x/],
);
for my $row (@trust) {
    my ($path, $option, $without, $with, $says) = @$row;
    my $name = "JailTrust, $path";
    $alice->replace("/usr/lib$path", $text, %$option);
    refused($alice, $path, "no $name", $without, qr//);
    if ($with) {
        refused('trusting', $path, $name, $with, $says);
    }
    else {
        runs('trusting', $path, $name);
    }
}
$alice->replace("$shared/$_.sh", $text, %root) for qw(one other);
refused('trusting-other', '/shared/one.sh', 'trusted before JailTrust none',
    1510, qr/uid 0/);
runs('trusting-other', '/shared/other.sh', 'trusted after JailTrust none');
chmod 0775, real($shared) or die "chmod: $!";
refused('trusting', '/shared/root.sh', 'trusted in a writable directory',
    1504, qr/0775.*chmod go-w/);

done_testing;
