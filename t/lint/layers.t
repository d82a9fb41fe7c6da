# Which directory may include what, and what the head of each file says.
# A directory is one kind of process in one regime, and %below says what it stands on.
#
#   httpd's and APR's headers   mod_jailcgi.c and src/httpd alone
#   libcap                      src/helper and src/keeper alone

use strict;
use warnings;

use lib 't/lib';
use JailCGI::Source qw(c_files read_file code_of);
use Test::More;

my $httpd_header =
  qr{^(?:httpd|http_\w+|ap_\w+|apr\w*|util_\w+|mpm_common|mod_\w+|unixd)\.h$};
my %below = (
    'src/wire'            => [],
    'src/policy'          => [qw(src/wire)],
    'src/keeper/launch'   => [qw(src/wire src/policy src/keeper)],
    'src/keeper/build'    => [qw(src/wire src/policy src/keeper src/keeper/launch src/keeper/serve)],
    'src/keeper/serve'    => [qw(src/wire src/policy src/keeper src/keeper/launch)],
    'src/keeper'          => [qw(src/wire src/policy src/keeper/build src/keeper/serve)],
    'src/helper'          => [qw(src/wire src/policy src/keeper src/keeper/build)],
    'src/httpd'           => [qw(src/wire)],
    'src/httpd/config'    => [qw(src/wire)],
    'src/httpd/freeze'    => [qw(src/wire src/httpd src/httpd/config)],
    'src/httpd/supervise' => [qw(src/wire src/httpd src/httpd/config)],
    'src/httpd/serve'     => [qw(src/wire src/httpd src/httpd/config)],
    'src/httpd/compat'    => [],
    'src/mail'            => [qw(src/wire)],
    '.'                   => [
        qw(src/wire src/httpd src/httpd/config src/httpd/freeze src/httpd/supervise
          src/httpd/serve)
    ],
);

sub directory_of {
    my ($file) = @_;
    return $file =~ m{^(.*)/} ? $1 : '.';
}

# The project's file that an #include "..." names, or undef.
sub own_file {
    my ($from, $name) = @_;
    my $dir = $from =~ m{^(.*/)} ? $1 : '';
    my ($found) = grep { -e } "$dir$name", $name;
    return if !defined $found;
    1 while $found =~ s{[^/]+/\.\./}{};
    return $found;
}

my $checked = 0;
for my $file (c_files()) {
    my $place = directory_of($file);
    my @wrong;
    my $code = code_of($file);
    ok($below{$place}, "$file: what $place stands on is known");
    while ($code =~ /^\s*#\s*include\s*([<"])([^>"]+)[>"]/mg) {
        my ($how, $name) = ($1, $2);
        $checked++;
        my $own = $how eq '"' ? own_file($file, $name) : undef;
        if (defined $own) {
            my $other = directory_of($own);
            push @wrong, $name if !grep { $_ eq $other } $place, @{ $below{$place} || [] };
            next;
        }
        push @wrong, $name if $name =~ $httpd_header && $place !~ m{^(?:\.|src/httpd.*)$};
        push @wrong, $name if $name eq 'sys/capability.h' && $place !~ m{^src/(?:helper|keeper)};
    }
    is_deeply(\@wrong, [], "$file includes what its place may");
    # Only a value that is kept is compared with NULL: a condition asks for the pointer.
    is_deeply([grep { /[=!]= NULL\b/ && !/^\s*(?:return\b|[^=!]*=(?!=))[^&|?]*[=!]= NULL$/ }
            split /[;{}]/, $code], [], "$file: no condition compares with NULL");
    unlike($code, qr/_GNU_SOURCE/, "$file leaves _GNU_SOURCE to the Makefile");
    my ($head) = read_file($file) =~ m{\A/\*(.*?)\*/}s;
    like($head // '', qr/^ \* Runs in: .*^ \* Privilege: /ms,
        "$file begins with where it runs and with what privilege");
    like($head // '', qr/\A\n \* (?!Runs in:)\S/, "$file begins with what it is for");
    # The formatter runs lines together that it takes for one sentence.
    is_deeply([($head // '') =~ /^(?! \* (?:Runs in|Privilege|Trusts|Never):)(.*\b(?:Runs in|Privilege|Trusts|Never):.*)$/mg],
        [], "$file: each part of its head has a line");
}
cmp_ok($checked, '>', 20, 'there were lines to check');
done_testing;
