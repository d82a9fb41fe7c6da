package JailCGI::Builder::Generated;

# Plans what packages generate on this machine when they are installed, and no package
# owns: the plugin list of graphviz, the formats of TeX, caches of fonts, icons, MIME types
# and schemas, XML catalogs, compiled modules, configuration. They are found in the
# directories of the packages that a jail holds.
#
# Runs in:   jailcgi, started by the administrator
# Privilege: root
# Trusts:    dpkg's database
# Never:     plans a file that others than root can write, or that not everybody can read

use strict;
use warnings;

use Exporter 'import';
use Fcntl ':mode';

use JailCGI::Builder::Tree;

our @EXPORT_OK = qw(add_generated);

# Directories of many packages, in which the unowned files belong to none of them, and
# directories that belong to the machine. The second list is of whole trees.
my $shared = qr{^(?:/[^/]*|/usr/[^/]*|/usr/(?:lib\w*|share|local|include|src)/[^/]*-linux-gnu\w*
  |/usr/share/(?:applications|bug|lintian|perl5|pixmaps|man/\w+)
  |/etc/(?:alternatives|default|init|init\.d|ld\.so\.conf\.d|modprobe\.d|opt|pam\.d
    |profile\.d|security|skel|update-motd\.d)
  |/var/(?:lib|cache|lib/misc))$}x;
my $of_the_machine = qr{^(?:/home|/root|/srv|/run|/tmp|/dev|/proc|/sys|/boot|/media|/mnt
  |/usr/(?:local|src|lib/(?:locale|modules|firmware))|/usr/share/(?:doc|man|locale|zoneinfo)
  |/etc/(?:apt|cron[.\w]*|dpkg|init\.d|kernel|logrotate\.d|rc\w\.d|ssh|ssl|sudoers\.d|systemd
    |udev|network|X11/Xsession\.d)
  |/var/(?:backups|log|mail|opt|spool|tmp|local|www)
  |/var/lib/(?:apt|dpkg|systemd|pam|ucf)|/var/cache/(?:apt|debconf|man))(?:/|$)}x;

# The path of an entry in a merged /usr, under which dpkg may know it by two names.
sub merged {
    my ($path) = @_;
    return $path =~ s{^/(bin|sbin|lib\w*)(?=/)}{/usr/$1}r;
}

# add_generated(PLAN, ALL PATHS THAT dpkg KNOWS, THOSE OF THE PLANNED PACKAGES, ADD): calls
# ADD with each path.
sub add_generated {
    my ($plan, $owned, $planned, $add) = @_;
    my %owned = map { merged($_) => 1 } @$owned;
    for my $dir (sort map { merged($_) } @$planned) {
        next if $dir =~ $shared || $dir =~ $of_the_machine;
        unowned($plan, $dir, \%owned, $add) if $plan->tree->is_directory($dir);
    }
    return;
}

# Below a directory of a package: the entries that no package owns, with what is in them.
sub unowned {
    my ($plan, $dir, $owned, $add) = @_;
    return if $plan->excluded($dir);
    my $found = $plan->tree->resolve($dir);
    # What is behind a link is in a directory of its own name.
    return if !$found->{fh} || $found->{path} ne $dir || !is_public($found->{st}, S_IXOTH);
    for my $name (JailCGI::Builder::Tree::names_in($found->{fh})) {
        my $path = "$dir/$name";
        next if $owned->{$path} || $name =~ /\.dpkg-\w+$|~$/;
        my @st = lstat JailCGI::Builder::Tree::entry($found->{fh}, $name) or next;
        if (S_ISDIR($st[2])) {
            unowned($plan, $path, $owned, $add);
        }
        elsif (S_ISLNK($st[2]) || S_ISREG($st[2]) && is_public(\@st, S_IROTH)) {
            $add->($plan, $path);
        }
    }
    return;
}

# Root's, written by nobody else, and open to everybody.
sub is_public {
    my ($st, $bit) = @_;
    return $st->[4] == 0 && !($st->[2] & S_IWOTH) && $st->[2] & $bit
      && ($st->[5] == 0 || !($st->[2] & S_IWGRP));
}

1;
