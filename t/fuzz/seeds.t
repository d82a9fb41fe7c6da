# Each fuzz target over its seeds, and a short run from them with a fixed
# random seed. t/fuzz/run runs them long.

use strict;
use warnings;

use File::Basename 'basename';
use File::Temp 'tempdir';
use Test::More;

delete $ENV{FUZZ_VARIANTS};
for my $source (glob 't/fuzz/*.c') {
    my $name  = basename($source, '.c');
    my @seeds = glob "t/fuzz/seeds/$name/*";
    ok(@seeds > 0, "$name has seeds");
    my $out = `build/fuzz/$name @seeds 2>&1`;
    is($?, 0, "$name: " . @seeds . ' seeds') or diag($out);
    my $dir = tempdir(CLEANUP => 1);
    $out = `cd $dir && $ENV{PWD}/build/fuzz/$name -seed=1 -runs=20000 \\
        -max_total_time=60 -timeout=10 $dir $ENV{PWD}/t/fuzz/seeds/$name 2>&1`;
    is($?, 0, "$name: 20000 inputs made from them") or diag($out);
    like($out, qr/Done \d+ runs/, "$name: they were run");
    like($out, qr/^calls: [1-9]/m,  "$name: and the decoder's calls counted");
}
done_testing;
