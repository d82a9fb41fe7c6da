# A machine with separate /bin, /lib and /lib64 is upgraded to a merged /usr. The jail
# follows, and all that started in it starts at each moment: also when the run is
# killed at any step, and when the disk is full.

use strict;
use warnings;

use lib 't/lib';
use JailCGI::Tool;
use JailCGI::Namespace;
use JailCGI::System;
use Test::More;

private_host();
my $machine = make_system(place() . '/machine');
my $jail = "$machine/srv/jail";
split_system($machine);

# Two files that belong together, as the loader and the C library do, but in
# different directories, with many others that are replaced between them.
sub install_pair {
    my ($version) = @_;
    write_file("$machine/usr/$_", "$version\n") for qw(lib/pair/one.so),
      map { "share/pair/$_" } 'a' .. 't';
    return;
}
install_pair(1);
write_file("$machine/usr/bin/pair", <<'END', 0755);
#!/bin/sh
one=$(cat /usr/lib/pair/one.so); two=$(/bin/cat /usr/share/pair/a)
[ -n "$one" ] && [ "$one" = "$two" ] || { echo "one is $one, two is $two"; exit 1; }
END

my ($status, $said) = in_system($machine, 'mkjail', '/srv/jail', '--minimal',
    map({ ('--program', $_) } qw(/bin/sh /bin/cat /usr/bin/id /usr/bin/perl /usr/bin/pair)),
    '--tree', '/usr/lib/pair', '--tree', '/usr/share/pair', '--user', '#61190:#61190',
    '--home', '/home/alice');
is($status, 0, 'a jail on a machine with a separate /bin') or diag($said);
is(readlink "$jail/bin", 'usr/bin', 'has a merged /usr all the same');

# What jailcgi has made of such a machine until now.
sub split_jail {
    my $record = slurp("$jail/etc/jailcgi.files");
    split_system($jail);
    $record =~ s{ /usr((?:/bin/(?:sh|dash|cat)|/lib64/\S*|/lib/[^/\s]*-linux-[^/\s]*(?:/(?:libc.so|libm.so|ld-|libselinux|libpcre|libcrypt)\S*)?))$}{ $1}mg;
    $record =~ s{^l usr/(\w+) (/\1)$}{d - $2}mg;
    write_file("$jail/etc/jailcgi.files", $record);
    unlink "$jail/usr/bin/cat";
    return;
}
split_jail();
write_file("$jail/home/alice/script", "#!/bin/sh\necho from the script | cat\n", 0755);
my @programs = (['/bin/sh', '-c', 'exit 0'], ['/bin/cat', '/etc/passwd'], ['/usr/bin/id'],
    ['/usr/bin/perl', '-MSocket', '-MPOSIX', '-e', 'exit 0'], ['/usr/bin/pair'],
    ['/home/alice/script']);
is_deeply([starts($jail, @programs)], [], 'the jail works with a separate /bin');
system('cp', '-a', $jail, "$machine/srv/before") == 0 or die 'cp';

merge_system($machine);
install_pair(2);
($status, $said) = in_system($machine, 'update', '/srv/jail');
is($status, 0, 'update after the upgrade') or diag($said);
is_deeply([starts($jail, @programs)], [], 'all programs start') or diag($said);
like($said, qr{jail: /bin /lib /lib64 are links into /usr now}, 'it says what it did');
like($said, qr{what started before starts \(\d+ programs, libraries and scripts\)$}m, 'and how much it proved');
is(slurp("$jail/usr/bin/sh"), slurp("$machine/usr/bin/sh"), 'the new shell is there');
is(slurp("$jail/usr/lib/pair/one.so"), "2\n", 'and the new files of /usr');
ok(!-e "$jail/.jailcgi~next", 'nothing is left');
($status, $said) = in_system($machine, 'update', '/srv/jail');
like($said, qr{^/srv/jail: nothing to change$}m, 'the next run has nothing to do');

# --- a jail that earlier versions have damaged so
for my $name (qw(bin lib lib64)) {
    unlink "$jail/$name";
    mkdir "$jail/$name";
}
isnt(scalar(starts($jail, @programs)), 0, 'control: with empty directories nothing starts');
($status, $said) = in_system($machine, 'update', '/srv/jail');
is_deeply([starts($jail, @programs)], [], 'update repairs a jail that was left without a loader')
  or diag($said);

# --- killed at any point: all programs start, and the next run ends what was begun
sub content {
    open my $fh, '-|', 'find', $jail, '!', '-type', 'd', '!', '-name', 'jailcgi.lock', '-printf',
      '%P %s %l\n' or die "find: $!";
    return join '', sort <$fh>;
}

sub restore {
    system('rm', '-rf', $jail) == 0 && system('cp', '-al', "$machine/srv/before", $jail) == 0
      or die 'restore';
    return;
}

my $whole = content();
my @calls = qw(rename renameat2 link unlink symlink mkdir rmdir);
my $trace = place() . '/trace';
restore();
my @strace = ('strace', '-f', '-qq', '-o', $trace, '-e', 'trace=' . join(',', @calls));
($status) = run_in($machine, \@strace, '/usr/bin/perl', '/jailcgi/jailcgi', 'update', '/srv/jail');
is($status, 0, 'a run under strace') or BAIL_OUT('strace is needed');
is(content(), $whole, 'makes the same jail');
my $text = slurp($trace);
my ($main) = $text =~ /^(\d+)/;
my %count;
$count{$_}++ for $text =~ /^$main +(\w+)\(/mg;

# With JAILCGI_LONG at each, otherwise at some of each kind.
my @points;
for my $call (sort keys %count) {
    my $last = $count{$call};
    my %at = map { $_ => 1 } $ENV{JAILCGI_LONG} || $call eq 'renameat2' ? 1 .. $last
      : $call =~ /name|link/ ? (1, int($last / 2) || 1, $last) : $last;
    push @points, map { [$call, $_] } sort { $a <=> $b } keys %at;
}
cmp_ok(scalar @points, '>=', 15, 'there are points at which it can be killed: ' . @points);
for my $point (@points) {
    my ($call, $n) = @$point;
    restore();
    ($status) = run_in($machine, ['strace', '-f', '-qq', '-o', '/dev/null', '-e', "trace=$call", '-e',
            "inject=$call:signal=KILL:when=$n"], '/usr/bin/perl', '/jailcgi/jailcgi', 'update', '/srv/jail');
    my @bad = starts($jail, @programs);
    ($status, $said) = in_system($machine, 'update', '/srv/jail');
    push @bad, "then: $said" if $status;
    push @bad, 'the content differs' if content() ne $whole;
    is_deeply(\@bad, [], "killed before $call $n");
}

# --- the disk is full
mkdir "$machine/srv/small";
mount_at("$machine/srv/small", '-t', 'tmpfs', '-o', 'mode=0755', 'none');
mount_at("$machine/srv/small", '-o', 'remount,size=' . (disk_of("$machine/srv/before") + 2000) . 'k');
system('cp', '-a', "$machine/srv/before", "$machine/srv/small/jail") == 0 or die 'cp';
my ($before) = map { s{/srv/jail}{/srv/small/jail}r } $jail;
($status, $said) = in_system($machine, 'update', '/srv/small/jail');
is($status, 1, 'on a full disk update fails');
like($said, qr/: write: No space left on device\n.*the jail is as it was$/, 'and says so');
is_deeply([starts($before, @programs)], [], 'all programs start');
is(slurp("$before/usr/lib/pair/one.so"), "1\n", 'nothing is new');
ok(!-e "$before/.jailcgi~next", 'nothing is left');
mount_at("$machine/srv/small", '-o', 'remount,size=100%');
($status, $said) = in_system($machine, 'update', '/srv/small/jail');
is($status, 0, 'with room it succeeds') or diag($said);
is(slurp("$before/usr/lib/pair/one.so"), "2\n", 'and everything is new');
unmount("$machine/srv/small");

sub disk_of { return (split ' ', `du -sk $_[0]`)[0] }
done_testing;
