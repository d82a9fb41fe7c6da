# JailRoot host: homes by any spelling and behind links of root's, and documents that a link
# of root's leads to.
#
# MPM: event, worker, prefork

use lib 't/lib';
use JailCGI::Test;
use JailCGI::Namespace;

use File::Path 'make_path';

private_mounts() or skip_or_fail('no private mounts here');

my $work = work_dir();
my $text = <<'END';
#!/bin/sh
printf 'Content-Type: text/plain\n\n'
echo "in $(pwd -P), called $0, home $HOME"
cd ~ && echo mine >note && cat note
ls "$HOME/note"
END

sub owned {
    my ($tenant, $path, $mode) = @_;
    make_path($path);
    $tenant->own($path, mode => $mode // 0755);
    return $path;
}

sub script_at {
    my ($tenant, $path) = @_;
    open my $out, '>', $path or die "$path: $!";
    print {$out} $text;
    close $out or die $!;
    $tenant->own($path, mode => 0755);
    return;
}

# A host whose scripts are in a directory, by each of several names.
my @hosts;

sub host {
    my ($tenant, $name, $extra, %alias) = @_;
    my $documents = delete $alias{documents} // '/nowhere';
    my $aliases = join "\n    ", map { qq{ScriptAlias /$_/ "$alias{$_}/"} } sort keys %alias;
    my $user = $tenant->name;
    push @hosts, <<"END";
<VirtualHost 127.0.0.1:\@port\@>
    ServerName $name
    ErrorLog "logs/$name.error.log"
    DocumentRoot "$documents"
    JailRoot host
    JailUser $user
    $aliases
    $extra
</VirtualHost>
END
    return;
}

my ($alice, $bob, $carol, $dave, $eve, $frank, $gina) =
  map { tenant($_) } qw(alice bob carol dave eve frank gina);
my $data = "$work/data/home";
my %home = map { $_->name => "$data/" . $_->name } $alice, $bob, $carol, $dave, $eve;
for my $tenant ($alice, $bob, $carol, $dave, $eve) {
    owned($tenant, $home{ $tenant->name });
    owned($tenant, $home{ $tenant->name } . '/bin');
    script_at($tenant, $home{ $tenant->name } . '/bin/t.cgi');
}
symlink 'data/home', "$work/home" or die $!;
symlink "$data/carol", "$work/own" or die $!;
owned($dave, "$work/daves");
symlink "$data/dave", "$work/daves/link" or die $!;

# As ISPConfig has it: the site's directory is root's.
my $web = "$work/www/clients/client1/web1";
make_path($web);
owned($frank, "$web/$_") for qw(web cgi-bin);
script_at($frank, "$web/$_/t.cgi") for qw(web cgi-bin);
symlink 'clients/client1/web1', "$work/www/frank.example" or die $!;
symlink 'frank.example', "$work/www/www.frank.example" or die $!;
owned($gina, "$work/ginas/real/web");
owned($gina, "$work/ginas");
script_at($gina, "$work/ginas/real/web/t.cgi");
symlink 'real', "$work/ginas/link" or die $!;

make_accounts(
    [$alice, "$work//./data/./home/alice/."], [$bob, "$work/home/bob/"],
    [$carol, "$work/own"], [$dave, "$work/daves/link"], [$eve, '/var/www'],
    [$frank, $web], [$gina, "$work/ginas"]
);

host($alice, 'alice', '', bin => "$home{alice}/bin");
host($bob, 'bob', '', given => "$work/home/bob/bin", found => "$home{bob}/bin");
# Lines that somebody had to write before are no obstacle.
host($bob, 'both', "JailMount bind $home{bob}",
    given => "$work/home/bob/bin", found => "$home{bob}/bin");
host($bob, 'above', "JailMount bind $work/data", found => "$home{bob}/bin");
make_path("$work/spare");
host($bob, 'spare', "JailMount bind $work/spare $work/data", given => "$work/home/bob/bin");
host($carol, 'carol', '', given => "$work/own/bin", found => "$home{carol}/bin");
host($dave,  'dave',  '', given => "$work/daves/link/bin");
host($eve, 'eve', '', bin => "$home{eve}/bin");
host($eve, 'shown', "JailMount bind $home{eve}", bin => "$home{eve}/bin");
host($frank, 'frank', '',
    documents => "$work/www/frank.example/web",
    cgi       => "$work/www/frank.example/cgi-bin",
    web       => "$work/www/frank.example/web",
    found     => "$web/web");
host($frank, 'chain', '', documents => "$work/www/www.frank.example/web",
    web => "$work/www/www.frank.example/web");
host($frank, 'unlinked', '', documents => "$web/web", web => "$work/www/frank.example/web");
host($frank, 'bound', "JailMount bind $work/www/frank.example",
    documents => "$work/www/frank.example/web", web => "$work/www/frank.example/web");
host($gina, 'gina', '', documents => "$work/ginas/link/web", web => "$work/ginas/link/web");

my ($status, $said) = configtest(vhosts => \@hosts);
is($status, 0, 'configtest is content');
like($said, qr/^Syntax OK$/m, 'and says so');
my @warned = $said =~ /JCGI1423: virtual host (\S+)/g;
is("@warned", 'eve', 'it warns of the one host whose jail has no home and no line');
like($said, qr{JCGI1423: .*found the home /var/www, expected .*JailMount bind}, 'and names the line');

($status, $said) = configtest(vhosts => \@hosts, config => 'JailStrict On');
isnt($status, 0, 'JailStrict On: it is an error');
like($said, qr/JCGI1423: virtual host eve .*JailStrict On/, 'and the line says so');
($status) = configtest(vhosts => [grep { !/ServerName eve\n/ } @hosts], config => 'JailStrict On');
is($status, 0, 'JailStrict On lets the other hosts pass');

my $httpd = httpd(vhosts => \@hosts);
$httpd->log_like(undef, qr/JCGI1423: virtual host eve/, 'the start warns too');

sub runs {
    my ($host, $path, $in, $called, $home) = @_;
    my $res = $httpd->get($host, "/$path/t.cgi");
    is($res->content, "in $in, called $called/t.cgi, home $home\nmine\n$home/note\n",
        "$host: $path")
      or diag($httpd->log($host));
    return;
}

sub refused {
    my ($host, $path, $status, $code) = @_;
    my $res = $httpd->get($host, "/$path/t.cgi");
    is($res->code, $status, "$host: $path is refused");
    $httpd->log_like($host, qr/JCGI$code: /, "$host: JCGI$code");
    return;
}

runs('alice', 'bin', "$home{alice}/bin", "$home{alice}/bin", $home{alice});
my $bobs = "$work/home/bob";
runs('bob',   'given', "$bobs/bin",      "$bobs/bin",      $bobs);
runs('bob',   'found', "$bobs/bin",      "$home{bob}/bin", $bobs);
runs('both',  'given', "$bobs/bin",      "$bobs/bin",      $bobs);
runs('both',  'found', "$home{bob}/bin", "$home{bob}/bin", $bobs);
runs('above', 'found', "$home{bob}/bin", "$home{bob}/bin", $bobs);
runs('carol', 'given', "$work/own/bin", "$work/own/bin",    "$work/own");
runs('carol', 'found', "$work/own/bin", "$home{carol}/bin", "$work/own");
refused('dave', 'given', 503, 1421);
refused('eve',  'bin',   500, 1502);
is($httpd->get('shown', '/bin/t.cgi')->code, 200, 'the line of the warning shows the site');

my $site = "$work/www/frank.example";
for (['cgi', 'cgi-bin'], ['web', 'web']) {
    my $res = $httpd->get('frank', "/$_->[0]/t.cgi");
    like($res->content, qr{^in \Q$web\E/$_->[1], called \Q$site\E/$_->[1]/t.cgi, home \Q$web\E\n},
        "frank: $_->[0] behind a link")
      or diag($httpd->log('frank'));
}
like($httpd->get('frank', '/found/t.cgi')->content, qr{^in \Q$web\E/web, }, 'and by its real name');
like($httpd->get('chain', '/web/t.cgi')->content, qr{^in \Q$web\E/web, }, 'behind two links');
like($httpd->get('bound', '/web/t.cgi')->content, qr{^in \Q$site\E/web, }, 'a JailMount line wins');
# Control: only the links on the way to the documents are made.
refused('unlinked', 'web', 500, 1502);
# A link of the tenant's is in the home, and nobody has to make it.
like($httpd->get('gina', '/web/t.cgi')->content, qr{^in \Q$work\E/ginas/real/web, }, 'a link in the home');
# What the jail has of the machine at such a place stays as it is.
is($httpd->get('spare', '/given/t.cgi')->code, 200, 'another directory is where the home leads to');
is_deeply([glob "$work/spare/*"], [], 'and nothing was made in it');

done_testing;
