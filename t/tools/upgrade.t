# Real upgrades: a Debian 11 in a directory, with separate /bin and /lib or merged,
# becomes a Debian 12 and a 13 by apt full-upgrade, and its jails follow. Each update is
# also killed at many points. This takes an hour and a mirror: JAILCGI_LONG=1. How many
# points each: JAILCGI_POINTS, 100 if it is not set.

use strict;
use warnings;

use lib 't/lib';
use JailCGI::Tool;
use JailCGI::Namespace;
use JailCGI::System;
use Test::More;

plan(skip_all => 'set JAILCGI_LONG=1 for it') if !$ENV{JAILCGI_LONG};
private_host();
my $mirror = 'http://deb.debian.org/debian';
my @calls  = qw(rename renameat2 link unlink symlink mkdir rmdir);
my @programs = (['/bin/sh', '-c', 'exit 0'], ['/bin/cat', '/etc/passwd'], ['/usr/bin/id'],
    ['/usr/bin/perl', '-MSocket', '-MPOSIX', '-MData::Dumper', '-e', 'exit 0'],
    ['/home/alice/script'], ['/home/alice/cat', '/etc/passwd']);

# Made by mmdebstrap, with the keys of this machine for the later releases.
sub debian_11 {
    my ($layout) = @_;
    my $dir = place() . "/$layout";
    my @merged = $layout eq 'merged' ? '--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr' : ();
    my $said = `mmdebstrap --quiet --variant=minbase --include=perl @merged bullseye $dir $mirror 2>&1`;
    $? == 0 or die "mmdebstrap: $said";
    mkdir "$dir/etc/apt/trusted.gpg.d";
    system("cp /usr/share/keyrings/debian-archive-*.gpg $dir/etc/apt/trusted.gpg.d/") == 0 or die 'cp';
    open_system($dir);
    mount_at("$dir/dev", '--rbind', '/dev');
    return $dir;
}

sub upgrade {
    my ($machine, $release) = @_;
    write_file("$machine/etc/apt/sources.list", "deb $mirror $release main\n");
    my $apt = 'export DEBIAN_FRONTEND=noninteractive LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin;'
      . ' apt-get -q update && apt-get -q -y -o Dpkg::Options::=--force-confnew full-upgrade';
    my ($status, $said) = run_in($machine, [], '/bin/sh', '-c', $apt);
    is($status, 0, "apt full-upgrade to $release") or diag(substr $said, -2000);
    return;
}

sub content {
    my ($jail) = @_;
    open my $fh, '-|', 'find', $jail, '!', '-type', 'd', '!', '-name', 'jailcgi.lock', '-printf',
      '%P %s %l\n' or die "find: $!";
    return join '', sort <$fh>;
}

sub restore {
    my ($jail) = @_;
    system('rm', '-rf', $jail) == 0 && system('cp', '-al', "$jail.before", $jail) == 0
      or die 'restore';
    return;
}

my @update = ('/usr/bin/perl', '/jailcgi/jailcgi', 'update');

# Follows the upgrade with one jail: killed at many points first, then whole.
sub follow {
    my ($machine, $name, $release) = @_;
    my ($jail, $trace) = ("$machine/srv/$name", place() . '/trace');
    system('rm', '-rf', "$jail.before") == 0 && system('cp', '-a', $jail, "$jail.before") == 0
      or die 'cp';
    my ($status, $said) = run_in($machine, ['strace', '-f', '-qq', '-o', $trace, '-e',
            'trace=' . join(',', @calls)], @update, "/srv/$name");
    is($status, 0, "$name: update to $release") or diag($said);
    diag($said);
    is_deeply([starts($jail, @programs)], [], 'all programs start') or diag($said);
    my $whole = content($jail);
    my $text  = slurp($trace);
    my ($main) = $text =~ /^(\d+)/;
    my (%count, @points);
    push @points, [$_, ++$count{$_}] for $text =~ /^$main +(\w+)\(/mg;
    my $step = int(@points / ($ENV{JAILCGI_POINTS} || 100)) || 1;
    for my $at (grep { $_ % $step == 0 } 0 .. $#points) {
        my ($call, $n) = @{ $points[$at] };
        restore($jail);
        run_in($machine, ['strace', '-f', '-qq', '-o', '/dev/null', '-e', "trace=$call", '-e',
                "inject=$call:signal=KILL:when=$n"], @update, "/srv/$name");
        my @bad = starts($jail, @programs);
        my ($ended, $why) = run_in($machine, [], @update, "/srv/$name");
        push @bad, $why if $ended;
        push @bad, 'the content differs' if content($jail) ne $whole;
        is_deeply(\@bad, [], "$name, $release: killed before $call $n");
    }
    return;
}

my %jail = (
    program => [map { ('--program', $_) } qw(/bin/sh /bin/cat /usr/bin/id /usr/bin/perl)],
    package => [map({ ('--package', $_) } qw(perl coreutils dash)), '--with-depends'],
);
for my $layout (qw(separate merged)) {
    my $machine = debian_11($layout);
    is(-l "$machine/bin" ? 'merged' : 'separate', $layout, "Debian 11, $layout");
    for my $name (sort keys %jail) {
        my ($status, $said) = in_system($machine, 'mkjail', "/srv/$name", '--user', '#61190:#61190',
            '--home', '/home/alice', @{ $jail{$name} });
        is($status, 0, "a jail by $name") or diag($said);
        # Programs of the tenant: a script, and a copy from the old system.
        write_file("$machine/srv/$name/home/alice/script", "#!/bin/sh\necho a | cat\n", 0755);
        write_file("$machine/srv/$name/home/alice/cat", slurp("$machine/srv/$name/bin/cat"), 0755);
        is_deeply([starts("$machine/srv/$name", @programs)], [], 'which works');
        ($status, $said) = in_system($machine, 'check', "/srv/$name");
        unlike($said, qr/ld-linux/, 'check finds nothing wrong with the loader');
    }
    for my $release (qw(bookworm trixie)) {
        upgrade($machine, $release);
        follow($machine, $_, $release) for sort keys %jail;
    }
    unmount("$machine/dev");
}

# --- from a distribution
my $from = place() . '/from';
jailcgi_ok('a jail from Debian 11', 'mkjail', $from, '--from', 'debian:bullseye', '--minimal',
    '--package', 'perl', '--mirror', $mirror, '--user', '#61190:#61190');
my @here = grep { $_->[0] !~ /alice/ } @programs;
for my $release (qw(bookworm trixie)) {
    write_file("$from/etc/jailcgi.jail", slurp("$from/etc/jailcgi.jail") =~ s/debian:\w+/debian:$release/r);
    is_deeply([starts($from, @here)], [], 'it works');
    diag(jailcgi_ok("update to $release", 'update', $from));
}
is_deeply([starts($from, @here)], [], 'it works');
done_testing;
