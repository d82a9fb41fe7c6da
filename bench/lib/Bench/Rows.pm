package Bench::Rows;

# The rows of the table, and how often and how long each is measured.

use strict;
use warnings;

use Exporter 'import';
our @EXPORT_OK = qw(all_rows);

use constant { MB => 1_000_000, GB => 1_000_000_000 };

# name: as --only and the CSV have it. group: a second name for --only.
# path: below /cgi-bin/ or absolute. expect: the whole page of the probe.
# limit, bound: measured as well, the second with LD_BIND_NOW. The limit of a transfer is
#   a bare relay.
# processes: of the limit, if not one for each processor.
# pause: of each connection before each request, in milliseconds.
# with_client: the CPU time is that of the client as well.
# bytes: one transfer of this size by curl; else wrk for some seconds.
sub all_rows {
    my ($work, $top, $quick, $connections) = @_;
    my @programs = map { {
        name  => $_->[0],
        group => 'programs',
        what  => $_->[1],
        limit => 1,
        bound => scalar($_->[0] =~ /^(?:perl|python)$/),
        rounds => $_->[2],
    } } (
        ['static', 'static C', 9],
        ['dynamic', 'dynamic C', 5],
        ['shell', 'sh', 5],
        ['perl', 'Perl', 3],
        ['cgipm', 'Perl with CGI.pm', 3],
        ['python', 'Python', 3],
        ['php', 'php-cgi', 3],
    );
    # One after the other, as a visitor sees it: what the server adds to the script's time.
    my @alone = map { {
        name        => "$_->{name}1",
        group       => 'alone',
        what        => "$_->{what}, 1 at once",
        path        => $_->{name},
        connections => 1,
        processes   => 1,
        limit       => 1,
        servers     => { map { $_ => 1 } qw(mod_cgid mod_jailcgi isolated) },
    } } grep { $_->{name} =~ /^(?:cgipm|python|php)$/ } @programs;
    my @concurrency = map { {
        name        => "c$_",
        group       => 'concurrency',
        what        => "static C, $_ at once",
        path        => 'static',
        connections => $_,
        wide        => $_ > 64,
    } } (1, 4, 32, 256);
    my @others = (
        # What httpd and wrk cost without any script: see Bench::Goals. At the pace of
        # scripts both wake up for each request, which they do not at full speed.
        {
            name    => 'file',
            what    => 'a file of six bytes, no script',
            path    => '/file',
            servers => { map { $_ => 1 } qw(mod_cgid isolated) },
        }, {
            name        => 'paced',
            what        => 'the same with pauses, CPU with that of wrk',
            path        => '/file',
            pause       => 2,
            with_client => 1,
            servers     => { map { $_ => 1 } qw(mod_cgid isolated) },
        }, {
            name    => 'headers',
            what    => 'static C, 8 KB of headers',
            path    => 'static',
            headers => [map { "X-Filler-$_: " . 'x' x 1010 } 1 .. 8],
        }, {
            name        => 'page1m',
            group       => 'transfers',
            what        => 'page of 1 MB',
            path        => 'page?' . MB,
            probe       => 'page?10',
            expect      => 'x' x 10,
            connections => 4,
            size        => MB,
        }, {
            name   => 'page1g',
            rounds => 5,
            group  => 'transfers',
            what   => 'page of 1 GB, one',
            path   => 'page?' . GB,
            bytes  => GB,
            limit  => 1,
            probe  => 'page?10',
            expect => 'x' x 10,
        }, {
            name   => 'upload',
            rounds => 9,                # it is short, and its rounds differ by a half
            group  => 'transfers',
            what   => 'upload of 100 MB, one',
            path   => 'upload',
            bytes  => 100 * MB,
            limit  => 1,
            upload => "$work/upload.data",
            expect => '0',
        });
    my $wide = pop @concurrency;    # last: it needs servers of its own
    my @rows = (@programs, @alone, @concurrency, @others, $wide);
    for my $row (@rows) {
        $row->{path}        //= $row->{name};
        $row->{probe}       //= $row->{path};
        $row->{group}       //= $row->{name};
        $row->{expect}      //= 'hello';
        $row->{connections} //= $connections;
        $row->{rounds}      //= 3;
        $row->{seconds}     //= 1;
        if ($quick) {
            $row->{rounds} = 1;
            delete $row->{bound};
            $row->{servers} = {map { $_ => 1 } qw(mod_cgid isolated)}
              if $row->{name} ne 'static';
        }
        # Left out of a quick run, if nobody asks for it.
        $row->{long} = $row->{group} eq 'alone' || $row->{name} =~ /^(?:perl|cgipm|php|headers|c4)$/;
        $row->{lua}  = "$top/bench/report.lua";
    }
    return @rows;
}

1;
