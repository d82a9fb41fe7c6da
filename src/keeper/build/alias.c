/*
 * Gives directories in a root that is made of mounts their second name. With
 * /home -> /data/home, a home is mounted by its name in the user database, and
 * programs may know it by the name to which root's links lead.
 *
 * Runs in:   keeper
 * Privilege: root
 * Trusts:    the path that the walk has found
 * Never:     makes anything but in the root's own file system; replaces what is
 *            there. A name that cannot be given is left out, because nothing
 *            that protects depends on it
 */
#include "build.h"
#include "trees.h"

#include <stdlib.h>
#include <string.h>

typedef struct alias {
    struct alias *next;
    const char *target; /* in the policy */
    char found[];
} alias_t;

static alias_t *aliases;

int jc_alias_note(const char *target, const char *found)
{
    size_t len = strlen(found) + 1;
    alias_t *alias;

    if (strcmp(target, found) == 0) {
        return 0;
    }
    alias = malloc(sizeof(*alias) + len);
    if (!alias) {
        return -1;
    }
    memcpy(alias->found, found, len);
    alias->target = target;
    alias->next = aliases;
    aliases = alias;
    return 0;
}

void jc_alias_make(const jc_jail_t *jail)
{
    while (aliases) {
        alias_t *alias = aliases;

        for (char *slash = strchr(alias->found + 1, '/'); slash;
             slash = strchr(slash + 1, '/')) {
            *slash = 0;
            jc_place_offer(jail, alias->found, JC_MOUNT_DIR, "");
            *slash = '/';
        }
        jc_place_offer(jail, alias->found, JC_MOUNT_LINK, alias->target);
        aliases = alias->next;
        free(alias);
    }
}
