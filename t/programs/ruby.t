# Ruby and its CGI library: forms, a session, an upload, a page bit by bit.

use lib 't/lib';
use JailCGI::Test;
use JailCGI::Builder;

use Digest::SHA;
use HTTP::Request::Common ();
use JailCGI::Client;

my $alice = jail_of('Ruby', 'alice');
my ($root, $home) = ($alice->root, $alice->jail_home);
$alice->directory("$home/files");

$alice->script('form.rb', <<'END');
#!/usr/bin/ruby
require 'cgi'
require 'erb'
cgi = CGI.new
page = ERB.new('<p><%= CGI.escapeHTML(cgi["name"]) %> chose <%= cgi.params["colour"].join(",") %></p>')
cookies = [CGI::Cookie.new('a', '1'), CGI::Cookie.new('b', '2')]
cgi.out('type' => 'text/html', 'charset' => 'UTF-8', 'cookie' => cookies) { page.result(binding) }
END
$alice->script('session.rb', <<'END');
#!/usr/bin/ruby
require 'cgi'
require 'cgi/session'
cgi = CGI.new
session = CGI::Session.new(cgi, 'session_key' => 'ruby_id', 'prefix' => 'visits.')
session['visits'] = session['visits'].to_i + 1
visits = session['visits']
session.close
cgi.out('text/plain') { "visits: #{visits}" }
END
$alice->script('upload.rb', <<'END');
#!/usr/bin/ruby
require 'cgi'
require 'digest'
require 'fileutils'
cgi = CGI.new
file = cgi.params['file'].first
path = File.join(Dir.home, 'files', 'uploaded')
file.binmode
File.open(path, 'wb') { |out| IO.copy_stream(file, out) }
cgi.out('text/plain') do
  [file.original_filename, File.size(path), Digest::SHA256.file(path).hexdigest,
   cgi.params['note'].first.then { |note| note.respond_to?(:read) ? note.read : note }].join(' ')
end
END
$alice->script('stream.rb', <<'END');
#!/usr/bin/ruby
$stdout.sync = true
print "Content-Type: text/plain\r\n\r\n"
3.times do |i|
  puts "line #{i}"
  sleep 0.02 until File.exist?("#{Dir.home}/files/go#{i}")
end
puts 'end'
END
$alice->script('fails.rb', <<'END');
#!/usr/bin/ruby
def deep = raise(ArgumentError, 'of no value')
deep
END
$alice->script('option.rb', <<'END');
#!/usr/bin/ruby
print "Content-Type: text/plain\n\n"
puts ENV.key?('RUBYOPT'), Time.at(1719828000).getlocal('+02:00')
END

my $httpd = httpd(
    vhosts => [vhost_of('Ruby', $alice, 'SetEnv RUBYOPT -rnone-such')]);

sub post {
    my ($path, @arguments) = @_;
    my $request = HTTP::Request::Common::POST("http://alice$path", @arguments);
    return $httpd->request('POST', $alice, $path,
        ['Content-Type' => $request->header('Content-Type')], $request->content);
}

my $expected = "<p>J\xc3\xbcrg &lt;&amp;&gt; chose red,blue</p>";
my $res = $httpd->get($alice,
    '/cgi-bin/form.rb?name=J%C3%BCrg+%3C%26%3E&colour=red&colour=blue');
is($res->code, 200, 'a form by GET') or diag($httpd->log($alice));
is($res->content, $expected, 'and what it holds');
is($res->header('Content-Type'), 'text/html; charset=UTF-8', 'its type');
is(scalar(() = $res->header('Set-Cookie')), 2, 'two cookies');
is(post('/cgi-bin/form.rb', [name => "J\xc3\xbcrg <&>", colour => 'red', colour => 'blue'])
      ->content, $expected, 'a form by POST');

$res = $httpd->get($alice, '/cgi-bin/session.rb');
is($res->content, 'visits: 1', 'a session begins') or diag($httpd->log($alice));
my ($cookie) = ($res->header('Set-Cookie') // '') =~ /^(ruby_id=[^;]+)/;
for my $visit (2 .. 3) {
    is($httpd->get($alice, '/cgi-bin/session.rb', Cookie => $cookie // '')->content,
        "visits: $visit", "visit $visit");
}
is($httpd->get($alice, '/cgi-bin/session.rb')->content, 'visits: 1', 'another visitor');

# Binary, with all that could be taken for the end of a part or of a line.
my $noise = "\r\n--x--\r\n\0\x1a\xff" . join '',
  map { Digest::SHA::sha512("upload $_") } 1 .. 330_000;
$res = post('/cgi-bin/upload.rb', 'Content_Type' => 'form-data',
    Content => [file => [undef, 'noise.bin', Content => $noise], note => 'after all']);
is($res->content, join(' ', 'noise.bin', length $noise, Digest::SHA::sha256_hex($noise),
        'after all'), 'an upload of 20 MB')
  or diag($httpd->log($alice));
ok(JailCGI::Httpd::slurp("$root$home/files/uploaded") eq $noise, 'byte by byte');
is_deeply([grep { !/visits\./ } glob "$root/tmp/*"], [], 'no temporary file is left');

my $client = JailCGI::Client->new($httpd);
$client->send_request('GET', $alice, '/cgi-bin/stream.rb');
for my $i (0 .. 2) {
    ok($client->wait_for(qr/line $i/), "line $i comes before the next is made");
    $alice->replace("$home/files/go$i", '');
}
$res = $client->response;
ok($res->{whole} && $res->{body} eq "line 0\nline 1\nline 2\nend\n", 'and the page ends');

like($httpd->get($alice, '/cgi-bin/option.rb')->content,
    qr/^false\n2024-07-01 12:00:00 \+0200$/m, 'no RUBYOPT from SetEnv');
$httpd->log_like($alice, qr/JCGI1211.*: RUBYOPT; remedy: set it by JailEnv/, 'as the log says');
$httpd->log_unlike($alice, qr/JCGI(?!1211)/, 'the module had nothing else to say');
is($httpd->get($alice, '/cgi-bin/fails.rb')->code, 500, 'a script that fails');
$httpd->log_like($alice, qr/fails\.rb:2:in .*ArgumentError/, 'its trace is in the site\'s log');

done_testing;
