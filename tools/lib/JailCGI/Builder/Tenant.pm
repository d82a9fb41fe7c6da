package JailCGI::Builder::Tenant;

# Plans the users of a jail: its passwd and group, and their homes.
#
# Runs in:   jailcgi, started by the administrator
# Privilege: root
# Trusts:    the host's passwd and group
# Never:     plans a user with uid or gid 0

use strict;
use warnings;

use Exporter 'import';

use JailCGI::Builder::Say qw(refuse shown usage_error);

our @EXPORT_OK = qw(add_users);

# Directories that must not become a home, because they belong to the system.
my $of_the_system = qr{^/(?:(?:bin|boot|dev|etc|lib\w*|proc|run|sbin|sys|usr)(?:/.*)?|tmp)?$};

# NAME, #UID, NAME:GROUP, #UID:#GID: {name, uid, gid, group, home}
sub user_of {
    my ($told) = @_;
    my ($user, $group) = split /:/, $told, 2;
    my @pw = $user =~ /^#(\d+)$/ ? getpwuid $1 : getpwnam $user;
    my $uid = $user =~ /^#(\d+)$/ ? $1 : $pw[2];
    if (!defined $uid) {
        usage_error("--user $told", "there is no user $user on this machine",
            "useradd $user, or give a number as #1000:#1000");
    }
    my ($gid, $group_name) = group_of($told, $group // (@pw ? "#$pw[3]" : undef));
    if ($uid == 0 || $gid == 0) {
        usage_error("--user $told", "has uid $uid and gid $gid, and a tenant is never root",
            'name the user that JailUser names');
    }
    my $name = $pw[0] // "uid$uid";
    return { name => $name, uid => $uid, gid => $gid, group => $group_name // $name,
        home => $pw[7] // "/home/$name" };
}

sub group_of {
    my ($told, $group) = @_;
    if (!defined $group) {
        usage_error("--user $told", 'has no group, for there is no such user here',
            'give it with a colon, as #1000:#1000');
    }
    my @gr = $group =~ /^#(\d+)$/ ? getgrgid $1 : getgrnam $group;
    my $gid = $group =~ /^#(\d+)$/ ? $1 : $gr[2];
    if (!defined $gid) {
        usage_error("--user $told", "there is no group $group on this machine",
            'give another, or a number as #1000');
    }
    return ($gid, $gr[0]);
}

# Groups of the host that name one of the users as a member.
sub memberships {
    my (@users) = @_;
    my %member = map { $_->{name} => 1 } @users;
    my %found;
    setgrent;
    while (my ($name, undef, $gid, $members) = getgrent) {
        my @here = grep { $member{$_} } split ' ', $members;
        $found{$gid} = [$name, @here] if @here && $gid != 0;
    }
    endgrent;
    return %found;
}

# The path of the home in the jail, to which mod_jailcgi sets HOME.
sub home_inside {
    my ($home, $root) = @_;
    return '/' if $home eq $root;
    return index($home, "$root/") == 0 ? substr $home, length $root : $home;
}

# add_users(PLAN, [TOLD], home => DIR, root => ROOT). The new lines follow those of
# passwd and group.
sub add_users {
    my ($plan, $told, %option) = @_;
    my @users = map { user_of($_) } @$told;
    if (defined $option{home}) {
        usage_error("--home $option{home}", 'there is not exactly one --user',
            'name one user with it') if @users != 1;
        usage_error("--home $option{home}", 'is no directory that a tenant can have',
            'choose one as /home/alice')
          if $option{home} !~ m{^/} || $option{home} =~ m{/\.\.?(?:/|$)|[:\n]}
          || $option{home} =~ $of_the_system;
        $users[0]{home} = $option{home};
    }
    my %group  = memberships(@users);
    my $passwd = $option{passwd} // "root:x:0:0:root:/:/usr/sbin/nologin\n";
    for my $user (@users) {
        my $home = home_inside($user->{home}, $option{root}) =~ s{(?<=.)/+$}{}r;
        $passwd .= join(':', $user->{name}, 'x', @$user{qw(uid gid)}, '', $home,
            '/bin/sh') . "\n";
        $group{ $user->{gid} } ||= [$user->{group}];
        next if $home =~ $of_the_system || $home eq '/nonexistent' || $home !~ m{^/};
        $plan->put($home, type => 'dir', uid => $user->{uid}, gid => $user->{gid});
    }
    my $group = join '', $option{group} // "root:x:0:\n", map {
        my ($name, @members) = @{ $group{$_} };
        "$name:x:$_:" . join(',', @members) . "\n"
    } sort { $a <=> $b } keys %group;
    $plan->put('/etc/passwd', type => 'file', content => $passwd, mode => 0644);
    $plan->put('/etc/group',  type => 'file', content => $group,  mode => 0644);
    return;
}

1;
