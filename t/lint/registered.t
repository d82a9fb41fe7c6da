# No test is forgotten: each file that looks like one is run by t/run, and each
# program of the tests is built and used.

use strict;
use warnings;

use lib 't/lib';
use JailCGI::Source qw(files read_file);
use Test::More;

my %run = map { chomp; s/\@.*//; $_ => 1 } `t/run --list`;
my @tests = files(qr/\.t$/, 't');
cmp_ok(scalar @tests, '>', 5, 'there are tests');
is_deeply([grep { !$run{$_} } @tests], [], 't/run runs each .t file');
is_deeply([grep { !-e } keys %run], [], 'and nothing that is not there');

# Of Eva, which is run by itself.
my $eva = read_file('t/eva/run');
for my $driver (glob 't/eva/*.c') {
    my ($name) = $driver =~ m{(\w+)\.c$};
    like($eva, qr{^\s*\[\Q$name\E\]=}m, "$driver is run by t/eva/run");
}

my @with_main = grep { read_file($_) =~ /^int main\(/m } files(qr/\.c$/, 't');
is_deeply([grep { !$run{$_} && !m{^t/(?:probe|fixtures|eva)/} } @with_main],
    [], 'each program with main() is a unit test, a probe, a fixture or for Eva');

my $all_tests = join '', map { read_file($_) } files(qr/\.(?:t|pm|[ch])$/, 't');
for my $probe (glob 't/probe/*.c') {
    my ($name) = $probe =~ m{(\w+)\.c$};
    ok(-x "build/probe/$name", "$probe is built");
    ok($all_tests =~ /probe\('\Q$name\E'\)|build\/probe\/\Q$name\E\b/,
        "$probe is used");
}
my $makefile = read_file('t/Makefile');
for my $fixture (glob 't/fixtures/*.c') {
    ok($makefile =~ /: \Q$fixture\E\b/, "$fixture is built");
}
for my $built ($makefile =~ m{^\$\(BUILD\)/fixtures/([\w.]+):}mg) {
    ok(-e "build/fixtures/$built", "build/fixtures/$built is there");
    ok($all_tests =~ /'\Q$built\E'/ || $makefile =~ m{: .*/\Q$built\E$}m,
        "build/fixtures/$built is used");
}
for my $target (glob 't/fuzz/*.c') {
    my ($name) = $target =~ m{(\w+)\.c$};
    ok(-x "build/fuzz/$name", "$target is built");
}

# A unit test that stands in its file but not in the list of main().
for my $file (glob 't/unit/*.c') {
    my $text = read_file($file);
    my @functions = $text =~ /^static void (\w+)\(void \*\*state\)$/mg;
    my %listed = map { $_ => 1 } $text =~ /\b(?:TEST|cmocka_unit_test\w*)\((\w+)/g;
    is_deeply([grep { !$listed{$_} } @functions], [], "$file lists its tests");
}
done_testing;
