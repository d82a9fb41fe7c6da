# As parity.t, under TLS and HTTP/2: the same requests to httpd's own CGI module
# and to mod_jailcgi, sent by curl. mod_http2 does not work under prefork.
#
# MPM: event, worker, prefork

use lib 't/lib';
use JailCGI::Test;
use JailCGI::Namespace;
use JailCGI::Pair;
use JailCGI::Watch qw(scripts_of touch_in);

use POSIX ();
use Time::HiRes qw(sleep time);

use constant {
    UPLOAD  => 20_000_000,
    PAGE    => 600_000,    # more than is passed on at once
    BODY    => 60_000,
    SECONDS => 60,         # curl's whole time for one request
    STREAMS => 20,
};

# Where curl's kernel soon answers that curl has gone.
my $forgets = private_network();

my $alice = tenant('alice');
my $dir   = work_dir();
$alice->install(probe('show'), 'show');
$alice->script('page', <<"END");
#!/bin/sh
/bin/cat >/dev/null
printf 'Content-Type: text/plain\\nX-Own: yes\\n\\n'
head -c @{[PAGE]} /dev/zero | tr '\\0' x
END
$alice->script('killed', <<"END");
#!/bin/sh
/bin/cat >/dev/null
printf 'Content-Type: text/plain\\n\\n'
head -c @{[PAGE]} /dev/zero | tr '\\0' x
kill -KILL \$\$
END
$alice->script('killed-at-once', <<'END');
#!/bin/sh
/bin/cat >/dev/null
printf 'Content-Type: text/plain\n\n'
kill -KILL $$
END
$alice->script('fails', <<'END');
#!/bin/sh
echo no header
END
$alice->script('away', <<'END');
#!/bin/sh
printf 'Location: https://other/\n\n'
END
$alice->script('local', <<'END');
#!/bin/sh
printf 'Location: /page.txt\n\n'
END
# Answers each line as it comes.
$alice->script('lines', <<'END');
#!/bin/sh
printf 'Content-Type: text/plain\n\n'
while read line; do echo "got $line"; done
echo end
END
$alice->script('silent', <<'END');
#!/bin/sh
: >/tmp/at
sleep 600
END
$alice->script('begins', <<'END');
#!/bin/sh
printf 'Content-Type: text/plain\n\nfirst\n'
: >/tmp/at
i=0
while [ ! -e /tmp/go ] && [ $i -lt 1200 ]; do sleep 0.1; i=$((i + 1)); done
echo second
END
$alice->script('count', "#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\n'\nwc -c\n");
$alice->settled($alice->jail_htdocs . '/page.txt', "a static page\n");

system('openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=alice '
      . "-keyout $dir/key -out $dir/certificate >$dir/openssl 2>&1") == 0
  or die 'openssl failed';

# --- curl -------------------------------------------------------------------

# For each MPM: the option, and what curl says it was.
my %protocol = ('http1.1' => '1.1', mpm() eq 'prefork' ? () : ('http2' => '2'));

sub url {
    my ($httpd, $path) = @_;
    return "https://alice:@{[$httpd->port]}$path";
}

sub curl {
    my ($httpd, $protocol, @options) = @_;
    return ('curl', '-q', '--silent', '--insecure', "--$protocol", '--no-buffer',
        '--noproxy', '*', '--max-time', SECONDS, '--resolve',
        "alice:@{[$httpd->port]}:127.0.0.1", @options);
}

# Another way to ask for JailCGI::Pair. Adds curl's exit status and the protocol.
sub ask_by_curl {
    my ($httpd, $request) = @_;
    my @body;
    if (defined $request->{body}) {
        open my $fh, '>:raw', "$dir/body" or die "$dir/body: $!";
        print {$fh} $request->{body};
        close $fh or die "$dir/body: $!";
        # -T - knows no length: chunks, or HTTP/2's frames.
        @body = $request->{streamed} ? ('-T', '-') : ('--data-binary', "\@$dir/body");
    }
    my @method = ($request->{method} // '') eq 'HEAD' ? '--head'
      : $request->{method} ? ('-X', $request->{method}) : ();
    my @command = curl(
        $httpd, $request->{protocol}, '--include', '--raw', @method, @body,
        (map { ('-H', $_) } @{ $request->{lines} || [] }), '--output', "$dir/got",
        '--write-out', '%{http_version}', url($httpd, $request->{path})
    );
    unlink "$dir/got";
    my $version = run($request->{streamed} ? "$dir/body" : '/dev/null', @command);
    return (JailCGI::Httpd::slurp("$dir/got"), exit => $? >> 8,
        protocol => $version);
}

# A command with this input; its output.
sub run {
    my ($input, @command) = @_;
    my $pid = open my $out, '-|';
    defined $pid or die "fork: $!";
    if (!$pid) {
        open STDIN,  '<', $input      or POSIX::_exit(1);
        open STDERR, '>', '/dev/null' or POSIX::_exit(1);    # a progress meter
        exec @command or POSIX::_exit(127);
    }
    local $/;
    my $said = readline $out;
    close $out;
    return $said // '';
}

# --- the same from both -----------------------------------------------------

my $own    = "the tenant's own, not httpd's";
my $random = 'it is another one for each connection';
my %always = (
    'env:PATH'        => [qr{/}, '/usr/local/bin:/usr/bin:/bin', $own],
    'env:HOME'        => [undef, '/',         $own],
    'env:SHELL'       => [undef, '/bin/sh',   $own],
    'env:TMPDIR'      => [undef, '/tmp',      $own],
    'env:USER'        => [undef, $alice->uid, $own],
    'env:LOGNAME'     => [undef, $alice->uid, $own],
    'env:LD_BIND_NOW' => [undef, '1', 'libraries that do not fit fail at once'],
    'env:SSL_SESSION_ID' => $random,
    'env:H2_STREAM_TAG'  => $random,
);
my @config = (
    modules => ['ssl', 'socache_shmcb', mpm() eq 'prefork' ? () : 'http2'],
    config  => <<"END",
SSLSessionCache none
SSLRandomSeed startup builtin
SSLRandomSeed connect builtin
<IfModule http2_module>
    Protocols h2 http/1.1
</IfModule>
KeepAliveTimeout 5
Timeout 120
END
);
my $tls = <<"END";
    SSLEngine On
    SSLCertificateFile $dir/certificate
    SSLCertificateKeyFile $dir/key
    SSLOptions +StdEnvVars
END
my $pair = JailCGI::Pair->new(
    @config,
    tenant => $alice,
    always => \%always,
    ask    => \&ask_by_curl,
    vhosts => [JailCGI::Pair::host($alice, $tls)],
);
my $httpd = $pair->ours;

my $body = join '', map { chr($_ % 256) } 1 .. BODY;
# As show.c shows it.
my $shown = $body =~ s/([^ -~]|\\)/sprintf '\\x%02x', ord $1/gesr;

sub requests {
    my ($protocol) = @_;
    my $end = $protocol eq 'http2' ? 92 : 18;
    my @is  = (protocol => $protocol);
    my %has = (protocol => $protocol{$protocol}, exit => 0);
    my $notices = 'a page that was broken off does not look whole';
    my @instead = (
        status => [200, 500, $notices],
        body   => ['', qr/Internal Server Error/, $notices],
        'header:content-type' => ['text/plain', qr/html/, $notices]
    );
    return (
        ['GET', { @is, path => '/cgi-bin/show/x?y=z',
            has => { %has, 'env:HTTPS' => 'on', 'env:SSL_TLS_SNI' => 'alice',
                $protocol eq 'http2' ? ('env:HTTP2' => 'on') : (),
                'env:SERVER_PROTOCOL' => "HTTP/" .
                    ($protocol eq 'http2' ? '2.0' : '1.1') } }],
        ['HEAD', { @is, path => '/cgi-bin/page', method => 'HEAD', has => \%has }],
        ['a large page', { @is, path => '/cgi-bin/page',
            has => { %has, body => 'x' x PAGE } }],
        ['POST', { @is, path => '/cgi-bin/show?a=b', method => 'POST', body => $body,
            has => { %has, stdin => $shown, 'env:CONTENT_LENGTH' => BODY } }],
        ['an empty POST', { @is, path => '/cgi-bin/show?a=b', method => 'POST',
            body => '', has => { %has, stdin => '' } }],
        ['a streamed body', { @is, path => '/cgi-bin/show?a=b', method => 'PUT',
            body => $body, streamed => 1,
            has => { %has, stdin => $shown, 'env:CONTENT_LENGTH' => undef } },
            'env:HTTP_TRANSFER_ENCODING' =>
              ['chunked', undef, 'the script reads it decoded']],
        ['an absolute Location',
            { @is, path => '/cgi-bin/away', code => 302, has => \%has }],
        ['a local Location',
            { @is, path => '/cgi-bin/local',
                has => { %has, body => "a static page\n" } }],
        ['no header', { @is, path => '/cgi-bin/fails', code => 500, has => \%has }],
        ['no script', { @is, path => '/cgi-bin/none', code => 404, has => \%has }],
        ['killed in its page', { @is, path => '/cgi-bin/killed',
            has => { %has, exit => $end } },
            exit => [0, $end, $notices],
            $protocol eq 'http2'
            ? (body => 'with the stream what was under way is dropped')
            : (whole => [1, 0, $notices])],
        ['killed before its page', { @is, path => '/cgi-bin/killed-at-once',
            code => 500, has => \%has }, @instead,
            $protocol eq 'http2' ? () : (
                reason => ['OK', 'Internal Server Error', $notices],
                'header:connection' => 'an error closes the connection',
                'header:upgrade'    => 'which is not offered then')],
    );
}

# --- what only mod_jailcgi does ----------------------------------------------

# Starts curl; returns its pid, a handle of its input, and the file of its output.
sub begin {
    my ($protocol, $path, @options) = @_;
    touch_in($alice, "/tmp/$_", 0) for qw(at go);
    unlink "$dir/output";
    pipe my $reader, my $writer or die "pipe: $!";
    my $pid = fork // die "fork: $!";
    if (!$pid) {
        close $writer;
        open STDIN, '<&', $reader or POSIX::_exit(1);
        exec curl($httpd, $protocol, '--output', "$dir/output", @options,
            url($httpd, $path))
          or POSIX::_exit(127);
    }
    close $reader;
    $writer->autoflush;
    return ($pid, $writer);
}

sub there_is {
    my ($text) = @_;
    return wait_until(
        sub { JailCGI::Httpd::slurp("$dir/output") =~ /\A$text\z/ }, 30);
}

sub kill_it {
    my ($pid) = @_;
    kill 'KILL', $pid;
    waitpid $pid, 0;
    return;
}

sub at { return wait_until(sub { -e $alice->root . '/tmp/at' }, 30) }

sub page_in_parts {
    my ($protocol) = @_;
    my ($pid) = begin($protocol, '/cgi-bin/begins');
    ok(there_is("first\n"), "$protocol: a page arrives while it is being made");
    touch_in($alice, '/tmp/go', 1);
    waitpid $pid, 0;
    is($?, 0, "$protocol: and its end");
    ok(there_is("first\nsecond\n"), "$protocol: in full");
    return;
}

# The answer comes while the request does.
sub both_ways {
    my ($protocol) = @_;
    my ($pid, $in) = begin($protocol, '/cgi-bin/lines', '-T', '-');
    my $all = '';
    for my $line (qw(one two)) {
        print {$in} "$line\n";
        $all .= "got $line\n";
    }
    close $in;
    waitpid $pid, 0;
    is($?, 0, "$protocol: a body that comes in parts");
    ok(there_is("${all}end\n"), "$protocol: arrives in full");
    return;
}

sub browser_goes {
    my ($protocol) = @_;
    for my $script ($forgets || $protocol eq 'http2' ? qw(silent begins) : ()) {
        my ($pid) = begin($protocol, "/cgi-bin/$script");
        ok(at(), "$protocol: $script runs");
        is(scalar(scripts_of($alice)) > 0, 1, "$protocol: it is seen");
        kill_it($pid);
        ok(wait_until(sub { !scripts_of($alice) }, 30),
            "$protocol: it is ended when the browser goes");
    }
    my ($pid, $in) = begin($protocol, '/cgi-bin/lines', '-T', '-');
    print {$in} "one\n";
    ok(wait_until(sub { scripts_of($alice) > 0 }, 30), "$protocol: a body begins");
    kill_it($pid);
    ok(wait_until(sub { !scripts_of($alice) }, 30),
        "$protocol: it is ended when the body breaks off");
    return;
}

# Several at a time, with HTTP/2 in one connection.
sub many {
    my ($protocol) = @_;
    my @urls = map { url($httpd, "/cgi-bin/show?$_") } 1 .. STREAMS;
    my $said = run('/dev/null', curl($httpd, $protocol, '--parallel', @urls));
    my @got = sort { $a <=> $b } $said =~ /^env QUERY_STRING=(\d+)$/mg;
    is("@got", join(' ', 1 .. STREAMS), "$protocol: several at a time");
    return;
}

# Seconds for an upload of 20 MB whose length is not known before, the best of three.
sub upload {
    my ($server, $protocol) = @_;
    my @took = map {
        my $began = time;
        my $said  = run("$dir/upload", curl($server, $protocol, '-X', 'POST', '-T', '-',
            url($server, '/cgi-bin/count')));
        is($said, UPLOAD . "\n", "$protocol: an upload without length");
        time - $began;
    } 1 .. 3;
    return (sort { $a <=> $b } @took)[0];
}

# A stream of HTTP/2 has no descriptor that says when bytes come.
sub uploads {
    my ($protocol) = @_;
    system('truncate', '-s', UPLOAD, "$dir/upload") == 0 or die 'truncate failed';
    my ($stock, $ours) = map { upload($_, $protocol) } $pair->theirs, $httpd;
    note(sprintf '%s: upload without length: stock %.2f s, here %.2f s', $protocol, $stock, $ours);
    cmp_ok($ours, '<', 10 * $stock, "$protocol: an upload without length goes on at once");
    return;
}

for my $protocol (sort keys %protocol) {
    for my $row (requests($protocol)) {
        my ($name, @rest) = @$row;
        $pair->compare("$protocol: $name", @rest);
    }
    page_in_parts($protocol);
    both_ways($protocol);
    browser_goes($protocol);
    many($protocol);
    uploads($protocol);
}
done_testing;
