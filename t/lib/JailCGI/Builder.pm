package JailCGI::Builder;

=head1 NAME

JailCGI::Builder - jails with programs of the distribution in them

=head1 SYNOPSIS

  use JailCGI::Test;
  use JailCGI::Builder;

  # The jail and the virtual host of a section of doc/manual/programs.md.
  my $alice = jail_of('Git', 'alice', from => ['gitweb', 'cgit']);
  my $httpd = httpd(vhosts => [vhost_of('Git', $alice)]);

  # Any other jail; a JailCGI::Tenant, as above.
  my $bob = jail_with(
      'bob',
      programs => ['/usr/bin/perl'],
      trees    => ['/usr/share/perl5/Template'],
      packages => ['libcgi-pm-perl'],
  );

=head1 HOW IT WORKS

Some packages would change the machine if they were installed: gitweb enables
itself in Apache. install-packages only fetches them. They are unpacked here,
into the directory of the test file, and laid over /usr, /etc and /var in a
mount namespace in which nothing but the jail is built. So the jail is made by
the command that doc/manual/programs.md shows, and the machine stays as it is.

C<from> names these packages. What their own scripts or an administrator would have made
is C<made>: a hash of paths with their content (executable if the directory's
name ends in "bin"), or with a reference to where a link leads.

=cut

use strict;
use warnings;

use Exporter 'import';
use File::Basename 'dirname';
use File::Path 'make_path';
use Test::More ();

use JailCGI::Test ();

our @EXPORT = qw(jail_with jail_of vhost_of unpacked);

my %unpacked;

# The directory with a package's files, as root's and below no other name.
sub unpacked {
    my (@packages) = @_;
    my $dir = JailCGI::Test::work_dir() . '/packages';
    make_path($dir);
    for my $package (grep { !$unpacked{$_}++ } @packages) {
        system('dpkg-deb', '-x', "build/packages/$package.deb", $dir) == 0
          or die "cannot unpack $package: run tools/install-packages check";
    }
    return $dir;
}

sub make_files {
    my ($dir, $files) = @_;
    for my $path (sort keys %$files) {
        my $content = $files->{$path};
        make_path(dirname("$dir$path"));
        if (ref $content) {
            symlink $$content, "$dir$path" or die "$path: $!";
            next;
        }
        open my $fh, '>:raw', "$dir$path" or die "$path: $!";
        print {$fh} $content;
        close $fh or die "$path: $!";
        chmod 0755, "$dir$path" if dirname($path) =~ /bin\z/;
    }
    return;
}

# The jails' own directory lies below /var and must stay what it is; and what
# is laid over /var may not lie below it.
my $laid_over = <<'END';
set -eu
packages=$1 work=$2
shift 2
mount -t tmpfs tmpfs /mnt
cp -a "$packages" /mnt/packages
mkdir /mnt/work
mount --bind "$work" /mnt/work
for dir in usr etc var; do
    [ ! -d "/mnt/packages/$dir" ] ||
        mount -t overlay overlay -o "lowerdir=/mnt/packages/$dir:/$dir" "/$dir"
done
[ ! -d /mnt/packages/var ] || mount --bind /mnt/work "$work"
exec "$@"
END

# What stands before a command that is to see the packages.
sub laid_over {
    my @private = ('unshare', '-m', '--propagation', 'private');
    system(@private, 'mount', '-t', 'overlay', '-o', 'lowerdir=/etc:/usr',
        'overlay', '/mnt') == 0
      or JailCGI::Test::skip_or_fail('no overlay in a mount namespace');
    return (@private, 'sh', '-c', $laid_over, 'sh', unpacked(),
        JailCGI::Test::work_dir());
}

sub run {
    my (@command) = @_;
    open my $said, '-|', @command or die "$command[0]: $!";
    Test::More::note(<$said>);
    close $said or die "failed: @command";
    return;
}

sub build {
    my ($tenant, %option) = @_;
    my @packages = @{ $option{from} || [] };
    my %made     = %{ $option{made} || {} };
    make_files(unpacked(@packages), \%made);
    run(@packages || %made ? laid_over() : (), 'tools/jailcgi', 'mkjail', $tenant->root,
        '--user', '#' . $tenant->uid . ':#' . $tenant->gid,
        '--home', $tenant->jail_home,
        (map { ('--program', $_) } @{ $option{programs} || [] }),
        (map { ('--tree',    $_) } @{ $option{trees}    || [] }),
        (map { ('--package', $_) } @{ $option{packages} || [] }));
    return;
}

# --- doc/manual/programs.md -------------------------------------------------

# The text of a section, and of the indented block in it that matches.
sub section {
    my ($title) = @_;
    my ($text) = JailCGI::Httpd::slurp('doc/manual/programs.md') =~
      /^## \Q$title\E\n(.*?)(?=^## |\z)/ms;
    return $text // die "doc/manual/programs.md has no section '$title'";
}

sub block {
    my ($title, $pattern) = @_;
    my @blocks = section($title) =~ /((?:^(?: {4}.*)?\n)+)/mg;
    my ($block) = grep { $_ =~ $pattern } @blocks;
    return $block // die "section '$title' has no block with $pattern";
}

sub jail_of {
    my ($title, $name, %option) = @_;
    my $command = block($title, qr{^ +jailcgi mkjail}m);
    push @{ $option{"$1s"} }, $2
      while $command =~ /--(program|tree|package) +(\S+)/g;
    return jail_with($name, %option);
}

# The example with this tenant's root, user and name in it.
sub vhost_of {
    my ($title, $tenant, $extra) = @_;
    my ($text) =
      block($title, qr/<VirtualHost/) =~ m{(<VirtualHost.*</VirtualHost>)}s;
    my ($name, $id) = ($tenant->name, $tenant->uid . ' #' . $tenant->gid);

    # A number has no home; alice has.
    $extra = join "\n", qq{ErrorLog "logs/$name.error.log"},
      'JailEnv HOME ' . $tenant->jail_home, $extra // '';
    for ($text) {
        s{<VirtualHost \S+>}{<VirtualHost 127.0.0.1:\@port\@>};
        s{/srv/jails/alice}{$tenant->root}eg;
        s{/home/alice}{$tenant->jail_home}eg;
        s{JailUser alice}{JailUser #$id};
        s{alice\.example}{$name}g;
        s{(</VirtualHost>)}{$extra\n$1};
    }
    return "$text\n";
}

sub jail_with {
    my ($name, %option) = @_;
    return JailCGI::Test::tenant($name,
        build => sub { build($_[0], %option) });
}

1;
