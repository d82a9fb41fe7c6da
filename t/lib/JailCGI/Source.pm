package JailCGI::Source;

# The project's files as the lints read them.

use strict;
use warnings;

use Exporter 'import';
use File::Find 'find';

our @EXPORT_OK = qw(files c_files read_file code_of code_lines functions_of);

# Files below these places (files or directories) whose names match.
sub files {
    my ($pattern, @places) = @_;
    my @found;
    for my $place (@places) {
        if (-f $place) {
            push @found, $place;
            next;
        }
        next if !-d $place;
        find(
            {
                no_chdir => 1,
                wanted   => sub { push @found, $_ if -f && $_ =~ $pattern }
            },
            $place
        );
    }
    return sort @found;
}

# All C of the project itself, without the tests.
sub c_files {
    return files(qr/\.[ch]$/, glob('mod_jailcgi.[ch]'), 'src');
}

sub read_file {
    my ($file) = @_;
    open my $fh, '<', $file or return '';
    local $/;
    return <$fh> // '';
}

# C without comments; strings stay, line numbers too.
sub code_of {
    my ($file) = @_;
    my $text = read_file($file);
    my $strings = qr/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/s;
    $text =~ s{($strings)|(/\*.*?\*/|//[^\n]*)}
              {defined $1 ? $1 : $2 =~ tr/\n//cdr}gse;
    return $text;
}

# How many lines a file has besides comments and empty ones.
sub code_lines {
    my ($file) = @_;
    return scalar(() = code_of($file) =~ /^.*\S.*$/mg);
}

# {file, name, public, lines, body} of each function; clang-format puts its
# braces at the beginning of a line.
sub functions_of {
    my ($file) = @_;
    my (@functions, $name, $static, $inside, @body);
    for my $line (split /\n/, code_of($file)) {
        if (!$inside) {
            ($static, $name) = ($1, $2) if $line =~ /^(?=[^\s#])(static\b)?.*?(\w+)\(/;
            ($inside, @body) = (1) if $line eq '{';
        }
        elsif ($line ne '}') {
            push @body, $line;
        }
        else {
            push @functions,
              {
                file   => $file,
                name   => $name,
                public => !$static && $file =~ /\.c$/,
                lines  => @body + 2,
                body   => join("\n", @body),
              };
            $inside = 0;
        }
    }
    return @functions;
}

1;
