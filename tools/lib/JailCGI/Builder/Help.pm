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
  jailcgi check ROOT...           finds what does not work, and says how to mend it
  jailcgi COMMAND --help          the options of a command

Status: 0 all is well, 1 refused or failed (check: findings), 2 wrong usage
(check: could not check).
END
    mkjail => <<'END',
jailcgi mkjail ROOT OPTION...

Makes the directory ROOT a jail out of what is installed on this machine. Run
again it changes only what differs. What it was told is kept in
ROOT/etc/jailcgi.jail; options that are given later are added.

What it holds
  --program PATH      a program or script with its libraries, and with its
                      interpreter; perl, python3, ruby and php-cgi bring their
                      own libraries. Repeatable.
  --package NAME      the files of an installed Debian package. Repeatable.
  --with-depends      also those of the packages that it depends on
  --tree DIR          a directory with all that is in it. Repeatable.
  --exclude PATTERN   leaves out what matches in trees and packages (* matches
                      slashes too). Repeatable.
  --locale NAME       a locale besides C.UTF-8, as de_DE.UTF-8. Repeatable.
  --minimal           no time zones, CA certificates and mailer
  --mailer HOST:PORT  where /usr/sbin/sendmail delivers (127.0.0.1:25), or none
Its tenant
  --user NAME|#UID[:GROUP|#GID]   a line in its passwd and group. Repeatable.
  --home DIR          his home in the jail, made if it is not there
From a distribution, and not from this machine
  --from NAME:RELEASE debian:bookworm, ubuntu:noble (mmdebstrap, debootstrap);
                      fedora:40 (dnf). --package names its packages.
  --mirror URL        where they come from
How
  --anew              forgets what it was told before
  --adopt             takes over files that are there and are not its own
  --dry-run           says what it would do
  --verbose           names each file
END
    update => <<'END',
jailcgi update ROOT...

Brings jails up to date by what mkjail was told: files that differ from this
machine's are replaced, files that it has no more are removed. What jailcgi did
not put there, or what was changed since, is left as it is and named.

  --adopt      takes over what was changed since
  --contents   compares every byte, and not only size, time and mode
  --dry-run    says what it would do
  --verbose    names each file
END
    check => <<'END',
jailcgi check ROOT...

Finds programs that cannot start, libraries that do not fit each other or differ
from this machine's, missing devices and files, and what others than root could
write. One line each: what, found, expected, remedy. It executes nothing of a
jail and changes nothing.

  --json       the findings as one JSON array
  --no-host    does not compare with this machine
  --quiet      prints nothing if there is nothing to mend

Status: 0 nothing found, 1 findings, 2 wrong usage or could not check.
END
);

sub text {
    my ($command) = @_;
    return $help{ $command // '' };
}

1;
