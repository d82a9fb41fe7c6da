package Bench::Place;

# Where everything of a run lies: one new directory with the build, the programs, the
# jail in which they run, and copies of two of the machine's directories. The copies
# are mounted over the real ones in a mount namespace that only the run sees, because
# suexec and sbox have names compiled in: /usr/lib/apache2/suexec, /etc/apache2/suexec,
# /etc/sbox, /etc/passwd, /var/log. So no user and no setuid program comes to the machine.

use strict;
use warnings;

use Exporter 'import';
use File::Path 'make_path';
use File::Temp ();
use Bench::Util qw(fail note processors run slurp write_file);

our @EXPORT_OK = qw(install_packages make_work build make_jail make_layouts
  mount_layouts TENANT);

use constant TENANT => 61_990;

sub install_packages {
    my ($top) = @_;
    system("$top/tools/install-packages bench >&2") == 0 or fail('packages are missing');
    return;
}

# Not in /tmp: what is above a JailRoot must be writable by root alone.
sub make_work {
    my $work = File::Temp::tempdir('jailcgi-bench.XXXXXX',
        DIR => $ENV{JAILCGI_BENCH_DIR} || '/var/lib');
    chmod 0755, $work;
    return $work;
}

# Builds in a copy: the tree that it came from stays as it is.
sub build {
    my ($top, $work) = @_;
    note('building');
    make_path("$work/source", "$work/bin");
    run('cp', '-r', glob("$top/Makefile* $top/mod_jailcgi.[ch]"), "$top/src", "$work/source");
    my $make = "make -s -C $work/source HELPER_PATH=$work/source/jailcgi-helper";
    system("($make clean && timeout 300 $make -j" . processors() . ") >$work/build.log 2>&1") == 0
      or fail("the build failed:\n" . slurp("$work/build.log"));
    my @gcc = qw(gcc -std=gnu11 -Wall -Wextra -Werror -O2);
    run(@gcc, '-static', '-o', "$work/$_", "$top/bench/$_.c") for qw(limit relay);
    run(@gcc, '-static', '-o', "$work/bin/$_", "$top/bench/programs/$_.c")
      for qw(static page upload identity);
    run(@gcc, '-o', "$work/bin/dynamic", "$top/bench/programs/dynamic.c", '-lm');
    return;
}

# All servers run the same files; only some of them in the jail.
sub make_jail {
    my ($top, $work) = @_;
    note('making the jail');
    my $php = "$work/php/usr/bin/php-cgi8.2";
    run('dpkg-deb', '-x', "$top/build/packages/php8.2-cgi.deb", "$work/php");
    run("$top/tools/jailcgi mkjail $work/jail --minimal --program=/bin/sh"
          . " --program=/usr/bin/perl --program=/usr/bin/python3 --program=$php"
          . " --program=$work/bin/dynamic --tree=/usr/share/zoneinfo"
          . " --exclude='*/'{test,CORE,pod} >$work/mkjail.log");
    my $cgi = "$work/jail/cgi-bin";
    make_path($cgi, "$work/jail/shared", map { "$work/jail/$_" } qw(html proc dev tmp));
    run('install', '-m', '755', glob("$work/bin/*"),
        (map { "$top/bench/programs/$_" } qw(shell perl cgipm python)), $cgi);
    run('install', '-m', '755', "$work/bin/static", "$work/jail/shared/static");
    write_file("$cgi/php", slurp("$top/bench/programs/php") =~ s/PHP_CGI/$php/r);
    chmod 0755, "$cgi/php";
    write_file("$work/jail/html/file", "hello\n");
    run('chown', '-R', TENANT . ':' . TENANT, $cgi);
    return;
}

# The copies hold what everybody may read, so no secret of the machine.
sub make_layouts {
    my ($top, $work) = @_;
    make_path("$work/etc", "$work/log/apache2", "$work/peers", "$work/nscd");
    my $nobody = 'setpriv --reuid=65534 --regid=65534 --clear-groups';
    system("$nobody tar -C /etc -c . 2>/dev/null | tar -C $work/etc -x");
    run('cp', '-a', '/usr/lib/apache2', "$work/apache2");
    run('dpkg-deb', '-x', "$top/build/packages/$_.deb", "$work/peers")
      for qw(apache2-suexec-custom sbox-dtc);

    make_path("$work/etc/apache2/suexec", "$work/etc/sbox/vhosts.d");
    write_file("$work/etc/apache2/suexec/www-data", "$work/jail\npublic_html/cgi-bin\n");
    my $id = TENANT;
    write_file("$work/etc/passwd",
        slurp('/etc/passwd') . "jailbench:x:${id}:${id}::/nonexistent:/usr/sbin/nologin\n");
    write_file("$work/etc/group", slurp('/etc/group') . "jailbench:x:${id}:\n");
    my $www = getgrnam 'www-data';
    for (["apache2/suexec", 'usr/lib/apache2/suexec-custom'], ['sbox', 'usr/lib/cgi-bin/sbox']) {
        my ($to, $from) = ("$work/$_->[0]", "$work/peers/$_->[1]");
        rename $from, $to or fail("$from: $!");
        chown 0, $www, $to;
        chmod 04750, $to;
    }
    write_file("$work/etc/sbox/sbox.conf", sbox_conf(slurp("$work/peers/etc/sbox/sbox.conf")));
    write_file("$work/log/sbox.log",       '');
    chown scalar(getpwnam 'www-data'), $www, "$work/log/sbox.log";
    return;
}

# Debian's file (sbox crashes if a line of it is missing) with the identity of the web
# server, an own user for the script, its own place for scripts, no niceness and no
# limit that a program here would reach.
sub sbox_conf {
    my ($text) = @_;
    my %value = (
        web_user  => 'www-data',
        web_group => 'www-data',
        do_suid   => 'On',
        do_sgid   => 'On',
        cgi_bin   => '"../cgi-bin"',
        priority  => 0,
        map { ("limit_${_}_hard" => 4_000_000, "limit_${_}_soft" => 4_000_000) } qw(fsize data rss),
    );
    for my $name (sort keys %value) {
        $text =~ s/^\Q$name\E .*/$name $value{$name}/m or fail("sbox.conf has no $name");
    }
    return $text;
}

# Inside the run's own mount namespace.
sub mount_layouts {
    my ($work) = @_;
    my %over = ('/etc' => 'etc', '/usr/lib/apache2' => 'apache2', '/var/log' => 'log');
    $over{'/run/nscd'} = 'nscd' if -d '/run/nscd';    # it would answer for /etc/passwd
    run('mount', '--bind', "$work/$over{$_}", $_) for sort keys %over;
    return;
}

1;
