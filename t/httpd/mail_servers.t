# JailMail with the mail servers of Debian, as their packages configure them: what PHP, Perl,
# cron and mailx send arrives whole at a user of the machine, and what a server refuses is
# told to the script and to the log of the site.
# MPM: event

use lib 't/lib';
use JailCGI::Test;
use JailCGI::Builder;
use JailCGI::MailServer;
use JailCGI::Namespace;

private_mounts() or skip_or_fail('no private mounts here');
private_network('mail.example.org') or skip_or_fail('no private network here');

my $alice = tenant('alice');
make_accounts($alice);
mount_at('/etc/mailname', '--bind', '/dev/null') if -e '/etc/mailname';

$alice->script('send', <<'EOT');
#!/usr/bin/perl
# Runs sendmail with the body and with the arguments of the query.
my @words = map { s/%(..)/chr hex $1/ger } split /&/, $ENV{QUERY_STRING};
system '/usr/sbin/sendmail', @words;
print "Content-Type: text/plain\n\n", $? >> 8;
EOT
$alice->script('open.pl', <<'EOT');
#!/usr/bin/perl
open my $mail, '|-', '/usr/sbin/sendmail -oi -t' or die $!;
print {$mail} "To: Ann <ann>\nCc: bob\@mail.example.org\nBcc: Ann <ann\@mail.example.org>\n",
  "Subject: perl\nContent-Type: text/plain; charset=utf-8\n\nGr\xc3\xbc\xc3\x9fe\n.\n..two\nFrom here\n-- end\n";
close $mail;
print "Content-Type: text/plain\n\n", $? >> 8;
EOT
$alice->script('mailx', <<'EOT');
#!/bin/sh
printf 'Content-Type: text/plain\n\n'
printf 'line\n.x\n-- end\n' |
    LD_LIBRARY_PATH=$(echo /pkg/usr/lib/*-linux-*) /pkg/usr/bin/bsd-mailx -s "$QUERY_STRING" -r shop@mail.example.org ann 2>&1
printf $?
EOT
my $dir = unpacked(qw(php8.2-cgi php8.2-common bsd-mailx liblockfile1));
$alice->script('page.php', <<'EOT');
#!/pkg/usr/bin/php-cgi8.2
<?php
header('Content-Type: text/plain');
var_dump(mail($_GET['to'], "php", "Line\n.\n-- end\n", "From: shop@mail.example.org\r\nBcc: bob", "-fbounce@mail.example.org"));
EOT
my $httpd = httpd(
    config => 'JailMail 127.0.0.1',
    vhosts => [
        $alice->vhost("JailMount ro $dir /pkg\n    JailEnv REDIRECT_STATUS 200", root => 'host', user => 'alice'),
    ],
);

sub sends {
    my ($words, $message) = @_;
    my $query = join '&', map { s/([^\w.\@-])/sprintf '%%%02x', ord $1/ger } @$words;
    my $res = $httpd->request('POST', 'alice', "/cgi-bin/send?$query", [], $message);
    return $res->code == 200 ? $res->content : $res->code . ' ' . $httpd->log('alice');
}

sub runs {
    my ($script) = @_;
    my $res = $httpd->get('alice', "/cgi-bin/$script");
    return $res->code == 200 ? $res->content : $res->code . ' ' . $httpd->log('alice');
}

# The field that names a message's sender once more is above the fields of sendmail.
sub is_named {
    my ($text, $sender, $script, $what) = @_;
    my ($header) = $text =~ /\A(.*?\n)\n/s;
    like($header, qr/^Return-Path: <?\Q$sender\E>?$/mi, "$what: the sender of the envelope");
    like($header, qr/^X-JailCGI-User: @{[$alice->uid]}\nX-JailCGI-Site: alice\nX-JailCGI-Script: \S+\/\Q$script\E$/m,
        "$what: user, site and script");
    is(() = $header =~ /^$_:/mgi, 1, "$what: one $_") for qw(Date Message-ID From To);
    unlike($header, qr/^Bcc/mi, "$what: no Bcc");
    return;
}

sub body_of {
    my ($text) = @_;
    return $text =~ s/\A.*?\n\n//sr =~ s/\n*\z/\n/r;
}

# What one server does with all of them.
sub try_server {
    my ($server) = @_;
    my $kind = $server->kind;

    is(runs('page.php?to=ann'), "bool(true)\n", "PHP's mail()");
    my $text = $server->message('ann', 'php') // return;
    is_named($text, 'bounce@mail.example.org', 'page.php', 'PHP');
    is(body_of($text), "Line\n.\n-- end\n", 'its body is whole');
    ok($server->message('bob', 'php'), 'and the recipient of Bcc has it');

    is(runs('open.pl'), '0', "Perl's open");
    $text = $server->message('ann', 'perl') // '';
    is_named($text, 'alice@mail.example.org', 'open.pl', 'Perl');
    is(body_of($text), "Gr\xc3\xbc\xc3\x9fe\n.\n..two\nFrom here\n-- end\n", 'its body is whole');
    ok($server->message('bob', 'perl'), 'and so has the other recipient');

    is(sends([qw(-FCronDaemon -i -B8BITMIME -oem ann)],
        "From: root (Cron Daemon)\nTo: ann\nSubject: cron\n\n.\n-- end\n"), '0', 'as cron does');
    is(body_of($server->message('ann', 'cron') // ''), ".\n-- end\n", 'it arrives whole');

    is(runs('mailx?mailx'), '0', 'mailx');
    $text = $server->message('ann', 'mailx') // '';
    is_named($text, 'shop@mail.example.org', 'mailx', 'mailx');
    is(body_of($text), "line\n.x\n-- end\n", 'its body is whole');

    my $large = join '', map { sprintf ".%08d %s\n", $_, 'x' x 60 } 1 .. 15_000;
    is(sends([qw(-i ann bob)], "Subject: large\n\n$large-- end\n"), '0', 'a message of 1 MB') or return;
    for (qw(ann bob)) {
        ok(body_of($server->message($_, 'large') // '') eq "$large-- end\n", "it arrives whole at $_");
    }

    is(sends([qw(-i ann), $server->refused], "Subject: partly\n\n-- end\n"), '77', 'a recipient is refused');
    $httpd->log_like('alice', qr/JCGI1803: .*refuses the recipient \Q@{[$server->refused]}\E\@mail\.example\.org: 5\d\d/,
        'which the log says');
    is(runs('page.php?to=' . $server->refused =~ s/%/%25/r), "bool(false)\n", "and so does PHP's mail()");
    return;
}

# What Exim and Postfix log when they are configured as in the manual.
my %logged = (
    'exim4-daemon-light' => qr/script \S+\/send of alice, user @{[$alice->uid]}$/m,
    postfix              => qr/info: header X-JailCGI-Script: \S+\/send /,
);

for my $kind (JailCGI::MailServer::kinds()) {
    subtest $kind => sub {
        my $server = JailCGI::MailServer->new($kind);
        $server->start;
        try_server($server);
        $server->stop;
        $server->configure;
        $server->start;
        is(sends([qw(-i -f later@mail.example.org ann)], "Subject: later\n\n-- end\n"), '69', 'it is put off');
        $httpd->log_like('alice', qr/JCGI1802: .*cannot take now the \w+(?: \S+)?: 45\d .*greylisted/,
            'which the log says');
        is(sends([qw(-i ann)], "Subject: named\n\n-- end\n"), '0', 'others are not');
        ok($server->message('ann', 'named'), 'and arrive');
        like($server->log_text, $logged{$kind}, 'its log names the script') if $logged{$kind};
        diag($server->log_text) if !Test::More->builder->is_passing;
        $server->stop;
        is(sends([qw(-i ann)], "Subject: down\n\n-- end\n"), '69', 'the server is down');
    };
}
done_testing;
