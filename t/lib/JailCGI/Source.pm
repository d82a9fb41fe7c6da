package JailCGI::Source;

# The project's files as the lints read them.

use strict;
use warnings;

use Exporter 'import';
use File::Find 'find';

our @EXPORT_OK = qw(files c_files read_file code_of functions_of);

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

# [NAME, FIRST LINE, LINES] of each function; clang-format puts its braces at
# the beginning of a line.
sub functions_of {
    my ($file) = @_;
    my @lines = split /\n/, read_file($file);
    my (@functions, $start, $name);
    for my $i (0 .. $#lines) {
        if ($lines[$i] =~ /^(?=[^\s#]).*?(\w+)\(/ && !defined $start) {
            $name = $1;
        }
        if ($lines[$i] eq '{') {
            $start = $i;
        }
        elsif ($lines[$i] eq '}' && defined $start) {
            push @functions, [$name, $start + 1, $i - $start + 1];
            undef $start;
        }
    }
    return @functions;
}

1;
