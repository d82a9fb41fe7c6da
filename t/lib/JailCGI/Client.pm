package JailCGI::Client;

# One connection to httpd, with all that LWP hides: it reads while it sends,
# takes a response in parts, and tells a whole one from one that broke off.
#
#   my $client = JailCGI::Client->new($httpd);
#   $client->send("GET / HTTP/1.1\r\nHost: alice\r\n\r\n");   # or a sub that
#   $client->wait_for(qr/first/) or die;            # returns the next piece
#   my $res = $client->response;
#   $res->{code}; $res->{head}{'content-type'}; $res->{body}; $res->{whole};
#
# Nothing here waits longer than SECONDS, however it fails; they are counted from the
# connection on, or anew from $client->more_time.

use strict;
use warnings;

use IO::Select ();
use Socket qw(SHUT_WR SOL_SOCKET SO_LINGER);
use Time::HiRes 'time';

use constant { SECONDS => 90, PIECE => 65_536 };

sub new {
    my ($class, $httpd) = @_;
    my $socket = $httpd->connect or die "connect: $@";
    $socket->blocking(0);
    binmode $socket;
    return bless {
        socket => $socket,
        in     => '',
        out    => '',
        more   => [],
        end    => time + SECONDS,
    }, $class;
}

sub socket     { return $_[0]{socket} }
sub local_port { return $_[0]{socket}->sockport }
sub eof        { return $_[0]{eof} }

sub more_time {
    my ($self) = @_;
    $self->{end} = time + SECONDS;
    return $self;
}

sub close {
    my ($self) = @_;
    close $self->{socket};
    return;
}

# TCP's RST: both sides are closed, and httpd is told so.
sub reset {
    my ($self) = @_;
    setsockopt $self->{socket}, SOL_SOCKET, SO_LINGER, pack 'ii', 1, 0
      or die "SO_LINGER: $!";
    return $self->close;
}

# TCP's FIN: the client sends no more, and still reads.
sub half_close {
    my ($self) = @_;
    $self->flush;
    shutdown $self->{socket}, SHUT_WR or die "shutdown: $!";
    return;
}

# Strings, and subs that return the next string until they return undef. They
# are sent whenever something is waited for.
sub send {
    my ($self, @parts) = @_;
    push @{ $self->{more} }, @parts;
    $self->step(0);
    return $self;
}

# Shorthand: send_request(METHOD, HOST, PATH, [LINE, ...], BODY...)
sub send_request {
    my ($self, $method, $host, $path, $lines, @body) = @_;
    my $name = ref $host ? $host->name : $host;
    $self->{head_only} = $method eq 'HEAD';
    return $self->send(
        join("\r\n", "$method $path HTTP/1.1", "Host: $name", @{ $lines || [] },
            '', ''),
        @body
    );
}

sub next_out {
    my ($self) = @_;
    while ($self->{out} eq '' && @{ $self->{more} }) {
        my $part = $self->{more}[0];
        my $piece = ref $part ? $part->() : $part;
        shift @{ $self->{more} } if !ref $part || !defined $piece;
        $self->{out} = $piece // '';
    }
    return $self->{out} ne '';
}

# Moves what can be moved. Returns whether anything was.
sub step {
    my ($self, $seconds) = @_;
    local $SIG{PIPE} = 'IGNORE';
    my $fd = fileno $self->{socket};
    my ($reads, $writes) = ('', '');
    vec($reads,  $fd, 1) = 1 if !$self->{eof};
    vec($writes, $fd, 1) = 1 if $self->next_out;
    return 0 if !select $reads, $writes, undef, $seconds;
    if (vec $writes, $fd, 1) {
        my $n = syswrite $self->{socket}, $self->{out}, PIECE;
        if (defined $n) {
            substr $self->{out}, 0, $n, '';
        }
        elsif (!$!{EAGAIN}) {    # httpd reads no more
            $self->{out}  = '';
            $self->{more} = [];
        }
    }
    if (vec $reads, $fd, 1) {
        my $n = sysread $self->{socket}, $self->{in}, PIECE,
          length $self->{in};
        $self->{eof} = 1 if defined $n ? !$n : !$!{EAGAIN};
    }
    return 1;
}

# Until the condition holds. Returns 0 at the end of time or input.
sub until_true {
    my ($self, $condition) = @_;
    while (!$condition->()) {
        return 0 if $self->{eof} || time > $self->{end};
        $self->step(1);
    }
    return 1;
}

# Until what has come matches; it stays there.
sub wait_for {
    my ($self, $pattern) = @_;
    return $self->until_true(sub { $self->{in} =~ $pattern });
}

# Until all of the request has left.
sub flush {
    my ($self) = @_;
    return $self->until_true(sub { !$self->next_out });
}

sub wait_for_close {
    my ($self) = @_;
    $self->until_true(sub { 0 });
    return $self->{eof};
}

sub take {
    my ($self, $len) = @_;
    return $self->until_true(sub { length $self->{in} >= $len })
      ? substr $self->{in}, 0, $len, ''
      : undef;
}

sub take_line {
    my ($self) = @_;
    my $at = -1;
    $self->until_true(sub { ($at = index $self->{in}, "\n") >= 0 })
      or return;
    return substr($self->{in}, 0, $at + 1, '') =~ s/\r?\n\z//r;
}

# One response, interim ones counted in {interim}; {whole} is true if it ended
# as its framing says. What follows stays for the next.
sub response {
    my ($self) = @_;
    my $res = { code => 0, head => {}, body => '', interim => 0, whole => 0 };
    while (1) {
        $self->take_head($res) or return $res;
        last if $res->{code} >= 200;
        $res->{interim}++;
    }
    if ($self->{head_only} || $res->{code} == 204 || $res->{code} == 304) {
        $res->{whole} = 1;
    }
    elsif (($res->{head}{'transfer-encoding'} // '') eq 'chunked') {
        $res->{whole} = $self->take_chunks($res);
    }
    elsif (defined(my $len = $res->{head}{'content-length'})) {
        $res->{body} = $self->take($len) // $self->rest;
        $res->{whole} = length $res->{body} == $len;
    }
    else {
        $res->{whole} = $self->wait_for_close;
        $res->{body}  = $self->rest;
    }
    return $res;
}

sub rest {
    my ($self) = @_;
    my $rest = $self->{in};
    $self->{in} = '';
    return $rest;
}

sub take_head {
    my ($self, $res) = @_;
    my $status = $self->take_line // return;
    $status =~ m{^HTTP/1\.[01] (\d{3})} or return;
    @$res{qw(code head)} = ($1, {});
    while (defined(my $line = $self->take_line)) {
        return 1 if $line eq '';
        my ($name, $value) = split /:\s*/, $line, 2;
        $res->{head}{ lc $name } = $value;
    }
    return;
}

# To {body}, or to the sub given to sink() if it would be too large.
sub keep {
    my ($self, $res, $data) = @_;
    return $self->{sink}->($data) if $self->{sink};
    $res->{body} .= $data;
    return;
}

sub sink {
    my ($self, $sub) = @_;
    $self->{sink} = $sub;
    return $self;
}

# Returns whether the last chunk came.
sub take_chunks {
    my ($self, $res) = @_;
    while (defined(my $line = $self->take_line)) {
        my $len   = hex($line =~ s/;.*//r);
        my $chunk = $self->take($len + 2);
        if (!defined $chunk) {
            $res->{body} .= $self->rest;
            return 0;
        }
        return 1 if $len == 0;
        $self->keep($res, substr $chunk, 0, $len);
    }
    return 0;
}

1;
