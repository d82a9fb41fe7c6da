# jailcgi mkjail says before it begins what comes and why, and after it what the packages
# that were named are likely to lack: here those of a small database of dpkg's.

use strict;
use warnings;

use lib 't/lib';
use JSON::PP ();
use JailCGI::Tool;
use JailCGI::Namespace;
use Test::More;

private_host();
-x '/usr/bin/dpkg-query' or skip_or_fail('there is no dpkg-query');
my $jail = place() . '/jail';
my $dpkg = place() . '/dpkg';

# package(NAME, FIELDS, FILE...): each file is made.
my $status = '';
sub package {
    my ($name, $fields, @files) = @_;
    $status .= "Package: $name\nStatus: install ok installed\nMaintainer: x <x\@example.org>\n"
      . "Architecture: all\nVersion: 1\n${fields}Description: x\n\n";
    my %dirs = map { my @up; my $path = $_; push @up, $path while $path =~ s{/[^/]+$}{} && $path ne ''; map { $_ => 1 } @up } @files;
    write_file($_, "#!/bin/sh\necho $_\n", 0755) for @files;
    return write_file("$dpkg/info/$name.list", join '', map { "$_\n" } '/.', sort keys %dirs, @files);
}
&package('report', "Depends: engine, viewer | printer (>= 1), papers, nowhere | nothing\nPre-Depends: base\nRecommends: extra, absent\n",
    '/opt/report/bin/report', '/opt/report/data/one');
&package('engine',  '', '/opt/engine/run', '/opt/report/data/of-engine');
&package('printer', '', '/opt/printer/run');
&package('papers',  '', '/usr/local/sbin/papers');
&package('extra',   '', '/opt/extra/run');
&package('base',    '', '/usr/share/doc/base/copyright');
write_file("$dpkg/status", $status);
write_file("$dpkg/$_", '') for qw(available diversions statoverride info/format);
write_file("$dpkg/info/format", "1\n");
mount_at('/var/lib/dpkg', '--bind', $dpkg);
unlink '/usr/share/doc/base/copyright';
rmdir '/usr/share/doc/base';
# What everybody may read comes with the package (t/tools/generated.t).
write_file('/opt/report/data/made', "by a script of the package\n", 0640);

# --- before
my $size = 1500;
write_file("/opt/data/$_", 'x' x $size) for 1 .. 4;
write_file('/opt/lib/ruby/module', 'x' x 1_200_000);
write_file('/opt/bin/ruby', "#!/bin/sh\necho /opt/lib/ruby\n", 0755);
my ($code, $out, $err) = jailcgi('mkjail', $jail, '--minimal', '--tree', '/opt/data', '--program', '/opt/bin/ruby');
like($out, qr{^  --tree /opt/data: 4 files, 6 kB$}m, 'what a tree brings');
like($out, qr{^  --program /opt/bin/ruby: \d+ files, \d+ [kM]B; 1 file, 1 MB because /opt/bin/ruby brings all of \$LOAD_PATH: --exclude trims it$}m,
    'what an interpreter brings, and why') or diag($out);
my ($all) = $out =~ m{\A\Q$jail\E: brings ([\d,]+) files, };
my $sum = 0;
$sum += tr/,//dr for map { /([\d,]+) files?,/g } grep { /^  / } split /\n/, $out;
is($sum, $all // 0, 'the sum of all lines is what the first one says');
is(scalar(grep { -f && !-l } split /\n/, `find $jail/usr $jail/opt $jail/etc -type f ! -name 'jailcgi.*'`), $all // 0, 'and what is there');
like($out, qr{\n\Q$jail\E: \d+ added\n\z}, 'the result follows');
($code, $out, $err) = jailcgi('mkjail', $jail, '--program', '/opt/engine/run');
like($out, qr{\A\S+: brings 1 file, 0 kB\n  --program /opt/engine/run: 1 file, 0 kB\n\S+: \d added\n\z}, 'a later run says what is new');
($code, $out, $err) = jailcgi('mkjail', $jail, '--dry-run', '--tree', '/opt/extra');
like($out, qr{^  --tree /opt/extra: 1 file, .*dry run}ms, 'also if it does nothing');
ok(!-e "$jail/opt/extra", 'control: it did nothing');
($code, $out, $err) = jailcgi('mkjail', $jail);
is($out, "$jail: nothing to change\n", 'nothing comes: not a word');
($code, $out, $err) = jailcgi('mkjail', $jail, '--tree', '/opt/extra', '--quiet');
is($out . $err, '', '--quiet: not a word');
unlink $_ for '/opt/data/4';
write_file('/opt/data/3', 'y');
unlike(jailcgi_ok('update', 'update', $jail), qr/brings/, 'update does not say it');

# --- after
sub missing {
    my ($name, @options) = @_;
    system('rm', '-rf', $jail);
    my ($code, $out, $err) = jailcgi('mkjail', $jail, '--minimal', '--package', 'report', @options);
    is($code, 0, $name) or diag($err);
    my %missing;
    $missing{$1} = [$2, $3] while $err =~ m{^jailcgi: \Q$jail\E: package report ([a-z]+) (.*), which the jail does not have; remedy: (.*)$}mg;
    return \%missing;
}
my %recommends = (recommends => ['extra, absent', 'apt-get install absent, then --package extra --package absent']);
my %has = (has => ['files that this machine has made: /opt/report/data/made', '--tree /opt/report/data, if it has no secrets']);
is_deeply(missing('a package'), { depends => ['on engine, printer, papers, 1 more', '--with-depends'], %recommends, %has },
    'what it depends on, what it recommends, what was made for it') or diag(explain missing('a package'));
is_deeply(missing('with what it needs', '--with-depends'), { depends => ['on nowhere', '--with-depends'], %recommends, %has },
    'nothing of this is missing');
is_deeply(missing('with one by its program', '--program', '/opt/engine/run', '--program', '/opt/report/data/made'),
    { depends => ['on printer, papers, nowhere', '--with-depends'], %recommends }, 'it counts as there');
is_deeply(missing('what is excluded', '--exclude', '/opt/report/data/m*')->{has}, undef, 'is not named');
unlike(jailcgi_ok('without change', 'mkjail', $jail), qr/depends/, 'it says so once');
system('rm', '-rf', $jail);
($code, $out, $err) = jailcgi('mkjail', $jail, '--minimal', '--package', 'report', '--json');
my $json = JSON::PP->new->decode($out)->{jails}[0];
is_deeply($json->{missing}[0], { package => 'report', kind => 'depends', names => [qw(engine printer papers nowhere)],
    remedy => '--with-depends' }, '--json has it') or diag($out);
is_deeply([map { $_->{files} } grep { $_->{why} eq '--package report' } @{ $json->{brings} }], [5], 'and what comes')
  or diag(explain $json->{brings});
unmount('/var/lib/dpkg');
done_testing;
