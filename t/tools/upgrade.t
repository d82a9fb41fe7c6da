# Real upgrades: a Debian 11 with separate /bin and /lib, or with a merged /usr, becomes a
# Debian 12 and a 13 by apt full-upgrade (t/lib/debian-tree), and its jails follow: one by
# program, one by package, one --from the distribution. Each update is killed at many
# points, and meets a full and a read-only disk.
#
# By default with separate directories, and with five points for the jail by program alone.
# JAILCGI_LONG=1: both layouts, 100 points for each jail (JAILCGI_POINTS), mmdebstrap for
# --from. That takes an hour.

use strict;
use warnings;

use lib 't/lib';
use File::Path qw(make_path);
use JailCGI::Tool;
use JailCGI::Namespace;
use JailCGI::System;
use Test::More;

private_host();
my $long = $ENV{JAILCGI_LONG};
my ($main_pid, @in_machine) = ($$);
my ($machine, $srv) = map { place() . "/$_" } qw(machine srv);
my @releases = qw(bullseye bookworm trixie);
my @calls    = qw(rename renameat2 link unlink symlink mkdir rmdir);
my @programs = (['/bin/sh', '-c', 'exit 0'], ['/bin/cat', '/etc/passwd'], ['/usr/bin/id'],
    ['/usr/bin/perl', '-MSocket', '-MPOSIX', '-MList::Util', '-e', 'exit 0'],
    ['/home/alice/script'], ['/home/alice/cat', '/etc/passwd']);
my %jail = (
    program => [map { ('--program', $_) } qw(/bin/sh /bin/cat /usr/bin/id /usr/bin/perl)],
    package => [map({ ('--package', $_) } qw(perl-base coreutils dash)), '--with-depends'],
);

sub tree_of {
    my ($layout, $release) = @_;
    my $tree = `t/lib/debian-tree $layout $release`;
    chomp $tree;
    skip_or_fail("no Debian ($layout, $release)") if $? || !-d $tree;
    return $tree;
}

# The machine: a tree that nothing can write to, with /srv and the command.
sub machine_is {
    my ($layout, $release) = @_;
    my $tree = tree_of($layout, $release);
    leave_machine();
    mount_at($machine, '--bind', $tree);
    mount_at($machine, '-o', 'remount,bind,ro');
    mount_at("$machine/srv",     '--bind', $srv);
    mount_at("$machine/jailcgi", '--bind', place() . '/tools');
    mount_at("$machine/proc", '-t', 'proc', 'none');
    mount_at("$machine/dev",  '--rbind', '/dev');
    @in_machine = map { "$machine$_" } qw(/dev /proc /jailcgi /srv), '';
    return;
}

# Before the directories are removed, because that would go through the mounts.
sub leave_machine {
    unmount(shift @in_machine) while @in_machine;
    return;
}
END { leave_machine() if $$ == $main_pid }

sub content {
    my ($jail) = @_;
    open my $fh, '-|', 'find', $jail, '!', '-name', 'jailcgi.lock', '(', '-type', 'd', '-printf',
      "%P/\n", '-o', '-printf', "%P %y %s %l\n", ')' or die "find: $!";
    return join '', sort <$fh>;
}

sub copy { return system('cp', '-a', '-l', @_) == 0 || die 'cp' }
sub gone { return system('rm', '-rf', @_) == 0      || die 'rm' }

my @update = ('/usr/bin/perl', '/jailcgi/jailcgi', 'update');

# The points at which the update of a jail can be killed: [CALL, N].
sub points {
    my ($name, $whole) = @_;
    my $trace = place() . '/trace';
    my ($status, $said) = run_in($machine, ['strace', '-f', '-qq', '-o', $trace, '-e',
            'trace=' . join(',', @calls)], @update, "/srv/$name");
    is($status, 0, "$name: under strace") or diag($said);
    is(content("$srv/$name"), $whole, "$name: the same jail");
    my $text = slurp($trace);
    my ($main) = $text =~ /^(\d+)/;
    my (%count, @points);
    push @points, [$_, ++$count{$_}] for $text =~ /^$main +(\w+)\(/mg;
    return @points;
}

# Some of them: all exchanges, the last renames, and others at equal distances.
sub chosen {
    my ($most, @points) = @_;
    my %at = map { $_ => 1 } grep { $points[$_][0] eq 'renameat2' } 0 .. $#points;
    %at = map { $_ => 1 } (reverse sort { $a <=> $b } keys %at)[0 .. 1] if keys %at > $most / 2;
    my $rest = $most - keys %at;
    $at{ int($_ * $#points / ($rest - 1 || 1)) } = 1 for 0 .. $rest - 1;
    return @points[sort { $a <=> $b } keys %at];
}

sub killed {
    my ($name, $release, $whole, $most) = @_;
    my $jail = "$srv/$name";
    gone($jail), copy("$jail.before", $jail);
    my @points = chosen($most, points($name, $whole));
    for my $point (@points) {
        my ($call, $n) = @$point;
        gone($jail), copy("$jail.before", $jail);
        my ($how) = run_in($machine, ['strace', '-f', '-qq', '-o', '/dev/null', '-e', "trace=$call",
                '-e', "inject=$call:signal=KILL:when=$n"], @update, "/srv/$name");
        my @bad = starts($jail, @programs);
        push @bad, "was not killed: $how" if $how !~ /signal|137/;
        my ($status, $said) = run_in($machine, [], @update, "/srv/$name");
        push @bad, $said if $status;
        push @bad, 'the content differs' if content($jail) ne $whole;
        is_deeply(\@bad, [], "$name, $release: killed before $call $n");
    }
    return scalar @points;
}

# On a disk that has room for a part of what the update needs, and on a read-only one.
sub out_of_room {
    my ($name, $release, $whole) = @_;
    # Through the machine, because what is mounted below $srv itself is not seen there.
    my $small = "$machine/srv/small";
    my $jail = "$small/jail";
    make_path("$srv/small");
    mount_at($small, '-t', 'tmpfs', '-o', 'mode=0755', 'none');
    system('cp', '-a', "$srv/$name.before", $jail) == 0 or die 'cp';
    my $before = content($jail);
    my ($used) = split ' ', `du -sk $small`;
    my ($needs) = split ' ', `du -sk $srv/$name`;
    for my $part ($long ? (0 .. 9) : (0, 5, 9)) {
        my $size = $used + int($needs * $part / 10) + 16;
        mount_at($small, '-o', "remount,size=${size}k");
        my ($status, $said) = run_in($machine, [], @update, '/srv/small/jail');
        is_deeply([starts($jail, @programs)], [], "$part tenths of the room: all programs start");
        last if !$status;
        like($said, qr/No space left on device.*\njailcgi: \S+: the jail is as it was$/,
            'it fails, and says so');
        is(content($jail), $before, 'it is so');
    }
    mount_at($small, '-o', 'remount,size=100%,ro');
    if (content($jail) eq $before) {
        my ($status, $said) = run_in($machine, [], @update, '/srv/small/jail');
        is($status, 1, 'on a read-only disk it fails');
        like($said, qr/Read-only file system/, 'and says why');
    }
    mount_at($small, '-o', 'remount,rw,size=100%');
    my ($status, $said) = run_in($machine, [], @update, '/srv/small/jail');
    is($status, 0, 'with room it succeeds') or diag($said);
    is(content($jail), $whole, 'and all is new');
    unmount($small);
    return;
}

sub checked {
    my ($name, $release) = @_;
    my ($status, $said) = in_system($machine, 'check', "/srv/$name");
    is($said, "/srv/$name: nothing to fix\n", "$name, $release: check finds nothing");
    is($status, 0, 'and its status says so');
    return;
}

# Follows the upgrade with one jail: whole first, then killed at many points.
sub follow {
    my ($name, $release, $layout) = @_;
    my $jail = "$srv/$name";
    gone("$jail.before"), copy($jail, "$jail.before");
    my ($status, $said) = run_in($machine, [], @update, "/srv/$name");
    is($status, 0, "$name, $layout: update to $release") or diag($said);
    note($said);
    like($said, qr/what started before starts \(\d+ programs, libraries and scripts\)$/m,
        'it proves what it says');
    is_deeply([starts($jail, @programs)], [], 'all programs start');
    checked($name, $release);
    my $whole = content($jail);
    unlike($whole, qr/\.jailcgi~/, 'nothing is left');
    ($status, $said) = run_in($machine, [], @update, "/srv/$name");
    is($said, "/srv/$name: nothing to change\n", 'the next run has nothing to do');
    my $most = $long ? $ENV{JAILCGI_POINTS} || 100 : $name eq 'program' ? 5 : 0;
    note('killed at ' . killed($name, $release, $whole, $most) . ' points') if $most;
    gone($jail), copy("$jail.before", $jail);
    out_of_room($name, $release, $whole) if $name eq 'program';
    ($status, $said) = run_in($machine, [], @update, "/srv/$name");
    return;
}

make_path($machine);
# A copy: what is mounted in the machine could be removed with it.
system('cp', '-a', 'tools', place() . '/tools') == 0 or die 'cp';
for my $layout ($long ? qw(separate merged) : 'separate') {
    make_path($srv);
    machine_is($layout, 'bullseye');
    is(-l "$machine/bin" ? 'merged' : 'separate', $layout, "Debian 11, $layout");
    for my $name (sort keys %jail) {
        my ($status, $said) = in_system($machine, 'mkjail', "/srv/$name", '--minimal', '--user',
            '#61190:#61190', '--home', '/home/alice', @{ $jail{$name} });
        is($status, 0, "a jail by $name") or diag($said);
        # Programs of the tenant: a script, and a copy from the old system.
        write_file("$srv/$name/home/alice/script", "#!/bin/sh\necho a | cat\n", 0755);
        write_file("$srv/$name/home/alice/cat", slurp("$srv/$name/bin/cat"), 0755);
        is_deeply([starts("$srv/$name", @programs)], [], 'which works');
        checked($name, 'bullseye');
    }
    for my $release (@releases[1 .. 2]) {
        machine_is($layout, $release);
        ok(-l "$machine/bin", "Debian, $release: a merged /usr");
        follow($_, $release, $layout) for sort keys %jail;
    }
    gone(map { ("$srv/$_", "$srv/$_.before") } keys %jail);
}
leave_machine();

# --- from a distribution; a copy of the trees stands in for mmdebstrap
if (!$long) {
    my ($tree) = tree_of('separate', 'bullseye') =~ m{(.*)-bullseye$};
    write_file('/usr/local/sbin/mmdebstrap', <<"END", 0755);
#!/bin/sh
for t; do case \$t in */.jailcgi~*) break ;; esac; done
for r; do case \$r in bullseye|bookworm|trixie) break ;; esac; done
cp -a "$tree-\$r" "\$t"
END
}
my $from = place() . '/from';
jailcgi_ok('a jail from Debian 11', 'mkjail', $from, '--from', 'debian:bullseye', '--minimal',
    '--user', '#61190:#61190');
my @here = grep { $_->[0] !~ /alice/ } @programs;
for my $release (@releases) {
    write_file("$from/etc/jailcgi.jail", slurp("$from/etc/jailcgi.jail") =~ s/debian:\w+/debian:$release/r);
    note(jailcgi_ok("update to $release", 'update', $from)) if $release ne 'bullseye';
    is_deeply([starts($from, @here)], [], 'it works');
    my (undef, $text, $status) = findings($from);
    is($status, 0, "--from, $release: check finds nothing") or diag($text);
}
done_testing;
