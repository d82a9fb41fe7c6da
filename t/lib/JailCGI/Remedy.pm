package JailCGI::Remedy;

# Takes the remedy out of the line in a site's log, has it carried out as it is written, and
# sees that the same request then works. t/httpd/diagnosis.t uses it.

use strict;
use warnings;

use Exporter 'import';
use Test::More;
use Text::ParseWords 'shellwords';
use Time::HiRes ();

our @EXPORT_OK = qw(remedy_holds command_in directive);

# What httpd escapes in its log (ap_escape_errorlog_item).
sub unescaped {
    my ($line) = @_;
    return $line =~ s/\\(["\\])/$1/gr;
}

sub answers {
    my ($httpd, $host, $path, @headers) = @_;
    my $end = Time::HiRes::time() + 30;
    my $res;

    # A keeper that has just failed may not have gone yet.
    do {
        $res = $httpd->get($host, $path, @headers);
        return $res if $res->code == 200;
        Time::HiRes::sleep(0.05);
    } while (Time::HiRes::time() < $end && $res->code == 503);
    return $res;
}

# name, code, host, path; status (500), headers, says: a pattern of the line; remedy: a pattern
# of the remedy; then `by`, which gets the remedy, carries it out and returns true. `at` is
# another [host, path] that the request goes to, such as the host that has the directive.
sub remedy_holds {
    my ($httpd, %row) = @_;
    my ($name, @headers) = ("JCGI$row{code}, $row{name}", @{ $row{headers} || [] });
    local $Test::Builder::Level = $Test::Builder::Level + 1;

    $httpd->mark($row{host});
    is($httpd->get($row{host}, $row{path}, @headers)->code, $row{status} || 500, "$name: status");
    my @lines = grep { /\[client [^\]]+\] JCGI\d+: / } split /\n/, $httpd->log($row{host});
    my ($line) = grep { /JCGI$row{code}: / } @lines;
    ok($line, "$name: the code") or return diag($httpd->log($row{host}));
    like($line, $row{says}, "$name: what is wrong") if $row{says};
    my ($remedy) = unescaped($line) =~ /; remedy: (.*)/;
    like($remedy // '', $row{remedy}, "$name: the remedy");
    ok($row{by}->($remedy // ''), "$name: was carried out") or diag($remedy);
    my ($host, $path) = @{ $row{at} || [@row{qw(host path)}] };
    is(answers($httpd, $host, $path, @headers)->code, 200, "$name: and then it runs")
      or diag($httpd->log($host));
    return;
}

# Runs the command of the remedy that matches, such as chmod u+x FILE, in the jail: its last word
# is a path there. `root` is '' for a jail that has the host's paths.
sub command_in {
    my ($root, $pattern) = @_;
    return sub {
        my ($remedy) = @_;
        my ($command) = $remedy =~ /\b($pattern)/ or return 0;
        my @words = shellwords($command);
        $words[-1] = $root . $words[-1];
        return system(@words) == 0;
    };
}

# The other host of the row has this line, and the remedy names its directive.
sub directive {
    my ($line) = @_;
    my ($name) = ($line // '') =~ /^(\w+)/;
    return sub { return defined $name && $_[0] =~ /\b$name\b/ };
}

1;
