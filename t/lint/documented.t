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
my $page = read_file('doc/manual/directives.md');
my (%section, @order);
while ($page =~ /^## (\w+)\n(.*?)(?=^## |\z)/msg) {
    push @order, $1;
    $section{$1} = $2;
}
same(\@order, \@directives, 'doc/manual/directives.md');
is_deeply(\@order, [sort { lc $a cmp lc $b } @order], 'its sections are sorted');

# Rows of each section's table, by name.
my @wanted = qw(Description Syntax Default Context Compatibility);
my %described;
for my $name (@order) {
    my ($table) = $section{$name} =~ /\A\n\| \| \|\n\|---\|---\|\n((?:\| .* \|\n)+)/;
    $described{$name} = {($table // '') =~ /^\| (\w+) \| (\S.*) \|$/mg};
    my @got = ($table // '') =~ /^\| (\w+) \| \S/mg;
    pop @got if @got && $got[-1] eq 'Example';
    is_deeply(\@got, \@wanted, "$name has the rows that each directive has");
}
sub rows_unlike {
    my ($row, $pattern) = @_;
    return [grep { ($described{$_}{$row} // '') !~ (ref $pattern eq 'CODE' ? $pattern->($_) : $pattern) }
          @order];
}
is_deeply(rows_unlike('Description', qr/^[A-Z](?:(?!\. ).)*\.$/),
    [], 'each description is one sentence');
is_deeply(rows_unlike('Syntax', sub { qr/^`\Q$_[0]\E / }), [], 'each syntax begins with the name');
is_deeply(rows_unlike('Compatibility', qr/^Apache 2\.4.*; Linux \d\.\d/),
    [], 'each compatibility names a version of Apache and of the kernel');

# The index on top: the same names in the same order, with the same sentences.
my ($list) = $page =~ /\A# .*\n\n((?:- .*\n(?:  .*\n)*)+)/;
$list = ($list // '') =~ s/\n  / /gr;
my @index;
while ($list =~ /^- \[(\w+)\]\(#(\w+)\): (\S.*)$/mg) {
    push @index, $1;
    is($2, lc $1, "the index leads to $1");
    is($3, $described{$1}{Description}, "and describes $1 as its section does");
}
same(\@index, \@directives, 'the index');
is_deeply(\@index, [sort { lc $a cmp lc $b } @index], 'the index is sorted');

my $conf = read_file('conf/jailcgi.conf');
same([$conf =~ /^\s*#?\s*(Jail[A-Z]\w+)\b/mg], \@jail, 'conf/jailcgi.conf');

# Simple directives: each has a row in simple.c, with the type of its field. A number or a
# flag of the record that has none is inherited in another way, by the file named here.
my ($record) = code_of('src/httpd/config/config.h') =~ /typedef struct \{([^}]*)\} jc_server_conf_t;/;
my %field = map { $_ => $record =~ /^\s+int64_t $_;/m ? 'INT64' : 'INT' } $record =~ /^\s+int(?:64_t)? (\w+);/mg;
my %row = code_of('src/httpd/config/simple.c') =~ /\boffsetof\(jc_server_conf_t, (\w+)\), (\w+)\}/g;
my %elsewhere = (
    'concurrency.c' => [qw(running_max queue_max queue_ms full_status retry_s)],
    'compat.c'      => [qw(script_log_len script_log_buffer script_log_complain_s has_script_sock)],
    'inherit.c'     => [qw(owner_is_dirs nice_is_set nice strict trust_is_reset trust_mounts_are_reset
          pass_is_reset mounts_are_reset cgroup_is_reset)],
);
cmp_ok(scalar keys %row, '>', 10, 'rows found in src/httpd/config/simple.c');
is_deeply({ map { $_ => $row{$_} } keys %row }, { map { $_ => $field{$_} // 'no field' } keys %row },
    'each row has the type of its field');
same([keys %row, map { @$_ } values %elsewhere], [keys %field], 'the fields of the record');
my %given = map { $_ => 1 } code_of('src/httpd/config/config.c') =~ /\bFIELD\((\w+)\), RSRC_CONF/g;
is_deeply([grep { !$row{$_} } sort keys %given], [], 'what a directive sets by its place has a row');

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
# sendmail of JailMail writes its own lines.
my @mail = sort map { $code{$_} } grep { /^18/ } keys %code;
my @of_mail = sort(code_of('src/mail/report.c') =~ /\{\s*(JC_CODE_\w+),/g);
is_deeply(\@of_mail, \@mail, 'src/mail/report.c');
same([@rows, @mail], [values %code], 'src/httpd/serve/reason_table.c');
is(@rows + @mail, scalar keys %code, 'one row each');

done_testing;
