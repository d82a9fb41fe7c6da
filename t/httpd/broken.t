# A page that is broken off does not look whole, whatever filters it goes through: those
# that drop the bucket which says so included. Under HTTP/1.1 the last chunk is missing
# and the connection is closed; under HTTP/2 the stream is reset.
# MPM: event, worker, prefork

use lib 't/lib';
use JailCGI::Test;
use JailCGI::Client;

use constant PAGE => 600_000;    # more than is passed on at once

my $alice = tenant('alice');
my $text  = q{printf 'Content-Type: text/plain\n\n'};
my %end   = (killed => 'kill -KILL $$', whole => 'echo end');
for my $end (keys %end) {
    $alice->script("large-$end",
        "#!/bin/sh\n$text\nhead -c @{[PAGE]} /dev/zero | tr '\\0' x\n$end{$end}\n");
    $alice->script("small-$end", "#!/bin/sh\n$text\necho first\nsleep 0.3\n$end{$end}\n");
    $alice->replace($alice->jail_htdocs . "/include-$end.shtml",
        qq{before <!--#include virtual="/cgi-bin/small-$end" --> after\n});
}
my $dir = work_dir();
open my $fh, '>', "$dir/filter.lua" or die "filter.lua: $!";
print {$fh} <<'END';
function filter(r)
    coroutine.yield("")
    while bucket ~= nil do
        coroutine.yield(string.upper(bucket))
    end
    coroutine.yield("")
end
END
close $fh or die "filter.lua: $!";
chmod 0644, "$dir/filter.lua" or die "filter.lua: $!";

# What each does to all scripts and pages of its host.
my %filters = (
    none       => '',
    sed        => "OutputSed \"s/first/FIRST/g\"\n AddOutputFilterByType Sed text/plain text/html",
    substitute => "Substitute s/first/FIRST/\n AddOutputFilterByType SUBSTITUTE text/plain text/html",
    external   => 'SetOutputFilter external',
    deflate    => 'SetOutputFilter DEFLATE',
    lua        => 'SetOutputFilter lua',
    two        => 'SetOutputFilter lua;DEFLATE',
);
my $h2    = mpm() ne 'prefork';
my $httpd = httpd(
    modules => [qw(filter sed substitute ext_filter deflate lua include), $h2 ? 'http2' : ()],
    config  => <<"END" . ($h2 ? "Protocols h2c http/1.1\n" : ''),
ExtFilterDefine external mode=output cmd=/bin/cat
LuaOutputFilter lua "$dir/filter.lua" filter
END
    vhosts => [map { my $lines = $filters{$_}; $alice->vhost(<<"END", name => $_) } sort keys %filters],
    <Location />
        $lines
    </Location>
    <Directory "@{[$alice->htdocs]}">
        Options +Includes
        AddType text/html .shtml
        AddOutputFilter INCLUDES .shtml
    </Directory>
END
);

sub by_http1 {
    my ($host, $path) = @_;
    my $client = JailCGI::Client->new($httpd);
    $client->send_request('GET', $host, $path, ['Accept-Encoding: gzip']);
    my $res = $client->response;
    return $res->{code} == 200 && $res->{whole} ? 'whole' : 'broken';
}

sub by_http2 {
    my ($host, $path) = @_;
    my $port = $httpd->port;
    my $code = qx(curl -q --silent --http2-prior-knowledge --max-time 60 -H 'Accept-Encoding: gzip' --resolve $host:$port:127.0.0.1 -o /dev/null -w '%{http_code}' http://$host:$port$path);
    return $? == 0 && $code eq '200' ? 'whole' : 'broken';
}

my %ways = ('HTTP/1.1' => \&by_http1, $h2 ? ('HTTP/2' => \&by_http2) : ());
for my $way (sort keys %ways) {
    for my $host (sort keys %filters) {
        for my $page (qw(/cgi-bin/small-% /cgi-bin/large-% /include-%.shtml)) {
            for my $end (qw(whole killed)) {
                my $path = $page =~ s/%/$end/r;
                is($ways{$way}->($host, $path), $end eq 'whole' ? 'whole' : 'broken',
                    "$way, $host: $path");
            }
        }
    }
}
done_testing;
