# What the machine mounts after httpd has started: directories of autofs on the way to a source,
# a home or a JailRoot, and JailMount ... slave. The kernel's autofs, with a daemon of this
# test's own.

use lib 't/lib';
use JailCGI::Test;
use JailCGI::Namespace;
use POSIX ();

private_mounts() or skip_or_fail('no private mounts here');
my $autofs = do { local (@ARGV, $/) = '/proc/filesystems'; <> } =~ /\tautofs$/m;

my ($alice, $bob) = map { tenant($_) } qw(alice bob);
my $work = work_dir();
my $auto = "$work/auto";
my $far  = "$work/far";     # what is mounted there reaches no other namespace
my $late = "$work/late";
mkdir $_, 0755 or die "$_: $!" for $auto, $far, $late, "$work/real";
# Mounts reach other namespaces from here, as from / of a machine with systemd.
mount_at($late, '--bind', $late);
system('mount', '--make-shared', $late) == 0 or die 'mount';

# What is at home: the tenant's, with a script.
sub fill {
    my ($tenant, $where) = @_;
    mkdir "$where/bin", 0755 or die $!;
    my $file = "$where/bin/t.cgi";
    open my $out, '>', $file or die "$file: $!";
    print {$out} "#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\n'\npwd -P\ncat $late/new/word\n";
    close $out or die $!;
    $tenant->own($_, mode => 0755) for $where, "$where/bin", $file;
    return;
}

# The daemon of an indirect map (Documentation/filesystems/autofs.rst): each name becomes a
# bind mount of a directory of that name. Its places exist beforehand, as with `browse`, and
# are then mounted only for those who ask for a directory.
sub automount {
    my ($where, $what, @names) = @_;
    pipe my $packets, my $kernel or die "pipe: $!";
    my $pid = fork // die "fork: $!";
    if (!$pid) {
        POSIX::setpgid(0, 0);
        my $options = join ',', 'fd=' . kernel_fd($kernel), 'pgrp=' . $$,
          'minproto=5', 'maxproto=5', 'indirect';
        system('mount', '-i', '-t', 'autofs', '-o', $options, 'daemon', $where) == 0
          or POSIX::_exit(1);
        system('mount', '--make-shared', $where);
        mkdir "$where/$_", 0755 for @names;
        close $kernel;
        open my $root, '<', $where or POSIX::_exit(2);
        while (sysread $packets, my $packet, 304) {
            my ($type, $token) = (unpack 'i i I', $packet)[1, 2];
            my ($len) = unpack 'x40 I', $packet;
            my $name = substr $packet, 44, $len;
            next if $type != 3;    # missing, indirect
            my $failed = system('mount', '--bind', "$what/$name", "$where/$name");
            ioctl $root, $failed ? 0x9361 : 0x9360, my $n = $token;
        }
        POSIX::_exit(0);
    }
    close $_ for $kernel, $packets;
    wait_until { grep { / \Q$where\E / } split /\n/, do { local (@ARGV, $/) = '/proc/self/mountinfo'; <> } }
      or die 'autofs does not mount';
    # By the list, because looking at a place would mount it.
    wait_until {
        opendir my $list, $where or die $!;
        grep { $_ eq $names[-1] } readdir $list;
    } or die 'no places';
    return $pid;
}

sub kernel_fd {
    my ($handle) = @_;
    fcntl $handle, 2, 0;    # F_SETFD: mount() takes it in this process
    return fileno $handle;
}

my @daemons;
END {
    my $status = $?;
    for my $where ((map { "$auto/$_" } qw(alice bob)), "$far/bob", $auto, $far) {
        system "umount -l $where 2>/dev/null" if defined $auto;
    }
    kill 'KILL', @daemons;
    waitpid $_, 0 for @daemons;
    $? = $status;
}

mkdir "$work/real/$_", 0755 or die $! for qw(alice bob);
fill($alice, "$work/real/alice");
fill($bob,   "$work/real/bob");
make_accounts([$alice, "$auto/alice"], [$bob, "$work/real/bob"]);
if ($autofs) {
    push @daemons, automount($auto, "$work/real", qw(alice bob)), automount($far, "$work/real", 'bob');
    system('mount', '--make-private', $far) == 0 or die 'mount';
}

sub host {
    my ($tenant, $name, $bin, $extra, %option) = @_;
    return $tenant->vhost("ScriptAlias /bin/ \"$bin/\"\n    $extra",
        root => 'host', user => $tenant->name, name => $name, %option);
}

my $httpd = httpd(
    vhosts => [
        host($alice, 'alice', "$work/real/alice/bin", ''),
        host($alice, 'home', "$auto/alice/bin", ''),
        host($bob, 'far', "$work/real/bob/bin", "JailMount bind $far/bob"),
        host($bob, 'below', "$work/real/bob/bin", "ScriptAlias /auto/ $auto/bob/bin/\n    JailMount bind $auto"),
        host($bob, 'follows', "$work/real/bob/bin",
            "ScriptAlias /auto/ $auto/bob/bin/\n    JailMount bind $auto slave"),
        host($bob, 'later', "$work/real/bob/bin", "JailMount bind $late slave"),
        host($bob, 'fixed', "$work/real/bob/bin", "JailMount bind $late"),
        host($bob, 'noroot',  "$work/real/bob/bin", '', root => 'none'),
        host($bob, 'noroot2', "$work/real/bob/bin", "JailMount bind $late $late slave", root => 'none'),
    ]
);

SKIP: {
    skip_or_fail('the kernel has no autofs', 10) if !$autofs;
    unlike(`cat /proc/self/mountinfo`, qr{ \Q$auto\E/alice }, 'the home is not mounted');
    # httpd looks for the script by another name, so that it is the keeper that comes first.
    my $res = $httpd->get('alice', '/bin/t.cgi');
    like(`cat /proc/self/mountinfo`, qr{ \Q$auto\E/alice }, 'the keeper has it mounted')
      or diag($res->as_string, $httpd->log('alice'));
    is($httpd->get('home', '/bin/t.cgi')->content, "$auto/alice/bin\n", 'and a script in it runs')
      or diag($httpd->log('home'));

    is($httpd->get('far', '/bin/t.cgi')->code, 503, 'an automount that does not reach the jail');
    $httpd->log_like('far', qr{JCGI1424: .* \Q$far\E/bob .*automount.*--make-rshared},
        'the log names it');

    # Jails that are built before it is mounted below what they have.
    is($httpd->get($_, '/bin/t.cgi')->code, 200, "$_ is warm") for qw(below follows);
    is($httpd->get('below', '/auto/t.cgi')->code, 503, 'an automount below a source');
    $httpd->log_like('below', qr{JCGI1520: .* \Q$auto\E/bob .*slave}, 'the log names the word');
    is($httpd->get('follows', '/auto/t.cgi')->content, "$auto/bob/bin\n", 'with the word it is there')
      or diag($httpd->log('follows'));
}

# What is mounted while a jail is warm.
mkdir "$late/new", 0755 or die $!;
my $bobs = "$work/real/bob/bin\n";
for my $host (qw(later fixed noroot noroot2)) {
    is($httpd->get($host, '/bin/t.cgi')->content, $bobs, "$host: nothing is mounted yet");
}
mount_at("$late/new", '-t', 'tmpfs', 'none');
open my $word, '>', "$late/new/word" or die $!;
print {$word} "new\n";
close $word or die $!;
is($httpd->get('later',   '/bin/t.cgi')->content, "${bobs}new\n", 'slave: a later mount is there');
is($httpd->get('fixed',   '/bin/t.cgi')->content, $bobs,          'without the word it is not');
is($httpd->get('noroot2', '/bin/t.cgi')->content, "${bobs}new\n", 'JailRoot none: the same');
is($httpd->get('noroot',  '/bin/t.cgi')->content, $bobs,          'and without the word');
unmount("$late/new");
is($httpd->get('later', '/bin/t.cgi')->content, $bobs, 'and when it goes, it goes from the jail');

my ($status, $said) = configtest(vhosts => [$alice->vhost("JailMount ro $late slave")]);
isnt($status, 0, 'ro and slave do not go together');
like($said, qr/'slave' does not go with ro/, 'and httpd says so');

done_testing;
