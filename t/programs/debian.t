# Programs of Debian do in a jail what they do outside. t/programs/debian.table has them.
# Each runs as the same user outside, under JailRoot host, and in a jail of its own that
# jailcgi makes from its packages; in the jails twice. Output and status must be equal, but
# for the differences that the table expects.
#
# ./check runs those marked "short". JAILCGI_LONG=1 runs all, in a Debian that mmdebstrap
# makes in JAILCGI_TREE (/var/tmp/jailcgi-debian-12). JAILCGI_ONLY='R tcl' runs these.

use lib 't/lib';
use JailCGI::Test;
use JailCGI::DebianTree;
use JailCGI::Namespace;
use JailCGI::ProgramTable;

use File::Path qw(make_path remove_tree);

my @programs = programs();
if (my $only = $ENV{JAILCGI_ONLY}) {
    @programs = grep { " $only " =~ / \Q$_->{name}\E / } @programs;
}
elsif (!$ENV{JAILCGI_LONG}) {
    @programs = grep { $_->{short} } @programs;
}

private_network() or skip_or_fail('no private network here');
enter_tree(JailCGI::ProgramTable::packages()) if $ENV{JAILCGI_LONG};
private_mounts() or skip_or_fail('no private mounts here');

# As systemd sets it: everybody may use ICMP sockets.
open my $range, '>', '/proc/sys/net/ipv4/ping_group_range' or die "ping_group_range: $!";
print {$range} '0 2147483647';
close $range or die "ping_group_range: $!";

my $alice = tenant('alice');
make_accounts($alice);

my $page = <<'END';
#!/bin/sh
printf 'Content-Type: text/plain\n\n'
cd "$HOME/work" || exit
env -i HOME="$HOME" USER=alice LOGNAME=alice SHELL=/bin/sh LC_ALL=C.UTF-8 \
    PATH=/usr/local/bin:/usr/bin:/bin sh -c '. "$HOME/cgi-bin/$0.sh"' @NAME@ 2>&1 </dev/null
printf '\nstatus %s\n' $?
END

# Puts the script of a program into the tenant's cgi-bin.
sub put {
    my ($tenant, $entry) = @_;
    $tenant->script($entry->{name}, $page =~ s/\@NAME\@/$entry->{name}/r);
    $tenant->script("$entry->{name}.sh", $entry->{script});
    return;
}

# An empty directory for the script to run in.
sub make_work {
    my ($tenant) = @_;
    remove_tree($tenant->root . $tenant->jail_home . '/work');
    $tenant->directory($tenant->jail_home . '/work');
    return;
}

sub without_home {
    my ($text, $home) = @_;
    return $text =~ s/\Q$home\E/~/gr;
}

# What the page is for the same user outside of any jail.
sub outside {
    my ($entry) = @_;
    make_work($alice);
    my $home = home_of($alice);
    open my $out, '-|', 'setpriv', '--reuid=' . $alice->uid, '--regid=' . $alice->gid,
      '--clear-groups', '--', 'env', "HOME=$home", $alice->cgi_bin . "/$entry->{name}"
      or die "setpriv: $!";
    my $text = do { local $/; <$out> } // '';
    close $out;
    return without_home($text =~ s/\A.*?\n\n//sr, $home);
}

sub inside {
    my ($httpd, $tenant, $home, $host, $entry) = @_;
    make_work($tenant);
    my $res = $httpd->get($host, "/cgi-bin/$entry->{name}");
    return without_home($res->code == 200 ? $res->content : $res->status_line . "\n", $home);
}

# --- a jail for each program
my %jail;
for my $entry (@programs) {
    my $said = '';
    $jail{ $entry->{name} } = tenant("root-$entry->{name}", uid => $alice->uid,
        gid => $alice->gid, build => sub {
            my ($tenant) = @_;
            my @command = ('tools/jailcgi', 'mkjail', $tenant->root, '--user', 'alice', '--home',
                '/home/alice', split ' ', $entry->{with});
            $said = `@command 2>&1`;
            is($?, 0, "$entry->{name}: a jail") or diag($said);
        });
    $jail{ $entry->{name} }{name} = 'alice';
    note($said);
    put($_, $entry) for $alice, $jail{ $entry->{name} };
}

sub vhosts_of {
    my ($entry) = @_;
    my ($host, $root) = map { join "\n    ", 'JailListen 0', @{ $entry->{lines}{$_} } }
      qw(host root);
    return (
        $alice->vhost($host, root => 'host', user => 'alice', name => "host-$entry->{name}"),
        $jail{ $entry->{name} }->vhost("JailEnv HOME /home/alice\n    $root", user => 'alice',
            name => "root-$entry->{name}"));
}
my $httpd = httpd(config => "Timeout 300\nJailIdle 5s\n", vhosts => [map { vhosts_of($_) } @programs]);
$httpd->user_agent->timeout(300);

for my $entry (@programs) {
    my $name    = $entry->{name};
    my $outside = outside($entry);
    like($outside, qr/^status $entry->{status}$/m, "$name: works outside") or diag($outside);
    my %place = (host => [$alice, home_of($alice)], root => [$jail{$name}, '/home/alice']);
    for my $kind (qw(host root)) {
        my @how = ($httpd, @{ $place{$kind} }, "$kind-$name", $entry);
        my $cold = inside(@how);
        if ($entry->{differs}{$kind}) {
            isnt($cold, $outside, "$name, $kind: differs, as the table expects");
            note($cold);
        }
        else {
            is($cold, $outside, "$name, $kind: as outside") or diag($httpd->log("$kind-$name"));
        }
        is(inside(@how), $cold, "$name, $kind: the same in a warm jail");
    }
}
is(join('', JailCGI::Httpd::slurp('doc/manual/debian.md') =~ /^(\|.*\n)/mg),
    JailCGI::ProgramTable::markdown(), 'doc/manual/debian.md has this table');
done_testing;
