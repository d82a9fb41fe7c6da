package JailCGI::Builder::Ask;

# Asks programs of the host: the loader what it would map, an interpreter where
# its libraries are.
#
# Runs in:   jailcgi, started by the administrator
# Privilege: root
# Trusts:    programs that nobody but root can write
# Never:     executes anything else; passes its own environment on

use strict;
use warnings;

use Exporter 'import';
use Fcntl ':mode';

use JailCGI::Builder::Jail;
use JailCGI::Builder::Say qw(refuse failed shown quoted);
use JailCGI::Builder::Tree;

our @EXPORT_OK = qw(run program is_trusted must_be_trusted libraries preloaded directories_of);

my @path = qw(/usr/local/sbin /usr/local/bin /usr/sbin /usr/bin /sbin /bin);
my %environment = (PATH => join(':', @path), LC_ALL => 'C', HOME => '/');

# run([COMMAND], stdin => TEXT, both => 1): the exit status and what it printed;
# with both, stderr too; with loud it prints to the administrator instead.
sub run {
    my ($command, %option) = @_;
    pipe my $in, my $feed or failed('pipe', $command->[0]);
    my $pid = open(my $out, '-|') // failed('fork', $command->[0]);
    if (!$pid) {
        %ENV = (%environment, %{ $option{env} || {} });
        open STDIN, '<&', $in;
        if ($option{loud}) {
            open STDOUT, '>&', \*STDERR;
        }
        elsif ($option{both}) {
            open STDERR, '>&', \*STDOUT;
        }
        else {
            open STDERR, '>', '/dev/null';
        }
        close $feed;
        chdir '/';
        exec { $command->[0] } @$command;
        exit 127;
    }
    close $in;
    local $SIG{PIPE} = 'IGNORE';
    print {$feed} $option{stdin} if defined $option{stdin};
    close $feed;
    local $/;
    my $said = <$out> // '';
    close $out;
    return ($?, $said);
}

# The path of a program of this name on the host, or undef.
sub program {
    my ($name) = @_;
    my ($found) = grep { -f && -x } map { "$_/$name" } @path;
    return $found;
}

my %trusted;

# Refuses a program that others than root can write, because it would run as root.
sub must_be_trusted {
    my ($path) = @_;
    return if $trusted{$path};
    my $host  = JailCGI::Builder::Tree->host(guard => \&JailCGI::Builder::Jail::refuse_offence);
    my $found = $host->resolve($path);
    if (!$found->{st} || !S_ISREG($found->{st}[2])) {
        refuse($path, 'is not a program of this machine', 'install it, or correct the name');
    }
    my $offence = JailCGI::Builder::Jail::offence($found->{st});
    if (!$offence) {
        $trusted{$path} = 1;
        return;
    }
    return refuse($path, "can be written by others than root ($offence), and so is not"
          . ' executed', 'install it again from its package, because somebody may have'
          . ' changed it; or name another');
}

sub is_trusted {
    my ($path) = @_;
    return eval { must_be_trusted($path); 1 };
}

# The files that the loader would map for OBJECT: ([paths], [missing names]).
# Nothing of OBJECT is executed (ld.so(8), --list).
sub libraries {
    my ($interp, $object, %env) = @_;
    must_be_trusted($_) for $interp, $object;
    my ($status, $said) = run([$interp, '--list', $object], both => 1, env => \%env);
    my (@paths, @missing);
    for my $line (split /\n/, $said) {
        if ($line =~ m{^\s+(\S+) => not found}) {
            push @missing, $1;
        }
        elsif ($line =~ m{^\s+(?:\S.* => )?(/.*?) \(0x[0-9a-f]+\)$}) {
            push @paths, $1;
        }
        elsif ($line =~ /error while loading shared libraries: (\S+):/
            || $line =~ /Error loading shared library (\S+):/) {
            push @missing, $1;
        }
    }
    my $static = $said =~ /statically linked|not a dynamic|Not a valid dynamic/;
    if ($status && !@missing && !$static) {
        refuse($object, "$interp --list fails: " . ($said =~ /(.*)/)[0],
            'look at it with ldd');
    }
    return (\@paths, \@missing);
}

# The files of libraries that are named only at run time (dlopen), and of those
# that they need: the loader is asked for OBJECT with them preloaded.
sub preloaded {
    my ($interp, $object, @names) = @_;
    my ($paths) = libraries($interp, $object, LD_PRELOAD => join ' ', @names);
    return @$paths;
}

# The directories that each interpreter prints: lines that begin with a slash. The last
# column is what it calls them.
my @questions = (
    [qr/^perl(?:5[\d.]*)?$/, ['-e', 'print "$_\n" for @INC'], undef, '@INC'],
    [
        qr/^python3?(?:\.\d+)?$/,
        ['-I', '-c', 'import sys, sysconfig
for d in sys.path + [sysconfig.get_path(n) for n in
        ("stdlib", "platstdlib", "purelib", "platlib")]: print(d)'],
        undef, 'sys.path'
    ],
    [
        qr/^ruby[\d.]*$/,
        ['-e', 'puts $LOAD_PATH; puts Gem.path if defined? Gem'], undef, '$LOAD_PATH'
    ],
    [
        qr/^php(?:-cgi)?[\d.]*$/, ['-q'],
        '<?php echo "\n", ini_get("extension_dir"), "\n",
            php_ini_loaded_file(), "\n", str_replace(",", "\n",
            (string) php_ini_scanned_files()), "\n",
            str_replace(":", "\n", get_include_path()), "\n",
            preg_replace("~^(?!/var/lib/php/sessions$).*~s", "",
                ini_get("session.save_path")), "\n";', 'its extension_dir and include_path'
    ],
);

# What an interpreter calls the directories of its own libraries.
sub name_of_directories {
    my ($path) = @_;
    my ($name) = $path =~ m{([^/]+)$};
    my ($question) = grep { $name =~ $_->[0] } @questions;
    return $question && $question->[3];
}

# Directories that an interpreter's answer cannot add as a whole.
my $too_much = qr{^/(?:[^/]*|usr/[^/]*|usr/local/[^/]*|var/[^/]*)/?$};

sub too_much { return $too_much }

# The trees and files that an interpreter names as its own; nothing for a program
# that is not an interpreter.
sub directories_of {
    my ($path) = @_;
    my ($name) = $path =~ m{([^/]+)$};
    my ($question) = grep { $name =~ $_->[0] } @questions or return;
    must_be_trusted($path);
    my (undef, $arguments, $stdin) = @$question;
    my ($status, $said) = run([$path, @$arguments], stdin => $stdin);
    if ($status) {
        refuse($path, 'does not say where its libraries are: it ends with status '
              . ($status >> 8), "see what `$path -v` says");
    }
    my %seen;
    return grep { m{^/} && -e && $_ !~ $too_much && !$seen{$_}++ }
      map { s/^\s+|\s+$//gr =~ s{(?<=.)/+$}{}r } split /\n/, $said;
}

1;
