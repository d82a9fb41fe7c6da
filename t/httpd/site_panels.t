# JailSite in the layouts of hosting panels: with the line that the manual has for a panel, a
# script sees the directory of its own site and what is shared, and nothing of another site.
# MPM: event

use lib 't/lib';
use JailCGI::Test;
use JailCGI::Namespace;

private_mounts() or skip_or_fail('no private mounts here');

# Where the documents and the scripts of each site are below the home, what its host has in
# place of the line, and which other sites it sees: an addon domain below the documents of the
# main site is part of that, and its script has the main site's directory.
my @panels = (
    {   name  => 'HestiaCP',
        line  => '%h/web/%d',
        sites => { a => ['web/a/public_html', 'web/a/cgi-bin'], b => ['web/b/public_html', 'web/b/cgi-bin'] },
    },
    {   name  => 'DirectAdmin',
        line  => '%h/domains/%d',
        sites => {
            a => ['domains/a/public_html', 'domains/a/public_html/cgi-bin'],
            b => ['domains/b/public_html', 'domains/b/public_html/cgi-bin'],
        },
    },
    {   name  => 'Plesk',
        line  => '%h/%d',
        sites => {
            a => ['httpdocs',    'cgi-bin', "JailSite %h/%d\n    JailMount bind HOME/cgi-bin"],
            b => ['sub.example', 'sub.example/cgi-bin'],
        },
    },
    {   name  => 'cPanel',
        line  => '%h/%d',
        sites => {
            a    => ['public_html', 'public_html/cgi-bin'],
            b    => ['addon.example', 'addon.example/cgi-bin'],
            # Below the main site, which therefore has it, and it the main site.
            below => ['public_html/below.example', 'public_html/below.example/cgi-bin'],
        },
        sees => { a => ['below'], below => ['a'] },
    },
    {   name  => 'Virtualmin',
        line  => '%h/domains/%d',
        sites => {
            a   => ['domains/a/public_html', 'domains/a/cgi-bin'],
            b   => ['domains/b/public_html', 'domains/b/cgi-bin'],
            top => ['public_html', 'cgi-bin', "JailSite %h/public_html\n    JailMount bind HOME/cgi-bin"],
        },
    },
    {   name  => 'Froxlor',
        line  => '%h/%d',
        sites => { a => ['a', 'a/cgi-bin'], b => ['b', 'b/cgi-bin'] },
    },
    {   name  => 'CyberPanel',
        line  => '%h/public_html',
        sites => {
            a     => ['public_html', 'public_html/cgi-bin'],
            child => ['public_html/child', 'public_html/child/cgi-bin'],
        },
        sees => { a => ['child'], child => ['a'] },
    },
);

my (@vhosts, @checks);
my @accounts;
for my $panel (@panels) {
    my $user = tenant(lc $panel->{name});
    push @accounts, $user;
    my $home  = home_of($user);
    my %sites = %{ $panel->{sites} };
    for my $site (sort keys %sites) {
        my ($docs, $cgi, $extra) = @{ $sites{$site} };
        my $path = '';
        for my $part (map { split m{/} } $docs) {
            $path .= "/$part";
            $user->directory($user->jail_home . $path);
        }
        $user->directory($user->jail_home . "/$cgi");
        $user->replace($user->jail_home . "/$docs/secret-$site", 'x', uid => $user->uid);
        $user->replace($user->jail_home . "/$cgi/look", <<"END_OF_SCRIPT", uid => $user->uid, gid => $user->gid, mode => 0755);
#!/bin/sh
printf 'Content-Type: text/plain\\n\\n'
cd "$home" && find . -name 'secret*' | sed 's|.*/secret-||' | sort
echo x >"$home/$docs/new" && echo "wrote"
END_OF_SCRIPT
        $extra //= "JailSite $panel->{line}";
        $extra =~ s/HOME/$home/g;
        my $name = lc "$panel->{name}-$site";
        push @checks, [$panel, $site, $name];
        push @vhosts, <<"END_OF_HOST";
<VirtualHost 127.0.0.1:\@port\@>
    ServerName $name
    ErrorLog "logs/$name.error.log"
    DocumentRoot "$home/$docs"
    ScriptAlias /cgi-bin/ "$home/$cgi/"
    JailRoot host
    JailUser @{[$user->name]}
    $extra
</VirtualHost>
END_OF_HOST
    }
    $user->own($home, mode => 0755);
}
make_accounts(@accounts);
my $httpd = httpd(vhosts => \@vhosts);
for (@checks) {
    my ($panel, $site, $name) = @$_;
    my $res = $httpd->get($name, '/cgi-bin/look');
    my @sees = sort $site, @{ $panel->{sees}{$site} // [] };
    is($res->content, join('', map { "$_\n" } @sees, 'wrote'), "$panel->{name}: $site sees @sees")
      or diag($httpd->log($name));
}
done_testing;
