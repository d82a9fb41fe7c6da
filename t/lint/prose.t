# Words that CONTRIBUTING.md replaces by others: one word for one thing.

use strict;
use warnings;

use lib 't/lib';
use JailCGI::Source qw(c_files files read_file);
use Test::More;

my @avoided = ('browsers?', 'likewise', 'mend(?:s|ed)?', 'shall', 'hijack\w*', 'taken over',
    'not to be had', 'child(?:ren)? of httpd(?! itself)');
my $avoided = join '|', @avoided;
my @texts   = (
    c_files(), files(qr/\.(?:md|conf)$/, 'doc', 'conf'),
    files(qr/\.(?:pm|c)$/, 'tools'), qw(README.md SECURITY.md bench/README.md demo check tools/jailcgi)
);
cmp_ok(scalar @texts, '>', 150, 'texts were found');
for my $file (@texts) {
    my $text = read_file($file);
    $text =~ s/\s*\n\s*(?:\*|#)?\s*/ /g;
    is_deeply([grep { !/^[A-Z]{3}/ } $text =~ /.{0,20}\b((?i:$avoided))\b/g],
        [], "$file: words that have a better one");
}
done_testing;
