# What JailCGI::Machine makes of what a virtual machine prints: a machine that
# does not boot, stops, takes too long or loses its plan is never a success.

use lib 't/lib';
use JailCGI::Test;

use IPC::Open2 'open2';
use TAP::Parser ();

# Returns the exit status, what was printed, and whether TAP::Harness would pass it.
sub follow {
    my ($said, $stays_open) = @_;
    local $ENV{JAILCGI_RUN_DIR} = JailCGI::Test::run_dir();
    my $pid = open2(my $out, my $in, $^X, '-It/lib', '-MJailCGI::Machine', '-e',
        'JailCGI::Machine::follow(\\*STDIN, 3)');
    print {$in} $said;
    close $in if !$stays_open;
    my $tap = join '', <$out>;
    waitpid $pid, 0;
    my $status = $? >> 8;
    my $parser = TAP::Parser->new({ tap => $tap });
    $parser->run;
    return ($status, $tap, $status == 0 && !$parser->has_problems);
}

my $good = "# booted\r\nok 1 - a\r\nok 2 - b # SKIP so\r\n1..2\r\nEND OF SCRIPT 0\r\n";
my ($status, $tap, $passes) = follow($good);
is($status, 0, 'all well: status 0');
ok($passes, 'and TAP that passes');
like($tap, qr/^ok 1 - a\n/m, 'line by line');
unlike($tap, qr/END OF SCRIPT|\r/, 'without what is its own');

my @bad = (
    ['',                    qr/it stopped/,           'it does not boot'],
    ["# booted\n",          qr/it stopped/,           'no test'],
    ["# booted\nEND OF SCRIPT 0\n", qr/ran no test/,  'an end without a test'],
    ["ok 1 - a\n",          qr/it stopped/,           'it stops after one test'],
    ["ok 1 - a\nEND OF SCRIPT 0\n", qr/without a plan/, 'no plan'],
    ["1..2\nok 1 - a\nEND OF SCRIPT 0\n", qr/2 tests planned and 1 run/, 'a cut plan'],
    ["ok 1 - a\n1..1\nEND OF SCRIPT 29\n", qr/status is 29/, 'it dies in the end'],
    ["ok 1 - a\n1..1\n",    qr/it stopped/,           'it stops before the end'],
    ["1..0 # SKIP no\nEND OF SCRIPT 0\n", qr/ran no test/, 'all skipped without a reason'],
    ["not ok 1 - a\n1..1\nEND OF SCRIPT 0\n", qr/status is 0/, 'a failure and status 0'],
);
for my $row (@bad) {
    my ($said, $why, $name) = @$row;
    ($status, $tap, $passes) = follow($said);
    isnt($status, 0, "$name: the status");
    ok(!$passes, "$name: is a failure");
    like($tap, qr/^not ok \d+ - the virtual machine: .*$why/m, "$name: that says why");
}
($status, $tap, $passes) = follow("not ok 1 - a\n1..1\nEND OF SCRIPT 1\n");
isnt($status, 0, 'a test that fails: the status');
ok(!$passes, 'and the TAP');
unlike($tap, qr/virtual machine/, 'not the machine');
($status, $tap, $passes) = follow("Oops: ok 2 - no TAP\n$good");
ok($passes && $tap =~ /^# Oops/m, 'other words become comments');
($status, $tap, $passes) = follow("ok 1 - a\n", 1);
ok(!$passes && $tap =~ /its time is up/, 'a machine that hangs is a failure');
done_testing;
