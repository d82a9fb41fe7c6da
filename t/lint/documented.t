# Directives and codes: the source, the manual and the example configuration
# have the same ones.

use strict;
use warnings;

use lib 't/lib';
use JailCGI::Source qw(code_of read_file);
use Test::More;

sub same {
    my ($got, $expected, $name) = @_;
    my %got      = map { $_ => 1 } @$got;
    my %expected = map { $_ => 1 } @$expected;
    is_deeply([grep { !$got{$_} } sort keys %expected],
        [], "$name: none is missing");
    is_deeply([grep { !$expected{$_} } sort keys %got],
        [], "$name: none is too much");
    return;
}

# Directives
my @directives =
  code_of('src/httpd/config/config.c') =~ /\bAP_INIT_\w+\(\s*"(\w+)"/g;
cmp_ok(scalar(grep { /^Jail/ } @directives), '>', 8,
    'directives found in src/httpd/config/config.c');
my @jail = grep { /^Jail/ } @directives;
same([read_file('doc/manual/directives.md') =~ /^#+\s+`?(Jail\w+)/mg],
    \@jail, 'doc/manual/directives.md');
my $conf = read_file('conf/jailcgi.conf');
same([$conf =~ /^\s*#?\s*(Jail[A-Z]\w+)\b/mg], \@jail, 'conf/jailcgi.conf');

# Codes
my $header = code_of('src/wire/codes.h');
my %code   = reverse $header =~ /\b(JC_CODE_\w+)\s*=\s*(\d{4})/g;
cmp_ok(scalar keys %code, '>', 50, 'codes found in src/wire/codes.h');
my @names = $header =~ /\b(JC_CODE_\w+)\s*=\s*\d{4}/g;
is(scalar @names, scalar keys %code, 'no number is given twice');
my $manual = read_file('doc/manual/codes.md');
same([$manual =~ /^(?:#+|\|)\s*`?JCGI(\d{4})/mg],
    [keys %code], 'doc/manual/codes.md');
my @rows = code_of('src/httpd/serve/reason_table.c') =~ /\{\s*(JC_CODE_(?!NONE)\w+),/g;
same(\@rows, [values %code], 'src/httpd/serve/reason_table.c');
is(scalar @rows, scalar keys %code, 'one row each');

done_testing;
