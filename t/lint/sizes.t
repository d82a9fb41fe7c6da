# Sizes. All code that runs as root or between fork and exec has to be small
# enough that one person reads it in a day.

use strict;
use warnings;

use lib 't/lib';
use JailCGI::Source qw(files c_files code_of functions_of read_file);
use Test::More;

use constant {
    FUNCTION_MAX => 80,
    FILE_MAX     => 400,
    ROOT_MAX     => 3800,
    JAIL_MAX     => 1600,
};

# Files that may be longer, and why.
my %longer = (
    'src/httpd/reason_table.c' => 460,    # one table of sentences
    'src/httpd/child.h'        => 440,    # of all files of the httpd child
    'src/helper/selftest.c'    => 430,    # half of it are tables
    'src/httpd/supervise.c'    => 420,    # with the helper's heartbeat
);

my $functions = 0;
for my $file (c_files()) {
    my $lines = () = read_file($file) =~ /\n/g;
    cmp_ok($lines, '<=', $longer{$file} || FILE_MAX, "$file: lines");
    my @functions = functions_of($file);
    $functions += @functions;
    is_deeply(
        [map { "$_->[0]: $_->[2]" } grep { $_->[2] > FUNCTION_MAX } @functions],
        [],
        "$file: no function above " . FUNCTION_MAX . ' lines'
    );
}
cmp_ok($functions, '>', 40, 'functions were found');

# Not the loop of a keeper, its channels, requests, queue and slots: they run as the
# tenant, after the last privilege has gone, and not between fork and exec.
my %as_tenant = map { $_ => 1 } qw(src/keeper/serve/loop.c src/keeper/serve/runs.c src/keeper/serve/sweep.c
  src/keeper/serve/queue.c src/keeper/serve/spawn.c src/keeper/serve/events.c src/keeper/serve/channels.c
  src/keeper/serve/peers.c src/keeper/serve/tally.c);

# What makes a jail more than a chroot has an account of its own: it runs once for each
# jail, before there is a tenant in it, and reads nothing but the policy.
my %of_jail = map { $_ => 1 } qw(src/keeper/build/mounts.c src/keeper/build/place.c src/keeper/build/tree.c
  src/keeper/build/filter.c src/keeper/build/own_filter.c src/helper/cgroup.c src/helper/selftest.c src/policy/rows.c src/helper/fork.c
  src/keeper/build/cgroup.c src/keeper/build/landlock.c src/helper/harden.c);

my ($root, $jail) = (0, 0);
for my $file (files(qr/\.c$/, qw(src/helper src/keeper src/wire))) {
    next if $as_tenant{$file};
    ($of_jail{$file} ? $jail : $root) += () = code_of($file) =~ /^.*\S.*$/mg;
}
cmp_ok($root, '<=', ROOT_MAX,
    'lines of code that runs as root or between fork and exec');
cmp_ok($root, '>', 500, 'they were counted');
cmp_ok($jail, '<=', JAIL_MAX, 'and that of the jail\'s own');
cmp_ok($jail, '>', 200, 'these too');
note("$root lines, $jail of the jail");
done_testing;
