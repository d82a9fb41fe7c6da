# A directory of the machine becomes a link or a file, or the reverse: update follows, in
# /usr and elsewhere, at any depth, and nothing is lost that somebody else has put there.

use strict;
use warnings;

use lib 't/lib';
use JailCGI::Tool;
use JailCGI::Namespace;
use Cwd 'getcwd';
use File::Path qw(make_path remove_tree);
use Test::More;

private_host();
my $jail   = place() . '/jail';
my @places = qw(/opt/kinds /usr/local/sbin/kinds);

# build(DIR, {NAME => {...} for a directory, \TARGET for a link, TEXT for a file})
sub build {
    my ($dir, $what) = @_;
    make_path($dir);
    for my $name (sort keys %$what) {
        my $entry = $what->{$name};
        ref $entry eq 'HASH' ? build("$dir/$name", $entry)
          : ref $entry ? symlink($$entry, "$dir/$name") || die "$name: $!"
          :              write_file("$dir/$name", $entry);
    }
    return;
}

sub machine_has {
    my ($what) = @_;
    for my $place (@places) {
        remove_tree($place);
        build($place, $what);
    }
    return;
}

# {PATH => kind and content}; absolute links count as relative ones, as in the jail.
sub shape {
    my ($dir) = @_;
    my %shape;
    for my $line (split /\n/, `cd '$dir' && find . -printf '%P %y %l\n'`) {
        my ($path, $kind, $target) = split / /, $line, 3;
        $shape{$path} = $kind . ($kind eq 'f' ? slurp("$dir/$path") : $target);
    }
    return \%shape;
}

sub follows {
    my ($name, @options) = @_;
    my $said = jailcgi_ok("$name: update", 'update', @options, $jail);
    is_deeply(shape("$jail$_"), shape($_), "$name: $_") or diag($said) for @places;
    unlike($said, qr/left as it is/, "$name: without a word");
    like(jailcgi_ok($name, 'update', $jail), qr/nothing to change/, "$name: nothing to do then");
    return $said;
}

sub litter { return [grep { /\.jailcgi~/ } keys %{ shape($jail) }] }

my %files = map { $_ => "$_\n" } qw(one two);
my %state = (
    directory => { x => {%files}, deep => { er => { x => { sub => {%files}, one => 'one' } } } },
    link      => { x => \'other', other => {%files}, deep => { er => { x => \'../../x' } } },
    file      => { x => "file\n", deep => { er => { x => "file\n" } } },
    # The link leads to what has been there: a name of both has another content.
    moved     => { x => \'y', y => { one => "new one\n", three => "three\n" }, deep => { er => \'../y' } },
    empty     => { x => {}, deep => { er => { x => {} } } },
    nothing   => { deep => {} },
    crossed   => { x => { er => { x => \'../../y' } }, deep => \'x', y => "file\n" },
);
machine_has($state{directory});
jailcgi_ok('a jail', 'mkjail', $jail, '--minimal', map({ ('--tree', $_) } @places), '--program', '/bin/sh');
is_deeply(shape("$jail$_"), shape($_), "has $_") for @places;

# --- each to each
my ($from) = 'directory';
for my $name (sort keys %state) {
    for my $other (grep { $_ ne $name } sort keys %state) {
        if ($from ne $name) {
            machine_has($state{$name});
            follows("$from to $name");
        }
        machine_has($state{$other});
        follows("$name to $other");
        $from = $other;
    }
}
is_deeply(litter(), [], 'nothing is left of it');

# --- what the administrator has put there
sub refused_for {
    my ($name, $own, $becomes) = @_;
    my $before = snapshot($jail);
    my ($status, $out, $err) = jailcgi('update', $jail);
    is($status, 1, "$name: refused");
    like($err, qr{^jailcgi: \Q$jail$own\E: jailcgi has not put it there, or it was changed since, and \S+ has to become \Q$becomes\E; remedy: move it out of \S+, and run this again\njailcgi: \Q$jail\E: the jail is as it was$},
        "$name: with what to do");
    is_deeply(difference($before, snapshot($jail)), [], "$name: it is so");
    return;
}

for my $place (@places) {
    for my $own ("$place/x/own", "$place/deep/er/x/sub/own", "$place/x/one") {
        machine_has($state{directory});
        jailcgi_ok('a directory', 'update', $jail);
        write_file("$jail$own", "mine\n");
        machine_has($state{link});
        my $link = $own =~ m{/deep/} ? '../../x' : 'other';
        refused_for("$own, link", $own, "a link to $link");
        machine_has($state{file});
        refused_for("$own, file", $own, 'a file');
        rename "$jail$own", "$jail/own" or die "rename: $!";
        follows("$own moved away");
        is(slurp("$jail/own"), "mine\n", 'and kept');
    }
}
machine_has($state{directory});
jailcgi_ok('a directory', 'update', $jail);
make_path("$jail/opt/kinds/x/tenant/data");
chown 61190, 61190, "$jail/opt/kinds/x/tenant";
machine_has($state{link});
refused_for('a directory of a tenant', '/opt/kinds/x/tenant', 'a link to other');
remove_tree("$jail/opt/kinds/x/tenant");
my $pid = open my $keeper, '-|', 'unshare', '-m', 'sh', '-c',
  'mount --bind /opt "$1" && echo ready && exec sleep 60', 'sh', "$jail/opt/kinds/x" or die 'unshare';
is(readline $keeper, "ready\n", 'a mount that a keeper has there');
my ($status, $out, $err) = jailcgi('update', $jail);
is($status, 1, 'is no reason to take it away');
like($err, qr{/opt/kinds/x is a mount point for process $pid, and /opt/kinds/x has to become a link to other; remedy: run this when}, 'which it says');
kill 'KILL', $pid;
close $keeper;
follows('afterwards');

# --- something else in the place of a directory or a link
machine_has($state{nothing});
jailcgi_ok('nothing', 'update', $jail);
write_file("$jail$_/x", "mine\n") for @places;
machine_has($state{directory});
($status, $out, $err) = jailcgi('update', $jail);
is($status, 1, 'a file where a directory has to be');
like($err, qr{/kinds/x: is not a directory .*; remedy: remove what is there\n.*the jail is as it was$}, 'is named');
is(slurp("$jail/opt/kinds/x"), "mine\n", 'and stays');
follows('--adopt takes it over', '--adopt');

machine_has($state{nothing});
jailcgi_ok('nothing', 'update', $jail);
make_path(map { "$jail$_/x/mine" } @places);
machine_has($state{link});
my $said = jailcgi_ok('a directory of the administrator where a link has to be', 'update', $jail);
like($said, qr{\Q$jail$_\E/x: left as it is}, "$_: is named") for @places;
ok(-d "$jail$_/x/mine", "$_: and stays") for @places;
($status, $out, $err) = jailcgi('update', '--adopt', $jail);
is($status, 1, '--adopt does not remove what is in it');
like($err, qr{/x/mine: jailcgi has not put it there}, 'and says so');
rmdir "$jail$_/x/mine" for @places;
follows('when it is empty', '--adopt');

machine_has($state{directory});
jailcgi_ok('a directory', 'update', $jail);
for my $place (@places) {
    rename "$jail$place/x", "$jail$place/big" or die "rename: $!";
    symlink 'big', "$jail$place/x" or die "symlink: $!";
    write_file("$place/x/one", "newer\n");
    symlink "$place/x/one", "$place/x/first" or die "symlink: $!";
}
jailcgi_ok('a directory that the administrator has moved', 'update', $jail);
is(readlink "$jail$_/x", 'big', "$_: the link stays") for @places;
is(slurp("$jail$_/big/one"), "newer\n", "$_: and is followed") for @places;
is(readlink "$jail$_/big/first", "$_/x/one", "$_: a link behind it is absolute") for @places;

# --- links are relative in the jail
machine_has({ a => \'/opt/kinds/b/c', b => { c => "c\n", up => \'/opt/kinds/a', out => \'/' } });
remove_tree($jail);
jailcgi_ok('absolute links', 'mkjail', $jail, '--minimal', '--tree', '/opt/kinds', '--program', '/bin/sh');
is(readlink "$jail/opt/kinds/a", 'b/c', 'become relative');
is(readlink "$jail/opt/kinds/b/up", '../a', 'upwards too');
is(readlink "$jail/opt/kinds/b/out", '../../..', 'to the root');
is(readlink "$jail/dev/fd", '/proc/self/fd', 'but for those of /dev');
# A jail of an earlier version.
for my $link (['opt/kinds/a', '/opt/kinds/b/c'], ['opt/kinds/b/up', '/opt/kinds/a']) {
    unlink "$jail/$link->[0]";
    symlink $link->[1], "$jail/$link->[0]" or die "symlink: $!";
}
my $record = slurp("$jail/etc/jailcgi.shape");
write_file("$jail/etc/jailcgi.shape", $record =~ s{^l \S+ (/opt/kinds/a)$}{l /opt/kinds/b/c $1}mr
    =~ s{^l \S+ /opt/kinds/b/up\n}{}mr);
$said = jailcgi_ok('a jail with absolute links', 'update', $jail);
like($said, qr/^\Q$jail\E: 1 replaced; [^\n]*\n\z/, 'is updated without a word');
is(readlink "$jail/opt/kinds/a", 'b/c', 'its own link');
is(readlink "$jail/opt/kinds/b/up", '/opt/kinds/a', 'and not one of somebody else');

# --- a killed run has left files under other names, and the machine has changed since
jailcgi_ok('a jail', 'mkjail', $jail, '--minimal', '--tree', $_) for @places;
write_file("$jail/$_", 'half') for 'opt/kinds/b/.jailcgi~gone', 'etc/.jailcgi~jailcgi.files';
jailcgi_ok('a run', 'update', $jail);
is(scalar @{ litter() }, 2, 'control: without a killed run nobody looks for them');
mkdir "$jail/.jailcgi~next", 0700 or die "mkdir: $!";
like(jailcgi_ok('after a killed run', 'update', $jail), qr/nothing to change/, 'they are no change');
is_deeply(litter(), [], 'and removed');

# --- killed at each step
my @calls = qw(rename renameat2 link unlink symlink mkdir rmdir);
my @strace = ('strace', '-f', '-qq', '-o');
my @update = ($^X, getcwd() . '/tools/jailcgi', 'update', $jail);

# Each name shows the state before or the one afterwards.
sub torn {
    my ($before, $after) = @_;
    return grep { my $is = slurp("$jail$_"); $is ne $before->{$_} && $is ne $after->{$_} }
      sort keys %$before;
}

for my $change (['directory', 'link'], ['link', 'directory'], ['file', 'directory'], ['moved', 'crossed']) {
    my @state = @state{@$change};
    machine_has($state[0]);
    remove_tree($jail, "$jail.before");
    jailcgi_ok("@$change", 'mkjail', $jail, '--minimal', map { ('--tree', $_) } @places);
    my @names = map { my $place = $_; map { "$place/$_" } qw(x/one x/two deep/er/x) } @places;
    my %before = map { $_ => slurp("$jail$_") } @names;
    system('cp', '-a', $jail, "$jail.before") == 0 or die 'cp';
    machine_has($state[1]);
    my $trace = place() . '/trace';
    system(@strace, $trace, '-e', 'trace=' . join(',', @calls), @update) == 0
      or BAIL_OUT('strace is needed');
    my $whole = shape($jail);
    my %after = map { $_ => slurp("$jail$_") } @names;
    my $text = slurp($trace);
    my ($main) = $text =~ /^(\d+)/;
    my (%count, @points);
    push @points, [$_, ++$count{$_}] for $text =~ /^$main +(\w+)\(/mg;
    cmp_ok(scalar @points, '>', 15, "@$change: there are points: " . @points);
    my $step = $ENV{JAILCGI_LONG} ? 1 : int(@points / 12) || 1;
    for my $at (grep { $_ % $step == 0 || $points[$_][0] eq 'renameat2' } 0 .. $#points) {
        my ($call, $n) = @{ $points[$at] };
        system("rm -rf '$jail' && cp -a '$jail.before' '$jail'") == 0 or die 'restore';
        system("@strace /dev/null -e trace=$call -e inject=$call:signal=KILL:when=$n @update >/dev/null 2>&1");
        my @bad = torn(\%before, \%after);
        my ($status, $out, $err) = jailcgi('update', $jail);
        push @bad, $out . $err if $status;
        push @bad, @{ litter() };
        my $is = shape($jail);
        push @bad, grep { ($is->{$_} // '') ne ($whole->{$_} // '') && !m{^etc/jailcgi\.files$} }
          sort keys %{ { %$is, %$whole } };
        is_deeply(\@bad, [], "@$change: killed before $call $n");
    }
}

done_testing;
