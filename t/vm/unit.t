# mod_jailcgi in a real machine with systemd: apache2.service as Debian ships
# it. What is tested is in t/vm/guest/unit.

use strict;
use warnings;

use JailCGI::Machine;

JailCGI::Machine::run('t/vm/guest/unit', seconds => 600);
