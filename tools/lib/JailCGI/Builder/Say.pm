package JailCGI::Builder::Say;

# The sentences of jailcgi: refusals, notes, and names that are safe to print.
#
# Runs in:   jailcgi, started by the administrator
# Privilege: root
# Trusts:    nothing: a tenant may have chosen what it prints
# Never:     prints a control character that is in the name of a file

use strict;
use warnings;

use Errno ();
use Exporter 'import';

use JailCGI::Builder::Progress;

# Is given each note instead of stderr (Report.pm).
our $listener;

our @EXPORT_OK = qw(shown quoted refuse refused failed note usage_error);

# A name in a form that is safe in a terminal, a mail or a log.
sub shown {
    my ($text) = @_;
    $text =~ s/([\x00-\x1f\x7f\\]|[\x80-\xff])/sprintf '\\x%02x', ord $1/ge
      if !utf8_only($text);
    return $text;
}

# The same as a word of a command line. Somebody may copy it into a shell of root,
# and a tenant may have named the file.
sub quoted {
    my ($text) = @_;
    $text = shown($text);
    return $text if $text =~ m{\A[\w./+,\@%:=~-]+\z};
    return "'" . $text =~ s/'/'\\''/gr . "'";
}

# Whether it is UTF-8 without control characters and backslashes.
sub utf8_only {
    my ($text) = @_;
    return 0 if $text =~ /[\x00-\x1f\x7f\\]/;
    return 1 if $text !~ /[\x80-\xff]/;
    my $copy = $text;
    return utf8::decode($copy) && $copy !~ /[\x{80}-\x{9f}\x{200e}-\x{202e}\x{2066}-\x{2069}]/;
}

# Ends the command with VALUE, the reason, and the remedy.
sub refuse {
    my ($value, $reason, $remedy) = @_;
    my $said = shown($value) . ": $reason; remedy: $remedy";
    die JailCGI::Builder::Refusal->new($said, 1, subject => $value, reason => $reason,
        remedy => $remedy);
}

# The same for a word of the command line.
sub usage_error {
    my ($value, $reason, $remedy) = @_;
    my $said = shown($value) . ": $reason; remedy: $remedy";
    die JailCGI::Builder::Refusal->new($said, 2, subject => $value, reason => $reason,
        remedy => $remedy);
}

# The same for a system call that failed; $! has the reason.
sub failed {
    my ($what, $path) = @_;
    my $errno  = "$!";
    my $remedy = $!{EACCES} ? 'root has no right to it, as on NFS with root_squash:'
      . ' export it with no_root_squash, or take a local file system' : '';
    die JailCGI::Builder::Refusal->new(shown($path) . ": $what: $errno"
          . ($remedy ? "; remedy: $remedy" : ''), 1, subject => $path, reason => "$what: $errno",
        remedy => $remedy);
}

# The refusal that an eval has caught, or undef if it caught something else.
sub refused {
    my ($error) = @_;
    return ref $error && $error->isa('JailCGI::Builder::Refusal') ? $error : undef;
}

sub note {
    my ($text) = @_;
    return $listener->($text) if $listener;
    JailCGI::Builder::Progress::clear();
    print STDERR "jailcgi: $text\n";
    return;
}

package JailCGI::Builder::Refusal;

sub new {
    my ($class, $text, $status, %parts) = @_;
    return bless { text => $text, status => $status, parts => { text => $text, %parts } }, $class;
}

sub text   { return $_[0]{text} }

# {text, subject, reason, remedy}
sub parts { return $_[0]{parts} }

# A sentence on the state of the jail, which follows the text in a line of its own, and
# its word for --json.
sub say_state {
    my ($self, $state, $code) = @_;
    @$self{qw(state code)} = ($state, $code);
    return $self;
}

sub state_code { return $_[0]{code} }

sub lines { return map { "jailcgi: $_\n" } grep { defined } @{ $_[0] }{qw(text state)} }

sub status { return $_[0]{status} }

1;
