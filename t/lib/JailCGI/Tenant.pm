package JailCGI::Tenant;

# A customer: numbers that nobody else on the machine has, and a jail with a
# home, a cgi-bin and a document root in it. See JailCGI::Test.

use strict;
use warnings;

use File::Basename   'dirname';
use File::Copy       ();
use File::Path       'make_path';
use IO::Socket::UNIX ();

use JailCGI::Process 'uids_of_processes';

# Below the range that systemd gives to DynamicUser=, above that of its home directories.
# Enough for several runs of all tests beside each other.
use constant { FIRST_ID => 60_514, LAST_ID => 61_183 };

# The number to try next, and the users that had a process when this was last looked up.
my ($next_id, %busy);

# Claims a number for this process until it ends, by an abstract address (unix(7)).
# Returns undef if another process has it. Tests that run at once, also those of another
# checkout, would otherwise count and end each other's processes.
sub claim {
    my ($id) = @_;
    return IO::Socket::UNIX->new(Local => "\0jailcgi-test.$id");
}

# Returns a number that no user, group or process has, and its claim. Goes on behind the
# last one, so that a hundred tenants need one look at /proc and not a hundred.
sub claim_id {
    if (!defined $next_id) {
        $next_id = FIRST_ID + $$ % (LAST_ID - FIRST_ID + 1);
        %busy    = map { $_ => 1 } uids_of_processes();
    }
    for (FIRST_ID .. LAST_ID) {
        my $id = $next_id;
        $next_id = $id == LAST_ID ? FIRST_ID : $id + 1;
        next if $busy{$id} || getpwuid($id) || getgrgid($id);
        my $claim = claim($id) or next;
        return ($id, $claim);
    }
    die 'no free uid is left';
}

sub new {
    my ($class, %option) = @_;
    my ($id, $claim) = $option{uid} || claim_id();
    my $self = bless {
        name  => $option{name},
        uid   => $id,
        gid   => $option{gid} || $id,
        root  => "$option{dir}/$option{name}",
        claim => $claim,
    }, $class;
    if ($option{build}) {    # as JailCGI::Builder does
        $option{build}->($self);
    }
    else {
        $self->link_to($option{base} || "$option{run_dir}/base");
    }
    $self->directory($self->$_) for qw(jail_home jail_cgi_bin jail_htdocs);
    return $self;
}

# A jail of hard links to the files of another, with this tenant in it.
sub link_to {
    my ($self, $base) = @_;
    system('cp', '-al', $base, $self->{root}) == 0 or die 'cp -al failed';
    $self->replace('/etc/passwd',
            "root:x:0:0:root:/:/bin/false\n"
          . "$self->{name}:x:$self->{uid}:$self->{gid}::@{[$self->jail_home]}:/bin/sh\n"
    );
    $self->replace('/etc/group',
        "root:x:0:\n$self->{name}:x:$self->{gid}:\n");
    return;
}

sub name         { return $_[0]{name} }
sub uid          { return $_[0]{uid} }
sub gid          { return $_[0]{gid} }
sub root         { return $_[0]{root} }
sub jail_home    { return "/home/$_[0]{name}" }
sub jail_cgi_bin { return $_[0]->jail_home . '/cgi-bin' }
sub jail_htdocs  { return $_[0]->jail_home . '/htdocs' }
sub cgi_bin      { return $_[0]{root} . $_[0]->jail_cgi_bin }
sub htdocs       { return $_[0]{root} . $_[0]->jail_htdocs }

# A directory by its path in the jail; of the tenant, 0755, unless told.
sub directory {
    my ($self, $path, %option) = @_;
    my $real = $self->{root} . $path;
    make_path($real);
    $self->own($real, mode => 0755, %option);
    return $real;
}

sub own {
    my ($self, $real, %option) = @_;
    my $uid = $option{uid} // $self->{uid};
    my $gid = $option{gid} // $self->{gid};
    chown $uid, $gid, $real or die "chown $real: $!";
    # After chown, which takes set-id bits away.
    chmod $option{mode}, $real or die "chmod $real: $!";
    return;
}

# A file by its path in the jail, as a new file; root's, 0644, unless told.
sub replace {
    my ($self, $path, $content, %option) = @_;
    my $real = $self->{root} . $path;
    make_path(dirname($real));
    unlink $real;
    open my $fh, '>:raw', $real or die "$real: $!";
    print {$fh} $content;
    close $fh or die "$real: $!";
    $self->own($real, uid => 0, gid => 0, mode => 0644, %option);
    return $real;
}

# The same, of a minute ago: httpd's ETag of a file is weak while the file is younger
# than a second, and so is different in two answers.
sub settled {
    my ($self, @file) = @_;
    my $real = $self->replace(@file);
    my $then = time - 60;
    utime $then, $then, $real or die "$real: $!";
    return $real;
}

# A script in cgi-bin; the tenant's, 0755, unless told. Returns its real path.
sub script {
    my ($self, $name, $content, %option) = @_;
    return $self->replace($self->jail_cgi_bin . "/$name",
        $content, uid => $self->{uid}, gid => $self->{gid}, mode => 0755,
        %option);
}

# Copies a program, as those of t/probe, into cgi-bin.
sub install {
    my ($self, $file, $name, %option) = @_;
    my $real = $self->cgi_bin . "/$name";
    unlink $real;
    File::Copy::copy($file, $real) or die "$file to $real: $!";
    $self->own($real, mode => 0755, %option);
    return $real;
}

# The virtual host. Options replace lines: root, user ('' leaves the line out).
sub vhost {
    my ($self, $extra, %option) = @_;
    my $root = $option{root} // $self->{root};
    my $user = $option{user} // "#$self->{uid} #$self->{gid}";
    my $name = $option{name} // $self->{name};
    my $jail = join '', map { "    $_\n" } $root ne '' ? "JailRoot $root" : (),
      $user ne '' ? "JailUser $user" : ();
    return <<"END";
<VirtualHost 127.0.0.1:\@port\@>
    ServerName $name
    ErrorLog "logs/$name.error.log"
    DocumentRoot "@{[$self->htdocs]}"
    ScriptAlias /cgi-bin/ "@{[$self->cgi_bin]}/"
$jail    @{[$extra // '']}
</VirtualHost>
END
}

1;
