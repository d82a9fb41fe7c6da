package JailCGI::Refused;

# The list of system calls that JailSeccomp refuses by default, as it stands in
# src/httpd/config/seccomp_table.c.

use strict;
use warnings;

use Exporter 'import';

use JailCGI::Source qw(code_of);

our @EXPORT_OK = qw(refused_calls manual_table);

# [name, error, when or undef, why] of each; of the rows of one call and one reason the first.
sub refused_calls {
    my $code  = code_of('src/httpd/config/seccomp_table.c');
    my %words = $code =~ /^#define (\w+)[\s\\]+"([^"]*)"$/mg;
    my ($table) = $code =~ /jc_seccomp_table\[\] = \{(.*?)^\};/ms;
    my $string = qr/(?:"(?:[^"]*)"\s*)+/;
    my @found;
    while ($table =~ /\{"(\w+)",\s*(\w+),\s*(NULL|$string),\s*(NULL|\w+|$string),/g) {
        my ($name, $error, @text) = ($1, $2, $3, $4);
        next if $text[1] eq 'NULL';
        for my $text (@text) {
            $text = $text eq 'NULL' ? undef
              : $text =~ /^"/ ? join('', $text =~ /"([^"]*)"/g)
              :                 $words{$text} // die "no words for $text";
        }
        push @found, [$name, $error, @text];
    }
    return @found;
}

# The same as the lines of the manual's table.
sub manual_table {
    return map { sprintf "| `%s` | %s | %s | %s |\n", @$_[0, 1], $_->[2] // 'always', $_->[3] }
      refused_calls();
}

1;
