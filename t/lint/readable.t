# A tenant or the web user may be unable to read the checkout: it may be below a
# directory of mode 0700, or made under umask 077. So what the tests hand to them
# is copied by t/lib/prepare, and no test names a file of the checkout.

use strict;
use warnings;

use lib 't/lib';
use JailCGI::Source qw(files read_file);
use Test::More;

# What others than root run or read.
for my $file (files(qr/\.t$/, qw(t/httpd t/programs)), 't/lib/JailCGI/Test.pm') {
    my @named = grep { !/^\s*#/ && m{\bbuild/|\bgetcwd\b(?!\(\), "\\n")|\bFindBin\b|\bPWD\b\}?/} }
      split /\n/, read_file($file) =~ s/^=head.*?^=cut$//gmsr;
    is_deeply(\@named, [], "$file names no file of the checkout");
}
like(read_file($_), qr/^umask 022$/m, "$_ makes what others may read") for qw(check demo);

SKIP: {
    my $run_dir = $ENV{JAILCGI_RUN_DIR};
    skip 'not run by check, which makes the copies', 9 if !$run_dir;
    my @as_nobody = qw(setpriv --reuid=65534 --regid=65534 --clear-groups --);
    for my $place (qw(probe fixtures packages installed)) {
        ok(-d "$run_dir/$place", "$place is there");
        my @hidden = `cd / && @as_nobody find $run_dir/$place/ ! -type l ! -readable 2>&1`;
        is_deeply(\@hidden, [], "and all of it can be read by all");
    }
    my @modules = grep { $_ ne '' } split /:/, $ENV{PERL5LIB} // '';
    is_deeply([grep { system(@as_nobody, 'test', '-r', $_) != 0 } @modules],
        [], 'and so can Perl\'s modules');
}
done_testing;
