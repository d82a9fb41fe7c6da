# After all other tests: the machine is as it was. Run by check, which noted
# how it was.

use strict;
use warnings;

use lib 't/lib';
use JailCGI::Process qw(processes process_status);
use JailCGI::Tenant;
use Test::More;
use Time::HiRes 'sleep';

my $run_dir = $ENV{JAILCGI_RUN_DIR};
if (!$run_dir) {
    plan skip_all => 'run by check alone, which knows how things were before';
}

sub slurp {
    my ($file) = @_;
    open my $fh, '<', $file or return '';
    local $/;
    return <$fh> // '';
}

sub command {
    my ($pid) = @_;
    return slurp("/proc/$pid/cmdline") =~ tr/\0/ /r;
}

sub below_run_dir {
    my ($pid) = @_;
    return grep { (readlink("/proc/$pid/$_") // '') =~ m{^\Q$run_dir\E/} }
      qw(exe cwd root);
}

sub left {
    return map { "$_ " . command($_) }
      grep { below_run_dir($_) || command($_) =~ m{\Q$run_dir\E/} } processes();
}

# One whose number another run of the tests has is that one's.
sub is_tenant {
    my ($pid) = @_;
    my $status = process_status($pid) or return;
    return grep {
             $_ >= JailCGI::Tenant->FIRST_ID
          && $_ <= JailCGI::Tenant->LAST_ID
          && JailCGI::Tenant::claim($_)
    } split ' ', $status->{Uid};
}

my %older = map { $_ => 1 } split ' ', slurp("$run_dir/before.processes");

sub tenants_left {
    return map { "$_ " . command($_) }
      grep { is_tenant($_) && !$older{$_} } processes();
}

# A helper may need a moment to see that its parent is gone, and init another
# to reap the keepers.
for (1 .. 100) {
    last if !left() && !tenants_left();
    sleep 0.05;
}
is_deeply([left()],         [], 'no process of the tests is left');
is_deeply([tenants_left()], [], 'no process of a tenant is left');

my %expected = map { $_ => 1 } qw(before before.processes base probe fixtures packages lib
  installed);
opendir my $dir, $run_dir or die "$run_dir: $!";
is_deeply([grep { !/^\.\.?$/ && !$expected{$_} } readdir $dir],
    [], 'each test file has removed its own directory')
  if !$ENV{JAILCGI_KEEP};

my @before = split /\n/, slurp("$run_dir/before");
my @after  = split /\n/, `t/last/state`;
my %before = map { $_ => 1 } @before;
my %after  = map { $_ => 1 } @after;
is_deeply([grep { !$before{$_} } @after],
    [], 'no mount, user, IPC object or file of Apache has been added');

# IPC objects of others may go; nothing else may.
is_deeply([grep { !$after{$_} && !/^(?:shm|sem|msg): / } @before],
    [], 'and none has been taken away or changed');
# Four files, three kinds of IPC objects and a mount are there everywhere.
cmp_ok(scalar @before, '>=', 8, 'something was compared');

done_testing;
