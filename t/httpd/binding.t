# The program in the jail is bound before its first byte: LD_BIND_NOW=1 is in
# its environment, set last. Nothing that a site, a request or httpd's own
# environment holds removes it or sets a name by which code is loaded.

# What PassEnv would pass on; before anything reads them.
BEGIN {
    $ENV{PERL5OPT}        = '-Mstrict';
    $ENV{GCONV_PATH}      = '/tmp/gconv';
    $ENV{LD_BIND_NOW}     = '';
    $ENV{PASSED_HARMLESS} = 'yes';
}

use lib 't/lib';
use JailCGI::Test;

# --- a program and a library that do not fit ------------------------------

sub greeting_tenant {
    my ($name, $library) = @_;
    my $tenant = tenant($name);
    $tenant->install(fixture('greeter'), 'greeter');
    $tenant->directory('/opt/greet', uid => 0, gid => 0);
    open my $fh, '<:raw', fixture($library) or die "$library: $!";
    local $/;
    $tenant->replace('/opt/greet/libgreet.so.1', <$fh>, mode => 0755);
    return $tenant;
}

my $eager = greeting_tenant('eager', 'greet_old.so');
my $lazy  = greeting_tenant('lazy',  'greet_old.so');
my $whole = greeting_tenant('whole', 'greet_new.so');

# --- the environment, and all that tries to change it ---------------------

my @loaders = qw(LD_PRELOAD LD_LIBRARY_PATH LD_AUDIT LD_DEBUG GLIBC_TUNABLES
  MALLOC_CHECK_ GCONV_PATH LOCPATH);
my @interpreters = qw(PERL5OPT PERL5LIB PYTHONPATH PYTHONSTARTUP RUBYOPT
  NODE_OPTIONS BASH_ENV PERL5DB);
my @names = ('LD_BIND_NOW', @loaders, @interpreters);

sub lines {
    my ($format, @of) = @_;
    return join '', map { sprintf "$format\n", $_ } @of;
}

my %attempts = (
    setenv => lines('SetEnv %s /tmp/evil', @names)
      . "SetEnv LD-BIND-NOW evil\nSetEnv LD-PRELOAD evil\n"
      . "SetEnv \"LD_BIND_NOW=1 \" evil\nSetEnv HARMLESS yes\n",
    unset    => "UnsetEnv LD_BIND_NOW\nSetEnv HARMLESS yes\n",
    setenvif => lines('SetEnvIf Request_URI . %s=/tmp/evil', @names)
      . "SetEnvIf Request_URI . !LD_BIND_NOW HARMLESS=yes\n",
    passenv => 'PassEnv PERL5OPT GCONV_PATH LD_BIND_NOW PASSED_HARMLESS' . "\n",
    rewrite => "RewriteEngine On\nRewriteRule . - [E=LD_BIND_NOW:,"
      . join(',', map { "E=$_:/tmp/evil" } @loaders)
      . ",E=!LD_BIND_NOW,E=HARMLESS:yes]\n",
);

sub env_tenant {
    my ($name) = @_;
    my $tenant = tenant($name);
    $tenant->install(probe('raw_env'), 'env');
    return $tenant;
}

# One virtual host for each attempt, and one whose .htaccess makes all of them.
my %tenant = map { $_ => env_tenant($_) } keys %attempts, 'htaccess', 'plain';
my %vhost = map { $_ => [$tenant{$_}, $attempts{$_}] } keys %attempts;
$tenant{htaccess}->script('.htaccess', join('', map { $attempts{$_} }
      grep { $_ ne 'unset' } sort keys %attempts), mode => 0644);
$vhost{htaccess} = [
    $tenant{htaccess},
    '<Directory "' . $tenant{htaccess}->cgi_bin . "\">\n"
      . "AllowOverride All\n</Directory>\n"
];
$vhost{plain} = [$tenant{plain}];

my $set = env_tenant('set');
my $off = env_tenant('off');
my $httpd = httpd(
    modules => [qw(setenvif rewrite)],
    vhosts  => [
        values %vhost,
        [$eager, ''],
        [$lazy,  'JailEagerBinding Off'],
        [$whole, ''],
        [$off,   "JailEagerBinding Off\nSetEnv LD_BIND_NOW 1"],
        [
            $set,
            lines('JailEnv %s /opt/wanted', @loaders[1, 4, 6], @interpreters)
              . 'SetEnv PERL5OPT evil'
        ],
    ],
);

subtest 'JailEagerBinding On: an error in place of half a page' => sub {
    my $res = $httpd->get($eager, '/cgi-bin/greeter');
    is($res->code, 500, 'status 500');
    unlike($res->content, qr/first part/, 'and nothing of the page');
    my $line =
      $httpd->log_like($eager, qr/JCGI1703/, 'its reason is in the site\'s log');
    like($line, qr/libgreet|greeter/,  'with the loader\'s words: the file');
    like($line, qr/greet_second/, 'and what it lacks');
    unlike($httpd->log, qr/greet_second/, 'the main log has none of it');
};

subtest 'JailEagerBinding Off: half a page' => sub {
    my $res = $httpd->get($lazy, '/cgi-bin/greeter');
    is($res->code,    200,            'control: 200');
    is($res->content, "first part\n", 'and then the page ends');
    $httpd->log_like($lazy, qr/symbol lookup error.*greet_second/,
        'the loader said so when it was too late');
};

subtest 'with the library that it was made for' => sub {
    my $res = $httpd->get($whole, '/cgi-bin/greeter');
    is($res->content, "first part\nsecond part\n", 'the whole page');
};

# All values that a script has of a name; a name may stand there twice.
sub environment_of {
    my ($tenant, @headers) = @_;
    my $res = $httpd->get($tenant, '/cgi-bin/env?LD_BIND_NOW=&PERL5OPT=-d',
        @headers);
    is($res->code, 200, 'runs') or diag($httpd->log($tenant));
    my %values;
    for (split /\n/, $res->content) {
        push @{ $values{$1} }, $2 if /^([^=]+)=(.*)/;
    }
    return \%values;
}

sub is_untouched {
    my ($values) = @_;
    is_deeply($values->{LD_BIND_NOW}, ['1'], 'LD_BIND_NOW=1, once');
    is_deeply([grep { $values->{$_} } @loaders, @interpreters],
        [], 'none of the dangerous names');
    return;
}

for my $name (sort keys %vhost) {
    subtest "attempt: $name" => sub {
        my $values = environment_of($tenant{$name});
        is_untouched($values);
        ok($values->{HARMLESS} || $values->{PASSED_HARMLESS},
            'control: what is harmless is set in the same way')
          if $name ne 'plain';
    };
}

subtest 'attempt: headers of a request' => sub {
    my @headers = map { ($_ => '/tmp/evil', "Http_$_" => '/tmp/evil') } @names;
    my $values = environment_of($tenant{plain}, @headers, 'X-Harmless' => 'yes',
        'LD-BIND-NOW' => '0', Proxy => 'http://evil');
    is_untouched($values);
    is($values->{HTTP_X_HARMLESS}[0], 'yes', 'control: a header arrives');
    is_deeply([grep { /^(?!HTTP_|QUERY_STRING)/ && "@{$values->{$_}}" =~ /evil/ }
          keys %$values], [], 'no value without HTTP_ before its name');
    ok(!$values->{HTTP_PROXY}, 'nor HTTP_PROXY');
};

subtest 'JailEnv' => sub {
    my $values = environment_of($set);
    is_deeply($values->{LD_BIND_NOW}, ['1'], 'LD_BIND_NOW=1, once');
    is_deeply($values->{$_}, ['/opt/wanted'], "the administrator sets $_")
      for @loaders[1, 4, 6], @interpreters;
};

subtest 'JailEagerBinding Off' => sub {
    my $values = environment_of($off);
    ok(!$values->{LD_BIND_NOW}, 'no LD_BIND_NOW, and SetEnv cannot set it');
};

subtest 'JailEnv LD_BIND_NOW is an error of the configuration' => sub {
    for my $value (qw(0 1 "")) {
        my ($status, $said) = configtest(config => "JailEnv LD_BIND_NOW $value");
        isnt($status, 0, "JailEnv LD_BIND_NOW $value");
        like($said, qr/JailEagerBinding/, 'which names what is meant for it');
    }
};

done_testing;
