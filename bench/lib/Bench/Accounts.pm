package Bench::Accounts;

# What the tenants' accounts cost: each of many hosts has a SuexecUserGroup of its own and
# an account of that name, with and without the module; mod_suexec, which looks both names
# up as well, is in both. With nscd, which a busy shared host has: as Debian configures it,
# and with a hash table made for so many (by itself it has 211 chains, and 10,000 accounts
# make each a hundred entries long); then without.
# The accounts are in the run's own /etc; /run and /var/cache are so while nscd runs.

use strict;
use warnings;

use Exporter 'import';
use POSIX 'WNOHANG';
use Time::HiRes 'sleep';
use Bench::Server qw(common_lines configtest jail_lines start_server stop_server);
use Bench::Util qw(MANY fail note run slurp start_process stop_process wait_for_quiet write_file);

our @EXPORT_OK = qw(measure_accounts);

use constant FIRST_UID => 200_000;

my ($work, $top, $nscd);

# Both kinds have the same lines but those that begin with Jail.
sub config {
    my ($kind, $hosts) = @_;
    my $text = common_lines($work, 'hosts');
    my ($port) = $text =~ /^Listen 127.0.0.1:(\d+)/m;
    $text .= "LoadModule suexec_module /usr/lib/apache2/modules/mod_suexec.so\n";
    $text .= jail_lines($work, 1) . "JailTrust /shared\n" if $kind eq 'isolated';
    $text .= <<"END" for 0 .. $hosts - 1;
<VirtualHost 127.0.0.1:$port>
ServerName s$_
ScriptAlias /cgi-bin/ $work/jail/shared/
SuexecUserGroup tenant$_ tenant$_
</VirtualHost>
END
    my $file = "$work/servers/hosts/httpd-accounts-$kind.conf";
    write_file($file, $text);
    return $file;
}

# Returns what is to be called when they shall go.
sub add_accounts {
    my ($hosts) = @_;
    my %before = map { $_ => slurp("/etc/$_") } qw(passwd group);
    my %line   = (
        passwd => sub { "tenant$_[0]:x:$_[1]:$_[1]::/nonexistent:/usr/sbin/nologin\n" },
        group  => sub { "tenant$_[0]:x:$_[1]:\n" },
    );
    for my $name (keys %line) {
        write_file("/etc/$name", join '', $before{$name},
            map { $line{$name}->($_, FIRST_UID + $_) } 0 .. $hosts - 1);
    }
    return sub { write_file("/etc/$_", $before{$_}) for keys %before };
}

# Debian's, with its own configuration but for the size. Where its socket and its
# databases are cannot be chosen.
sub start_nscd {
    my ($size) = @_;
    my $from = "$top/build/packages";
    my ($program) = grep { -x } '/usr/sbin/nscd', "$from/usr/sbin/nscd";
    my ($conf)    = grep { -e } '/etc/nscd.conf', "$from/etc/nscd.conf";
    $program && $conf or fail('no nscd');
    my $text = slurp($conf);
    $text =~ s/^(\s*suggested-size\s+(?:passwd|group)\s+)\d+/$1$size/mg if $size;
    write_file("$work/nscd.conf", $text);
    for my $dir ('/run', '/var/cache') {
        run('mount', '-t', 'tmpfs', 'tmpfs', $dir);
        mkdir "$dir/nscd" or fail("$dir/nscd: $!");
    }
    $nscd = start_process("$work/nscd.log", $program, '--foreground', '-f',
        "$work/nscd.conf");
    for (1 .. 500) {
        return if -S '/run/nscd/socket';
        last if waitpid($nscd, WNOHANG) != 0;
        sleep 0.02;
    }
    return fail('nscd does not start: ' . slurp("$work/nscd.log"));
}

sub stop_nscd {
    return if !$nscd;
    stop_process($nscd);
    undef $nscd;
    run('umount', '-l', $_) for '/var/cache', '/run';
    return;
}

# In seconds. Here nothing else may be said.
sub test_accounts {
    my ($file) = @_;
    my ($seconds, $said) = configtest($work, $file);
    fail("configtest: $said") if $said !~ /\A(?:AH00558.*\n)?Syntax OK\n\z/;
    return $seconds;
}

sub measure_kinds {
    my ($hosts, $rounds) = @_;
    my %figures = (hosts => $hosts, rounds => $rounds);
    my %file    = map { $_ => config($_, $hosts) } qw(none isolated);
    test_accounts($file{isolated}) if $nscd;    # nscd knows the accounts from now on
    for my $round (1 .. $rounds) {
        for my $kind (qw(none isolated)) {
            wait_for_quiet();
            push @{ $figures{configtest}{$kind} }, test_accounts($file{$kind});
            push @{ $figures{start}{$kind} }, start_server($work, 'hosts', $file{$kind});
            stop_server('hosts');
            note(sprintf '%d accounts%s, %s: configtest %.2f s, start %.2f s', $hosts,
                $nscd ? ' with nscd' : '', $kind, map { $figures{$_}{$kind}[-1] }
                  qw(configtest start));
        }
    }
    return \%figures;
}

# Without nscd each look-up reads the accounts' files from the beginning: one round, and
# with a fifth of the hosts, as the time grows with the square of their number.
sub measure_accounts {
    my ($quick, $figures);
    ($work, $top, $quick, $figures) = @_;
    my $hosts  = MANY;
    my $remove = add_accounts($hosts);
    for (['nscd'], ['nscd_sized', 20_011]) {
        my ($name, $size) = @$_;
        start_nscd($size);
        $figures->{accounts}{$name} = measure_kinds($hosts, $quick ? 3 : 7);
        stop_nscd();
    }
    $remove->();
    $hosts /= 5;
    $remove = add_accounts($hosts);
    $figures->{accounts}{files} = measure_kinds($hosts, 1);
    $remove->();
    return;
}

END { my $status = $?; stop_process($nscd) if $nscd; $? = $status }

1;
