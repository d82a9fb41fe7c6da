# The group of a script with JailUser owner, in the layouts of panels: directories and files of
# the web server's group, set-group-id directories. An owner with an account runs with the groups
# of the account, whatever the group of the file is; without one, the group of the file decides.

use lib 't/lib';
use JailCGI::Test;
use JailCGI::Namespace;
use JailCGI::Remedy 'remedy_holds';

private_mounts() or skip_or_fail('no private mounts here');

use constant PANEL => 33;    # www-data of Debian, below JailMinGID
my ($alice, $carol, $dave, $erin) = map { tenant($_) } qw(alice carol dave erin);
my ($uid, $gid) = ($alice->uid, $alice->gid);
my $editors = 61900;
# The primary group of dave's account is below JailMinGID, and that of erin's is root's.
$dave->{gid} = PANEL;
$erin->{gid} = 0;
make_accounts($alice, $dave, $erin, "jailcgi-editors:x:$editors:alice");
my $text = <<'END';
#!/bin/sh
printf 'Content-Type: text/plain\n\n%s %s %s\n' "$(id -u)" "$(id -g)" "$(id -G | tr ' ' ,)"
END

# Returns the address of a script of the tenant, its directory and itself as the arguments say.
my $number = 0;
sub script {
    my ($tenant, $dir, $file) = @_;
    my $in  = $tenant->jail_cgi_bin . '/row' . $number++;
    my @own = (uid => $tenant->uid, gid => $tenant->uid, mode => 0755);
    $tenant->directory($in, @own, %$dir);
    $tenant->replace("$in/t.sh", $text, @own, %$file);
    return $in =~ s{.*/}{/cgi-bin/}r . '/t.sh';
}

my %root = (path => undef, host => 'host', none => 'none');
my (@vhosts, @bind);
for my $tenant ($alice, $carol, $dave, $erin) {
    for my $root (sort keys %root) {
        # Who has no account has no home under JailRoot host.
        my $more = $root eq 'host' && $tenant != $alice ? "JailMount bind ${\home_of($tenant)}" : '';
        push @vhosts, map { $tenant->vhost($more, root => $root{$root} // $tenant->root, user => $_,
                name => join '-', $tenant->name, $root, split / /) } 'owner', 'owner directory';
    }
}
push @vhosts, $dave->vhost('JailMinGID ' . PANEL, user => 'owner', name => 'dave-lower');
my $httpd = httpd(vhosts => \@vhosts);

sub runs {
    my ($host, $path, $ids, $name) = @_;
    my $res = $httpd->get($host, $path);
    is($res->content, "$ids\n", "$host: $name") or diag($httpd->log($host));
    return;
}

sub refused {
    my ($host, $path, $code, $says, $name, $status) = @_;
    $httpd->mark($host);
    my $res = $httpd->get($host, $path);
    is($res->code, $status // 500, "$host: $name: refused");
    unlike($res->content, qr/^\d+ \d+/, "$host: $name: not run");
    $httpd->log_like($host, qr/JCGI$code: .*$says/, "$host: $name: JCGI$code");
    return;
}

# --- an owner with an account

my $mine   = "$uid $gid $gid,$editors";
my %layout = (
    'a directory of the panel\'s group'          => [{ gid => PANEL, mode => 02751 }, {}],
    'a script of the panel\'s group too'         => [{ gid => PANEL, mode => 02751 }, { gid => PANEL, mode => 0750 }],
    'a script of that group, the directory not'  => [{}, { gid => PANEL, mode => 0750 }],
    'a directory for the group of httpd alone'   => [{ gid => scalar getgrnam('nogroup'), mode => 02750 }, { gid => scalar getgrnam('nogroup'), mode => 0750 }],
    'a script of another group of the user'      => [{}, { gid => $editors }],
    'a directory of another group of the user'   => [{ gid => $editors }, {}],
    'a script of another user\'s group'          => [{}, { gid => $carol->gid }],
    'a script of root\'s group'                  => [{}, { gid => 0 }],
    'a directory of root\'s group'               => [{ gid => 0 }, {}],
    'set-group-id to the user\'s own group'      => [{ gid => PANEL }, { mode => 02755 }],
);
for my $name (sort keys %layout) {
    my $path = script($alice, @{ $layout{$name} });
    for my $root (sort keys %root) {
        runs("alice-$root-owner", $path, $mine, $name);
        runs("alice-$root-owner-directory", $path, $mine, $name);
    }
}
sub keepers {
    return grep { process_status($_)->{Name} eq 'jailcgi-keeper' } descendants($httpd->helper_pid);
}
is(scalar keepers(), 6, 'all groups of one user have one jail in each host');

my %offence = (
    'a directory that its group may write' => [1504, 'chmod', { gid => PANEL, mode => 02775 }, {}],
    'a script that its group may write'    => [1508, 'chmod', {}, { gid => PANEL, mode => 0775 }],
    'set-group-id to the panel\'s group'   => [1509, 'setgid', {}, { gid => PANEL, mode => 02755 }],
    'set-group-id to another of the user'  => [1509, 'setgid', {}, { gid => $editors, mode => 02755 }],
    'a script of root'                     => [1306, 'found uid 0', {}, { uid => 0 }],
);
for my $name (sort keys %offence) {
    my ($code, $says, @layout) = @{ $offence{$name} };
    my $path = script($alice, @layout);
    refused("alice-$_-owner", $path, $code, $says, $name) for sort keys %root;
}

# --- the group of the account

my $lower = script($dave, {}, {});
refused("dave-$_-owner", $lower, 1306, 'found gid of the account ' . PANEL, 'an account of a low group')
  for sort keys %root;
runs('dave-lower', $lower, "@{[$dave->uid]} ${\PANEL} ${\PANEL}", 'JailMinGID admits it');
my $roots = script($erin, {}, {});
refused("erin-$_-owner", $roots, 1016, 'root\'s group', 'an account of root\'s group', 503) for sort keys %root;

# --- an owner without an account

my ($c, $of_carol) = ($carol->uid, "$carol->{uid} $carol->{gid}");
my $panel = script($carol, { gid => PANEL, mode => 02751 }, {});
runs("carol-$_-owner", $panel, "$of_carol $c", 'no account: the group of the script decides') for sort keys %root;
refused('carol-path-owner-directory', $panel, 1306, 'found gid 33', 'no account: the group of the directory decides');
my $late = script($carol, { gid => PANEL, mode => 02751 }, { gid => PANEL });
my $file = $carol->cgi_bin . $late =~ s{^/cgi-bin}{}r;
refused("carol-$_-owner", $late, 1306, 'found gid 33; the nearest allowed id is 1000,', 'no account: the panel\'s group')
  for sort keys %root;
remedy_holds($httpd, name => 'no account', code => 1306, host => 'carol-path-owner', path => $late,
    remedy => qr/^chown it .* to a group of the site's own if the user has no account/,
    by => sub { chown $c, $carol->gid, $file });
# The other remedy: the account comes to be known.
chown $c, PANEL, $file or die "$file: $!";
refused('carol-none-owner', $late, 1306, 'a new account counts after a reload', 'the panel\'s group again');
make_accounts($carol);
$httpd->regenerate;
runs("carol-$_-owner", $late, "$of_carol $c", 'with an account') for sort keys %root;
runs('carol-path-owner-directory', $panel, "$of_carol $c", 'with an account');

done_testing;
