# PHP under JailRoot host, by the lines of the manual: php-cgi is the machine's own, behind
# Debian's two links (update-alternatives), and nothing is built.

use lib 't/lib';
use JailCGI::Test;
use JailCGI::Builder;
use JailCGI::Namespace;

use File::Path 'make_path';

private_mounts() or skip_or_fail('no private mounts here');

# The machine as it is with the package installed, for this file alone.
my $packages = unpacked(qw(php8.2-cgi php8.2-common));
make_path("$packages/etc/alternatives", "$packages/etc/php/8.2/cgi");
symlink '/etc/alternatives/php-cgi', "$packages/usr/bin/php-cgi" or die "php-cgi: $!";
symlink '/usr/bin/php-cgi8.2', "$packages/etc/alternatives/php-cgi" or die "alternatives: $!";
system('cp', "$packages/usr/lib/php/8.2/php.ini-production",
    "$packages/etc/php/8.2/cgi/php.ini") == 0 or die 'php.ini';
mount_at($_, '-t', 'overlay', 'overlay', '-o', "lowerdir=$packages$_:$_") for '/usr', '/etc';

my $alice = tenant('alice');
make_accounts($alice);
my $htdocs = home_of($alice) . '/htdocs';
$alice->directory($alice->jail_home . '/htdocs');

sub page {
    my ($name, $content) = @_;
    return $alice->replace($alice->jail_home . "/htdocs/$name", $content);
}
page('who.php', <<'END');
<?php
echo trim(shell_exec('id -u')), ' ', $_SERVER['SCRIPT_FILENAME'], ' ', realpath('.');
END
page('form.php', "<?php echo 'name: ', \$_POST['name'] ?? 'none';\n");

# The block of the manual, with the test's own host and place.
my ($block) = JailCGI::Httpd::slurp('doc/manual/programs.md') =~
  /^### With JailRoot host\n.*?<VirtualHost \*:80>\n(.*?)    <\/VirtualHost>/ms;
ok($block, 'the manual has the lines');
$block =~ s/^\s*(?:ServerName|JailRoot|JailUser)\b.*\n//mg;
$block =~ s{/home/alice/htdocs}{$htdocs}g;
my $httpd = httpd(
    modules => ['actions'],
    vhosts  => [
        $alice->vhost($block, root => 'host', user => 'alice'),
        $alice->vhost($block =~ s/^\s*JailTrust.*\n//mr,
            name => 'untrusted', root => 'host', user => 'alice'),
    ]
);
my $res = $httpd->get($alice, '/who.php');
is($res->content, $alice->uid . " $htdocs/who.php $htdocs", 'a page runs as its user, at its place')
  or diag($httpd->log($alice));
is($httpd->request(POST => $alice, '/form.php',
    ['Content-Type' => 'application/x-www-form-urlencoded'], 'name=ann')->content,
    'name: ann', 'a form arrives');
is($httpd->get('untrusted', '/who.php')->code, 500, 'control: not without JailTrust');
$httpd->log_like('untrusted', qr/JCGI1510: .*remedy: name it in JailTrust/, 'which the log says');
$httpd->stop;
done_testing;
