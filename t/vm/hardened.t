# mod_jailcgi below a hardened apache2.service. What is tested is in
# t/vm/guest/hardened.

use strict;
use warnings;

use JailCGI::Machine;

JailCGI::Machine::run('t/vm/guest/hardened', seconds => 800);
