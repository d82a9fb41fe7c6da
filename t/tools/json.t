# jailcgi --json: one object on stdout whatever happens, with a version, a summary and
# the exit status; and progress, which is on stderr alone.

use strict;
use warnings;

use lib 't/lib';
use JSON::PP ();
use JailCGI::Tool;
use JailCGI::Namespace;
use POSIX ();
use Test::More;

private_host();
my $jail = place() . '/jail';
write_file("/opt/data/$_", "$_\n") for qw(one two);

# The object, which is all that a command has printed.
sub object {
    my ($name, @arguments) = @_;
    my ($status, $out, $err) = jailcgi(@arguments);
    my $json = eval { JSON::PP->new->decode($out) };
    ok($json, "$name: stdout is one object") or return diag($@, $out, $err);
    is($json->{version}, 1, "$name: with a version");
    is($json->{status}, $status, "$name: and the exit status, $status");
    like($json->{summary} // '', qr/\w/, "$name: and a summary");
    is($json->{command}, $arguments[0], "$name: and the command") if $arguments[0] !~ /^-/;
    is($err, '', "$name: and nothing is on stderr");
    return $json;
}

sub jail_is {
    my ($json, $name, %expected) = @_;
    my %has = map { $_ => $json->{jails}[0]{$_} } keys %expected;
    return is_deeply(\%has, \%expected, $name) || diag(explain $json);
}

# --- what is done
my @tree = ('--minimal', '--tree', '/opt/data');
my $json = object('mkjail', 'mkjail', $jail, @tree, '--json');
my $added = $json->{jails}[0]{counts}{added};
cmp_ok($added // 0, '>', 2, 'mkjail counts');
jail_is($json, 'mkjail', root => $jail, state => 'changed', status => 0, summary => "$added added",
    left => []);
jail_is(object('again', 'mkjail', $jail, '--json'), 'again', state => 'unchanged', status => 0,
    summary => 'nothing to change', counts => {});
jail_is(object('check', 'check', '--json', $jail), 'check', root => $jail, state => 'whole',
    status => 0, count => 0, summary => 'nothing to fix');
write_file('/opt/data/one', "another one\n");
jail_is(object('dry run', 'update', '--dry-run', '--verbose', '--json', $jail), 'dry run', state => 'dry-run',
    counts => { replaced => 1 }, changes => [{ path => '/opt/data/one', what => 'replaced' }]);
jail_is(object('update', 'update', '--json', $jail), 'update', state => 'changed', counts => { replaced => 1 });
$json = object('like', 'mkjail', place() . '/like', '--like', $jail, '--json');
my $shared = $json->{jails}[0]{shared} || {};
is_deeply([@$shared{qw(with how)}], [$jail, 'hard links'], 'what is shared') or diag(explain $json);
cmp_ok($shared->{files} // 0, '>', 2, 'and how much');

# --- what is left, and notes
write_file("$jail/opt/data/one", "by hand\n");
jail_is(object('left', 'update', '--json', $jail), 'left', state => 'unchanged',
    left => ['/opt/data/one'], notes => ["$jail/opt/data/one: left as it is, for jailcgi has not put"
          . ' it there or it was changed since; --adopt takes it over']);
$json = object('findings', 'check', '--json', (unlink "$jail/dev/null") ? $jail : ());
jail_is($json, 'check', state => 'broken', status => 1, count => 1,
    summary => 'broken: 1 of 1 findings keep programs from their work');
is_deeply([map { "$_->{root} $_->{kind} $_->{path}" } @{ $json->{findings} }], ["$jail device /dev/null"],
    'findings');

# --- refusals
my $no = place() . '/no';
$json = object('one of two', 'update', '--json', '--adopt', $no, $jail);
is_deeply([map { "$_->{root} $_->{state} $_->{status}" } sort { $a->{root} cmp $b->{root} } @{ $json->{jails} }],
    ["$jail changed 0", "$no as-it-was 1"], 'each jail has its state');
my ($refused) = grep { $_->{error} } @{ $json->{jails} };
is_deeply($refused->{error}, { subject => $no, reason => 'is not a directory (No such file or directory)',
        remedy => 'name the root of a jail', text => "$no: is not a directory (No such file or directory);"
          . ' remedy: name the root of a jail' }, 'and its error');
jail_is(object('unchecked', 'check', '--json', $no), 'unchecked', state => 'unchecked', status => 2);
write_file('/opt/data/two', "another two\n");
mkdir "$jail/opt/data/.jailcgi~two";
jail_is(object('failed', 'update', '--json', $jail), 'failed', state => 'as-it-was', status => 1);
rmdir "$jail/opt/data/.jailcgi~two";
for my $wrong (['mkjail', '--json'], ['mkjail', $jail, '--json', '--no-such'], ['frobnicate', '--json'],
    ['--json'], ['mkjail', '--json', $jail, '--user', 'no such'], ['update', '--json', 'a', '--mirror']) {
    $json = object("@$wrong", @$wrong);
    is($json->{status}, 2, "@$wrong: status 2");
    my $error = $json->{error} // $json->{jails}[0]{error};
    is_deeply([sort keys %{ $error || {} }], [qw(reason remedy subject text)], "@$wrong: an error");
}

# --- names that are no text
write_file("/opt/data/\xff\e[2J\"", "x\n");
$json = object('names', 'update', '--verbose', '--json', $jail);
is_deeply([grep { /xff/ } map { $_->{path} } @{ $json->{jails}[0]{changes} }], ['/opt/data/\xff\x1b[2J"'],
    'are shown as without --json');

# --- --quiet
my ($status, $out, $err) = jailcgi('update', '--quiet', $jail);
is("$status$out$err", '0', 'update --quiet says nothing');

# --- progress: on a terminal one line, on stderr
sub on_terminal {
    my (@arguments) = @_;
    my $tool = $ENV{JAILCGI_TOOL} || 'tools/jailcgi';
    return `script -qec "$tool @arguments 2>&1 >$jail.out" /dev/null </dev/null`;
}
my $said = on_terminal('mkjail', place() . '/progress', @tree);
like($said, qr/\r[^\r\n]*: planning\e\[K\r/, 'a terminal shows what is being done');
like($said, qr/\r\e\[K\z/, 'and then nothing of it');
unlike($said, qr/\n/, 'in one line');
like(slurp("$jail.out"), qr/\A[^\r\e]*^\S+: \d+ added\n\z/m, 'stdout has none of it');
is(on_terminal('update', '--quiet', place() . '/progress'), '', '--quiet: nothing');

# --- elsewhere a line every few seconds
require './tools/lib/JailCGI/Builder/Progress.pm';
my ($now, $lines) = (0, '');
{
    no warnings qw(redefine once);
    local *JailCGI::Builder::Progress::now = sub { return $now };
    open my $fh, '>', \$lines or die;
    local *STDERR = $fh;
    JailCGI::Builder::Progress::start(0);
    for my $i (1 .. 1280) {
        $now = $i / 64;
        JailCGI::Builder::Progress::progress('making file', $i, 1280);
    }
}
my @lines = split /\n/, $lines;
cmp_ok(scalar @lines, '>', 2, 'some in twenty seconds');
cmp_ok(scalar @lines, '<', 6, 'not many');
is_deeply([grep { !/^jailcgi: making file \d+ of 1280$/ } @lines], [], 'that say how far it is') or diag($lines);

done_testing;
