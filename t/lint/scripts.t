# Shell scripts by shellcheck, Perl by its own compiler.

use strict;
use warnings;

use lib 't/lib';
use JailCGI::Source qw(files read_file);
use Test::More;

my @all = files(qr/./, qw(demo check .ci tools t bench));
my @shell = grep { read_file($_) =~ m{\A#(?:!/bin/(?:ba)?sh|.*shared\. To be)} }
  @all;
my @perl = grep { /\.(?:t|pm)$/ || read_file($_) =~ m{\A#!/usr/bin/perl} } @all;
cmp_ok(scalar @shell, '>', 4, 'there are shell scripts');
cmp_ok(scalar @perl,  '>', 8, 'and Perl');
for my $file (@shell) {
    my $out = `shellcheck -x -P SCRIPTDIR $file 2>&1`;
    is($?, 0, $file) or diag($out);
}
for my $file (@perl) {
    my $out = `$^X -It/lib -Itools/lib -Ibench/lib -wc $file 2>&1`;
    is($?, 0, "$file compiles");
    is($out =~ s/^.* syntax OK\n//mr, '', "$file without a warning");
    like(read_file($file), qr/^use strict;/m, "$file is strict")
      if read_file($file) !~ /^use JailCGI::(?:Test|Guest);/m;
}
done_testing;
