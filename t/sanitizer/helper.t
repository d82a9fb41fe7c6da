# The tests of t/unit/helper.c once more, with a helper and keepers that were
# built with the sanitizers of address and undefined behaviour: a finding ends
# the process, and the request that it served is lost.

use strict;
use warnings;

use Test::More;

my $helper = 'build/asan/jailcgi-helper';
like(scalar `nm -D $helper 2>&1`, qr/__asan_init/, 'the helper is sanitized');

# Leaks would be looked for by tracing, which undumpable processes forbid.
$ENV{ASAN_OPTIONS}         = 'detect_leaks=0:abort_on_error=1';
$ENV{UBSAN_OPTIONS}        = 'halt_on_error=1:abort_on_error=1';
$ENV{JAILCGI_HELPER}       = $helper;
$ENV{JAILCGI_TEST_VERBOSE} = 1;
my $out = `build/unit/helper 2>&1`;
is($?, 0, 'all tests of the helper pass') or diag($out);
unlike($out, qr/AddressSanitizer|runtime error/, 'and nothing was found');
done_testing;
