/*
 * Asks the user database for the names and numbers of a configuration, each
 * once, however many virtual hosts have it.
 *
 * Runs in:   httpd parent (root), while it reads its configuration
 * Privilege: that of the parent
 * Trusts:    the machine's user database (NSS, through nscd if it runs)
 */
#include "names.h"
#include "src/httpd/config/home_path.h"
#include "src/wire/table.h"

#include "apr_strings.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>

typedef struct {
    uint32_t gid;
    const char *name; /* NULL: it has none */
} gid_name_t;

jc_identity_names_t *jc_names_create(apr_pool_t *p)
{
    jc_identity_names_t *names = apr_pcalloc(p, sizeof(*names));

    names->p = p;
    names->users = apr_hash_make(p);
    names->groups = apr_hash_make(p);
    names->by_gid = apr_hash_make(p);
    return names;
}

/* A name that does not exist and a database that does not answer (LDAP at boot)
 * need different cures. getpwnam(3) distinguishes them by errno. */
static const char *lookup_problem(apr_pool_t *p, int errnum)
{
    if (errnum == 0 || errnum == ENOENT || errnum == ESRCH || errnum == EBADF ||
        errnum == EPERM) {
        return "does not exist";
    }
    return apr_psprintf(p, "could not be looked up (%s)", strerror(errnum));
}

jc_names_entry_t *jc_names_user(jc_identity_names_t *names, const char *user)
{
    jc_names_entry_t *entry =
        apr_hash_get(names->users, user, APR_HASH_KEY_STRING);
    const struct passwd *pw;

    if (entry) {
        return entry;
    }
    entry = apr_pcalloc(names->p, sizeof(*entry));
    apr_hash_set(names->users, user, APR_HASH_KEY_STRING, entry);
    errno = 0;
    if (user[0] == '#') {
        entry->id = (uint32_t) strtoul(user + 1, NULL, 10);
        pw = getpwuid(entry->id);
    } else {
        pw = getpwnam(user);
        if (!pw) {
            entry->problem = lookup_problem(names->p, errno);
        }
    }
    if (pw) {
        entry->id = pw->pw_uid;
        entry->has_entry = 1;
        entry->gid = pw->pw_gid;
        /* The configuration's own string lives longer than this entry. */
        entry->name = strcmp(pw->pw_name, user) == 0
                          ? user
                          : apr_pstrdup(names->p, pw->pw_name);
        entry->home = jc_home_path_clean(names->p, pw->pw_dir);
    }
    return entry;
}

jc_names_entry_t *jc_names_group(jc_identity_names_t *names, const char *group)
{
    jc_names_entry_t *entry =
        apr_hash_get(names->groups, group, APR_HASH_KEY_STRING);
    const struct group *gr;

    if (entry) {
        return entry;
    }
    entry = apr_pcalloc(names->p, sizeof(*entry));
    apr_hash_set(names->groups, group, APR_HASH_KEY_STRING, entry);
    if (group[0] == '#') {
        entry->id = (uint32_t) strtoul(group + 1, NULL, 10);
        return entry;
    }
    errno = 0;
    gr = getgrnam(group);
    if (gr) {
        entry->id = gr->gr_gid;
        entry->name = group;
    } else {
        entry->problem = lookup_problem(names->p, errno);
    }
    return entry;
}

const char *jc_names_gid(jc_identity_names_t *names, uint32_t gid)
{
    gid_name_t *known = apr_hash_get(names->by_gid, &gid, sizeof(gid));
    const struct group *gr;

    if (!known) {
        gr = getgrgid(gid);
        known = apr_palloc(names->p, sizeof(*known));
        known->gid = gid;
        known->name = gr ? apr_pstrdup(names->p, gr->gr_name) : NULL;
        apr_hash_set(names->by_gid, &known->gid, sizeof(known->gid), known);
    }
    return known->name;
}

static int compare_ids(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *) a, y = *(const uint32_t *) b;

    return (x > y) - (x < y);
}

/* Sorts the ids and removes repetitions. Otherwise the order of the database's
 * answer could make a new policy at each reload, and so throw warm jails
 * away. */
static void normalise(jc_names_groups_t *list, uint32_t *ids, unsigned count)
{
    unsigned kept = 0;

    qsort(ids, count, sizeof(*ids), compare_ids);
    for (unsigned i = 0; i < count; i++) {
        if (kept == 0 || ids[kept - 1] != ids[i]) {
            ids[kept++] = ids[i];
        }
    }
    list->ids = ids;
    list->count = kept;
}

jc_names_groups_t *jc_names_groups(jc_identity_names_t *names,
                                   jc_names_entry_t *user, uint32_t gid)
{
    gid_t ids[JC_GROUPS_MAX];
    int count = JC_GROUPS_MAX;
    jc_names_groups_t *list;

    for (jc_names_groups_t *known = user->lists; known; known = known->next) {
        if (known->gid == gid) {
            return known;
        }
    }
    list = apr_pcalloc(names->p, sizeof(*list));
    list->gid = gid;
    list->next = user->lists;
    user->lists = list;
    if (getgrouplist(user->name, gid, ids, &count) < 0) {
        list->problem = apr_psprintf(names->p, "%d of them", count);
    } else {
        normalise(list,
                  apr_pmemdup(names->p, ids, (size_t) count * sizeof(*ids)),
                  (unsigned) count);
    }
    return list;
}

const char *const *jc_names_of_groups(jc_identity_names_t *names,
                                      jc_names_groups_t *list)
{
    const char **found;

    if (!list->names) {
        found = apr_palloc(names->p, list->count * sizeof(*found));
        for (uint32_t i = 0; i < list->count; i++) {
            found[i] = jc_names_gid(names, list->ids[i]);
        }
        list->names = found;
    }
    return list->names;
}
