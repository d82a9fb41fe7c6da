package JailCGI::Builder::Progress;

# Says how far a run has come: on a terminal in one line that is written again and
# again, elsewhere in a line every few seconds. A short run says nothing elsewhere.
#
# Runs in:   jailcgi, started by the administrator
# Privilege: root
# Trusts:    nothing
# Never:     writes to stdout

use strict;
use warnings;

use Exporter 'import';

our @EXPORT_OK = qw(progress);

use constant { PAUSE => 5, EACH => 64 };

my ($quiet, $shown, $calls, $last) = (0, 0, 0, 0);

# quiet: nothing is said.
sub start {
    ($quiet) = @_;
    $last = now();
    return;
}

# progress(TEXT), or progress(TEXT, DONE, ALL) in a loop.
sub progress {
    my ($text, $done, $all) = @_;
    return if $quiet || ($done && $calls++ % EACH);
    my $terminal = -t STDERR;
    return if now() - $last < ($terminal ? 1 : PAUSE) && ($done || !$terminal);
    $last = now();
    $text .= " $done" . ($all ? " of $all" : '') if $done;
    print STDERR $terminal ? "\r$text\e[K" : "jailcgi: $text\n";
    $shown = $terminal;
    return;
}

sub now { return time }

# Takes the line off the terminal, so that another can be written.
sub clear {
    print STDERR "\r\e[K" if $shown;
    $shown = 0;
    return;
}

1;
