# Git as people use it: a push with a password, a clone, a fetch, and both
# browsers. One jail and one virtual host for all three programs.

use lib 't/lib';
use JailCGI::Test;
use JailCGI::Builder;

use Digest::SHA;
use JailCGI::Client;

my $alice = jail_of('Git', 'alice', from => ['gitweb', 'cgit']);
my $home  = $alice->jail_home;
$alice->replace("$home/gitweb.conf", qq{\$projectroot = "$home/git";\n});
$alice->replace("$home/cgitrc", <<"END");
enable-http-clone=0
snapshots=tar.gz
scan-path=$home/git
END
spit($alice->root . '.htpasswd', 'dev:' . crypt('secret', '$5$salt') . "\n");

my $bare = $alice->directory("$home/git") . '/demo.git';
my $httpd = httpd(
    modules => [qw(auth_basic authn_core authn_file authz_user)],
    config  => 'LogFormat "%m %U %>s te=%{Transfer-Encoding}i '
      . 'ce=%{Content-Encoding}i cl=%{Content-Length}i" git',
    vhosts => [vhost_of('Git', $alice, 'CustomLog logs/access.log git')],
);

# --- a user with git --------------------------------------------------------

my $scratch = work_dir() . '/client';
mkdir $scratch or die "$scratch: $!";
delete @ENV{ grep { /^GIT_|_proxy$/i } keys %ENV };
%ENV = (
    %ENV,
    HOME                => $scratch,
    GIT_CONFIG_NOSYSTEM => 1,
    GIT_TERMINAL_PROMPT => 0,
    LC_ALL              => 'C.UTF-8',
    no_proxy            => '*',
);
my $port = $httpd->port;
my $url  = "http://alice:$port/git/demo.git";
my $with = "http://dev:secret\@alice:$port/git/demo.git";
spit("$scratch/.gitconfig", <<"END");
[user]
    name = Dev
    email = dev\@example
[init]
    defaultBranch = main
[http]
    curloptResolve = alice:$port:127.0.0.1
[gc]
    auto = 0
[safe]
    directory = *
END

sub spit {
    my ($file, $content) = @_;
    open my $fh, '>:raw', $file or die "$file: $!";
    print {$fh} $content;
    close $fh or die "$file: $!";
    return;
}

# What git says, both ways, and whether it was content.
sub git {
    my ($dir, @arguments) = @_;
    my $pid = open(my $fh, '-|') // die "fork: $!";
    if (!$pid) {
        open STDERR, '>&', \*STDOUT or die;
        exec 'timeout', 300, 'git', '-C', $dir, @arguments or die;
    }
    local $/;
    my $said = <$fh> // '';
    close $fh;
    return ($? == 0, $said);
}

sub git_ok {
    my ($name, $dir, @arguments) = @_;
    my ($ok, $said) = git($dir, @arguments);
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    ok($ok, $name) or diag($said, $httpd->log($alice));
    return $said;
}

sub head_of {
    my ($dir, $name) = @_;
    my (undef, $said) = git($dir, 'rev-parse', $name || 'HEAD');
    return $said =~ s/\n//r;
}

sub access_log { return JailCGI::Httpd::slurp($httpd->logs . '/access.log') }

my $work = "$scratch/work";
git($scratch, 'init', '-q', '--bare', $bare);
system('chown', '-R', $alice->uid . ':' . $alice->gid, $bare);
my $hook = "$home/git/demo.git/hooks";
$alice->replace("$hook/post-receive", <<'END', mode => 0755);
#!/bin/sh
while read old new ref; do echo "hook saw $ref"; done
echo pushed >>pushes
END
$alice->replace("$home/git/demo.git/description", "A demonstration\n");

# --- push -------------------------------------------------------------------

# Noise, so that the pack is as large as the file; the same in each run.
my $noise = '';
$noise .= Digest::SHA::sha512("noise $_") for 1 .. 500_000;

git_ok('a repository', $scratch, 'init', '-q', $work);
spit("$work/README", "A demonstration <of> git & more\nsecond line\n");
git($work, 'add', '.');
git($work, 'commit', '-q', '-m', 'First <commit>');
my $first = head_of($work);
spit("$work/README", "A demonstration <of> git & more\nanother line\n");
spit("$work/logo.bin", join '', map { chr } 0 .. 255);
git($work, 'add', '.');
git($work, 'commit', '-q', '-m', 'Second commit');
my $second = head_of($work);

my ($ok, $said) = git($work, 'push', '-q', $url, 'main');
ok(!$ok, 'a push without a password');
like($said, qr/Authentication failed|could not read Username/i,
    '... is asked for one');

$said = git_ok('a push', $work, 'push', $with, 'main');
like($said, qr{remote: hook saw refs/heads/main},
    'its hook runs, and the user reads what it says');
is(head_of($bare, 'main'), $second, 'the repository has it');
my @stat = stat "$bare/pushes";
is($stat[4], $alice->uid, 'the hook ran as the tenant');

spit("$work/noise", $noise);
git($work, 'add', '.');
git($work, 'commit', '-q', '-m', 'Noise');
git_ok('a push of 30 MB in chunks', $work, '-c', 'http.postBuffer=65536',
    'push', '-q', $with, 'main');
is(head_of($bare, 'main'), head_of($work), 'the repository has it');
like(access_log(), qr{^POST \S+/git-receive-pack 200 te=chunked}m,
    'it was chunked');

git($work, 'checkout', '-q', '-b', 'whole', $second);
spit("$work/noise", reverse $noise);
git($work, 'add', '.');
git($work, 'commit', '-q', '-m', 'Noise backwards');
git_ok('a push of 30 MB at once', $work, '-c', 'http.postBuffer=100000000',
    'push', '-q', $with, 'whole');
is(head_of($bare, 'whole'), head_of($work), 'the repository has it');
like(access_log(), qr{^POST \S+/git-receive-pack 200 te=- ce=- cl=3\d{7}$}m,
    'it had a length');

git($work, 'checkout', '-q', '-B', 'late', $first);
spit("$work/README", "not what the others have\n");
git($work, 'commit', '-q', '-a', '-m', 'Late');
($ok, $said) = git($work, 'push', $with, 'late:main');
ok(!$ok && $said =~ /non-fast-forward|fetch first/, 'a push that comes late is refused')
  or diag($said);

# --- clone and fetch --------------------------------------------------------

my $copy = "$scratch/copy";
git_ok('a clone', $scratch, 'clone', '-q', $url, $copy);
is(head_of($copy), head_of($bare, 'main'), 'is complete');
ok(JailCGI::Httpd::slurp("$copy/noise") eq $noise, 'to the byte');
git_ok('git fsck likes it', $copy, 'fsck', '--strict', '--no-progress');
git_ok('a shallow clone', $scratch, 'clone', '-q', '--depth', 1, '-b', 'main',
    $url, "$scratch/shallow");
ok(-s "$scratch/shallow/noise" == length $noise, 'has the file');

# So much that the server does not know, that git tells it in a compressed body.
git($copy, 'checkout', '-q', '-b', 'own');
my $import = join '', map {
    my $from = $_ == 1 ? "from refs/heads/main^0\n" : '';
    "commit refs/heads/own\ncommitter Dev <dev\@example> 40000000$_ +0000\ndata 2\n$_\n$from\n"
} 10 .. 99;
open my $fh, '|-', 'git', '-C', $copy, 'fast-import', '--quiet', '--force'
  or die "fast-import: $!";
print {$fh} $import;
close $fh or die 'fast-import failed';
git($work, 'checkout', '-q', 'main');
spit("$work/more", "more\n");
git($work, 'add', '.');
git($work, 'commit', '-q', '-m', 'More');
git_ok('a further push', $work, 'push', '-q', $with, 'main');
git_ok('a fetch that tells much', $copy, 'fetch', '-q', 'origin');
is(head_of($copy, 'origin/main'), head_of($work), 'brings what is new');
like(access_log(), qr{^POST \S+/git-upload-pack 200 te=\S+ ce=gzip}m,
    'its request was compressed');

git_ok('git update-server-info', $bare, 'update-server-info');
$ENV{GIT_SMART_HTTP} = 0;
git_ok('a clone by plain files', $scratch, 'clone', '-q', $url, "$scratch/dumb");
delete $ENV{GIT_SMART_HTTP};
is(head_of("$scratch/dumb"), head_of($work), 'is complete');

# --- many at once, and users who go away ------------------------------------

# The names of the programs in the jail besides the keeper.
sub at_work {
    return grep { !/keeper/ }
      map { (process_status($_) || {})->{Name} // () } processes_of_uid($alice->uid);
}

my @clones;
for my $n (1 .. 8) {
    my $pid = fork // die "fork: $!";
    if (!$pid) {
        open STDERR, '>', "$scratch/said.$n" or die;
        exec 'git', '-C', $scratch, 'clone', '-q', '-b', 'main', $url, "many.$n" or die;
    }
    push @clones, $pid;
}
my @failed = grep { waitpid($_, 0) == $_ && $? } @clones;
is_deeply(\@failed, [], 'eight clones at once')
  or diag(map { JailCGI::Httpd::slurp("$scratch/said.$_") } 1 .. 8);
is_deeply([grep { head_of("$scratch/many.$_") ne head_of($work) } 1 .. 8],
    [], 'are complete');

my $client = JailCGI::Client->new($httpd);
$client->send_request('GET', $alice, '/gitweb?p=demo.git;a=blob_plain;f=noise;hb=main');
ok($client->wait_for(qr/\r\n\r\n.{1000}/s) && at_work(), 'a download begins');
$client->close;
ok(wait_until { !at_work() }, 'the client goes, and so do gitweb and git')
  or diag(at_work());

$client = JailCGI::Client->new($httpd);
$client->send_request('POST', $alice, '/git/demo.git/git-receive-pack',
    ['Transfer-Encoding: chunked', 'Authorization: Basic ZGV2OnNlY3JldA==',
        'Content-Type: application/x-git-receive-pack-request'],
    "4\r\n00a0\r\n");
ok($client->flush && wait_until(sub { at_work() }), 'a push begins');
$client->close;
ok(wait_until { !at_work() }, 'the client goes, and so does git')
  or diag(at_work());
$httpd->log_like($alice, qr/JCGI1\d+.*git-http-backend/, 'and the log says why');
is(head_of($bare, 'main'), head_of($work), 'nothing has changed');
git_ok('git fsck likes the repository', $bare, 'fsck', '--no-progress');
$httpd->mark($alice);

# ---

git_ok('a branch removed', $work, 'push', '-q', $with, ':whole');
is((git($work, 'ls-remote', $url, 'whole'))[1], '', 'is gone');
($ok, $said) = git($scratch, 'clone', '-q', "http://alice:$port/git/none.git");
ok(!$ok && $said =~ /not found/, 'a repository that is not there') or diag($said);
is((stat "$bare/refs/heads/main")[4], $alice->uid, 'all is the tenant\'s');

# --- the browsers -----------------------------------------------------------

sub page {
    my ($name, $path, @patterns) = @_;
    my $res = $httpd->get($alice, $path);
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is($res->code, 200, $name) or diag($httpd->log($alice));
    like($res->content, $_, "$name: $_") for @patterns;
    return $res;
}

# A tar.gz as somebody's tar reads it.
sub readme_in {
    my ($archive) = @_;
    spit("$scratch/snapshot.tgz", $archive);
    return `tar -xzOf $scratch/snapshot.tgz --wildcards '*/README' 2>&1`;
}

my $blob   = head_of($work, "$second:README");
my $readme = "A demonstration <of> git & more\nanother line\n";

my $g = '/gitweb?p=demo.git';
page('gitweb: projects', '/gitweb', qr/demo\.git/, qr/A demonstration/, qr{</html>});
page('gitweb: summary', "$g;a=summary", qr/Second commit/, qr{</html>});
page('gitweb: log', "$g;a=log", qr/First &lt;commit&gt;/, qr/Dev/, qr{</html>});
page('gitweb: tree', "$g;a=tree", qr/logo\.bin/, qr{</html>});
page('gitweb: a blob', "$g;a=blob;f=README;hb=$second", qr/&lt;of&gt;/, qr/another&nbsp;line/);
page('gitweb: a diff', "$g;a=commitdiff;h=$second",
    qr/another.*line/, qr/second.*line/, qr{</html>});
page('gitweb: a patch', "$g;a=patch;h=$second", qr/^\+another line$/m);
page('gitweb: a search', "$g;a=search;s=Second", qr/Second/);
page('gitweb: a feed', "$g;a=atom", qr{</feed>});
page('gitweb: path info', "/gitweb/demo.git/blob/$second:/README",
    qr/another&nbsp;line/);
is(page('gitweb: a raw file', "$g;a=blob_plain;f=README;hb=$second")->content,
    $readme, 'gitweb: is the file');
is(page('gitweb: a raw binary', "$g;a=blob_plain;f=logo.bin;hb=$second")->content,
    join('', map { chr } 0 .. 255), 'gitweb: is the file');
ok(page('gitweb: 30 MB', "$g;a=blob_plain;f=noise;hb=main")->content eq $noise,
    'gitweb: to the byte');
is(readme_in(page('gitweb: a snapshot', "$g;a=snapshot;h=$second;sf=tgz")->content),
    $readme, 'gitweb: has the file');
is($httpd->get($alice, '/gitweb?p=none.git;a=summary')->code, 404,
    'gitweb: no such project');
like(page('gitweb: its style', '/gitweb/static/gitweb.css')->content,
    qr/body/, 'gitweb: is served by Apache');

my $c = '/cgit/demo.git';
page('cgit: repositories', '/cgit/', qr/demo\.git/, qr/A demonstration/, qr{</html>});
page('cgit: summary', "$c/", qr/Second commit/, qr/late|main/, qr{</html>});
page('cgit: log', "$c/log/", qr/First &lt;commit&gt;/, qr{</html>});
page('cgit: tree', "$c/tree/", qr/logo\.bin/, qr{</html>});
page('cgit: a blob', "$c/tree/README?id=$second", qr/&lt;of&gt;/, qr/another line/);
page('cgit: a diff', "$c/diff/?id=$second", qr/another line/, qr/second line/, qr{</html>});
page('cgit: a patch', "$c/patch/?id=$second", qr/^\+another line$/m);
is(page('cgit: a raw file', "$c/plain/README?id=$second")->content,
    $readme, 'cgit: is the file');
is(page('cgit: a raw binary', "$c/plain/logo.bin?id=$second")->content,
    join('', map { chr } 0 .. 255), 'cgit: is the file');
is(page('cgit: an object', "$c/blob/?id=$blob")->content, $readme, 'cgit: is the file');
ok(page('cgit: 30 MB', "$c/plain/noise")->content eq $noise, 'cgit: to the byte');
is(readme_in(page('cgit: a snapshot', "$c/snapshot/demo-$second.tar.gz")->content),
    $readme, 'cgit: has the file');
is($httpd->get($alice, "$c/plain/absent")->code, 404, 'cgit: no such file');
page('cgit: its style', '/cgit-css/cgit.css', qr/cgit/);

my $blank = $httpd->request('HEAD', $alice, "$c/log/");
is($blank->code, 200, 'cgit: HEAD');
$httpd->log_unlike($alice, qr/JCGI(?!1715)/, 'the module had nothing to say');

done_testing;
