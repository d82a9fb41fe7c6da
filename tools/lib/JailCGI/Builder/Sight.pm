package JailCGI::Builder::Sight;

# Says what a run of mkjail brings into a jail and why, and what the packages that
# were named are likely to lack there.
#
# Runs in:   jailcgi mkjail
# Privilege: root
# Trusts:    the plan; dpkg's database
# Never:     changes the plan

use strict;
use warnings;

use Exporter 'import';
use Fcntl ':mode';

use JailCGI::Builder::Ask qw(run program);
use JailCGI::Builder::Package;
use JailCGI::Builder::Say qw(shown quoted);
use JailCGI::Builder::Tree;

our @EXPORT_OK = qw(brings brings_text missing);

use constant { CANDIDATES_MAX => 200, NAMED_MAX => 3 };

# brings(CHANGES): [{why, because, files, bytes}] of the files that come, in the order
# in which they were planned.
sub brings {
    my (@changes) = @_;
    my %sum;
    for my $entry (map { $_->[2] } grep { $_->[0] =~ /^(?:added|replaced)$/ } @changes) {
        next if $entry->{type} ne 'file';
        my ($why, $because) = @{ $entry->{why} || ['what every jail has'] };
        my $sum = $sum{ $why . "\0" . ($because // '') }
          ||= { why => $why, because => $because, files => 0, bytes => 0 };
        $sum->{files}++;
        $sum->{bytes} += $entry->{size} // length($entry->{content} // '');
    }
    return sort { $a->{why} cmp $b->{why} || ($a->{because} // '') cmp($b->{because} // '') }
      values %sum;
}

sub amount {
    my (@sums) = @_;
    my ($files, $bytes) = (0, 0);
    $files += $_->{files}, $bytes += $_->{bytes} for @sums;
    my $size = $bytes < 1e6 ? sprintf('%.0f kB', $bytes / 1e3)
      : sprintf('%.0f MB', $bytes / 1e6);
    return commas($files) . ($files == 1 ? ' file, ' : ' files, ') . $size;
}

sub commas { return scalar reverse join ',', (reverse $_[0]) =~ /\d{1,3}/g }

# The same as lines: what was named, and because of what.
sub brings_text {
    my ($root, @sums) = @_;
    return '' if !@sums;
    my $text = shown($root) . ': brings ' . amount(@sums) . "\n";
    my %by;
    push @{ $by{ $_->{why} } }, $_ for @sums;
    for my $why (sort keys %by) {
        $text .= '  ' . shown($why) . ': ' . join('; ', map {
            amount($_) . (defined $_->{because} ? " because $_->{because}" : '')
        } @{ $by{$why} }) . "\n";
    }
    return $text;
}

# Directories that many packages have, or of which a script needs nothing.
my $common = qr{^/(?:[^/]*|usr/[^/]*|var/[^/]*|usr/(?:lib|share|local)/[^/]*|etc/alternatives
    |(?:usr/share|var)/(?:doc|man|info|lintian|bug|locale|log|run|lock)(?:/.*)?)$}x;
my $payload = qr{^/(?!usr/share/(?:doc|man|info|lintian|bug|locale|doc-base|menu)/)};

# missing(PLAN, NAMES): [{package, kind, names, remedy}] of what is not planned:
#   depends     packages that it needs
#   recommends  packages that it is better with
#   generated   files that no package has, in its own directories
sub missing {
    my ($plan, @names) = @_;
    return if !@names;
    my ($installed, $provider) = JailCGI::Builder::Package::installed();
    my ($status, $said) = JailCGI::Builder::Package::query('-W', '-f',
        '${Package}\t${Pre-Depends}, ${Depends}\t${Recommends}\n', @names);
    my (@missing, %is_there);
    for my $line (split /\n/, $said) {
        my ($name, @fields) = split /\t/, $line, 3;
        for my $kind (qw(depends recommends)) {
            my @lack = lacking($plan, shift @fields, $installed, $provider, \%is_there);
            push @missing, { package => $name, kind => $kind, names => \@lack } if @lack;
        }
        my @files = generated($plan, $name);
        push @missing, { package => $name, kind => 'generated', names => \@files } if @files;
    }
    $_->{remedy} = remedy($installed, $_) for @missing;
    return @missing;
}

sub remedy {
    my ($installed, $missing) = @_;
    my ($kind, @names) = ($missing->{kind}, @{ $missing->{names} });
    return '--with-depends' if $kind eq 'depends';
    return '--tree ' . quoted($names[0] =~ s{/[^/]+$}{}r) . ', if it has no secrets'
      if $kind eq 'generated';
    my @absent = grep { !exists $installed->{$_} } @names;
    return (@absent ? "apt-get install @absent, then " : '')
      . join ' ', map { "--package $_" } @names;
}

# The clauses of a field of which no alternative has a file in the plan, by the name of
# the first one that is installed.
sub lacking {
    my ($plan, $field, $installed, $provider, $is_there) = @_;
    my @lack;
    for my $clause (split /,/, $field // '') {
        my @wanted = map { /^\s*([a-z0-9+.-]+)/ } split /\|/, $clause;
        my @here = grep { exists $installed->{$_} }
          map { ($_, @{ $provider->{$_} || [] }) } @wanted;
        next if grep { JailCGI::Builder::Package::is_of_the_machine($_)
              || ($is_there->{$_} //= is_there($plan, $_)) } @here;
        push @lack, $here[0] // $wanted[0] // next;
    }
    return @lack;
}

# Whether a file of the package is planned, or it has none but documentation.
sub is_there {
    my ($plan, $name) = @_;
    my @files = grep { $_ =~ $payload && !$plan->tree->is_directory($_) }
      JailCGI::Builder::Package::files_of($name);
    return 1 if !@files;
    return scalar grep { planned($plan, $_) } @files;
}

# Also in a merged /usr.
sub planned {
    my ($plan, $path) = @_;
    my $entry = $plan->entries->{$path} || $plan->entries->{"/usr$path"} or return 0;
    return $entry->{type} ne 'dir';
}

# Files that the machine has in the package's own directories, that no package has, and
# that are not planned: configuration, and what scripts of packages have made.
sub generated {
    my ($plan, $name) = @_;
    my @found;
    for my $dir (grep { $_ !~ $common } JailCGI::Builder::Package::files_of($name)) {
        my $fh = $plan->tree->resolve($dir)->{fh} or next;
        for my $path (map { "$dir/$_" } JailCGI::Builder::Tree::names_in($fh)) {
            my @st = $plan->tree->lstat_of($path);
            next if !@st || S_ISDIR($st[2]) || planned($plan, $path) || $plan->excluded($path);
            push @found, $path;
        }
        last if @found >= CANDIDATES_MAX;
    }
    return if !@found;
    my ($status, $said) = JailCGI::Builder::Package::query('-S', @found);
    my %owned = map { /^[^\/]+: (\/.*)/ ? ($1 => 1) : () } split /\n/, $said;
    return grep { !$owned{$_} } @found;
}

my %kind = (
    depends    => 'depends on',
    recommends => 'recommends',
    generated  => 'has files that this machine has made:',
);

# One sentence for each.
sub missing_text {
    my ($missing) = @_;
    my @names = map { shown($_) } @{ $missing->{names} };
    my $more = @names - NAMED_MAX;
    @names = (@names[0 .. NAMED_MAX - 1], "$more more") if $more > 0;
    return "package $missing->{package} $kind{ $missing->{kind} } " . join(', ', @names)
      . ", which the jail does not have; remedy: $missing->{remedy}";
}

1;
