# JailCgroup on a machine with cgroup v2 and systemd. What is tested is in
# t/vm/guest/cgroup.

use strict;
use warnings;

use JailCGI::Machine;

JailCGI::Machine::run('t/vm/guest/cgroup', seconds => 700);
