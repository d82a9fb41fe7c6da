package JailCGI::Pair;

# Two servers with the same configuration and the same files: one with httpd's
# own module (mod_cgi under prefork, otherwise mod_cgid), one with mod_jailcgi.
# The same request goes to both, and all that comes back has to be the same but
# for the differences that the test states, each with its reason.
#
#   my $pair = JailCGI::Pair->new(
#       tenant => $alice, modules => ['rewrite'], config => '...',
#       vhosts => [JailCGI::Pair::host($alice, '...')],
#       always => { 'env:PATH' => [qr{/}, '/usr/bin', 'why'] },
#       ask => sub { my ($httpd, $request) = @_; ... },   # instead of ask() below
#   );
#   $pair->compare('a name', { path => '/cgi-bin/show' },
#       status => [200, 500, 'why']);
#
# A request: path, method, host, lines (of the header), body, and
#   version  HTTP/1.1, or '' for HTTP/0.9
#   expect   the body is not sent before "100 Continue"
#   code     the status that mod_jailcgi has to answer with (200; undef: it is not
#            HTTP), so that two
#            servers which are both misconfigured are not the same
#   has      facts that mod_jailcgi's answer has to have
#
# What came back is a hash of facts: status, reason, interim, whole, body, and
# header:NAME. What t/probe/show.c prints is taken apart: cwd, umask, arguments,
# stdin, and env:NAME. A difference names a fact, what httpd's own module answers
# (a string, a pattern, or undef), what mod_jailcgi answers, and why. A stated
# difference that is none fails as well, so what is stated stays true. A string
# instead is why httpd's own module answers now this and now that.
# {always} has those of every answer that show.c made, by the name of the fact; a
# request can have an {always} of its own.

use strict;
use warnings;

use Compress::Zlib 'memGunzip';
use File::Basename 'dirname';
use Test::More;

use JailCGI::Client;
use JailCGI::Test;

sub new {
    my ($class, %option) = @_;
    my $tenant  = delete $option{tenant};
    my $always  = delete $option{always} || {};
    my $modules = delete $option{modules} || [];
    my $ask     = delete $option{ask} || \&ask;
    my $theirs = mpm() eq 'prefork' ? 'cgi' : 'cgid';
    return bless {
        ask    => $ask,
        tenant => $tenant,
        always => $always,
        theirs => httpd(
            %option,
            modules         => [@$modules, $theirs],
            without_jailcgi => 1
        ),
        ours => httpd(%option, modules => $modules),
    }, $class;
}

sub ours   { return $_[0]{ours} }
sub theirs { return $_[0]{theirs} }

sub stop {
    my ($self) = @_;
    $self->{$_}->stop for qw(ours theirs);
    return;
}

# A virtual host that both understand.
sub host {
    my ($tenant, $extra, %option) = @_;
    return $tenant->vhost(jail_lines($tenant, %option) . $extra,
        %option, root => '', user => '');
}

sub jail_lines {
    my ($tenant, %option) = @_;
    my $user = $option{user} // sprintf '#%d #%d', $tenant->uid, $tenant->gid;
    return join "\n    ", '<IfModule jailcgi_module>',
      'JailRoot ' . $tenant->root, "JailUser $user", "</IfModule>\n";
}

# A script whose output is one of the files in ../out, as PATH_INFO says. It
# reads its input first: mod_cgid loses the answer of one that does not.
sub printer {
    return <<'END';
#!/bin/sh
/bin/cat >/dev/null
exec /bin/cat "../out$PATH_INFO"
END
}

# --- one request ------------------------------------------------------------

sub head_of {
    my ($request) = @_;
    my $method  = $request->{method}  // 'GET';
    my $version = $request->{version} // 'HTTP/1.1';
    return "$method $request->{path}\r\n" if $version eq '';
    my $host = $request->{host} // 'alice';
    return join "\r\n", "$method $request->{path} $version", "Host: $host",
      'Connection: close', @{ $request->{lines} || [] }, '', '';
}

# Returns what comes back, as bytes; another way to ask may add facts.
sub ask {
    my ($httpd, $request) = @_;
    my $client = JailCGI::Client->new($httpd);
    $client->send(head_of($request));
    $client->wait_for(qr{\AHTTP/1\.1 \d}) if $request->{expect};
    $client->send($request->{body}) if defined $request->{body};
    $client->wait_for_close or diag('it did not close the connection');
    return $client->rest;
}

sub dechunk {
    my ($text) = @_;
    my $body = '';
    while ($text =~ s/\A([0-9a-fA-F]+)\r\n//) {
        my $len = hex $1;
        return ($body, 1) if $len == 0 && $text eq "\r\n";
        return ($body . $text, 0) if length $text < $len + 2;
        $body .= substr $text, 0, $len;
        $text = substr $text, $len + 2;
    }
    return ($body . $text, 0);
}

# How a page is cut into chunks, or whether its length was known in time, is a
# question of time with both.
my %not_compared = map { $_ => 1 } qw(date content-length transfer-encoding);

sub headers {
    my ($text) = @_;
    my %header;
    for my $line (split /\r\n/, $text) {
        my ($name, $value) = $line =~ /^([^:]*): ?(.*)$/s;
        $name = lc($name // $line);
        $header{$name} =
          defined $header{$name} ? "$header{$name}\n$value" : $value;
    }
    return \%header;
}

sub shown {
    my ($body) = @_;
    my %fact = (arguments => '');
    for my $line (split /\n/, $body) {
        my ($what, $value) = $line =~ /^(\w+) (.*)$/ or next;
        if ($what eq 'env') {
            my ($name, $string) = $value =~ /^([^=]*)=(.*)$/;
            $name = "$name again" if exists $fact{"env:$name"};
            $fact{"env:$name"} = $string;
        }
        elsif ($what eq 'argument') {
            $fact{arguments} .= "[$value]";
        }
        else {
            $fact{ $what eq 'body' ? 'stdin' : $what } = $value;
        }
    }
    for my $name (grep { /REMOTE_PORT$/ } keys %fact) {
        $fact{$name} =~ s/^\d+$/a port/;
    }
    return %fact;
}

sub facts {
    my ($text, $request) = @_;
    my %fact = (interim => 0, whole => 1);
    while ($text =~ s{\AHTTP/\S+ 1\d\d .*?\r\n\r\n}{}s) {
        $fact{interim}++;
    }
    if ($text !~ s{\AHTTP/(?:1\.[01]|2) (\d{3}) ?(.*?)\r\n(.*?)\r\n\r\n}{}s) {
        return { %fact, body => $text };
    }
    @fact{qw(status reason)} = ($1, $2);
    my $header = headers($3);
    my $length = $header->{'content-length'};
    if (($header->{'transfer-encoding'} // '') eq 'chunked') {
        ($text, $fact{whole}) = dechunk($text);
    }
    elsif (defined $length && ($request->{method} // '') ne 'HEAD') {
        $fact{whole} = length $text == $length ? 1 : 0;
    }
    for my $name (keys %$header) {
        next if $not_compared{$name} && !$request->{with_length};
        $fact{"header:$name"} = $header->{$name};
    }
    if (($header->{'content-encoding'} // '') eq 'gzip') {
        $text = memGunzip($text) // 'not compressed';
    }
    return { %fact, $text =~ /^cwd / ? shown($text) : (body => $text) };
}

# --- comparison -------------------------------------------------------------

# Only what must differ is made the same: ports, the servers' own directories,
# and, for the server without jails, the way to the jail.
sub normal {
    my ($self, $httpd, $text) = @_;
    my ($port, $dir, $root) =
      ($httpd->port, dirname($httpd->logs), $self->{tenant}->root);
    $text =~ s/\b$port\b/PORT/g;
    $text =~ s/\Q$dir\E/SERVER/g;
    $text =~ s/\Q$root\E//g if $httpd == $self->{theirs};
    return $text;
}

sub answer {
    my ($self, $httpd, $request) = @_;
    my ($text, %more) = $self->{ask}->($httpd, $request);
    my $fact = { %{ facts($text, $request) }, %more };
    return { map { $_ => $self->normal($httpd, $fact->{$_}) } keys %$fact };
}

sub is_as_stated {
    my ($got, $stated) = @_;
    return !defined $got if !defined $stated;
    return 0 if !defined $got;
    return ref $stated ? $got =~ $stated : $got eq $stated;
}

# Takes a stated difference out of the facts. Returns what is wrong with it.
sub take_difference {
    my ($fact, $stated, $theirs, $ours) = @_;
    my ($got_theirs, $got_ours) = (delete $theirs->{$fact}, delete $ours->{$fact});
    return if !ref $stated;
    my ($stated_theirs, $stated_ours, $why) = @$stated;
    die "$fact: no reason" if !$why;
    return
         if is_as_stated($got_theirs, $stated_theirs)
      && is_as_stated($got_ours, $stated_ours)
      && ($got_theirs // "\0") ne ($got_ours // "\0");
    return said($fact, $got_theirs, $got_ours);
}

sub said {
    my ($fact, $theirs, $ours) = @_;
    return sprintf "%s\n  theirs: %s\n  ours:   %s\n", $fact,
      map { defined ? substr "'$_'", 0, 500 : 'none' } $theirs, $ours;
}

sub compare {
    my ($self, $name, $request, %differs) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $theirs = $self->answer($self->{theirs}, $request);
    # mod_cgid loses an answer now and then (HEAD over HTTP/2, small POSTs): what
    # it says is asked for again. What is ours has to be right the first time.
    for (1 .. 3) {
        last if !$theirs->{exit};
        $theirs = $self->answer($self->{theirs}, $request);
    }
    my $ours = $self->answer($self->{ours}, $request);
    my $code  = exists $request->{code} ? $request->{code} : 200;
    my %has    = (status => $code, %{ $request->{has} || {} });
    my %wrong = map { $_ => $ours->{$_} }
      grep { !is_as_stated($ours->{$_}, $has{$_}) } keys %has;
    is_deeply(\%wrong, {}, "$name: is answered " . ($code // 'as raw bytes'))
      or diag(explain \%has);
    my %always = exists $ours->{cwd} ? %{ $request->{always} || $self->{always} } : ();
    my @wrong = map { take_difference($_, $always{$_}, $theirs, $ours) }
      grep { !exists $differs{$_} } sort keys %always;
    is("@wrong", '', "$name: differs as always") if %always;
    for my $fact (grep { $differs{$_} } sort keys %differs) {
        my $wrong = take_difference($fact, $differs{$fact}, $theirs, $ours);
        is($wrong, undef, "$name: $fact differs: "
              . (ref $differs{$fact} ? $differs{$fact}[2] : $differs{$fact}));
    }
    # Two answers can be made in two seconds.
    my @unlike = grep { $_ ne 'header:date' && ($ours->{$_} // "\0") ne ($theirs->{$_} // "\0") }
      sort keys %{ { %$ours, %$theirs } };
    is("@unlike", '', "$name: is the same")
      or diag(map { said($_, $theirs->{$_}, $ours->{$_}) } @unlike);
    return;
}

# Each row: name, request, differences.
sub compare_all {
    my ($self, @rows) = @_;
    for my $row (@rows) {
        my ($name, $request, @differs) = @$row;
        $self->compare($name, $request, @differs);
    }
    return;
}

1;
