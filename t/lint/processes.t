# doc/manual/processes.md: each system call is either in the table of those that reach
# another process, with what stops it and a probe, or among the names of those that do
# not. A new kernel's call is in neither, and this test says so.

use strict;
use warnings;

use lib 't/lib';
use JailCGI::Refused qw(refused_calls);
use JailCGI::Source  qw(code_of read_file);
use Test::More;

my $page = read_file('doc/manual/processes.md');

# [calls, what stops it, probes] of each row.
my @rows;
for my $line (grep { /^\| `/ } split /\n/, $page) {
    my (undef, $calls, undef, $stopped, undef, $probes) = split / *\| */, $line, -1;
    push @rows, [[$calls =~ /`(\w+)`/g], $stopped, [split /, /, $probes]];
}
my @table = map { @{ $_->[0] } } @rows;
cmp_ok(scalar @table, '>', 100, 'the table was found');
my ($list) = $page =~ /^## Calls that name no process.*?\n\n((?:    .*\n)+)/ms;
my @others = split ' ', $list // '';
cmp_ok(scalar @others, '>', 200, 'the list of the others was found');
my %count;
$count{$_}++ for @table, @others;
is_deeply([grep { $count{$_} > 1 } sort keys %count], [], 'none stands there twice');

# --- what libseccomp and the kernel's headers know
my (%known, %number);
for (split /^/, `build/fixtures/@{['call_names']}`) {
    my ($name, $arch, $number) = split;
    $known{$name} = 1;
    $number{$name}{$arch} = $number;
}
cmp_ok(scalar keys %known, '>', 400, 'libseccomp knows calls');
for my $header (glob('/usr/include/*/asm/unistd_*.h'), '/usr/include/asm-generic/unistd.h') {
    $known{$_} = 1 for read_file($header) =~ /^#define __NR_(\w+)\s+[(\d]/mg;
}
delete @known{qw(arch_specific_syscall syscalls)};
is_deeply([grep { !$count{$_} } sort keys %known], [], 'each call that is known is there');

# --- the keeper's filter
my %stopped;
for my $row (@rows) {
    push @{ $stopped{$_} }, @{ $row->[0] } for split /, /, $row->[1];
}
is_deeply([sort keys %stopped], ['JailScope', 'default list', 'harmless', 'keeper\'s filter'],
    'what stops a call is one of four things');
my $filter = code_of('src/keeper/build/own_filter.c');
my @calls  = $filter =~ /\{CALL\((\w+), (\d+), (\d+)\)/g;
my %filtered;
while (my ($name, $i386, $arm) = splice @calls, 0, 3) {
    $filtered{$name} = 1;
    is("$i386 $arm", "$number{$name}{i386} $number{$name}{arm}", "$name: its 32-bit numbers");
}
is_deeply([sort keys %filtered], [sort @{ $stopped{'keeper\'s filter'} }],
    'the keeper\'s filter refuses what the page says');
my %x32 = map { $_ => $number{$_}{x32} } keys %filtered;
my @own = sort { $a <=> $b } grep { $_ >= 512 } values %x32;
is_deeply([sort { $a <=> $b } $filter =~ /\bX32_OWN\((\d+)/g], \@own,
    'and those that have a number of x32\'s own');
is_deeply([grep { $x32{$_} < 512 && $x32{$_} != $number{$_}{x86_64} } keys %x32],
    [], 'the others have the same number there');

# --- the default list
my %refused = map { $_->[0] => 1 } refused_calls();
is_deeply([grep { !$refused{$_} && !/^(?:clone|unshare|fanotify_mark)$/ }
          @{ $stopped{'default list'} }], [], 'the default list has what the page says');

# --- probes
my $probes = join '', map { read_file("t/probe/$_.c") } qw(others attempt);
sub is_probe {
    my ($first, $rest) = $_[0] =~ /^(\w+-)?(.*)$/;
    return 1 if $probes =~ /"\Q$_[0]\E"/;
    return $first && $probes =~ /"\Q$first\E"/ && $probes =~ /"\Q$rest\E"/;
}
is_deeply([grep { !is_probe($_) } map { @{ $_->[2] } } @rows], [], 'each probe is there');
is_deeply([map { $_->[0][0] } grep { $_->[1] =~ /filter|Scope/ && !@{ $_->[2] } } @rows],
    [], 'what the filter or JailScope stops has a probe');
done_testing;
