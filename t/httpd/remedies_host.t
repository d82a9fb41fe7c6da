# The remedies of the codes 10xx, by which the configuration of a host is refused: each code comes
# about in every way that the manual names, the remedy of the line is carried out, with the
# machine's own programs where it is about accounts, and the same request of the same host works
# after one reload.

use lib 't/lib';
use JailCGI::Test;
use JailCGI::Namespace;
use JailCGI::Remedy qw(remedies_hold healed);
use JailCGI::Source qw(read_file);

use File::Path 'make_path';

private_mounts() or skip_or_fail('no private mounts here');

# An /etc of this file alone, so that useradd, gpasswd and the others can change it.
my $work = work_dir();
make_path("$work/etc");
mount_at("$work/etc", '-t', 'tmpfs', 'tmpfs');
make_path("$work/etc/upper", "$work/etc/work");
mount_at('/etc', '-t', 'overlay', '-o', "lowerdir=/etc,upperdir=$work/etc/upper,workdir=$work/etc/work", 'overlay');
sub run { my @command = @_; return system("@command >>$work/said 2>&1") == 0 }

my $mpm = mpm();
my $cgi = $mpm eq 'prefork' ? 'cgi' : 'cgid';
my $text = "#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\nran\\n'\n";
my $alice = tenant('alice');
my ($uid, $gid) = ($alice->uid, $alice->gid);
$alice->script('t.sh', $text);
my $htdocs = $alice->htdocs;

# A user of the machine with a home that has a site in it.
sub account {
    my ($name, $tenant, @options) = @_;
    my $home = "$work/home/$name";
    run('groupadd', '-g', $tenant->gid, $name) && run('useradd', '-M', '-u', $tenant->uid, '-g', $tenant->gid, '-d', $home, @options, $name)
      or die 'useradd: ' . read_file("$work/said");
    for my $directory ($home, "$home/web", "$home/web/one", "$home/web/one/cgi-bin") {
        make_path($directory);
        $tenant->own($directory, mode => 0755);
    }
    my $script = "$home/web/one/cgi-bin/t.sh";
    open my $fh, '>', $script or die "$script: $!";
    print {$fh} $text;
    close $fh or die "$script: $!";
    $tenant->own($script, mode => 0755);
    return $home;
}
my ($bob, $carol, $dave, $erin, $nohome) = map { tenant($_) } qw(bob carol dave erin nohome);
my $home = account('jcbob', $bob);
my $daves = account('jcdave', $dave);
my $erins = account('jcerin', $erin);
my $lost = account('jcnohome', $nohome);
run('usermod', '-d', '/nonexistent', 'jcnohome') or die;

# --- the hosts ------------------------------------------------------------------

# Each has the lines that are wrong, and after the reload those of the remedy.
my (@hosts, @rows);

sub row {
    my ($name, $code, $bad, $good, $remedy, %more) = @_;
    my $vhost = sub {
        my ($lines) = @_;
        my $bin = delete $more{bin} // $more{kept_bin} // $alice->cgi_bin;
        $more{kept_bin} = $bin;
        my $documents = $lines =~ s/^DocumentRoot (\S+)$//m ? $1 : $more{documents} // $htdocs;
        return <<"END";
<VirtualHost 127.0.0.1:\@port\@>
    ServerName $name
    ErrorLog "logs/$name.error.log"
    DocumentRoot "$documents"
    ScriptAlias /cgi-bin/ "$bin/"
    $lines
</VirtualHost>
END
    };
    push @hosts, [$vhost->($bad), $vhost->($good)];
    push @rows, {
        name => $name, code => $code, host => $name, path => '/cgi-bin/t.sh', status => 503,
        remedy => $remedy, says => $more{says},
        by => $more{by} // healed($more{new} // $good)
    };
    return;
}

my $root = 'JailRoot ' . $alice->root;
my $user = "JailUser \"#$uid\" \"#$gid\"";
row('no-identity', 1001, $root, "$root\nJailUser \"#$uid\" \"#$gid\"", qr/^set JailUser USER GROUP/, new => $user);
row('no-identity-suexec', 1001, $root, "$root\nSuexecUserGroup \"#$uid\" \"#$gid\"", qr/or SuexecUserGroup\)/,
    new => "SuexecUserGroup x y");
row('no-user', 1002, "$root\nJailUser jcalice", "$root\nJailUser jcalice", qr/^create the user or correct JailUser, then reload/,
    by => sub { return run('useradd', '-M', '-u', $uid, '-U', 'jcalice') });
row('wrong-user', 1002, "$root\nJailUser jcalise", "$root\nJailUser jcalice", qr/correct JailUser/, new => 'JailUser');
row('no-group', 1003, "$root\nJailUser #$uid jcgroup", "$root\nJailUser #$uid jcgroup", qr/^create the group or correct JailUser, then reload/,
    by => sub { return run('groupadd', '-o', '-g', $gid, 'jcgroup') });
row('number-alone', 1003, "$root\nJailUser #" . $carol->uid, "$root\nJailUser #" . $carol->uid . " #$gid",
    qr/correct JailUser/, new => 'JailUser', says => qr/expected a group: JailUser/, bin => carols());
row('root-user',  1004, "$root\nJailUser root", "$root\n$user", qr/^name an ordinary user and group in JailUser/, new => $user);
row('root-group', 1004, "$root\nJailUser #$uid root", "$root\n$user", qr/ordinary user and group in JailUser/, new => $user);
my $bobs = "JailRoot host\nJailUser jcbob";
run('gpasswd', '-a', 'jcerin', 'root') or die;
row('root-member', 1004, "JailRoot host\nJailUser jcerin", "JailRoot host\nJailUser jcerin", qr/ordinary user and group/,
    bin => "$erins/web/one/cgi-bin", documents => "$erins/web/one",
    says => qr/'jcerin', a member of group 0.*\(gpasswd -d jcerin root\)/, by => sub { return run('gpasswd -d jcerin root') });
row('low-uid', 1005, "JailMinUID @{[$uid + 1]}\n$root\n$user", "JailMinUID $uid\n$root\n$user", qr/or lower JailMinUID/, new => 'JailMinUID');
row('low-uid-account', 1005, "JailMinUID @{[$uid + 1]}\n$root\n$user", "$root\n$user", qr/^use an ordinary account/, new => '');
row('low-gid', 1006, "JailMinGID @{[$gid + 1]}\n$root\n$user", "JailMinGID $gid\n$root\n$user", qr/or lower JailMinGID/, new => 'JailMinGID');
row('no-root', 1007, $user, "$root\n$user", qr/^set JailRoot PATH/, new => $root);
row('no-root-none', 1007, $user, "JailRoot none\n$user", qr/none \(no change of root\)/, new => 'JailRoot');
row('off-path', 1008, 'JailRoot off', "$root\n$user", qr/or set JailRoot PATH/, new => 'JailRoot');
row('web-user', 1010, "$root\nJailUser nobody", "$root\n$user", qr/a user of its own in JailUser/, new => $user);
row('high-uid', 1011, "JailMaxUID @{[$uid - 1]}\n$root\n$user", "JailMaxUID $uid\n$root\n$user", qr/or raise JailMaxUID/, new => 'JailMaxUID');
row('high-gid', 1012, "JailMaxGID @{[$gid - 1]}\n$root\n$user", "JailMaxGID $gid\n$root\n$user", qr/or raise JailMaxGID/, new => 'JailMaxGID');
my @site = (bin => "$home/web/one/cgi-bin", documents => "$home/web/one");
for (['host', ''], ['mount', "JailMount ro /usr /shown\n"], ['tmp', "JailTmp disk\n"], ['mail', "JailMail 127.0.0.1\n"], ['site', "JailSite %h/web/%d\n"]) {
    my ($name, $line) = @$_;
    next if $name eq 'tmp';    # t/httpd/tmp.t: it needs a directory of the machine
    row("namespace-$name", 1013, "$bobs\n${line}JailNamespaces pid ipc", "$bobs\n${line}JailNamespaces mount pid ipc",
        qr/^add it to JailNamespaces/, new => 'JailNamespaces', @site, says => qr/expected mount among/);
}
row('namespace-proc', 1013, "$root\n$user\nJailMount proc\nJailNamespaces mount ipc", "$root\n$user\nJailMount proc",
    qr/or remove that line/, new => '', says => qr/expected pid among/);
my @its_home = (bin => "$lost/web/one/cgi-bin", documents => "$lost/web/one");
row('no-home', 1014, "JailRoot host\nJailUser jcnohome\nJailMount home", "JailRoot host\nJailUser jcnohome\nJailMount bind $lost",
    qr/or name the directory: JailMount bind DIRECTORY/, new => 'JailMount', @its_home);
run('groupadd', '-o', '-g', $nohome->gid, 'jchealed') && run('useradd', '-M', '-o', '-u', $nohome->uid, '-g', $nohome->gid, '-d', '/var/www', 'jchealed') or die;
row('shared-home', 1014, "JailRoot host\nJailUser jchealed\nJailMount home", "JailRoot host\nJailUser jchealed\nJailMount home",
    qr/^correct the home in the user database/, @its_home, by => sub { return run('usermod', '-d', $lost, 'jchealed') });
row('home-of-owner', 1014, "JailRoot host\nJailUser owner\nJailMount home ro", "JailRoot host\nJailUser owner\nJailMount bind $lost",
    qr/JailMount bind DIRECTORY/, new => 'JailMount', @its_home);
row('home-of-owner-none', 1014, "JailRoot none\nJailUser owner\nJailMount home", "JailRoot host\nJailUser owner\nJailMount home",
    qr/JailRoot host/, new => 'JailRoot', @site);
make_path("$work/many/$_") for 1 .. 520;
row('many-mounts', 1015, join("\n", $bobs, map { "JailMount ro $work/many/$_ /many/$_" } 1 .. 520), "$bobs\nJailMount ro $work/many /many",
    qr/^mount a directory above several of them instead/, new => '', @site);
run('gpasswd', '-a', 'jcdave', 'root') or die;
row('owner-member', 1016, "JailRoot host\nJailUser owner", "JailRoot host\nJailUser owner",
    qr/\(gpasswd -d USER root\) and reload Apache/, bin => "$daves/web/one/cgi-bin", documents => "$daves/web/one",
    says => qr/found uid @{[$dave->uid]}, a member of group 0/, by => sub { return $_[0] =~ /(gpasswd -d USER root)/ && run($1 =~ s/USER/jcdave/r) });
make_path("$work/both");
my $both = "$work/both/t.sh";
open my $fh, '>', $both or die "$both: $!";
print {$fh} $text;
close $fh or die "$both: $!";
$dave->own($both, mode => 0755);
row('owner-another', 1016, "JailRoot host\nJailUser owner\nJailMount bind $work/both",
    "JailRoot host\nJailUser owner\nJailMount bind $work/both", qr/or give the script to another user/,
    bin => "$work/both", by => sub { return chown $bob->uid, $bob->gid, $both });
my $sites = "$bobs\nJailSite";
row('site-elsewhere', 1018, "$sites %h/sites/%d", "$sites %h/web/%d", qr/^set JailSite for this host/, new => 'JailSite', @site);
row('site-off', 1018, "$sites %h/sites/%d", "$sites off", qr/or JailSite off/, new => 'JailSite', @site);
row('site-home', 1018, "$sites %h/web/%d\nJailMount home", "$sites off\nJailMount home", qr/JailSite off/, new => 'JailSite', @site);
row('site-root-none', 1018, "$sites %h/web/%d\nJailRoot none", "$sites off\nJailRoot none", qr/JailSite off/, new => 'JailSite', @site);
row('site-owner', 1018, "$sites %h/web/%d\nJailUser owner", "$sites off\nJailUser owner", qr/JailSite off/, new => 'JailSite', @site);
row('site-no-home', 1018, "JailRoot host\nJailUser jcnohome\nJailMount bind $lost\nJailSite %h/web/%d",
    "JailRoot host\nJailUser jcnohome\nJailMount bind $lost\nJailSite off", qr/JailSite off/, new => 'JailSite', @its_home);
row('mail-net', 1019, "$bobs\nJailMail 127.0.0.1\nJailNamespaces mount net", "$bobs\nJailMail 127.0.0.1\nJailNamespaces mount",
    qr/^leave net out of JailNamespaces/, new => 'JailNamespaces', @site);
row('mail-none', 1019, "$bobs\nJailMail 127.0.0.1\nJailNamespaces mount net", "$bobs\nJailMail none\nJailNamespaces mount net",
    qr/or set JailMail none for this host/, new => 'JailMail', @site);

# A directory with a script of carol's.
sub carols {
    $alice->directory('/carol', uid => $carol->uid, gid => $gid);
    $alice->replace('/carol/t.sh', $text, uid => $carol->uid, gid => $gid, mode => 0755);
    return $alice->root . '/carol';
}

my $httpd = httpd(vhosts => [map { $_->[0] } @hosts]);
remedies_hold($httpd, sub { $httpd->regenerate(vhosts => [map { $_->[1] } @hosts]) }, @rows);
$httpd->stop;

# --- a module is loaded, which needs a restart ----------------------------------------

# After a reload alone mod_cgid has no daemon yet.
my $off = httpd(vhosts => [[$alice, 'JailRoot off', root => '', user => '']]);
remedies_hold(
    $off,
    sub { $off->stop; $off->take(modules => [$cgi]); $off->start },
    {
        name => 'off', code => 1008, host => 'alice', path => '/cgi-bin/t.sh', status => 503,
        remedy => qr/^load mod_cgid or mod_cgi and restart Apache/, by => sub { return 1 }
    }
);
$off->stop;

# --- httpd that root has not started ---------------------------------------------

my $plain = JailCGI::Test::new_httpd(vhosts => [[$alice]]);
chmod 0777, $plain->logs or die;
$plain->{as} = ['setpriv', '--reuid=nobody', '--regid=nogroup', '--clear-groups'];
$plain->start;
remedies_hold(
    $plain,
    sub { $plain->stop; delete $plain->{as}; $plain->start },
    {
        name => 'not root', code => 1009, host => 'alice', path => '/cgi-bin/t.sh', status => 503,
        remedy => qr/^start httpd as root; its children still run as its User/, by => sub { return 1 }
    }
);
$plain->stop;
done_testing;
