# The script's child runs in the keeper's memory until exec. What it calls must
# have no state there: no errno, no memory of malloc's, no streams. So the
# objects that it runs need of the C library only what is listed here.

use strict;
use warnings;

use lib 't/lib';
use JailCGI::Source qw(code_of);
use Test::More;

# The child's own files; jc_launch calls only into these, the policy's and the wire's.
my @files = map { m{^src/(.*)\.c$} } glob 'src/keeper/launch/*.c';

# Copying, comparing and searching, and what a compiler adds.
my %stateless = map { $_ => 1 } qw(bcmp memchr memcmp memcpy memmove memset strchr
  strcmp strcspn strlen strncmp strnlen strspn __memcpy_chk __memset_chk
  __stack_chk_fail _GLOBAL_OFFSET_TABLE_);

# The project's functions that they call, and where these are.
my %own = map { $_ => 1 } qw(jc_decode_vectors jc_decode_request jc_walk
  jc_check_script jc_vouch_file_system jc_environment_apply jc_environment_check_home jc_diagnose_exec
  jc_diagnose_end jc_elf_head_class jc_elf_head_machine jc_elf_head_loader jc_first_line_read
  jc_first_line_has_cr jc_first_line_env jc_policy_next
  jc_wire_pack jc_wire_failed jc_env_names_are_denied jc_env_names_are_allowed
  jc_env_names_match);

sub needed {
    my ($object) = @_;
    return map { /^(\w+) U\b/ ? $1 : () } `nm -P -u $object`;
}

cmp_ok(scalar @files, '>', 4, 'files were found');
for my $file (@files, 'wire/env_names') {
    my $object = "build/helper/src/$file.o";
    ok(-e $object, "$object is built");
    is_deeply([grep { !$stateless{$_} && !$own{$_} } needed($object)],
        [], "$file.c calls nothing that has a state");
    my @static = `nm -P $object` =~ /^(\w+) [bBdD]\b/mg;
    is_deeply(\@static, [], "$file.c has no variable of its own");
    unlike(code_of("src/$file.c"),
        qr/\berrno\b/, "$file.c does not use errno");
}
ok((grep { $_ eq 'jc_walk' } needed('build/helper/src/keeper/launch/launch.o')),
    'nm tells what an object needs');

# Of the two files that others use as well it may call these functions only.
for my $name (qw(jc_wire_pack jc_wire_failed jc_policy_next)) {
    my ($body) = map { /^\S[^\n;]*\b$name\([^;]*?\)\n\{(.*?)^\}/ms }
      map { code_of($_) } qw(src/wire/wire.c src/policy/policy.c);
    ok($body, "$name was found");
    my %seen = map { $_ => 1 } ($body // '') =~ /\b([a-z_]\w*)\s*\(/g;
    delete @seen{qw(if for while switch return sizeof memcpy memset strlen
          strnlen known)};
    is_deeply([sort keys %seen], [], "$name calls nothing that has a state");
    unlike($body // '', qr/\berrno\b/, "$name does not use errno");
}
done_testing;
