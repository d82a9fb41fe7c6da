package JailCGI::Test;

=head1 NAME

JailCGI::Test - a private Apache with jails, for one test file

=head1 SYNOPSIS

  use lib 't/lib';
  use JailCGI::Test;              # strict, warnings, Test::More, what follows

  my $alice = tenant('alice');    # a jail, a free uid, an empty cgi-bin
  $alice->script('who.sh', <<'END');
  #!/bin/sh
  printf 'Content-Type: text/plain\n\n%s\n' "$(id -u)"
  END
  $alice->script('crlf.sh', "#!/bin/sh\r\necho\r\n", mode => 0755);

  my $httpd = httpd(
      modules => ['rewrite'],                    # besides the few basic ones
      config  => 'JailEnv REGION north',         # outside of any virtual host
      vhosts  => [[$alice, 'JailLimit NOFILE 64']],
  );
  my $res = $httpd->get($alice, '/cgi-bin/who.sh');   # an HTTP::Response
  is $res->content, $alice->uid . "\n", 'runs as its tenant';
  is $httpd->get($alice, '/cgi-bin/crlf.sh')->code, 500;
  $httpd->log_like($alice, qr/JCGI1605/, 'and the log says why');
  done_testing;

=head1 HOW IT RUNS

Run files with C<sudo ./check t/httpd/basic.t>, under all MPMs, or under one with
C<JAILCGI_MPM=prefork>. Each file gets an Apache of its own on a free port of
127.0.0.1, with C<User nobody>; it is an Apache::TestServer with an
Apache::TestConfig, only started and stopped without their seconds of sleep.
Apache::TestRun's one server for all files, which also refuses root, is not
used: tests here kill, reload and misconfigure their servers.

Everything lies below one directory in /var/lib that C<check> (or the file, if
it runs alone) makes and removes. The checkout will not do: JailRoot has to be
owned by root and writable by nobody else the whole way down from /, and a
checkout is usually in somebody's home, which a tenant may be unable to enter;
/tmp and /var/tmp are writable by all; /run is mounted nodev and noexec. So no
test hands out a path of the checkout: C<probe>, C<fixture> and C<from_package>
name copies. JAILCGI_KEEP=1 leaves the directory.

Tenants are bare numbers from 60514 to 61183 that no passwd entry has, so the
machine's users stay as they are. Jails are made of hard links to one tree: to
change a system file in one jail write it with C<< $tenant->replace >>, which
makes a new file, and never in place.

A test that needs what the machine lacks calls C<skip_or_fail>; with
JAILCGI_MUST_WORK=1 it fails there.

=cut

use strict;
use warnings;

use Exporter ();
use File::Basename 'basename';
use File::Path 'remove_tree';
use File::Temp ();
use Test::More;
use Time::HiRes ();

use JailCGI::Httpd;
use JailCGI::Process;
use JailCGI::Tenant;

our @ISA    = 'Exporter';
our @EXPORT = (
    @Test::More::EXPORT, @JailCGI::Process::EXPORT_OK,
    qw(tenant httpd configtest work_dir probe fixture from_package wait_until skip_or_fail
      mpm)
);

JailCGI::Process->import(@JailCGI::Process::EXPORT_OK);

$| = 1;
# So that END runs, which stops httpd.
$SIG{$_} = sub { exit 130 } for qw(INT TERM HUP);

my ($run_dir, $own_run_dir, $work_dir, %httpds);
my $main_pid = $$;

sub import {
    strict->import;
    warnings->import;
    __PACKAGE__->export_to_level(1, @_);
}

# The directory of this run of check, with the jails' common tree in it.
sub run_dir {
    return $run_dir if $run_dir;
    if ($ENV{JAILCGI_RUN_DIR}) {
        return $run_dir = $ENV{JAILCGI_RUN_DIR};
    }
    BAIL_OUT('tests of httpd run as root: sudo ./check FILE') if $> != 0;
    $own_run_dir = $run_dir =
      File::Temp::tempdir('jailcgi-test.XXXXXX', DIR => '/var/lib');
    chmod 0755, $run_dir or die "$run_dir: $!";
    system('t/lib/prepare', $run_dir) == 0 or BAIL_OUT('t/lib/prepare failed');
    return $run_dir;
}

# The directory of this test file: DIR/basic.event.1234
sub work_dir {
    return $work_dir if $work_dir;
    $work_dir = join '.', run_dir() . '/' . basename($0, '.t'), mpm(), $$;
    mkdir $work_dir, 0755 or die "$work_dir: $!";
    return $work_dir;
}

sub mpm { return $ENV{JAILCGI_MPM} || 'event' }

# A program of t/probe, as built.
sub probe {
    my ($name) = @_;
    return run_dir() . "/probe/$name";
}

# What t/Makefile makes of t/fixtures.
sub fixture {
    my ($name) = @_;
    return run_dir() . "/fixtures/$name";
}

# A file of a package that is from_package and not installed: from_package('/usr/bin/psql').
sub from_package {
    my ($path) = @_;
    return run_dir() . "/packages$path";
}

sub tenant {
    my ($name, %option) = @_;
    return JailCGI::Tenant->new(
        name    => $name,
        dir     => work_dir(),
        run_dir => run_dir(),
        %option
    );
}

sub new_httpd {
    my (%option) = @_;
    return JailCGI::Httpd->new(
        name    => 'httpd' . (1 + keys %httpds),
        dir     => work_dir(),
        run_dir => run_dir(),
        mpm     => mpm(),
        %option
    );
}

sub httpd {
    my $httpd = new_httpd(@_);
    $httpds{ $httpd->{name} } = $httpd;
    $httpd->start;
    return $httpd;
}

# Returns the exit status and all that `httpd -t` prints.
sub configtest {
    my $httpd = new_httpd(@_);
    $httpds{ $httpd->{name} } = $httpd;
    return $httpd->configtest;
}

# wait_until { condition } $seconds: whether it came true in time.
sub wait_until (&;$) {
    my ($condition, $seconds) = @_;
    my $end = Time::HiRes::time() + ($seconds || 10);
    while (1) {
        my $value = $condition->();
        return $value if $value;
        return 0 if Time::HiRes::time() > $end;
        Time::HiRes::sleep(0.02);
    }
}

# In a SKIP block, or at the top of a file before any test (then skips all).
sub skip_or_fail {
    my ($reason, $count) = @_;
    if ($ENV{JAILCGI_MUST_WORK}) {
        fail("JAILCGI_MUST_WORK, but: $reason");
        $count ||= 1;
    }
    if (!$count) {
        plan skip_all => $reason;
    }
    skip $reason, $count;
}

END {
    my $status = $?;
    if ($$ == $main_pid) {
        $_->stop for values %httpds;
        if ($work_dir && !$ENV{JAILCGI_KEEP}) {
            remove_tree($work_dir);
        }
        elsif ($work_dir) {
            diag("kept $work_dir");
        }
        if ($own_run_dir && !$ENV{JAILCGI_KEEP}) {
            remove_tree($own_run_dir);
        }
    }
    $? = $status;
}

1;
