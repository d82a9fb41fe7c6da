# What the project exists for. A wrapper that changes root was linked
# dynamically and bound lazily; libraries of two systems met in it, and scripts
# died with a relocation error while nscd ran.
#
# The helper and its keepers load nothing (a), programs in the jail are bound
# before their first byte (b), and nothing that a site or a request can reach
# undoes that (c: t/httpd/binding.t).

use lib 't/lib';
use JailCGI::Test;
use JailCGI::Namespace;
use JailCGI::Nscd;
use JailCGI::Strace;
use File::Copy 'copy';

private_mounts() or skip_or_fail('no mount namespace can be made');
JailCGI::Nscd::program() or skip_or_fail('there is no nscd');
-x '/usr/bin/strace' or skip_or_fail('there is no strace');

# --- the jail, and an account that NSS knows ------------------------------

my $alice    = tenant('alice');
my $betrayed = $alice->root . '/tmp/betrayed';

sub slurp {
    my ($file) = @_;
    open my $fh, '<:raw', $file or die "$file: $!";
    local $/;
    return <$fh>;
}

sub put {
    my ($path, $file) = @_;
    $alice->replace($path, slurp($file), mode => 0755);
    return;
}

# Of the machine, taken from what the jail has before it is spoilt.
sub path_in_jail {
    my ($name) = @_;
    my ($path) = (
        glob($alice->root . "/usr/lib/*/$name"),
        glob($alice->root . "/usr/lib*/$name")
    );
    return substr $path // die("no $name"), length $alice->root;
}

sub set_traps {
    my $libc = path_in_jail('libc.so.6');
    my ($loader) = path_in_jail('ld-linux*.so.*');
    put('/opt/intact/libc.so.6', $alice->root . $libc);
    put('/opt/intact/ld.so',     $alice->root . $loader);
    put($libc, fixture('old_libc.so'));
    $alice->replace($loader, "no loader\n", mode => 0755);
    my $dir = $libc =~ s{/[^/]*$}{}r;
    put("$dir/libnss_$_.so.2", fixture('nss_trap.so'))
      for qw(compat dns systemd);
    put("$dir/libnss_files.so.2", fixture('nss_old.so'));
    $alice->replace('/etc/nsswitch.conf', "passwd: compat\ngroup: compat\n");
    return;
}

# For this test's namespace alone.
sub put_on_machine {
    my ($file, $content) = @_;
    my $own = work_dir() . '/machine' . $file =~ tr{/}{.}r;
    open my $fh, '>', $own or die "$own: $!";
    print {$fh} $content;
    close $fh or die "$own: $!";
    mount_at($file, '--bind', $own);
    return;
}

set_traps();
my ($uid, $gid) = ($alice->uid, $alice->gid);
put_on_machine('/etc/passwd', slurp('/etc/passwd')
      . "alice:x:$uid:${gid}::/home/alice:/bin/sh\n");
put_on_machine('/etc/group', slurp('/etc/group') . "alice:x:$gid:\n");
# A database that is named here is not looked for again behind chroot.
put_on_machine('/etc/nsswitch.conf',
    "passwd: files\ngroup: files\ninitgroups: files\n");
$alice->install(fixture('page_static'),     'static');
$alice->install(fixture('page_own_loader'), 'own_loader');
$alice->install('/bin/true',                'true');

# --- the control ----------------------------------------------------------

# What the wrapper does in this jail, and what it prints.
sub wrapped {
    my ($environment) = @_;
    unlink $betrayed;
    my $program = $alice->jail_cgi_bin . '/static';
    my $command = join ' ', 'env', $environment // (), fixture('wrapper'),
      $alice->root, 'alice', $program;
    return scalar `$command 2>&1 </dev/null`;
}

sub control_without_nscd {
    like(wrapped(), qr/^uid $uid$/m, 'the wrapper works while nscd is stopped');
    return;
}

sub control_with_nscd {
    # "relocation error ... not defined in file libc.so.6 with link time
    # reference", or what the loader of today says instead.
    my $story = qr/(?:relocation|symbol \s lookup) \s error: .*
      libnss_files\.so\.2: .* _nss_files_parse_grent, \s version \s GLIBC_/x;
    like(wrapped(), $story, 'the wrapper falls into the trap: nscd runs');
    ok(-e $betrayed, 'a library of the jail was loaded into it');
    like(wrapped('LD_BIND_NOW=1'),
        qr/^uid $uid$/m, 'LD_BIND_NOW cures it, as it did then');
    return;
}

# --- the helper and its keepers -------------------------------------------

sub must_run {
    my ($httpd, $name) = @_;
    my $res = $httpd->get($alice, "/cgi-bin/$name");
    is($res->code, 200, "$name runs");
    is($res->content, "uid $uid\n", 'as its tenant');
    return;
}

# Files that were opened or named, by their names on this machine. A name in a
# call that failed is taken as it stands.
sub names_of {
    my ($call) = @_;
    my (undef, $name, $arguments, $result) = @$call;
    return $1 if $result =~ /^\d+<(.*)>/;
    return if $name =~ /^(?:mmap|fchdir|chroot|fsopen|fsconfig|pivot_root)$/;
    # These name what lies at a descriptor, or the whole of the root.
    return if $name =~ /^(?:open_tree|move_mount|mount_setattr|u?mount2?)$/
      && $arguments !~ m{"[^"]*[^"/.][^"]*"};
    return $arguments =~ /"((?:[^"\\]|\\.)*)"/ ? $1 : ();
}

# From / to the jail's root, and from there to the scripts. A static program
# asks for its own name when it starts.
sub expected_names {
    my $at       = '';
    my %expected = map { $_ => 1 } '/', '/dev/null', '/proc/self/exe', '';
    for my $part (split m{/}, $alice->root . $alice->jail_cgi_bin) {
        $at .= "/$part" if $part ne '';
        $expected{$at} = 1;
    }
    return \%expected;
}

# Of a procfs that is mounted nowhere: the list of children (src/keeper/serve/children.c), and
# where the process numbers of the jail begin (src/keeper/build/procfs.c).
sub is_of_own_procfs {
    my ($name) = @_;
    return $name =~ m{^/?(?:1/task/1/children|sys/kernel/(?:pid_max|ns_last_pid))$};
}

# The kernel's table, by which the self-test knows what may be written and the keeper
# which owners count.
sub is_table_of_mounts { return $_[0] =~ m{^/proc/\d+/mountinfo$} }

sub check_trace {
    my ($trace, @scripts) = @_;
    my @calls = $trace->calls;
    my $root  = $alice->root;
    my @executed = map { $_->[2] =~ /^"([^"]*)"/ }
      grep { $_->[1] eq 'execve' && $_->[3] eq '0' } @calls;
    shift @executed;
    my @paths = map { $alice->jail_cgi_bin . "/$_" } @scripts;
    is_deeply(\@executed, \@paths, 'the scripts were executed, nothing else');

    my %expected = (%{ expected_names() }, map { $_ => 1 } @paths,
        map { "$root$_" } @paths);
    # A root of another mount namespace shows its names from there on.
    $expected{ substr $_, length $root } = 1 for grep { /^\Q$root\E\/./ } keys %expected;
    # The first call of all executes the helper.
    my @names = map { names_of($_) } @calls[1 .. $#calls];
    ok((grep { $_ eq $root } @names), 'the trace shows the jail');
    ok((grep { $_ eq $alice->jail_cgi_bin } @names),
        'the directory of the scripts');
    ok((grep { $_ eq $paths[0] } @names), 'and the script');
    is_deeply([grep { !$expected{$_} && !is_of_own_procfs($_) && !is_table_of_mounts($_) } @names],
        [], 'nothing else was opened or looked at');
    is_deeply(
        [map { $_->[2] } grep { is_code_of_a_file($_) } @calls],
        [], 'and no library was mapped');
    return;
}

sub is_code_of_a_file {
    my ($call) = @_;
    return $call->[1] eq 'mmap' && $call->[2] =~ /PROT_EXEC/
      && $call->[2] !~ /, -1, /;
}

my $runs = 0;

sub jailed {
    my $dir = work_dir() . '/trace' . ++$runs;
    mkdir $dir, 0755 or die "$dir: $!";
    unlink $betrayed;
    my $trace = JailCGI::Strace->new($dir, work_dir() . '/../lib/jailcgi-helper');
    my $httpd = httpd(
        config => 'JailHelper ' . $trace->program,
        vhosts => [[$alice, '', user => 'alice alice']],
    );
    must_run($httpd, 'static');
    must_run($httpd, 'own_loader');
    $httpd->stop;
    $trace->wait;
    ok(!-e $betrayed, 'no library of the jail was loaded');
    check_trace($trace, qw(static own_loader));
    return;
}

subtest 'the traps are set' => sub {
    my $root = $alice->root;
    my $run  = `chroot $root /home/alice/cgi-bin/true 2>&1`;
    isnt($?, 0, 'a program with the jail\'s loader does not run');
    $run = `chroot $root /opt/intact/ld.so /home/alice/cgi-bin/true 2>&1`;
    like($run, qr/libc\.so\.6/, 'nor with the jail\'s libc and a good loader');
};

subtest 'nscd stopped' => sub {
    control_without_nscd();
    jailed();
};

subtest 'nscd running' => sub {
    my $nscd = JailCGI::Nscd->start(work_dir());
    control_with_nscd();
    jailed();
    like($nscd->asked, qr/GETPWBYNAME \(alice\)/, 'nscd was asked');
    $nscd->stop;
};

done_testing;
