package JailCGI::Builder::Report;

# What --json prints: one object on all that a command has done. doc/manual/mkjail.md
# describes it. Without --json, notes and errors go to stderr as they come.
#
# Runs in:   jailcgi, started by the administrator
# Privilege: root
# Trusts:    nothing: a tenant may have chosen a name in it
# Never:     prints anything to stdout besides the object

use strict;
use warnings;

use JailCGI::Builder::Progress;
use JailCGI::Builder::Say qw(shown);

# The version of the form. A member may come; none goes or changes its meaning.
use constant VERSION => 1;

my $report;

# From now on everything is collected.
sub start {
    my ($command) = @_;
    $report = { version => VERSION, command => $command, jails => [] };
    $JailCGI::Builder::Say::listener = sub { push @{ here()->{notes} }, @_ };
    return;
}

sub is_json { return defined $report }

# The object of the jail at which the command is, or that of the command.
sub here { return $report->{jails}[-1] || $report }

sub jail {
    my ($root) = @_;
    push @{ $report->{jails} }, { root => $root, state => 'unknown', status => 0, notes => [] }
      if $report;
    return;
}

# Adds members to the object of the jail.
sub add {
    my (%members) = @_;
    @{ here() }{ keys %members } = values %members if $report;
    return;
}

# Members of the object of the command.
sub add_to_all {
    my (%members) = @_;
    @$report{ keys %members } = values %members if $report;
    return;
}

# A refusal ends the work in a jail, or the command if it is at none.
sub refusal {
    my ($refusal) = @_;
    JailCGI::Builder::Progress::clear();
    if (!$report) {
        print STDERR $refusal->lines;
        return;
    }
    add(error => $refusal->parts, status => $refusal->status, summary => $refusal->text);
    add(state => $refusal->state_code // 'as-it-was') if here() != $report;
    return;
}

# Prints the object.
sub finish {
    my ($status) = @_;
    return if !$report;
    $report->{status} = $status;
    $report->{summary} //= summary(@{ $report->{jails} });
    require JSON::PP;
    my $text = JSON::PP->new->canonical->ascii->pretty->encode(plain($report));
    undef $report;
    print $text;
    return;
}

sub summary {
    my (@jails) = @_;
    my %count;
    $count{ $_->{state} }++ for @jails;
    return join ', ', map { "$count{$_} $_" } sort keys %count;
}

# Members that are numbers; everything else is text.
my %number = map { $_ => 1 } qw(version status files bytes count added replaced removed shared
  unshared);

# All strings in a form that is safe to show, as text.
sub plain {
    my ($value, $name) = @_;
    return [map { plain($_) } @$value] if ref $value eq 'ARRAY';
    return { map { $_ => plain($value->{$_}, $_) } keys %$value } if ref $value eq 'HASH';
    return $value if !defined $value || ref $value;
    return $value + 0 if defined $name && $number{$name};
    my $text = shown($value);
    utf8::decode($text);
    return $text;
}

1;
