# JailMail: /usr/sbin/sendmail in every kind of root, with the options that programs use; what
# the mail server gets; and what script and log are told when it does not take a message.

use lib 't/lib';
use JailCGI::Test;
use JailCGI::Builder;
use JailCGI::Namespace;

use IO::Socket::INET ();

private_mounts() or skip_or_fail('no private mounts here');
# So that no server of another test gets the port of one that is down.
private_network() or skip_or_fail('no private network here');

my ($alice, $bob) = map { tenant($_) } qw(alice bob);
make_accounts($alice, $bob);

# --- a mail server that behaves as it is told -----------------------------------------

my (%port, @servers);

# Keeps what it gets in a file for each message.
sub serve {
    my ($how, $listener) = @_;
    while (my $client = $listener->accept) {
        if ($how eq 'dead') { close $client; next }
        my (@said, $in_data);
        print {$client} $how eq 'busy' ? "421 too many\r\n" : "220-hello\r\n220 test\r\n";
        while (my $line = <$client>) {
            push @said, $line;
            if ($in_data) {
                next if $line ne ".\r\n";
                $in_data = 0;
                open my $out, '>', work_dir() . "/mail.$how" or die $!;
                print {$out} @said;
                close $out or die $!;
                print {$client} $how eq 'full' ? "452 4.3.1 queue\e is full\r\n" : "250 queued\r\n";
                next;
            }
            last if $how eq 'closes' && $line =~ /^DATA/;
            print {$client} $line =~ /^EHLO/ ? ($how eq 'old' ? "502 what\r\n" : "250-test\r\n250-AUTH PLAIN\r\n250 8BITMIME\r\n")
              : $line =~ /^AUTH/ ? "235 ok\r\n"
              : $how eq 'password' && $line =~ /^MAIL/ && !grep({ /^AUTH/ } @said) ? "530 5.7.0 a password first\r\n"
              : $line =~ /^RCPT TO:<bad@/ ? "550 5.1.1 no such user\r\n"
              : $line =~ /^DATA/ ? "354 go\r\n" : "250 ok\r\n";
            $in_data = $line =~ /^DATA/;
            last if $line =~ /^QUIT/;
        }
        close $client;
    }
    exit 0;
}
for my $how (qw(good busy full closes dead old password down relay)) {
    my $listener = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 5) or die "listen: $!";
    $port{$how} = $listener->sockport;
    next if $how eq 'down' || $how eq 'relay';
    my $pid = fork // die "fork: $!";
    serve($how, $listener) if !$pid;
    push @servers, $pid;
}
my $main = $$;
END { my $status = $?; if ($main && $$ == $main) { kill KILL => @servers } $? = $status }

sub got {
    my ($how) = @_;
    my $file = work_dir() . '/mail.' . ($how // 'good');
    my $text = -e $file ? JailCGI::Httpd::slurp($file) : '';
    unlink $file;
    return $text;
}

# --- hosts ------------------------------------------------------------------------------

$_->script('send', <<'END') for $alice, $bob;
#!/usr/bin/perl
# Runs sendmail with the body and with the arguments of the query.
my @words = map { s/%(..)/chr hex $1/ger } split /&/, $ENV{QUERY_STRING};
%ENV = () if @words && $words[0] eq 'clean' && shift @words;
system '/usr/sbin/sendmail', @words;
print "Content-Type: text/plain\n\nstatus ", $? >> 8, "\n";
END
my $home = home_of($alice);
my $php  = unpacked('php8.2-cgi', 'php8.2-common');
$alice->script('page.php', <<'END');
#!/php/usr/bin/php-cgi8.2
<?php
header('Content-Type: text/plain');
var_dump(mail("ann@example.org", "The subject", "Line\n.\nend\n", "From: shop@example.org\r\nBcc: bob@example.org", "-fbounce@example.org"));
END
my $httpd = httpd(
    config => "JailMail 127.0.0.1:$port{good}",
    vhosts => [
        $alice->vhost("JailMount ro $php /php\n    JailEnv REDIRECT_STATUS 200", root => 'host', user => 'alice'),
        $alice->vhost('', name => 'path'),
        $alice->vhost('', name => 'none', root => 'none'),
        $alice->vhost("JailMount bind $home", name => 'owner', root => 'host', user => 'owner'),
        (map { $alice->vhost("JailMail 127.0.0.1:$port{$_}", name => $_, root => 'host', user => 'alice') }
            grep { $_ ne 'good' } keys %port),
        $alice->vhost("JailMail 127.0.0.1:$port{down}\n    JailMount ro $php /php\n    JailEnv REDIRECT_STATUS 200",
            name => 'phpdown', root => 'host', user => 'alice'),
        $alice->vhost('JailMail none', name => 'off', root => 'host', user => 'alice'),
        $alice->vhost('JailMail no-such-host.invalid', name => 'unknown', root => 'host', user => 'alice'),
        $alice->vhost('JailNamespaces mount pid ipc uts net', name => 'net', root => 'host', user => 'alice'),
        $alice->vhost("JailMount ro $home/cgi-bin/send /usr/sbin/sendmail", name => 'line', root => 'host', user => 'alice'),
        $bob->vhost(''),
    ],
);

sub send_mail {
    my ($host, $words, $message) = @_;
    my $query = join '&', map { s/([^\w.\@-])/sprintf '%%%02x', ord $1/ger } @$words;
    my $res = $httpd->request('POST', $host, "/cgi-bin/send?$query", [], $message);
    return $res->code == 200 ? $res->content =~ s/^status //r =~ s/\n//r : $res->code . ' ' . $httpd->log($host);
}
my $hello = "To: Ann <ann\@example.org>\nSubject: hello\n\nOne\n";

# --- every kind of root ---------------------------------------------------------------------

for (qw(alice path none owner)) {
    is(send_mail($_, ['-t', '-i'], $hello), 0, "$_: a message is sent");
    my $mail = got();
    like($mail, qr/^RCPT TO:<ann\@example\.org>\r\n/m, "$_: to whom it says");
    like($mail, qr/^X-JailCGI-User: @{[$alice->uid]}\r$/m,  "$_: with the number of its user");
    like($mail, qr/^X-JailCGI-Site: $_\r$/m, "$_: and the name of its site");
    like($mail, qr{^X-JailCGI-Script: \S*/cgi-bin/send\r$}m, "$_: and script");
}
is(send_mail('alice', ['clean', '-t'], $hello), 0, 'a script may empty its environment');
like(got(), qr/^RCPT TO:<ann/m, 'and the server is known');
my $sbin = $bob->root . '/usr/sbin';
rename $sbin, "$sbin.away" or die "$sbin: $!";
is($httpd->get('bob', '/cgi-bin/send')->code, 503, 'a root without /usr/sbin is refused');
$httpd->log_like('bob', qr/JCGI1428: .*\/usr\/sbin.*create that directory/, 'and the log says what to do');
$bob->directory('/usr/sbin', uid => 0, gid => 0);
ok(wait_until { send_mail('bob', ['-t'], $hello) eq '0' }, 'which helps');
ok(!-e $bob->root . '/usr/sbin/sendmail', 'and leaves nothing there');
like(send_mail('off', ['-t'], $hello), qr/^(?!0)/, 'JailMail none: what the machine has');
like(send_mail('line', ['-t'], $hello), qr/^(?!0)/, 'a JailMount of the same name wins');
is($httpd->get('net', '/cgi-bin/send')->code, 503, 'without a network it is refused');
$httpd->log_like('net', qr/JCGI1019: .*JailMail, and JailNamespaces with net/, 'and the log says why');

# --- options ------------------------------------------------------------------------------------

sub message_of {
    my ($words, $message, $what) = @_;
    is(send_mail('alice', $words, $message), 0, "$what: sent");
    return got();
}
my $mail = message_of(['-FCronDaemon', '-i', '-B8BITMIME', '-oem', 'root'], "From: root\nTo: root\n\n.\nx\n", 'as cron does');
like($mail, qr/^RCPT TO:<root\@[\w.-]+>\r$/m, 'a recipient without a domain gets one');
like($mail, qr/\r\n\.\.\r\nx\r\n\.\r\n/, '-i: a dot alone is text');
$mail = message_of(['-oi', '-bm', '-f', 'me@example.org', '-F', 'The "name', 'a@example.org', 'b@example.org'], "Subject: x\n\ny\n", 'as Perl does');
like($mail, qr/^MAIL FROM:<me\@example\.org> BODY=8BITMIME\r$/m, 'the sender');
is(() = $mail =~ /^RCPT TO:<[ab]\@/mg, 2, 'the recipients of the arguments');
like($mail, qr/^From: "The name" <me\@example\.org>\r$/m, 'the name');
like($mail, qr/^$_: /m, "a field $_ is added") for qw(Date Message-ID);
$mail = message_of(['-ti', '-r', '<>'], $hello, 'a bounce');
like($mail, qr/^MAIL FROM:<> /m, 'it has the empty sender');
$mail = message_of(['-t'], "To: a\@example.org\n\none\n.\ntwo\n", 'without -i');
unlike($mail, qr/two/, 'a dot alone ends it');
for (['-bs'], ['-bp'], ['-q'], ['-bd'], ['-Cfile', 'a@b.c']) {
    is(send_mail('alice', $_, $hello), 64, "@$_ is refused");
}
$httpd->log_like('alice', qr/JCGI1804: mail of uid \d+, \S+ not sent: the option -bs is not supported/, 'and the log says so');
is(got(), '', 'nothing was sent');
is(send_mail('alice', ['-t'], "Subject: x\n\ny\n"), 64, 'no recipient');
is(send_mail('alice', ['-t'], "To: <a\@b.c\n\ny\n"), 65, 'a broken address');
is(send_mail('alice', ['-f', "a\@b.c>\r\nRCPT TO:<x\@y.z", 'a@b.c'], "\n\n"), 64, 'a sender that holds a command');
is(send_mail('alice', ['--', '-oQ/tmp@b.c'], "\n\n"), 64, 'a recipient that looks like an option');

# --- the message ------------------------------------------------------------------------------------

$mail = message_of(['-t', '-i'], <<"END", 'addresses');
To: "Last, First" <one\@example.org>, two\@example.org (a, comment (inner)),
\tTeam: three\@example.org, Four <four\@example.org>;
Cc: five\@example.org
Bcc: six\@example.org,
 seven\@example.org
Subject: x

y
END
is_deeply([$mail =~ /^RCPT TO:<(\w+)\@/mg], [qw(one two three four five six seven)], 'all are found');
unlike($mail, qr/^Bcc|^ seven/mi, 'Bcc is not sent');
$mail = message_of(['-t'], "X-JailCGI-User: 1\nX-JAILCGI-site : other\n folded\nTo: a\@b.c\n\nx\n", 'forged fields');
is(() = $mail =~ /^X-JailCGI-User/mig, 1, 'one number of a user');
unlike($mail, qr/other|folded/, 'and no site of the message');
$mail = message_of(['-t'], "To: a\@b.c\nSubject: a\rX-JailCGI-User: 0\r\n\r\nx\r.\r\nQUIT\r\n", 'carriage returns');
unlike($mail, qr/\r(?!\n)|(?<!\r)\n/, 'each line ends as it has to');
unlike($mail, qr/^X-JailCGI-User: 0/m, 'a carriage return in a field ends no line');
like($mail, qr/^x\r\n\.\.\r\nQUIT\r\n/m, 'and a dot behind one ends nothing');
$mail = message_of(['-t', '-i'], "To: a\@b.c\n\n" . 'x' x 5000 . "\n", 'a long line');
ok(!grep({ length > 1000 } split /\n/, $mail), 'is broken');
is($mail =~ s/.*?\r\n\r\n//sr =~ tr/x//, 5000, 'and nothing of it is lost');
$mail = message_of(['-t', '-i'], "To: a\@b.c\n\n" . "line\n.\n" x 200_000, 'a message of 1.4 MB');
is(() = $mail =~ /^\.\.\r$/mg, 200_000, 'is whole');
# Exim refuses a message whose fields have addresses without a domain.
$mail = message_of(['-i', 'a@b.c'], <<"END", 'addresses without a domain');
From: root (Cron Daemon)
To: "Last, First" <one>, two,
 three\@example.org, (four) four (x), "qu\@oted" <five> , Team: six, seven <>;
Cc: =?UTF-8?Q?ann=40b?= <ann>
Resent-To: eight
Reply-To:
Subject: nine, <ten>

To: eleven
END
my ($domain) = $mail =~ /^From: root\@(\S+) \(Cron Daemon\)\r$/m;
ok($domain, 'the sender has one');
my ($header) = $mail =~ /^(From: .*\r\n)Date:/ms;
is($header =~ s/\r//gr, <<"END", 'all have one, and nothing else is changed');
From: root\@$domain (Cron Daemon)
To: "Last, First" <one\@$domain>, two\@$domain,
 three\@example.org, (four) four\@$domain (x), "qu\@oted" <five\@$domain> , Team: six\@$domain, seven <>;
Cc: =?UTF-8?Q?ann=40b?= <ann\@$domain>
Resent-To: eight\@$domain
Reply-To:
Subject: nine, <ten>
END
like($mail, qr/\r\n\r\nTo: eleven\r\n/, 'the body is not changed');
$mail = message_of(['a@b.c'], "no header\nTo: x\n", 'a message without a header');
like($mail, qr/\r\n\r\nno header\r\nTo: x\r\n\.\r\n/, 'is a body');
is(send_mail('alice', ['-t'], 'To: a@b.c' . "\n x" x 600_000 . "\n\n"), 65, 'a header without an end');

# --- a server that does not take it ------------------------------------------------------------------

my %told = (
    down   => [69, 'JCGI1801: .*port \d+ cannot be reached \(Connection refused\); remedy: start the mail server'],
    dead   => [69, 'JCGI1801: .*has closed the connection'],
    closes => [69, 'JCGI1801: .*has closed the connection'],
    busy   => [69, 'JCGI1802: .*cannot take now connections: 421 too many'],
    full   => [69, 'JCGI1802: .*cannot take now the message: 452 4.3.1 queue\? is full'],
    unknown => [78, 'JCGI1806: .*was not found'],
);
for (sort keys %told) {
    is(send_mail($_, ['-t', '-i'], $hello), $told{$_}[0], "$_: the script is told");
    $httpd->log_like($_, qr/$told{$_}[1]/, "$_: and the log");
}
is(send_mail('old', ['-t'], $hello), 0, 'a server without EHLO');
is(send_mail('alice', ['ok@example.org', 'bad@example.org'], $hello), 77, 'one recipient of two is refused');
$httpd->log_like('alice', qr/JCGI1803: .*refuses the recipient bad\@example\.org: 550 5\.1\.1/, 'which is said');
is(got(), '', 'and nobody gets the message');

# --- a server that wants a password ----------------------------------------------------------------

is(send_mail('password', ['-t'], $hello), 77, 'a server wants a password');
$httpd->log_like('password', qr/JCGI1803: .*530 5\.7\.0 a password first/, 'which the log says');
my $msmtpd = from_package('/usr/bin/msmtpd');
SKIP: {
    skip_or_fail('no msmtpd', 5) if !-x $msmtpd;
    my $rc = work_dir() . '/msmtprc';
    open my $out, '>', $rc or die $!;
    print {$out} "account default\nhost 127.0.0.1\nport $port{password}\nauth plain\nuser shop\npassword secret\n";
    close $out or die $!;
    chmod 0600, $rc or die $!;
    my $pid = fork // die "fork: $!";
    exec $msmtpd, '--interface=127.0.0.1', "--port=$port{relay}", '--command', "/usr/bin/msmtp -C $rc -f %F --" or exit 127
      if !$pid;
    push @servers, $pid;
    wait_until { IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port{relay}) } or die 'msmtpd does not listen';
    is(send_mail('relay', ['-t', '-i'], $hello), 0, 'msmtpd, which knows it, takes the message');
    $mail = got('password');
    like($mail, qr/^AUTH PLAIN .*^RCPT TO:<ann\@example\.org>/ms, 'and hands it on');
    like($mail, qr/^X-JailCGI-Site: relay\r$/m, 'with the name of the site');
    is(send_mail('relay', ['bad@example.org'], $hello), 77, 'what that server refuses is refused');
    $httpd->log_like('relay', qr/JCGI1803: .*: 5\d\d /, 'and the log says so');
}

# --- PHP ------------------------------------------------------------------------------------------------

SKIP: {
    skip_or_fail('no php-cgi', 6) if !-x "$php/usr/bin/php-cgi8.2";
    is($httpd->get('alice', '/cgi-bin/page.php')->content, "bool(true)\n", "PHP's mail()") or diag($httpd->log('alice'));
    $mail = got();
    like($mail, qr/^MAIL FROM:<bounce\@example\.org>/m, 'with its sender');
    is_deeply([$mail =~ /^RCPT TO:<(\w+)\@/mg], [qw(ann bob)], 'to both');
    like($mail, qr/\r\nLine\r\n\.\.\r\nend\r\n/, 'whole');
    is($httpd->get('phpdown', '/cgi-bin/page.php')->content, "bool(false)\n", 'is false when the server is down');
    $httpd->log_like('phpdown', qr/JCGI1801/, 'and the log says why');
}

# --- values ----------------------------------------------------------------------------------------------

for ('a b', '127.0.0.1:99999', '') {
    my ($status, $said) = configtest(config => "JailMail '$_'", vhosts => []);
    isnt($status, 0, "JailMail '$_' is refused");
}
my ($status, $said) = configtest(config => 'JailRoot host',
    vhosts => [$alice->vhost('JailMail no-such-host.invalid', root => 'host')]);
is($status, 0, 'a name that does not resolve is accepted');
like($said, qr/JCGI1806: .*no address was found for 'no-such-host\.invalid'/, 'with a warning');
done_testing;
