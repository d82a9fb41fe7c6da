# The parts of tools/jailcgi: small files and functions, a head that says where
# they run and what they trust, no shell, and no module but perl-base's.

use strict;
use warnings;

use lib 't/lib';
use JailCGI::Source qw(files read_file);
use Test::More;

use constant { FUNCTION_MAX => 80, FILE_MAX => 400 };

# Of perl-base, so that a machine with nothing but Perl's minimum has them.
# JSON::PP is loaded for --json alone.
my %core = map { $_ => 1 } qw(strict warnings lib constant utf8 Cwd Errno Exporter Fcntl
  Getopt::Long POSIX JSON::PP);

my @files = ('tools/jailcgi', files(qr/\.pm$/, 'tools/lib'));
cmp_ok(scalar @files, '>', 10, 'there are files');
for my $file (@files) {
    my $text  = read_file($file);
    my @lines = split /\n/, $text;
    cmp_ok(scalar @lines, '<=', FILE_MAX, "$file: lines");
    like($text, qr/^# Runs in: .*^# Privilege: .*^# Trusts: .*^# Never: /ms,
        "$file begins with where it runs and what it trusts");
    my (@long, $start, $name);
    for my $i (0 .. $#lines) {
        ($start, $name) = ($i, $1) if $lines[$i] =~ /^sub (\w+)/;
        next if !defined $start || $lines[$i] ne '}';
        push @long, $name if $i - $start + 1 > FUNCTION_MAX;
        undef $start;
    }
    is_deeply(\@long, [], "$file: no function above " . FUNCTION_MAX . ' lines');
    my %used = map { $_ => 1 } $text =~ /^\s*(?:use|require) ([A-Za-z]\w*(?:::\w+)*)/mg;
    is_deeply([grep { !$core{$_} && !/^JailCGI::Builder::/ } sort keys %used],
        [], "$file: core modules only");
    unlike($text, qr/\bsystem\b\s*\(|`[^`\n]*\$|\bqx\b|open\s*\(?\s*my \$\w+,\s*['"]?[^,'"]*\|/,
        "$file: no shell") if $file !~ /Help|Ask\.pm$/;
    is(scalar(grep { length > 100 } @lines), 0, "$file: no line above 100 characters");
}
done_testing;
