package JailCGI::Builder::Layout;

# The layout of a jail. Every jail has a merged /usr: /bin, /sbin and /lib* are links
# into it, whatever the layout of the system that the files come from. Then all programs
# and libraries are below one directory, which can be exchanged in one step (Switch.pm).
#
# All links that are planned are relative. Apache reads a jail from outside, and an
# absolute link would lead it to a file of the machine.
#
# A jail that has directories in these places is converted: each file gets a second
# name below /usr, a hard link, and then the directory is exchanged for the link. A
# program finds the same files before and after each single step.
#
# Runs in:   jailcgi, started by the administrator
# Privilege: root
# Trusts:    the guard of the jail (Jail.pm)
# Never:     changes the content of a file; decides between two different files

use strict;
use warnings;

use Exporter 'import';
use Fcntl ':mode';

use JailCGI::Builder::Exchange qw(exchange can_exchange);
use JailCGI::Builder::Say qw(refuse failed quoted);
use JailCGI::Builder::Switch;
use JailCGI::Builder::Tree;

our @EXPORT_OK = qw(merge_plan merge_jail separate merged_of moved_target places_of);

my @top = map { "/$_" } qw(bin sbin lib lib32 lib64 libx32 libo32);

# Those of these directories that are links into /usr already.
sub merged_of {
    my ($tree) = @_;
    return grep { ($tree->link_target($_) // '') =~ m{^/?usr\Q$_\E/?$} } @top;
}

# The target of a link at PATH as a path from the root on, without . and ..
sub absolute {
    my ($path, $target) = @_;
    $target = ($path =~ s{[^/]+$}{}r) . $target if $target !~ m{^/};
    my @names;
    for my $name (JailCGI::Builder::Tree::components($target)) {
        $name eq '..' ? pop @names : push @names, $name;
    }
    return '/' . join '/', @names;
}

# The target of a link that moves from PATH to /usr/PATH.
sub moved_target {
    my ($path, $target) = @_;
    return $target if $target !~ m{(?:^|/)\.\.(?:/|$)};
    return absolute($path, $target);
}

# Where a path is in a merged /usr.
sub merged {
    my ($path) = @_;
    my ($top) = $path =~ m{^(/[^/]+)} or return $path;
    return grep({ $_ eq $top } @top) ? "/usr$path" : $path;
}

# Where a system can have what a jail has at a path: a jail has a merged /usr, and the
# system may have separate directories. The first is the one that merge_entry takes.
sub places_of {
    my ($tree, $path) = @_;
    my ($top, $rest) = $path =~ m{^/usr(/[^/]+)(/.*)} or return $path;
    return $path if !grep({ $_ eq $top } @top) || defined $tree->link_target($top);
    return $top =~ /lib/ ? ("$top$rest", $path) : ($path, "$top$rest");
}

sub leads_to_itself {
    my ($path, $target) = @_;
    return merged(absolute($path, $target)) eq $path;
}

# Moves what is planned in these directories to /usr. A system that is not merged may
# have a file in one of both places and a link to it in the other.
sub merge_plan {
    my ($plan) = @_;
    my $entries = $plan->entries;
    for my $top (grep { $entries->{$_} && $entries->{$_}{type} eq 'dir' } @top) {
        for my $path (sort grep { index($_, "$top/") == 0 } keys %$entries) {
            merge_entry($plan, $path, delete $entries->{$path});
        }
        $plan->put($top, type => 'link', target => "usr$top");
        $plan->put("/usr$top", type => 'dir') if !$entries->{"/usr$top"};
    }
    straighten($plan);
    for my $path (grep { $entries->{$_}{type} eq 'link' } keys %$entries) {
        my $target = $entries->{$path}{target};
        # Those of /dev lead to /proc, which is the same for Apache.
        next if $target !~ m{^/} || $path =~ m{^/dev/};
        @{ $entries->{$path} }{qw(target absolute)} =
          (relative($path =~ s{/[^/]+$}{}r, $target), $target);
    }
    return;
}

# Moves what is planned behind a link to the place to which the link leads. Afterwards
# each planned path has directories alone above it.
sub straighten {
    my ($plan) = @_;
    my $entries = $plan->entries;
    my %real;
    for my $path (sort keys %$entries) {
        my ($dir, $name) = $path =~ m{^(.*)/([^/]+)$};
        my $real = $real{$dir} //= directory_of($entries, $dir);
        next if $real eq $dir;
        my $entry = delete $entries->{$path};
        $plan->put("$real/$name", %$entry) if !$entries->{"$real/$name"};
    }
    return;
}

# Where a directory really is, if links are planned on the way.
sub directory_of {
    my ($entries, $dir) = @_;
    my ($at, $links) = ('', 0);
    my @names = JailCGI::Builder::Tree::components($dir);
    while (@names) {
        my $name = shift @names;
        my $next = $name eq '..' ? $at =~ s{/[^/]*$}{}r : "$at/$name";
        my $entry = $entries->{$next} || { type => 'dir' };
        if ($entry->{type} ne 'link' || $links++ == JailCGI::Builder::Tree::LINKS_MAX) {
            $at = $next;
            next;
        }
        $at = '' if $entry->{target} =~ m{^/};
        unshift @names, JailCGI::Builder::Tree::components($entry->{target});
    }
    return $at;
}

# A target from the root on, as it is written in a directory.
sub relative {
    my ($dir, $target) = @_;
    my @from = JailCGI::Builder::Tree::components($dir);
    my @to = JailCGI::Builder::Tree::components($target);
    # Where .. follows a link is not known here.
    while (@from && @to > 1 && $from[0] eq $to[0] && !grep { $_ eq '..' } @to) {
        shift @from;
        shift @to;
    }
    return join('/', map({ '..' } @from), @to) || '.';
}

sub merge_entry {
    my ($plan, $path, $entry) = @_;
    my $to    = "/usr$path";
    my $there = $plan->entries->{$to};
    if ($entry->{type} eq 'link') {
        $entry->{target} = moved_target($path, $entry->{target});
        return if leads_to_itself($to, $entry->{target});
    }
    if ($there) {
        return if $there->{type} eq 'dir' || $entry->{type} eq 'dir';
        my $back = $there->{type} eq 'link' && leads_to_itself($to, $there->{target});
        # The loader looks into /lib before /usr/lib.
        return if !$back && ($entry->{type} eq 'link' || $path !~ m{^/lib});
    }
    $plan->put($to, %$entry);
    return;
}

# The directories of the jail that have to become links.
sub separate {
    my ($jail, $plan) = @_;
    return grep {
        my @st = $jail->lstat_of($_);
        @st && S_ISDIR($st[2]) && ($plan->entries->{$_} || { type => '' })->{type} eq 'link'
    } @top;
}

# Converts the jail. All that could prevent it is found before anything is changed, and
# names that were added are removed if a later one cannot be made. NEXT: the handle of
# a directory for what the links take the place of.
sub merge_jail {
    my ($jail, $writer, $next, @tops) = @_;
    can_exchange($next)
      or refuse($jail->name, "$tops[0] has to become a link into /usr, and its file system cannot"
          . " exchange two names in one step ($!)",
        'make a new jail with the same options in another place, and set JailRoot to it');
    my @todo;
    for my $top (@tops) {
        my $mount = JailCGI::Builder::Switch::mounted_below($jail, "$top/");
        refuse($jail->name . $top, "$mount, and $top has to become a link into /usr",
            'run the update when nothing is mounted there') if $mount;
        push @todo, ['directory', "/usr$top", 0755] if !$jail->lstat_of("/usr$top");
        compare_directory($jail, $top, \@todo);
    }
    my $done = eval { $writer->give_name(@$_) for @todo; $writer->sync; 1 };
    if (!$done) {
        my $error = $@;
        $writer->take_names;
        die $error;
    }
    for my $top (@tops) {
        my ($dir, $name) = $writer->place($top);
        symlink "usr$top", JailCGI::Builder::Tree::entry($next, $name)
          or failed('symlink', $jail->name . $top);
        exchange($next, $name, $dir, $name) or failed('exchange', $jail->name . $top);
        $jail->forget;
    }
    return;
}

# Collects in TODO the names that the entries of a directory need below /usr.
sub compare_directory {
    my ($jail, $path, $todo) = @_;
    my $fh = $jail->resolve($path)->{fh} or failed('open', $jail->name . $path);
    for my $name (JailCGI::Builder::Tree::names_in($fh)) {
        next if $name =~ /^\.jailcgi~/;
        my ($from, $to) = ("$path/$name", "/usr$path/$name");
        my @st = $jail->lstat_of($from) or next;
        my $there = $jail->resolve($to, nofollow => 1);
        if (S_ISDIR($st[2])) {
            conflict($jail, $from, $to) if $there->{st} && !S_ISDIR($there->{st}[2]);
            push @$todo, ['directory', $to, $st[2] & 07777] if !$there->{st};
            compare_directory($jail, $from, $todo);
        }
        elsif (S_ISLNK($st[2])) {
            compare_link($jail, $from, $to, $there, $todo);
        }
        else {
            compare_file($jail, $from, $to, \@st, $there, $todo);
        }
    }
    return;
}

sub compare_link {
    my ($jail, $from, $to, $there, $todo) = @_;
    my $target = moved_target($from, $jail->link_target($from));
    return if leads_to_itself($to, $target);
    if ($there->{st}) {
        my $other = $jail->link_target($to) // conflict($jail, $from, $to);
        return if merged(absolute($to, $other)) eq merged(absolute($to, $target));
        conflict($jail, $from, $to) if !leads_to_itself($to, $other);
    }
    push @$todo, ['link', $to, $target];
    return;
}

sub compare_file {
    my ($jail, $from, $to, $st, $there, $todo) = @_;
    conflict($jail, $from, $to) if !S_ISREG($st->[2]);
    if (my $other = $there->{st}) {
        return if $other->[0] == $st->[0] && $other->[1] == $st->[1];
        my $same = S_ISLNK($other->[2])
          ? leads_to_itself($to, $jail->link_target($to))
          : JailCGI::Builder::Compare::same_bytes($jail->open_file($from), $jail->open_file($to));
        conflict($jail, $from, $to) if !$same;
    }
    push @$todo, ['file', $to, $from];
    return;
}

sub conflict {
    my ($jail, $from, $to) = @_;
    my $root = $jail->name;
    return refuse("$root$from", "and $to differ. " . ($from =~ m{^(/[^/]+)})[0]
          . ' has to become a link into /usr, where there is one place for both',
        'move one of them away, ' . quoted("$root$from") . ' or ' . quoted("$root$to"));
}

1;
