# The helper changes root, so nothing of it may be bound late or looked up in
# a file: static, position independent, bound at start; and from libc only what
# is on a reviewed list, t/lint/helper-symbols.

use strict;
use warnings;

use lib 't/lib';
use JailCGI::Source qw(files);
use Test::More;

ok(-x 'jailcgi-helper', 'the helper is built') or BAIL_OUT('run make first');

my $header   = `readelf -hW jailcgi-helper`;
my $segments = `readelf -lW jailcgi-helper`;
my $dynamic  = `readelf -dW jailcgi-helper`;
like($header, qr/Type:\s+DYN/, 'position independent');
unlike($segments, qr/INTERP/, 'no ELF interpreter');
unlike($dynamic, qr/\(NEEDED\)/, 'no library');
like($dynamic, qr/BIND_NOW|FLAGS_1.*\bNOW\b/, 'bound at start');
like($dynamic, qr/FLAGS_1.*\bPIE\b/, 'an executable');
like($segments, qr/GNU_RELRO/, 'relocations are read-only afterwards');
like($segments, qr/GNU_STACK.*\bRW\s/, 'the stack is not executable');
unlike($segments, qr/\bRWE\b/, 'nothing is writable and executable');

# What its objects need and none of them has.
sub symbols {
    my ($option, @objects) = @_;
    my %found;
    for my $line (`nm -P $option @objects`) {
        $found{$1} = 1 if $line =~ /^(\w+) [A-Za-z]\b/;
    }
    return %found;
}

my @objects = files(qr/\.o$/, 'build/helper');
ok(@objects >= 3, 'its objects are there');
my %needed  = symbols('-u', @objects);
my %defined = symbols('--defined-only', @objects);
delete @needed{ keys %defined };

# Names that stand for others: those of _FORTIFY_SOURCE and of C99's scanf.
sub plain {
    my ($name) = @_;
    return $1 if $name =~ /^__(\w+)_chk$/;
    return $1 if $name =~ /^__isoc\d+_(\w+)$/;
    return $name;
}
my %plain = map { plain($_) => 1 } keys %needed;

# What a compiler calls of its own accord, or expands.
delete @plain{qw(bcmp memcmp memcpy memmove memset strlen __stack_chk_fail
      _GLOBAL_OFFSET_TABLE_)};

open my $fh, '<', 't/lint/helper-symbols' or die "t/lint/helper-symbols: $!";
my %allowed = map { /^(\w+)/ ? ($1 => 1) : () } <$fh>;
is_deeply([sort grep { !$allowed{$_} } keys %plain],
    [], 'it needs nothing that is not on the list');
is_deeply([sort grep { !$plain{$_} } keys %allowed],
    [], 'nothing is on the list that it does not need');

# What may not come onto the list by an oversight: names and libraries looked
# up at run time, a shell, the environment, locales, name resolution.
my $forbidden = qr{^(?:
    (?:get|set|end)(?:pw|gr|sp|host|serv|proto|net)(?:ent|nam|uid|gid|by\w+)?(?:_r)? |
    getgrouplist | initgroups |
    getaddrinfo | getnameinfo | res_\w+ | dlopen | dlsym | dlmopen |
    iconv_open | setlocale | newlocale | nss_\w+ |
    system | popen | wordexp | glob | posix_spawnp? |
    exec(?:l[ep]?|vp?|vpe) | getenv | secure_getenv | setenv | putenv |
    syslog | openlog | mktemp | tmpnam | strcat | sprintf | vsprintf |
    gets | strtok | printf | fopen
)$}x;
is_deeply(
    [sort grep { $_ =~ $forbidden } keys %plain, keys %allowed],
    [],
    'nothing that looks names up, opens libraries or runs a shell'
);
for my $name (qw(getpwnam getpwuid_r getgrent dlopen getaddrinfo execvp)) {
    like($name, $forbidden, "the pattern forbids $name");
}
unlike($_, $forbidden, "and allows $_") for qw(execve getgroups);

done_testing;
