package JailCGI::Remedy;

# Takes the remedy out of the line in a site's log, has it carried out as it is written, and
# sees that the same request then works. t/httpd/diagnosis.t and t/httpd/remed*.t use it.
# t/lint/carried_out.t counts the codes.

use strict;
use warnings;

use Exporter 'import';
use Test::More;
use Text::ParseWords 'shellwords';
use Time::HiRes ();

our @EXPORT_OK = qw(remedy_holds remedies_hold command_in directive healed one_child);

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
# of the remedy; then `by`, which gets the remedy, carries it out and returns true. `ask` does
# the request in place of get() and returns its status; page: a pattern of what comes then. `at` is another [host, path] that the
# request goes to then, where the remedy moves the script.
sub name_of { my ($row) = @_; return "JCGI$row->{code}, $row->{name}" }

# The first half: the code comes about, and its remedy is carried out.
sub refused {
    my ($httpd, $row) = @_;
    my ($name, @headers) = (name_of($row), @{ $row->{headers} || [] });
    local $Test::Builder::Level = $Test::Builder::Level + 1;

    $httpd->mark($row->{host});
    my $status = $row->{ask} ? $row->{ask}->() : $httpd->get($row->{host}, $row->{path}, @headers)->code;
    is($status, $row->{status} || 500, "$name: status");
    my @lines = grep { /\[client [^\]]+\] JCGI\d+: / } split /\n/, $httpd->log($row->{host});
    my ($line) = grep { /JCGI$row->{code}: / } @lines;
    ok($line, "$name: the code") or return diag($httpd->log($row->{host}));
    like($line, $row->{says}, "$name: what is wrong") if $row->{says};
    my ($remedy) = unescaped($line) =~ /; remedy: (.*)/;
    like($remedy // '', $row->{remedy}, "$name: the remedy");
    ok($row->{by}->($remedy // ''), "$name: was carried out") or diag($remedy);
    return;
}

# The second half.
sub works {
    my ($httpd, $row) = @_;
    my ($host, $path) = @{ $row->{at} || [@$row{qw(host path)}] };
    local $Test::Builder::Level = $Test::Builder::Level + 1;

    my $res = answers($httpd, $host, $path, @{ $row->{headers} || [] });
    is($res->code, 200, name_of($row) . ': and then it runs') or diag(substr $httpd->log($host), -2000);
    like($res->content, $row->{page}, name_of($row) . ': its page') if $row->{page};
    return;
}

sub remedy_holds {
    my ($httpd, %row) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    refused($httpd, \%row);
    works($httpd, \%row);
    return;
}

# For remedies that are lines of the configuration: all rows are refused, `reload` brings the
# lines of the remedies into force, and then all work.
sub remedies_hold {
    my ($httpd, $reload, @rows) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    refused($httpd, $_) for @rows;
    $reload->();
    works($httpd, $_) for @rows;
    return;
}

# Whether a remedy names all directives of these lines, which are in force after the reload.
sub healed {
    my ($lines) = @_;
    return sub {
        my ($remedy) = @_;
        my @names = $lines =~ /^\s*([A-Z]\w+)/mg;
        return !grep { $remedy !~ /\b$_\b/ } @names;
    };
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

# Lines for a server with one child, whose second request uses the channel of the first.
sub one_child {
    return <<'END';
StartServers 1
<IfModule !mpm_prefork_module>
    MinSpareThreads 1
    MaxSpareThreads 50
    MaxRequestWorkers 25
    ServerLimit 1
</IfModule>
<IfModule mpm_prefork_module>
    MinSpareServers 1
    MaxSpareServers 1
    ServerLimit 9
    MaxRequestWorkers 9
</IfModule>
END
}

1;
