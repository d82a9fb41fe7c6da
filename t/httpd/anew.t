# A jail is made anew when its root has become another, and not because somebody asks for
# a file that it does not have; and what its limits count is the jail's, however many
# keepers it has.

use lib 't/lib';
use JailCGI::Test;
use JailCGI::Client;
use JailCGI::Namespace;
use JailCGI::Watch qw(keepers_of);

use constant PATIENCE => 30;

private_mounts() or skip_or_fail('no private mounts here');

my $alice = tenant('alice');
$alice->directory($alice->jail_home . '/run');
$alice->script('slow', <<'END');
#!/bin/sh
cd ../run
: >"$QUERY_STRING"
printf 'Content-Type: text/plain\n\n'
while [ ! -e ../go ]; do sleep 0.05; done
rm "$QUERY_STRING"
END
$alice->script('hello', "#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\nhello'\n");
$alice->script('keep',  "#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\n'\n: >/tmp/session; echo kept\n");
$alice->script('kept',  "#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\n'\nls /tmp\n");
# A file that httpd finds and the jail does not have.
symlink '/etc/hostname', $alice->cgi_bin . '/outside' or die "symlink: $!";

my $httpd = httpd(
    vhosts => [
        [$alice, "JailConcurrency 2 queue=0\n    JailMount tmpfs /tmp size=1m"],
        [$alice, 'JailEnv ONE yes', name => 'free'],
    ],
    config => "KeepAlive Off\n",
);

# That of the old root has another root than the tenant's.
sub keepers_in {
    my ($root) = @_;
    return keepers_of(bless { %$alice, root => $root }, ref $alice);
}

sub run_dir { return $alice->root . $alice->jail_home . '/run' }
sub running { return scalar(() = glob run_dir() . '/*') }
sub let_go  { return $alice->replace($alice->jail_home . '/go', '') }

sub forget {
    unlink $alice->root . $alice->jail_home . '/go';
    return;
}

sub ask {
    my ($script, $host) = @_;
    return JailCGI::Client->new($httpd)->send_request('GET', $host || $alice, "/cgi-bin/$script");
}

sub code_of { return ask(@_)->response->{code} }

# --- a request for what is not there ---------------------------------------------

is(ask('keep')->response->{body}, "kept\n", 'a file in /tmp');
my ($keeper) = keepers_of($alice);
is(code_of('outside'), 500, 'a file outside of the jail is refused') for 1 .. 20;
sleep 2;    # for the process that looks
is(code_of('outside'), 500, 'and later');
sleep 1;
is(ask('kept')->response->{body}, "session\n", '/tmp is what it was');
is(join(' ', keepers_of($alice)), $keeper, 'the same keeper serves the jail');

# Again and again a slow script, and then the file that is not there.
my (@held, %codes);
for my $round (1 .. 12) {
    push @held, ask("slow?$round");
    wait_until { running() == ($round < 2 ? $round : 2) } PATIENCE;
    $codes{ code_of('outside') }++;
}
sleep 1;
is(running(), 2, 'never are there more scripts than JailConcurrency says');
is_deeply(\%codes, { 500 => 1, 503 => 11 }, 'the file was asked for and refused once');
let_go();
my @codes = sort map { $_->response->{code} } @held;
is("@codes", join(' ', (200) x 2, (503) x 10), 'two have run');
is(code_of('hello'), 200, 'and after that an ordinary request is served');
is(join(' ', keepers_of($alice)), $keeper, 'by the same keeper');
forget();

# --- another root ----------------------------------------------------------------

@held = ask('slow?1');
ok((wait_until { running() == 1 } PATIENCE), 'a script runs');
my $root = $alice->root;
my $old  = "$root.old";
system('cp', '-a', $root, "$root.new") == 0 or die 'cp';
unlink glob "$root.new" . $alice->jail_home . '/run/*';
(rename($root, $old) && rename("$root.new", $root)) or die "rename: $!";
ok((wait_until { code_of('hello') == 200 } PATIENCE), 'a jail whose root was replaced is made anew');
ok((grep { $_ == $keeper } keepers_in($old)), 'while the old keeper goes on');
push @held, ask('slow?2');
ok((wait_until { running() == 1 } PATIENCE), 'a second script runs in the new jail');
is(code_of("slow?$_"), 503, 'a third does not: those of both jails count') for 3 .. 5;
is(running(), 1, 'indeed');
open my $fh, '>', $old . $alice->jail_home . '/go' or die "go: $!";
close $fh;
is($held[0]->response->{code}, 200, 'that of the old jail ends');
ok((wait_until { !-e "/proc/$keeper" } PATIENCE), 'and its keeper goes');
push @held, ask('slow?6');
ok((wait_until { running() == 2 } PATIENCE), 'which makes room for another');
let_go();
is(join(' ', map { $_->response->{code} } @held[1, 2]), '200 200', 'both end');

done_testing;
