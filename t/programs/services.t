# Services of the machine in a jail of JailRoot host: each by the line that
# doc/manual/host.md has for it, and not without it. The servers are real ones.

use lib 't/lib';
use JailCGI::Test;
use JailCGI::Namespace;
use JailCGI::Nscd;

use File::Path 'make_path';

private_mounts() or skip_or_fail('no private mounts here');
# It takes a /run of its own: the sockets lie where the manual says, and nobody else
# sees them there.
my $nscd = JailCGI::Nscd->start(work_dir());

my $nobody = getpwnam 'nobody';
my %server;

sub program {
    my ($name) = @_;
    my ($found) = grep { -x } map { ("/usr/$_/$name", from_package("/usr/$_/$name")) }
      qw(sbin bin lib/postgresql/15/bin);
    return $found // skip_or_fail("$name is not installed");
}

sub directory_of {
    my ($path, $uid) = @_;
    mkdir $path, 0755 or die "$path: $!";
    chown $uid, -1, $path if $uid;
    return $path;
}

# Starts a server as that user; its output goes to a file.
sub serve {
    my ($name, $uid, @command) = @_;
    my $pid = fork // die "fork: $!";
    if (!$pid) {
        chdir '/';    # it may be unable to enter the checkout
        open STDIN,  '<', '/dev/null';
        open STDOUT, '>', work_dir() . "/$name.said";
        open STDERR, '>&', \*STDOUT;
        exec 'setpriv', "--reuid=$uid", '--clear-groups', '--', @command;
        die "setpriv: $!";
    }
    return $server{$name} = $pid;
}

sub ran_as_nobody {
    my (@command) = @_;
    return system('sh', '-c', 'cd / && exec "$@" >/dev/null', 'sh', 'setpriv', "--reuid=$nobody",
        '--clear-groups', '--', @command) == 0;
}

END {
    my $status = $?;
    for my $pid (values %server) {
        kill 'TERM', $pid;
        waitpid $pid, 0;
    }
    $? = $status;
}

# --- MariaDB: an account for the tenant's own user name, by its socket
my $alice = tenant('alice');
my $bob   = tenant('bob');

my @both = ($alice, $bob);
make_accounts(@both);

my $mysql = directory_of(work_dir() . '/mysql', $nobody);
directory_of('/run/mysqld', $nobody);
open my $init, '>', work_dir() . '/init.sql' or die $!;
print {$init} <<'END';
CREATE DATABASE shop;
CREATE USER alice@localhost IDENTIFIED VIA unix_socket;
GRANT ALL ON shop.* TO alice@localhost;
CREATE TABLE shop.goods (name VARCHAR(20));
INSERT INTO shop.goods VALUES ('apples'), ('pears');
END
close $init;
chmod 0644, work_dir() . '/init.sql';
is(system('cd / && mariadb-install-db --no-defaults --user=nobody --skip-test-db'
          . " --auth-root-authentication-method=normal --datadir=$mysql >$mysql.said 2>&1"),
    0, 'MariaDB has its tables') or diag(`tail -20 $mysql.said`);
serve('mariadb', $nobody, program('mariadbd'), '--no-defaults', "--datadir=$mysql",
    '--skip-networking', '--socket=/run/mysqld/mysqld.sock',
    '--init-file=' . work_dir() . '/init.sql');

# --- PostgreSQL, where a user is known by his uid as well (peer)
my $pg = directory_of(work_dir() . '/pg', $nobody);
directory_of('/run/postgresql', $nobody);
ok(ran_as_nobody(program('initdb'), '-D', $pg, '-U', 'nobody', '--auth=peer', '-E', 'UTF8',
        '--locale=C', '--no-instructions', '--no-sync'), 'PostgreSQL has its tables');
serve('postgres', $nobody, program('postgres'), '-D', $pg, '-k', '/run/postgresql',
    '-c', 'listen_addresses=', '-c', 'fsync=off');
sub sql {
    my ($text) = @_;
    return ran_as_nobody(program('psql'), '-qh', '/run/postgresql', '-U', 'nobody', 'postgres',
        '-c', $text);
}
ok(wait_until(sub { -S '/run/postgresql/.s.PGSQL.5432' && sql('SELECT 1') }, 60), 'it runs');
ok(sql('CREATE ROLE alice LOGIN') && sql('CREATE TABLE goods AS SELECT 42 AS answer')
      && sql('GRANT SELECT ON goods TO alice'), 'and has something for alice');
ok(wait_until(sub { -S '/run/mysqld/mysqld.sock' }, 60), 'MariaDB runs')
  or diag(`cat ${\work_dir()}/mariadb.said`);

# --- a server for mail
my $mail = directory_of(work_dir() . '/mail', $nobody);
my $port = JailCGI::Httpd::free_port();
serve('msmtpd', $nobody, program('msmtpd'), "--port=$port", '--interface=127.0.0.1',
    "--command=/bin/sh -c 'cat >$mail/new && mv $mail/new $mail/arrived; echo \$*' --");
my $msmtprc = work_dir() . '/msmtprc';
open my $rc, '>', $msmtprc or die "$msmtprc: $!";
print {$rc} "account default\nhost 127.0.0.1\nport $port\nauto_from on\nmaildomain example.org\n";
close $rc;
chmod 0644, $msmtprc;
# The machine's own sendmail, as a mail server of Debian's installs it.
my $sendmail = -e '/usr/sbin/sendmail' ? '/usr/sbin/sendmail' : '/usr/bin/msmtp';

# --- what syslog(3) sends, to a socket as journald has it
use IO::Socket::UNIX;
use Socket 'SOCK_DGRAM';
make_path('/run/systemd/journal');
my $journal = IO::Socket::UNIX->new(Type => SOCK_DGRAM, Local => '/run/systemd/journal/dev-log')
  or die "dev-log: $!";
chmod 0666, '/run/systemd/journal/dev-log';

# Returns the first message that has come since the last one was read, or ''.
sub journal_message {
    my $message = '';
    $journal->blocking(0);
    $journal->recv($message, 1000) if wait_until(sub {
        vec(my $ready = '', fileno $journal, 1) = 1;
        return select $ready, undef, undef, 0;
    }, 5);
    return $message // '';
}

# --- the scripts
my $psql = program('psql');
my $packages = from_package('');
my $at = $psql =~ s{^\Q$packages\E/}{/packages/} ? "JailMount ro $packages /packages\n" : '';
my %command = (
    mysql => 'mariadb -N -S /run/mysqld/mysqld.sock shop -e "SELECT name FROM goods ORDER BY 1"',
    pg    => "$psql -Ath /run/postgresql -U alice postgres -c 'SELECT answer FROM goods'",
    nscd  => q{perl -MSocket -e 'socket(S, AF_UNIX, SOCK_STREAM, 0);
        print connect(S, sockaddr_un("/run/nscd/socket")) ? "answers\n" : "$!\n"'},
    name  => 'id -un',
    log   => 'logger -t shop "order 17" && echo done',
    mail  => "printf 'Subject: hello\\n\\nbody\\n' | $sendmail bob\@example.org && echo sent",
);
for my $tenant (@both) {
    $tenant->script("$_.sh",
        "#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\n'\n($command{$_}) 2>&1\n")
      for keys %command;
}
# alice has the lines of the manual, bob none.
my $httpd = httpd(
    vhosts => [
        $alice->vhost(<<"END", root => 'host', user => 'alice'),
$at    JailMount ro /run/nscd
    JailMount ro /run/mysqld
    JailMount ro /run/postgresql
    JailMount ro /run/systemd/journal/dev-log /dev/log
    JailMount ro /usr/bin/msmtp $sendmail
    JailMount ro $msmtprc /etc/msmtprc
END
        $bob->vhost($at, root => 'host', user => 'bob'),
    ],
);

sub says { return $httpd->get($_[0], "/cgi-bin/$_[1].sh")->content }
is(says($alice, 'mysql'), "apples\npears\n", 'MariaDB answers');
is(says($alice, 'pg'),    "42\n",            'PostgreSQL answers');
is(says($alice, 'nscd'),  "answers\n",       'nscd answers');
is(says($alice, 'name'),  "alice\n",         'names are found with it');
like(says($alice, 'mail'), qr/^sent$/m, 'mail is taken');
ok(wait_until(sub { -e "$mail/arrived" }, 10), 'and arrives');
like(`cat $mail/arrived`, qr/^Subject: hello\r?\n.*^body/ms, 'as it was');

is(says($alice, 'log'), "done\n", 'a message for syslog is sent');
like(journal_message(), qr/^<13>.* shop: order 17/, 'and arrives');

like(says($bob, 'mysql'), qr/Can't connect/,           'no MariaDB without its line');
like(says($bob, 'pg'),    qr/No such file/,            'nor PostgreSQL');
is(says($bob, 'nscd'), "No such file or directory\n",  'nor nscd');
is(says($bob, 'name'), "bob\n",                        'names are found all the same');
unlike(says($bob, 'mail'), qr/^sent$/m,                'nor mail');
is(says($bob, 'log'), "done\n", 'nor messages for syslog, which nobody tells the script');
is(journal_message(), '', 'they go nowhere');
my $lost = $httpd->log_like($bob, qr/JCGI1722: script \S+log\.sh: /, 'the log of the site says so');
like($lost, qr/\[jailcgi:warn\].*; remedy: .*JailMount ro \/run\S+ \/dev\/log/, 'and names the line');
is(says($bob, $_), $_ eq 'log' ? "done\n" : "bob\n", 'later messages hold nobody up') for qw(log name log);
is(scalar(() = $httpd->log($bob) =~ /JCGI1722/g), 1, 'once');
$httpd->log_unlike($alice, qr/JCGI1722/, 'control: not where they arrive');
done_testing;
