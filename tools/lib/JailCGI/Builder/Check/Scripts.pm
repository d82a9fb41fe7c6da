package JailCGI::Builder::Check::Scripts;

# Scripts whose interpreter the kernel would not find (execve(2)).
#
# Runs in:   jailcgi check
# Privilege: root
# Trusts:    nothing in the jail
# Never:     executes a script or an interpreter

use strict;
use warnings;

use Fcntl ':mode';

use JailCGI::Builder::Say qw(quoted);

my @path = qw(/usr/local/bin /usr/bin /bin /usr/local/sbin /usr/sbin /sbin);

sub check {
    my ($check, $scripts) = @_;
    script($check, @$_) for @$scripts;
    return;
}

# The words of a #! line as Linux takes them: the interpreter, and the rest as
# one argument.
sub script {
    my ($check, $path, $line) = @_;
    my ($interpreter, $argument) = $line =~ /^[ \t]*([^ \t]+)[ \t]*(.*?)[ \t]*$/;
    if (!defined $interpreter || $interpreter !~ m{^/}) {
        $check->finding('no-interpreter', $path, 'the first line', "#!$line",
            '#! and a program from / on', 'correct the first line of ' . quoted($path));
        return;
    }
    my $why = why_not($check, $interpreter);
    if ($why) {
        $check->finding('no-interpreter', $path, "its interpreter $interpreter", $why,
            'a program in the jail', remedy($check, $path, $interpreter));
        return;
    }
    return if $interpreter !~ m{/env$} || $argument eq '' || $argument =~ /^-|=/;
    my ($name) = $argument =~ /^(\S+)/;
    return if grep { !why_not($check, "$_/$name") } @path;
    my ($there) = grep { $check->{host}->is_file($_) } map { "$_/$name" } @path;
    $check->finding('no-interpreter', $path, "its interpreter $name, which env looks for",
        'none', "a program in one of @path",
        $there ? $check->remedy_for($there) : "install $name on this machine, then jailcgi"
          . ' mkjail ' . $check->shown_root . " --program PATH of $name");
    return;
}

# Why a path of the jail cannot be executed, or nothing.
sub why_not {
    my ($check, $path) = @_;
    my $found = $check->{jail}->resolve($path);
    return 'none' if !$found->{st};
    return 'no regular file' if !S_ISREG($found->{st}[2]);
    return sprintf 'mode %04o', $found->{st}[2] & 07777 if !($found->{st}[2] & 0111);
    return;
}

sub remedy {
    my ($check, $path, $interpreter) = @_;
    if ($interpreter =~ /\r$/) {
        return 'take the carriage returns (Windows line ends) out of ' . quoted($path);
    }
    my $found = $check->{jail}->resolve($interpreter);
    if ($found->{st} && S_ISREG($found->{st}[2])) {
        return 'chmod a+x ' . quoted($check->{root} . $interpreter);
    }
    my $remedy = $check->remedy_for($interpreter);
    return $remedy if $remedy =~ /^jailcgi /;
    return 'correct the first line of ' . quoted($path) . ", or $remedy";
}

1;
