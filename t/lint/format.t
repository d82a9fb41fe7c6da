# All C is as clang-format writes it.

use strict;
use warnings;

use lib 't/lib';
use JailCGI::Source qw(files c_files);
use Test::More;

my @files = (c_files(), files(qr/\.[ch]$/, 't', 'bench', 'tools'));
cmp_ok(scalar @files, '>', 5, 'there are files');
for my $file (@files) {
    my $out = `clang-format --dry-run -Werror $file 2>&1`;
    is($?, 0, $file) or diag($out, "clang-format -i $file");
}
done_testing;
