package JailCGI::Builder::Check::Starts;

# Starts what was named, in the jail, as its tenant. The loader of the jail is asked to
# load each program and to bind its symbols (ld.so(8), LD_TRACE_LOADED_OBJECTS); code of
# the program does not run. Known interpreters also start, with an empty program, and
# are asked whether they can read the scripts that were named.
#
# Runs in:   jailcgi check
# Privilege: root up to unshare(1), which gives it up for good before anything of the
#            jail is executed: the tenant, no new privileges, namespaces of its own
#            without network, limits on time and files
# Trusts:    prlimit, setpriv and unshare of this machine; nothing of the jail
# Never:     executes anything of the jail as root, or a program with options that are
#            not in the table below

use strict;
use warnings;

use Fcntl ':mode';
use POSIX ();

use JailCGI::Builder::Ask qw(program);
use JailCGI::Builder::Package;
use JailCGI::Builder::Progress qw(progress);
use JailCGI::Builder::Say qw(note shown quoted);
use JailCGI::Builder::Tree;

use constant { SECONDS => 10, ALL_SECONDS => 120, RUNS_MAX => 500, OUTPUT_MAX => 1 << 16,
    NOBODY => 65_534 };

# The first process of the namespaces stays root's, and all others end with it. It starts
# the command, and loads nothing once it is in the jail. POSIX::setuid sets all three ids.
use constant INSIDE => <<'END';
use POSIX ();
my ($root, $gid, $uid, $trace, @command) = @ARGV;
my $pid = fork // exit 125;
if (!$pid) {
    chroot $root and chdir '/' or POSIX::_exit(125);
    $) = "$gid $gid";
    POSIX::setgid($gid) and POSIX::setuid($uid) or POSIX::_exit(125);
    @ENV{qw(LD_TRACE_LOADED_OBJECTS LD_WARN LD_BIND_NOW)} = (1, 1, 1) if $trace;
    exec { $command[0] } @command or POSIX::_exit(127);
}
waitpid $pid, 0;
exit($? >> 8 || ($? ? 128 + $? : 0));
END

# Harmless: an interpreter with an empty program, or its version.
my @starts = (
    [qr/^(?:ba|da|k|z)?sh$/,               '-c', ':'],
    [qr/^perl(?:5[\d.]*)?$/,               '-e', '1'],
    [qr/^python3?(?:\.\d+)?$/,             '-c', 'import os'],
    [qr/^(?:ruby|node|nodejs|lua)[\d.]*$/, '-e', ''],
    [qr/^php(?:-cgi)?[\d.]*$/,             '-v'],
    [qr/^[gm]?awk$/,                       'BEGIN { exit }'],
    [qr/^(?:git|Rscript|gs|sqlite3)$/,     '--version'],
    [qr/^java$/,                           '-version'],
);

# How an interpreter reads a script without executing it. Perl loads the modules that
# it uses. Python's imports are looked for, as far as they are not in a condition.
my $imports = 'import ast, importlib.util, sys
for n in ast.parse(open(sys.argv[1], "rb").read()).body:
    for m in [a.name for a in n.names] if isinstance(n, ast.Import) else [n.module] \
            if isinstance(n, ast.ImportFrom) and not n.level else []:
        if importlib.util.find_spec(m.split(".")[0]) is None: sys.exit("no module " + m)';
my @reads = (
    [qr/^(?:ba|da|k|z)?sh$/,   '-n'],
    [qr/^perl(?:5[\d.]*)?$/,   '-c'],
    [qr/^python3?(?:\.\d+)?$/, '-c', $imports],
    [qr/^ruby[\d.]*$/,         '-c'],
    [qr/^php(?:-cgi)?[\d.]*$/, '-l'],
);

# Lines that say that something is missing although the status is 0.
my $lacks = qr/undefined symbol|=> not found|Unable to load dynamic library|error while loading/;


# Findings that say it already: always, or if they are about a file of jailcgi's.
my $says_it = qr/^(?:libc-and-loader|mount|unsafe-root|bad-record)$/;
my $says_it_of_ours = qr/^(?:no-(?:interpreter|loader)|missing-(?:library|version|file))$/;

sub check {
    my ($check) = @_;
    my $told = $check->{told} or return;
    return if grep {
        $_->{kind} =~ $says_it
          || ($_->{kind} =~ $says_it_of_ours && $check->{files}{ $_->{path} })
    } @{ $check->{findings} };
    my @named = named($check, $told) or return;
    my @tools = map { program($_) // '' } qw(prlimit setpriv unshare);
    return note(shown($check->{root}) . ': nothing was started in it: prlimit, setpriv or unshare'
          . ' of util-linux is missing') if grep { $_ eq '' } @tools;
    my ($uid, $gid) = tenant($check);
    my $self = { check => $check, tools => \@tools, uid => $uid, gid => $gid,
        end => time + ALL_SECONDS };
    my ($status, $said) = start($self, []);
    return note(shown($check->{root}) . ': nothing was started in it: no namespaces can be made'
          . ' here (' . first_line($said) . ')') if $status && $said =~ /^unshare: unshare failed/m;
    my $count = 0;
    for my $path (@named) {
        progress("$check->{root}: starting program", ++$count, scalar @named);
        if ($count > RUNS_MAX || time > $self->{end}) {
            note(shown($check->{root}) . ': only ' . ($count - 1) . ' of ' . @named
                  . ' programs were started, because it takes too long');
            last;
        }
        one($self, $path);
    }
    return;
}

# The programs of --program, and those of --package that are in the jail.
sub named {
    my ($check, $told) = @_;
    my @paths = @{ $told->{program} };
    my $bin = qr{^/(?:usr/(?:local/)?)?s?bin/[^/]+$|/cgi-bin/|\.(?:cgi|pl|fcgi)$};
    for my $name (@{ $told->{package} }) {
        push @paths, grep { $_ =~ $bin } $told->{from}
          ? split /\n/, $check->{jail}->read_file("/var/lib/dpkg/info/$name.list") // ''
          : program('dpkg-query') ? JailCGI::Builder::Package::files_of($name) : ();
    }
    my %seen;
    return grep {
        my $st = $check->{jail}->resolve($_)->{st};
        !$seen{$_}++ && $st && S_ISREG($st->[2]) && $st->[4] == 0 && $st->[2] & 0111
    } @paths;
}

# The ids of the first tenant, from the passwd that jailcgi has made.
sub tenant {
    my ($check) = @_;
    my $text = $check->{jail}->read_file('/etc/passwd') // '';
    my ($user) = map { (split /:/)[0] } @{ $check->{told}{user} };
    $user =~ s/^#// if defined $user;
    for my $line (defined $user ? split /\n/, $text : ()) {
        my ($name, undef, $uid, $gid) = split /:/, $line;
        next if !defined $gid || $uid !~ /^[1-9]\d*$/ || $gid !~ /^[1-9]\d*$/;
        return ($uid, $gid) if $name eq $user || $uid eq $user;
    }
    return (NOBODY, NOBODY);
}

sub one {
    my ($self, $path) = @_;
    my $check = $self->{check};
    my $found = $check->{jail}->resolve($path);
    my $fh = $check->{jail}->open_found($found) or return;
    my $head = JailCGI::Builder::Tree::read_handle($fh, 256) // '';
    return script($self, $path, $1, $2) if $head =~ /^#![ \t]*(\S+)(?:[ \t]+(\S+))?/;
    my $object = $check->{loader}->object_found($found) or return;
    my $interp = $object->{elf}{interp};
    if (defined $interp && $interp !~ m{/ld-musl}) {
        # --list does not bind symbols.
        local $self->{trace} = 1;
        report($self, $path, 'what its loader says about it', $path) and return;
    }
    my ($how) = grep { ($path =~ m{([^/]+)$})[0] =~ $_->[0] } @starts or return;
    return report($self, $path, 'what it says when it starts', $path, @$how[1 .. $#$how]);
}

sub script {
    my ($self, $path, $interpreter, $argument) = @_;
    my @start  = $interpreter;
    my @option = ($argument // '') =~ /^-[tTwuW]+$/ ? $argument : ();
    if ($interpreter =~ m{/env$}) {
        push @start, $interpreter = $argument // '';
    }
    my ($name) = $interpreter =~ m{([^/]+)$} or return;
    my ($how) = grep { $name =~ $_->[0] } @reads or return;
    return report($self, $path, 'what its interpreter says about it', @start, @option,
        @$how[1 .. $#$how], $path);
}

# Starts a program, and makes a finding if it fails; true if it does.
sub report {
    my ($self, $path, $what, @command) = @_;
    my ($status, $said) = start($self, \@command);
    my ($line) = $said =~ /^(.*$lacks.*)$/m;
    return 0 if !$status && !defined $line;
    my $check = $self->{check};
    $line //= first_line($said);
    $line = 'status ' . ($status >> 8) if $line eq '';
    my $found = substr $line =~ s/ \((?:you may need|\@INC).*//r =~ tr/\t/ /r, 0, 200;
    $check->finding('does-not-start', $path, $what, $found, "success, as uid $self->{uid}",
        remedy($check, $path, $line));
    return 1;
}

sub first_line { return $_[0] =~ /(\S.*)/ ? $1 : '' }

sub remedy {
    my ($check, $path, $line) = @_;
    my $root = $check->shown_root;
    if (my ($module, $dirs) = $line =~ /Can't locate (\S+) in \@INC .*\(\@INC [a-z ]+: ([^)]*)/) {
        my ($there) = grep { $check->{host}->is_file($_) } map { "$_/$module" } split ' ', $dirs;
        return "jailcgi mkjail $root --program " . quoted($there) if $there;
        return 'install the package that has ' . quoted($module) . " on this machine, then jailcgi"
          . " update $root, or jailcgi mkjail $root --package NAME";
    }
    return "jailcgi update $root; if that does not help, see what it needs with " . quoted($path)
      . ' on this machine';
}

# Starts a command of the jail as the tenant: wait status, and what it printed. With an
# empty command nothing of the jail is executed.
sub start {
    my ($self, $command) = @_;
    my ($prlimit, $setpriv, $unshare) = @{ $self->{tools} };
    my $root = "/proc/$$/fd/" . fileno $self->{check}{jail}{fh};
    my @outside = ($prlimit, '--cpu=' . SECONDS, '--fsize=0', '--core=0', '--', $setpriv,
        '--no-new-privs', '--inh-caps=-all', '--', $unshare, qw(--mount --pid --fork --kill-child
        --net --ipc --uts --));
    my @inside = @$command
      ? ($^X, '-e', INSIDE, $root, @$self{qw(gid uid)}, $self->{trace} || 0, @$command)
      : (program('true') // 'true');
    pipe my $read, my $write or return (1, '');
    my $pid = fork // return (1, '');
    if (!$pid) {
        %ENV = (PATH => '/usr/local/bin:/usr/bin:/bin', HOME => '/', LC_ALL => 'C');
        setpgrp;
        open STDIN, '<', '/dev/null';
        open STDOUT, '>&', $write;
        open STDERR, '>&', $write;
        { exec { $outside[0] } @outside, @inside }
        POSIX::_exit(127);
    }
    close $write;
    my ($said, $ended) = gathered($read);
    # The first process of the namespace dies with unshare, and all others with it.
    kill 'KILL', $pid if !$ended;
    waitpid $pid, 0;
    return ($?, $ended ? $said : "has not ended after ${\SECONDS} seconds\n$said");
}

# What comes, up to the end or for some time; and whether the end has come.
sub gathered {
    my ($read) = @_;
    my ($said, $end) = ('', time + SECONDS);
    while (1) {
        my $ready = '';
        vec($ready, fileno $read, 1) = 1;
        my $left = $end - time;
        return ($said, 0) if $left <= 0 || !select $ready, undef, undef, $left;
        my $got = sysread $read, my $part, 4096;
        return ($said, 1) if !$got;
        $said .= $part if length $said < OUTPUT_MAX;
    }
}

1;
