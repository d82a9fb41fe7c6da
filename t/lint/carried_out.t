# Each remedy of the table of reasons has been carried out by a test, which has also seen that the
# same request then works (JailCGI::Remedy), or this file says why not.

use strict;
use warnings;

use lib 't/lib';
use JailCGI::Source qw(read_file);
use Test::More;

# Codes whose remedy no test carries out, and why.
my %not_here = (
    # Another test brings them about, and does not carry out the remedy.
    1208 => 't/unit/channel.c', 1209 => 't/unit/channel.c', 1212 => 'a note (taken.t)',
    1303 => 'the machine must be out of processes (t/unit/helper.c)',
    1602 => 'the machine must be out of processes',
    1301 => 'only a compromised httpd child names such a policy (t/unit/helper.c)',
    1423 => 'a warning of the configuration; the line shows the site (homes.t)',
    1424 => 'automount.t', 1427 => 'tmp.t', 1428 => 'mail.t', 1429 => 'tmp.t',
    1501 => 't/unit/helper.c', 1514 => 'ownership.t', 1518 => 'vouched.t', 1519 => 't/unit/rights.c',
    1520 => 'automount.t', 1612 => 'reasons.t, where the kernel refuses such a program',
    1708 => 'abort.t', 1710 => 'the client must leave (finish.t)', 1711 => 'reasons.t',
    1718 => 'taken.t', 1211 => 'environment.t', 1517 => 'ssi.t', 1719 => 'taken.t', 1720 => 'taken.t',
    1721 => 'taken.t', 1722 => 'services.t', 1723 => 'finish.t', 1724 => 'absent.t',
    1725 => 'absent.t',
    (map { $_ => 'a step of the jail must fail (t/unit/helper.c)' }
        1401 .. 1403, 1405, 1408 .. 1419, 1430, 1440 .. 1442),
);

my %name = read_file('src/wire/codes.h') =~ /^ +(JC_CODE_\w+) = (1[0-7]\d\d),/mg;

# A row of a test has its code behind a comma or behind `code =>`; the calls in the virtual
# machine begin with it.
my %done;
for my $file ('t/httpd/diagnosis.t', glob 't/httpd/remed*.t') {
    $done{$_} = 1 for read_file($file) =~ /(?:,|code =>)\s*(1[0-7]\d\d),/g;
}
my $guest = read_file('t/vm/guest/cgroup');
$done{$_} = 1 for $guest =~ /\b(?:heal\(|remedy_of\()[^,)]*?,?\s*\b(1[0-7]\d\d)\b/g;

my $table = read_file('src/httpd/serve/reason_table.c');
my ($count, @missing, %known) = (0);
while ($table =~ /^    \{(JC_CODE_\w+),(.*?)\},\n(?=    \{|    \/\*|\n|\};)/msg) {
    my ($code, $text) = ($name{$1} // next, $2);
    next if $text =~ /NULL\s*\z/;    # nothing to do
    $known{$code} = 1;
    $count++;
    push @missing, $code if !$done{$code} && !$not_here{$code};
}
cmp_ok($count, '>', 120, 'rows of the table were read');
is(join(' ', sort @missing), '', 'each remedy is carried out, or says why not');
is_deeply([sort grep { $done{$_} || !$known{$_} } keys %not_here], [], 'and none of these is');
done_testing;
