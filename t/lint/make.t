# The Makefiles: make check says what ./check says, the caller's flags arrive, and
# each compiler that is here builds everything without a warning.

use strict;
use warnings;

use lib 't/lib';
use JailCGI::Source 'read_file';
use File::Temp 'tempdir';
use Test::More;

# What a make or a check around this one has set.
delete @ENV{qw(MAKEFLAGS MFLAGS MAKELEVEL WERROR CC CPPFLAGS CFLAGS LDFLAGS BUILD)};

my $dir = tempdir('jailcgi-make.XXXXXX', TMPDIR => 1, CLEANUP => 1);

sub commands { return split /\n(?![ \t])/, `make -n -B @_ 2>&1` =~ s/\\\n//gr }

# --- the commands of the README, which are files of the same names

for my $command (qw(check demo)) {
    my $place = "$dir/$command";
    mkdir $place or die "$place: $!";
    system('cp', 'Makefile', 'Makefile.apxs', $place) == 0 or die 'cp';
    open my $fh, '>', "$place/$command" or die "$place/$command: $!";
    print {$fh} "#!/bin/sh\necho \"it ran with \$*\"\nexit \$1\n";
    close $fh or die "$place/$command: $!";
    chmod 0755, "$place/$command" or die "$place/$command: $!";
    for my $status (0, 3) {
        my $said = `make -s -C $place $command ARGS='$status b' 2>&1`;
        like($said, qr/^it ran with $status b$/m, "make $command: ./$command runs");
        is($? == 0, $status == 0, "make $command: status $status of ./$command counts");
    }
}
my $help = `make -s help APXS=/nonexistent 2>&1`;
like($help, qr/^ +make $_\b/m, "make help names $_")
  for qw(check demo help install install-tools clean);
unlike($help, qr/nonexistent/, 'and needs no apxs');

# --- the caller's flags

my %mine  = (CPPFLAGS => '-DMINE_P', CFLAGS => '-O1', LDFLAGS => '-Wl,--mine');
my @lines = commands(map { "$_=$mine{$_}" } keys %mine);
my @compiles = grep { / -c / } @lines;
my @links    = grep { /(?<!install) .*-o \S+(?:\.so|helper) / && !/ -c / } @lines;
cmp_ok(scalar @compiles, '>', 50, 'files are compiled');
is(scalar @links, 3, 'and three are linked');
is_deeply([grep { !/ -DMINE_P .*-O1 / } @compiles], [], 'each with CPPFLAGS and CFLAGS');
is_deeply([grep { !/ -Wl,--mine / } @links], [], 'and each of these with LDFLAGS');
is_deeply([grep { /-Werror/ } @lines], [], 'a warning is no error');
is_deeply([grep { !/ -Werror / } grep { / -c / } commands('WERROR=1')],
    [], 'but with WERROR=1');
ok((grep { /WERROR/ } split /\n/, read_file('check')), 'which check sets');

sub fortified {
    my (@flags) = @_;
    my %seen = map { $_ => 1 } map { / -c / ? join(' ', /-[DU]_FORTIFY_SOURCE\S*/g) : () }
      commands(@flags);
    return join '; ', sort keys %seen;
}
my $own = '-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2';
is(fortified(), $own, '_FORTIFY_SOURCE: the project\'s own');
is(fortified("CFLAGS='-O2 $_'"), $_ =~ s/^-Wp,//r, "_FORTIFY_SOURCE: not beside $_")
  for '-Wp,-D_FORTIFY_SOURCE=3', '-D_FORTIFY_SOURCE=3', '-U_FORTIFY_SOURCE';
is(fortified('CPPFLAGS=-D_FORTIFY_SOURCE=3'), '-D_FORTIFY_SOURCE=3', 'nor CPPFLAGS');
is(fortified("CFLAGS='$_'"), '', "_FORTIFY_SOURCE: none with '$_'") for '-O0 -g', '-O2 -O0', '';
is(fortified('CFLAGS=-Og'), $own, 'but with -Og');

# --- the compilers

# clang, and the newest of clang-NN; with gcc all was built already.
sub compilers {
    my %number = map { $_ => m{clang-(\d+)$} } glob '/usr/bin/clang-[0-9]*';
    my ($newest) = sort { $number{$b} <=> $number{$a} } grep { $number{$_} } keys %number;
    return grep { `$_ --version 2>&1` } 'clang', $newest || ();
}

sub builds {
    my ($name, @flags) = @_;
    my $to = "$dir/" . $name =~ s/\W+/-/gr;
    mkdir $to or die "$to: $!";
    my $said = `make -s -j2 WERROR=1 BUILD=$to MODULE=$to/mod_jailcgi.so \\
        COMPAT=$to/compat.so HELPER=$to/jailcgi-helper @flags 2>&1`;
    is($?, 0, "$name builds module and helper") or diag($said);
    is($said, '', "$name: without a word");
    my $elf = `readelf -hldW $to/jailcgi-helper 2>&1`;
    like($elf, qr/Type: +DYN .*\bNOW\b.*\bPIE\b/s, "$name: the helper is a bound PIE");
    unlike($elf, qr/INTERP|\(NEEDED\)/, "$name: and static");
    return;
}

# gcc with what Debian has for its packages with all hardening; -pie is not for
# the module, nor for the helper.
my @compilers = compilers();
builds($_, "CC=$_") for @compilers;
builds('gcc with a distribution\'s flags', 'CPPFLAGS=-Wdate-time',
    "CFLAGS='-g -O2 -flto=2 -fstack-protector-strong -Wformat -Werror=format-security"
      . " -fPIE -Wp,-D_FORTIFY_SOURCE=3'",
    "LDFLAGS='-fPIE -pie -Wl,-z,relro -Wl,-z,now'");

# The tests' programs are built by cc; here the others look at them.
for my $clang (grep { /clang/ } @compilers) {
    my $said = `make -s -B -j2 -f t/Makefile programs WERROR=1 \
        CC='$clang -fsyntax-only -Wno-unused-command-line-argument' 2>&1`;
    is("$?: $said", '0: ', "$clang: the tests' programs, without a word");
}
done_testing;
