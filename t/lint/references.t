# What the text refers to is there: the messages' senders and receivers in doc/protocol.md, the
# directories of the source in doc/design.md, the documents that comments and documents name
# and the sections that they link to, and the files and functions of comments.

use strict;
use warnings;

use lib 't/lib';
use JailCGI::Source qw(c_files files code_of functions_of read_file);
use Test::More;

# --- doc/protocol.md
my %function = map { $_->{name} => 1 } map { functions_of($_) } c_files();
my @messages = code_of('src/wire/wire.h') =~ /^\s+(JC_MSG_\w+)(?: = 1)?,/mg;
@messages = grep { $_ ne 'JC_MSG_TYPES' } @messages;
my @rows = read_file('doc/protocol.md') =~ /^    (\w+) +-> (JC_MSG_\w+) +-> (\w+)$/mg;
my %described;
while (my ($from, $message, $to) = splice @rows, 0, 3) {
    $described{$message} = 1;
    ok($function{$_}, "doc/protocol.md, $message: $_ is a function") for $from, $to;
}
is_deeply([sort keys %described], [sort @messages], 'doc/protocol.md has every message');

# --- the map of doc/design.md
my %mapped = map { s{/?(?:\*\.\[ch\])?$}{}r => 1 }
  read_file('doc/design.md') =~ /^\| `((?:src\/|mod_)\S*)` \|/mg;
my %place = map { m{^(.*)/} ? ($1 => 1) : ($_ => 1) } c_files();
is_deeply([sort keys %mapped], [sort keys %place], 'doc/design.md has each directory of the source');

# --- files and functions that a comment names
my @sources  = c_files();
my @texts    = (@sources, files(qr/\.(?:[ct]|pm|h|md)$/, 't', 'tools', 'bench', 'doc', 'conf'),
    glob '*.md');
my $named = 0;
for my $file (@texts) {
    my $text = read_file($file);
    my $dir  = $file =~ m{^(.*)/} ? $1 : '.';
    my @missing;
    for my $name ($text =~ m{(?<![\w/.*-])((?:\.\./|[\w-]+/)*[\w-]+\.(?:md|c|h|t))\b(?!\w)}g) {
        my $base = $name =~ s{.*/}{}r;
        next if $name !~ /\.md$/ && $name !~ m{^(?:src|t|tools|doc)/};
        $named++;
        push @missing, $name
          if !-e $name && !-e "$dir/$name" && !grep { m{/\Q$base\E$} } $name =~ m{/} ? () : @texts;
    }
    is_deeply(\@missing, [], "$file: what it refers to is there");
}
cmp_ok($named, '>', 100, 'references were found');
# --- sections: the anchor that GitHub and GitLab make of a heading
sub anchors_of {
    my ($text) = @_;
    return map { lc s/[^\w -]//gr =~ s/ /-/gr } $text =~ /^#+ +(.*?) *$/mg;
}
my $links = 0;
for my $file (grep { /\.md$/ } @texts) {
    my ($dir) = $file =~ m{^(.*/)};
    my $text = read_file($file);
    my @missing;
    while ($text =~ /\]\(([^)\s#:]*)(?:#([^)\s]*))?\)/g) {
        my ($name, $anchor) = ($1, $2);
        $links++;
        my $to = $name eq '' ? $file : ($dir // '') . $name;
        push @missing, $name if !-e $to;
        push @missing, "$name#$anchor"
          if defined $anchor && !grep { $_ eq $anchor } anchors_of(read_file($to));
    }
    is_deeply(\@missing, [], "$file: what it links to is there");
}
cmp_ok($links, '>', 100, 'links were found');
for my $file (@sources) {
    my @missing;
    for my $pair (read_file($file) =~ m{\bsee (\w+(?:\(\))? in \w+\.c)\b}g) {
        my ($function, $in) = $pair =~ /^(\w+)(?:\(\))? in (\w+\.c)$/;
        push @missing, $pair if !grep { m{/\Q$in\E$} && code_of($_) =~ /^\w.*\b\Q$function\E\(/m } @sources;
    }
    is_deeply(\@missing, [], "$file: functions that it refers to are there");
}
done_testing;
