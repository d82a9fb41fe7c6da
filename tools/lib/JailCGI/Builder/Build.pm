package JailCGI::Builder::Build;

# The commands mkjail and update.
#
# Runs in:   jailcgi, started by the administrator
# Privilege: root
# Trusts:    the command line, and etc/jailcgi.jail if root alone can write it
# Never:     changes anything outside of the jail

use strict;
use warnings;

use Exporter 'import';

use JailCGI::Builder::Apply;
use JailCGI::Builder::Distribution qw(check_told make_source remove_source);
use JailCGI::Builder::Jail;
use JailCGI::Builder::Layout qw(merge_plan merge_jail separate);
use JailCGI::Builder::Package qw(add_packages);
use JailCGI::Builder::Plan;
use JailCGI::Builder::Progress qw(progress);
use JailCGI::Builder::Record qw(read_told merge_told);
use JailCGI::Builder::Report;
use JailCGI::Builder::Say qw(refuse refused failed note shown usage_error);
use JailCGI::Builder::Share;
use JailCGI::Builder::Sight qw(brings brings_text missing);
use JailCGI::Builder::Switch;
use JailCGI::Builder::System qw(add_frame add_name_service add_certificates
  add_zones add_charsets add_locales add_mailer);
use JailCGI::Builder::Tenant qw(add_users);
use JailCGI::Builder::Tree;
use JailCGI::Builder::Writer;

our @EXPORT_OK = qw(mkjail update);

# The jail as it is planned from this machine.
sub plan_from_host {
    my ($told, $root) = @_;
    my @exclude = @{ $told->{exclude} };
    push @exclude, '/usr/share/zoneinfo/posix', '/usr/share/zoneinfo/right';
    my $plan = JailCGI::Builder::Plan->new(exclude => \@exclude);
    add_frame($plan);
    for my $program (@{ $told->{program} }) {
        $plan->because("--program $program");
        $plan->add_program($program, required => 1);
    }
    $plan->because('--package ' . join(' ', @{ $told->{package} })
          . ($told->{'with-depends'} ? ' --with-depends' : ''));
    add_packages($plan, $told->{package}, $told->{'with-depends'});
    for my $tree (@{ $told->{tree} }) {
        $plan->because("--tree $tree");
        $plan->add_tree($tree);
    }
    my @every = ('what every jail has');
    $plan->because(@every);
    add_name_service($plan);
    $plan->because("--locale @{ $told->{locale} }") if @{ $told->{locale} };
    add_locales($plan, @{ $told->{locale} });
    if (!$told->{minimal}) {
        $plan->because(@every, 'of time zones, CA certificates and characters: --minimal leaves'
              . ' them out');
        add_certificates($plan);
        add_zones($plan);
        add_charsets($plan);
    }
    $plan->because(@every, 'of the mailer: --mailer none leaves it out');
    add_mailer($plan, $told->{mailer}) if !$told->{minimal} || defined $told->{mailer};
    $plan->because(@every);
    add_users($plan, $told->{user}, home => $told->{home}, root => $root);
    return $plan;
}

# The jail as it is planned from a distribution's tree. This machine still decides
# how names are looked up.
sub plan_from_tree {
    my ($told, $root, $source) = @_;
    my @not = qw(/dev /proc /sys /run /tmp /var/cache/apt /var/lib/apt);
    my $plan = JailCGI::Builder::Plan->new(tree => $source, asks => 0,
        exclude => [map({ ($_, "$_/*") } @not), '/var/log/*', @{ $told->{exclude} }]);
    $plan->because("--from $told->{from}");
    $plan->walk_tree('');
    $plan->because('what every jail has');
    add_frame($plan);
    my $host = JailCGI::Builder::Tree->host;
    for my $path (qw(/etc/resolv.conf /etc/hosts)) {
        my $content = $host->read_file($path) // next;
        $plan->put($path, type => 'file', content => $content, mode => 0644);
    }
    add_mailer($plan, $told->{mailer}) if !$told->{minimal} || defined $told->{mailer};
    add_users($plan, $told->{user}, home => $told->{home}, root => $root,
        passwd => $source->read_file('/etc/passwd'), group => $source->read_file('/etc/group'));
    return $plan;
}

sub check_values {
    my ($told) = @_;
    for my $name (qw(program tree like)) {
        my $values = $told->{$name} // next;
        for my $value (ref $values ? @$values : grep { $_ ne 'none' } $values) {
            usage_error("--$name $value", 'is not an absolute path', 'write it from / on')
              if $value !~ m{^/};
        }
    }
    for my $value (map { ref ? @$_ : $_ // () } values %$told) {
        usage_error($value, 'has a line end in it', 'leave it out') if $value =~ /\n/;
    }
    if (($told->{mirror} // '') =~ /^-/) {
        usage_error("--mirror $told->{mirror}", 'is no URL',
            'write it like http://deb.debian.org/debian');
    }
    return check_told($told);
}

sub build {
    my ($jail, $told, $option) = @_;
    my $root = $jail->name;
    my $source = defined $told->{from} ? make_source($told, $root) : undef;
    my $apply;
    my $done = eval {
        progress(shown($root) . ': planning');
        my $plan = $source
          ? plan_from_tree($told, $root, $source) : plan_from_host($told, $root);
        merge_plan($plan);
        note($_) for $plan->notes;
        my $switch = JailCGI::Builder::Switch->new($jail);
        my $sweep = !$option->{dry} && $switch->clear;
        my %skip = map { $_ => 1 } convert($jail, $plan, $switch, $option->{dry});
        my $share = share_of($jail, $told, $option);
        $apply = JailCGI::Builder::Apply->new(jail => $jail, plan => $plan, switch => $switch,
            share => $share, before => $option->{sight} ? \&say_brings : undef,
            sweep => $sweep, skip => \%skip,
            map { $_ => $option->{$_} } qw(adopt contents dry prune));
        $apply->apply($told);
        1;
    };
    my $error = $@;
    remove_source($root) if $source;
    if (!$done) {
        my $refusal = refused($error) or die $error;
        my $placed = $apply && $apply->placed;
        my $state = $placed
          ? 'the new files are in place, but the run has not ended: run it again'
          : 'the jail is as it was';
        die $option->{dry} ? $refusal
          : $refusal->say_state(shown($root) . ": $state", $placed ? 'unfinished' : 'as-it-was');
    }
    report($root, $apply, $option);
    say_missing($apply, $told) if $option->{sight} && !$source && $apply->changes;
    return;
}

# The jail with which this one shares its files (Share.pm).
sub share_of {
    my ($jail, $told, $option) = @_;
    my $root = $told->{like} // return;
    return JailCGI::Builder::Share->none if $root eq 'none';
    my $name  = shown($jail->name);
    my $share = eval { JailCGI::Builder::Share->new($root, $jail, $option->{dry}) };
    if (!$share) {
        my $refusal = refused($@) or die $@;
        die $refusal if $refusal->status == 2;
        note("$name: shares no new file with " . shown($root) . ': ' . $refusal->text);
        return;
    }
    my $why = $share->why // return $share;
    note("$name: its files are copies, and are not shared with " . shown($root) . ": $why");
    return $share;
}

# The options of the jail that --like names which say what it contains.
sub options_like {
    my ($root) = @_;
    my $other = JailCGI::Builder::Jail::for_writing($root);
    my $told = read_told($other) // refuse($root, 'has no etc/jailcgi.jail, which says what it'
          . ' contains', 'name a jail that jailcgi mkjail has made');
    return { map { $_ => $told->{$_} }
          qw(program package tree locale exclude minimal with-depends mailer from mirror) };
}

# Before mkjail begins: what comes, and why.
sub say_brings {
    my ($apply) = @_;
    my @brings = brings($apply->changes);
    JailCGI::Builder::Report::add(brings => \@brings);
    return if JailCGI::Builder::Report::is_json();
    JailCGI::Builder::Progress::clear();
    print brings_text($apply->jail->name, @brings);
    return;
}

# After it: what the packages that were named are likely to lack.
sub say_missing {
    my ($apply, $told) = @_;
    my @missing = missing($apply->plan, @{ $told->{package} });
    JailCGI::Builder::Report::add(missing => \@missing);
    return if JailCGI::Builder::Report::is_json();
    my $name = shown($apply->jail->name);
    note("$name: " . JailCGI::Builder::Sight::missing_text($_)) for @missing;
    return;
}

# Converts a jail in which /bin or its like is a directory. It stays converted if a later
# step fails: every name leads to the same file as before. Returns what still is no link.
sub convert {
    my ($jail, $plan, $switch, $dry) = @_;
    my @separate = separate($jail, $plan) or return;
    my $name = shown($jail->name);
    if ($dry) {
        note("$name: @separate would become links into /usr first; what is in these directories"
              . ' counts as missing here');
        return @separate;
    }
    my $done = eval {
        merge_jail($jail, JailCGI::Builder::Writer->new($jail), $switch->next_fh, @separate);
        1;
    };
    my $error = $@;
    $switch->clear;
    die $error if !$done;
    note("$name: @separate are links into /usr now, and what was in these directories is there");
    return;
}

# Reports what was done, in one line; with verbose each path.
sub report {
    my ($root, $apply, $option) = @_;
    JailCGI::Builder::Progress::clear();
    my %count;
    for my $change ($apply->changes) {
        print shown("$root$change->[1]"), ": $change->[0]\n"
          if $option->{verbose} && !JailCGI::Builder::Report::is_json();
        $count{ $change->[0] }++;
    }
    for my $path ($apply->left) {
        note(shown("$root$path") . ': left as it is, for jailcgi has not put it there or'
              . ' it was changed since; --adopt takes it over');
    }
    my $would = $option->{dry} ? ' (dry run: nothing was changed)' : '';
    my $summary = !%count ? 'nothing to change' : join '',
      join(', ', map { "$count{$_} $_" } sort keys %count), $would,
      defined $apply->proved ? '; what started before starts (' . $apply->proved
      . ' programs, libraries and scripts)' : '', shared_text($apply->share);
    my $says = !$option->{quiet} && !JailCGI::Builder::Report::is_json();
    print shown($root), ": $summary\n" if $says;
    my $share = $apply->share;
    JailCGI::Builder::Report::add(summary => $summary, counts => \%count, left => [$apply->left],
        state => !%count ? 'unchanged' : $option->{dry} ? 'dry-run' : 'changed',
        $share && defined $share->root ? (shared => { with => $share->root,
                how => $share->how, files => $share->count }) : (),
        $option->{verbose}
        ? (changes => [map { { path => $_->[1], what => $_->[0] } } $apply->changes]) : ());
    return;
}

# The clause on what was shared.
sub shared_text {
    my ($share) = @_;
    return '' if !$share || !$share->count;
    return '; ' . $share->count . ' files shared with ' . shown($share->root) . ' ('
      . $share->how . ')';
}

sub mkjail {
    my ($root, $now, $option) = @_;
    check_values($now);
    my $jail = JailCGI::Builder::Jail::for_writing($root, create => !$option->{dry});
    my $lock = $option->{dry} ? undef : locked($jail);
    my $before = $option->{anew} ? undef : read_told($jail);
    $option->{sight} = !$option->{quiet};
    my $like = $now->{like} // 'none';
    my $told = merge_told($before || {},
        $like eq 'none' ? $now : merge_told(options_like($like), $now));
    check_values($told);
    return build($jail, $told, $option);
}

# The lock is in etc, which a new jail does not have yet.
sub locked {
    my ($jail) = @_;
    if (!$jail->lstat_of('/etc')) {
        JailCGI::Builder::Writer->new($jail)->directory('/etc', 0755, 0, 0);
    }
    return JailCGI::Builder::Jail::lock_jail($jail);
}

# The jails in the order in which update takes them: one that others are like comes
# before these, so that they can share its new files.
sub in_order {
    my (@roots) = @_;
    my %like = map {
        my $root = $_;
        $root => scalar eval { read_told(JailCGI::Builder::Jail::for_writing($root))->{like} }
    } @roots;
    my %deep;
    for my $root (@roots) {
        my ($at, %seen) = ($root);
        $at = $like{$at} while defined $at && !$seen{$at}++;
        $deep{$root} = keys %seen;
    }
    return sort { $deep{$a} <=> $deep{$b} } @roots;
}

sub update {
    my ($root, $option) = @_;
    my $jail = JailCGI::Builder::Jail::for_writing($root);
    my $told = read_told($jail) // refuse($root,
        'has no etc/jailcgi.jail, which says what the jail contains',
        'run jailcgi mkjail once with the options for this jail');
    my $lock = $option->{dry} ? undef : locked($jail);
    check_values($told);
    return build($jail, $told, $option);
}

1;
