package JailCGI::House;

# The structure of the source: which file calls which, in circles or on floors, what is public, and
# what stands where. t/lint/house.t holds it, t/lint/figures prints it.

use strict;
use warnings;

use Exporter 'import';
use JailCGI::Source qw(code_of);

our @EXPORT_OK = qw(calls circles floors folder_of exports out_of_place percentile);

# {FROM}{TO} = how many calls, from file to file; a public name is one file's.
sub calls {
    my (@functions) = @_;
    my %home = map { $_->{name} => $_->{file} } grep { $_->{public} } @functions;
    my %calls;
    for my $function (@functions) {
        for my $name ($function->{body} =~ /\b(\w+)\(/g) {
            my $to = $home{$name};
            $calls{ $function->{file} }{$to}++ if defined $to && $to ne $function->{file};
        }
    }
    return \%calls;
}

# The strongly connected components with more than one member, by Tarjan.
sub components {
    my ($edges) = @_;
    my (%index, %low, %on, @stack, @found);
    my $count = 0;
    my $visit;
    $visit = sub {
        my ($node) = @_;
        $index{$node} = $low{$node} = $count++;
        push @stack, $node;
        $on{$node} = 1;
        for my $next (sort keys %{ $edges->{$node} || {} }) {
            if (!defined $index{$next}) {
                $visit->($next);
                $low{$node} = $low{$next} if $low{$next} < $low{$node};
            }
            elsif ($on{$next} && $index{$next} < $low{$node}) {
                $low{$node} = $index{$next};
            }
        }
        return if $low{$node} != $index{$node};
        my @members;
        do {
            push @members, pop @stack;
            delete $on{ $members[-1] };
        } until $members[-1] eq $node;
        push @found, [sort @members];
    };
    my %nodes = map { $_ => 1 } keys %$edges, map { keys %$_ } values %$edges;
    $visit->($_) for grep { !defined $index{$_} } sort keys %nodes;
    undef $visit;
    return @found;
}

sub circles {
    my ($edges) = @_;
    return grep { @$_ > 1 } components($edges);
}

# How many floors the nodes stand on: a node is above all that it calls; the
# members of a circle share one floor.
sub floors {
    my ($edges, @nodes) = @_;
    my %among = map { $_ => 1 } @nodes;
    my %within;
    for my $from (@nodes) {
        $within{$from}{$_} = 1 for grep { $among{$_} } keys %{ $edges->{$from} || {} };
        $within{$from} ||= {};
    }
    my %floor;
    my $most = 0;
    # Tarjan finds a component after all that it reaches.
    for my $members (components(\%within)) {
        my %own = map { $_ => 1 } @$members;
        my $floor = 1;
        for my $below (grep { !$own{$_} } map { keys %{ $within{$_} } } @$members) {
            $floor = $floor{$below} + 1 if $floor{$below} >= $floor;
        }
        $floor{$_} = $floor for @$members;
        $most = $floor if $floor > $most;
    }
    return $most;
}

sub folder_of {
    my ($file) = @_;
    return $file =~ m{^(.*)/} ? $1 : '.';
}

# The functions that a header declares or defines.
sub exports {
    my ($header) = @_;
    my $code = code_of($header);
    $code =~ s/^\s*#.*(?:\\\n.*)*//mg;
    1 while $code =~ s/\{[^{}]*\}//g;
    $code =~ s/typedef[^;]*;//g;
    return $code =~ /\b(jc_\w+)\s*\([^;]*?\)\s*(?:__attribute__[^;]*)?(?:;|$)/mg;
}

# Those of the public functions whose file is not named by what follows jc_.
sub out_of_place {
    my (@public) = @_;
    return grep {
        my ($base) = $_->{file} =~ m{(\w+)\.c$};
        $_->{name} !~ /^jc_\Q$base\E(?:_|$)/
    } @public;
}

sub percentile {
    my ($percent, @values) = @_;
    @values = sort { $a <=> $b } @values;
    return @values ? $values[int(($#values) * $percent / 100 + 0.5)] : 0;
}

1;
