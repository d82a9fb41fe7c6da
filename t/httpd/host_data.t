# JailRoot host: the data that programs of Debian read outside of /usr is in the jail, read-only,
# if everybody on the machine may read it; and nothing that looks like a secret can be read.

use lib 't/lib';
use JailCGI::Test;
use JailCGI::Namespace;
use JailCGI::Source qw(read_file);

private_mounts() or skip_or_fail('no private mounts here');

my $alice = tenant('alice');
make_accounts($alice);

my ($table) = read_file('src/httpd/shown.c') =~ /jc_shown_data\[\] = \{(.*?)\n\};/s;
my @patterns = $table =~ m{"(/[^"]+)"}g;
cmp_ok(scalar @patterns, '>', 40, 'the list was found');
my @there = grep { -e } map { glob } @patterns;
skip_or_fail('this machine has too few of them') if @there < 4;

# Two of them are not everybody's to read, or to write.
my @directories = grep { -d && !-l } @there;
my ($closed, $open) = @directories[0, 1];
for (["$closed", 0750], ["$open", 0777]) {
    my ($at, $mode) = @$_;
    my $mine = work_dir() . '/' . $at =~ s{/}{-}gr;
    mkdir $mine or die "$mine: $!";
    mount_at($at, '--bind', $mine);
    chmod $mode, $mine or die "$mine: $!";
}

my $header = "#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\n'\n";
$alice->script('there', $header . "for i in @there; do test -r \$i && echo \$i; done; true\n");
$alice->script('write', $header
      . "for i in @directories; do (: >\$i/jailcgi) 2>&- && echo \$i; done; echo none\n");
# By name, and by what is in it.
$alice->script('secrets', $header . <<'END');
find /etc /var /run -path "$HOME" -prune -o -type f -print 2>/dev/null | while read -r file; do
    [ -r "$file" ] || continue
    case $file in
    *shadow* | */sudoers* | *_key | */private/* | *secret* | *.keytab | */cron* | */debian.cnf | */dbconfig*)
        echo "$file" ;;
    esac
    grep -lIE -e '^-----BEGIN [A-Z ]*PRIVATE KEY-----$|^[^#]*password *= *[^ ]' "$file"
done
echo end
END
my $httpd = httpd(vhosts => [$alice->vhost('', root => 'host', user => $alice->name)]);

sub says {
    my ($name) = @_;
    my $res = $httpd->get($alice, "/cgi-bin/$name");
    is($res->code, 200, "$name answers") or diag($httpd->log($alice));
    return split /\n/, $res->content;
}

my @shown = says('there');
is_deeply(\@shown, [grep { $_ ne $closed && $_ ne $open } @there],
    'what everybody may read and only root may write is there');
is_deeply([says('write')],   ['none'], 'and cannot be written to');
is_deeply([says('secrets')], ['end'],  'nothing there looks like a secret');
done_testing;
