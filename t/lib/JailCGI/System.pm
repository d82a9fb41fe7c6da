package JailCGI::System;

# A small system in a directory, in which tools/jailcgi runs by chroot: "this machine"
# with a separate /bin, /lib and /lib64, which is upgraded to a merged /usr. Load it
# after JailCGI::Tool; it needs private_host().

use strict;
use warnings;

use Cwd 'getcwd';
use Exporter 'import';
use File::Path qw(make_path);
use JailCGI::Tool;
use JailCGI::Namespace;
use Test::More;

our @EXPORT = qw(make_system open_system split_system merge_system in_system run_in starts);

my $top = getcwd();
my @mounted;
my $main_pid = $$;

# Before the directories are removed.
END {
    my $status = $?;
    if ($$ == $main_pid) { unmount($_) for @mounted }
    $? = $status;
}

# make_system(DIR, PROGRAM...): the system, with /srv for jails and the command.
sub make_system {
    my ($dir, @programs) = @_;
    my ($status, $out, $err) = jailcgi('mkjail', $dir, '--minimal',
        map({ ('--program', $_) } qw(/bin/sh /bin/cp /bin/rm /bin/mknod /bin/sync /bin/cat
              /usr/bin/find /usr/bin/perl /usr/bin/id), @programs),
        map({ ('--exclude', $_) } qw(*/perl5 */pod */unicore/lib/* */CPAN* */CORE */Pod */Unicode)));
    $status == 0 or die "$out$err";
    unlink glob "$dir/etc/jailcgi.*";
    return open_system($dir);
}

# Brings the command and /proc into a system.
sub open_system {
    my ($dir) = @_;
    make_path(map { "$dir/$_" } qw(srv proc));
    # A copy: what is mounted there could be removed with the directory.
    system('cp', '-a', "$top/tools", "$dir/jailcgi") == 0 or die 'cp';
    for my $mount ([$dir, '--bind', $dir], ["$dir/proc", '-t', 'proc', 'none']) {
        mount_at(@$mount);
        unshift @mounted, $mount->[0];
    }
    return $dir;
}

# Moves what Debian 11 has in /bin and /lib there, and leaves links to some of it.
sub split_system {
    my ($dir) = @_;
    my ($interp) = grep { -l } glob "$dir/lib64/ld-linux*";
    for my $name (qw(bin lib lib64)) {
        unlink "$dir/$name" or die "$dir/$name: $!";
        make_path("$dir/$name");
    }
    my @libraries = map { s{^\Q$dir\E/usr/}{}r }
      glob "$dir/usr/lib/*-linux-*/{libc.so*,libm.so*,ld-*,libselinux*,libpcre*,libcrypt*}";
    for my $path (qw(bin/sh bin/dash bin/cat), @libraries) {
        my ($parent) = $path =~ m{^(.*)/};
        make_path("$dir/$parent");
        rename "$dir/usr/$path", "$dir/$path" or die "$path: $!";
    }
    for my $link (glob "$dir/usr/lib64/*") {
        my ($name) = $link =~ m{([^/]+)$};
        my ($loader) = glob "$dir/lib/*-linux-*/$name";
        symlink $loader =~ s/^\Q$dir\E//r, "$dir/lib64/$name" or die "$name: $!";
        unlink $link;
    }
    symlink '/bin/cat', "$dir/usr/bin/cat";
    return;
}

# The upgrade: what was moved comes back, newer.
sub merge_system {
    my ($dir) = @_;
    unlink "$dir/usr/bin/cat";
    system('cp', '-a', "$dir/bin", "$dir/lib", "$dir/lib64", "$dir/usr/") == 0 or die 'cp';
    for my $name (qw(bin lib lib64)) {
        system('mv', "$dir/$name", "$dir/usr/old-$name") == 0 or die 'mv';
        symlink "usr/$name", "$dir/$name" or die "$name: $!";
    }
    for my $file (glob "$dir/usr/{bin/{sh,dash,cat,perl},lib/*-linux-*/{libc.so.6,ld-linux*}}") {
        next if -l $file;
        my $content = slurp($file);
        write_file($file, "$content\0", 0755);
    }
    # Nothing in a jail that is made now may come from there.
    system('rm', '-rf', glob "$dir/usr/old-*") == 0 or die 'rm';
    return;
}

# The command in the system: status and what it said.
sub in_system {
    my ($dir, @arguments) = @_;
    return run_in($dir, [], '/usr/bin/perl', '/jailcgi/jailcgi', @arguments);
}

# run_in(DIR, [COMMAND that runs it], PROGRAM...): status and what it said.
sub run_in {
    my ($dir, $before, @command) = @_;
    my $pid = open(my $out, '-|') // die "fork: $!";
    if (!$pid) {
        open STDERR, '>&', \*STDOUT or die "stderr: $!";
        exec @$before, 'chroot', $dir, @command or exit 127;
    }
    my $said = do { local $/; <$out> } // '';
    close $out;
    return ($? & 127 ? "signal $?" : $? >> 8, $said);
}

# Runs each [PROGRAM, ARGUMENT...] in a jail as a tenant; those that fail.
sub starts {
    my ($root, @commands) = @_;
    my @bad;
    for my $command (@commands) {
        my $pid = open(my $out, '-|') // die "fork: $!";
        if (!$pid) {
            open STDERR, '>&', \*STDOUT or die "stderr: $!";
            %ENV = (PATH => '/usr/bin:/bin', LD_BIND_NOW => 1);
            exec '/usr/sbin/chroot', '--userspec=61190:61190', $root, @$command or exit 127;
        }
        my $said = do { local $/; <$out> } // '';
        close $out;
        push @bad, "@$command: status $?: $said" if $?;
    }
    return @bad;
}

1;
