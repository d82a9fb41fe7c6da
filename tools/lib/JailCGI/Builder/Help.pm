package JailCGI::Builder::Help;

# The help texts of jailcgi. doc/manual/mkjail.md has the same options.
#
# Runs in:   jailcgi, started by anybody
# Privilege: none needed
# Trusts:    nothing
# Never:     does anything but print

use strict;
use warnings;

my %help = (
    '' => <<'END',
jailcgi builds jails for mod_jailcgi, keeps them up to date and checks them.

  jailcgi mkjail ROOT OPTION...   makes a jail, or adds to one
  jailcgi update ROOT...          brings jails up to date with this machine
  jailcgi check ROOT...           finds what does not work, and says how to fix it
  jailcgi COMMAND --help          prints the options of a command

Status: 0 for success, 1 if something was refused or failed (check: findings), 2
after wrong usage (check: or if it could not check).
END
    mkjail => <<'END',
jailcgi mkjail ROOT OPTION...

Makes a jail in the directory ROOT from what is installed on this machine. A
later run changes only what differs. ROOT/etc/jailcgi.jail keeps the options, and
those of a later run are added.

Contents of the jail
  --program PATH      adds a program or script with its libraries and its
                      interpreter, and for perl, python3, ruby and php-cgi
                      their own libraries. Repeatable.
  --package NAME      adds the files of an installed Debian package. Repeatable.
  --with-depends      also adds those of the packages on which it depends
  --tree DIR          adds a directory with its contents. Repeatable.
  --exclude PATTERN   leaves out matching files of trees and packages (* matches
                      slashes too). Repeatable.
  --locale NAME       adds a locale besides C.UTF-8, such as de_DE.UTF-8.
                      Repeatable.
  --like ROOT         makes a jail of the same shape as the one in ROOT, and shares
                      its files; none ends it
  --minimal           leaves out time zones, CA certificates, tables of
                      characters (iconv) and the mailer
  --mailer HOST:PORT  sets where /usr/sbin/sendmail delivers (127.0.0.1:25), or
                      none
Tenants
  --user NAME|#UID[:GROUP|#GID]   adds a tenant to passwd and group. Repeatable.
  --home DIR          sets the tenant's home in the jail, and makes it if it does
                      not exist
From a distribution instead of this machine
  --from NAME:RELEASE debian:bookworm, ubuntu:noble (mmdebstrap, debootstrap);
                      fedora:40 (dnf). --package names its packages.
  --mirror URL        sets where the packages are fetched from
Behaviour
  --anew              discards the options of earlier runs
  --adopt             takes over files that exist and are not its own
  --dry-run           prints what it would do
  --verbose           prints the name of each file
  --quiet             prints what is wrong and nothing else
  --json              prints one JSON object
END
    update => <<'END',
jailcgi update ROOT...

Brings jails up to date with the options that mkjail was given. It replaces files
that differ from this machine's and removes those that the machine no longer has.
It leaves files that jailcgi did not put there, or that were changed since, as
they are, and names them. First it proves that what starts in the jail now will
start afterwards. If it fails or is cut off, the jail works as before.

  --adopt      takes over files that were changed since
  --contents   compares every byte, and not only size, time and mode
  --prune      removes what the machine no longer has even if a program of a tenant
               needs it
  --dry-run    prints what it would do
  --verbose    prints the name of each file
  --quiet      prints what is wrong and nothing else
  --json       prints one JSON object
END
    check => <<'END',
jailcgi check ROOT...

Finds programs that cannot start, libraries that do not fit each other or differ
from this machine's, missing devices and files, and files that others than root
could write. It starts what mkjail was told by name, as the tenant, without
network. It prints one line for each: what, found, expected, remedy. It changes
nothing.

  --json       prints one JSON object
  --no-host    does not compare with this machine
  --no-start   starts nothing of the jail
  --quiet      prints nothing if there is nothing to fix

Status: 0 if nothing was found, 1 if something was, 2 after wrong usage or if it
could not check.
END
);

sub text {
    my ($command) = @_;
    return $help{ $command // '' };
}

1;
