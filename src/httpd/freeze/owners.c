/*
 * Collects the accounts of all users who may own scripts of a host with
 * JailUser owner. Which of them do is known only when a script is requested,
 * and neither the helper nor a keeper asks the user database. Names and homes
 * must come from root, because root binds the home into the jail.
 *
 * The whole database is read once. To ask for the groups of each user would
 * read all groups for each: 10,000 times 10,000 lines.
 *
 * Runs in:   httpd parent (root), while it reads its configuration
 * Privilege: that of the parent
 * Trusts:    the machine's user database (NSS), as far as it can be listed
 */
#include "homes.h"
#include "mount_rows.h"
#include "table_writer.h"
#include "src/httpd/config/home_path.h"

#include "apr_hash.h"
#include "apr_strings.h"

#include <grp.h>
#include <pwd.h>
#include <stdlib.h>

/* A group that a user is a member of. */
typedef struct {
    uint32_t gid;
    const char *group;
} member_t;

typedef struct {
    apr_pool_t *p;
    apr_hash_t *by_user;          /* name -> apr_array_header_t of member_t */
    apr_hash_t *names;            /* gid -> name of the group */
    apr_array_header_t *accounts; /* jc_identity_t * */
} owners_t;

static void add_member(owners_t *owners, const char *user, uint32_t gid,
                       const char *group)
{
    apr_array_header_t *groups =
        apr_hash_get(owners->by_user, user, APR_HASH_KEY_STRING);

    if (!groups) {
        groups = apr_array_make(owners->p, 2, sizeof(member_t));
        apr_hash_set(owners->by_user, apr_pstrdup(owners->p, user),
                     APR_HASH_KEY_STRING, groups);
    }
    APR_ARRAY_PUSH(groups, member_t) = (member_t){gid, group};
}

static void read_groups(owners_t *owners)
{
    const struct group *gr;

    setgrent();
    while ((gr = getgrent())) {
        const char *name = apr_pstrdup(owners->p, gr->gr_name);
        uint32_t *gid = apr_pmemdup(owners->p, &gr->gr_gid, sizeof(*gid));

        if (!apr_hash_get(owners->names, gid, sizeof(*gid))) {
            apr_hash_set(owners->names, gid, sizeof(*gid), name);
        }
        for (char **user = gr->gr_mem; *user; user++) {
            add_member(owners, *user, *gid, name);
        }
    }
    endgrent();
}

static int compare_groups(const void *a, const void *b)
{
    const member_t *x = a, *y = b;

    return (x->gid > y->gid) - (x->gid < y->gid);
}

/* Sets the groups of the account in ascending order, each once: equal groups
 * must give equal bytes. */
static void set_groups(owners_t *owners, jc_identity_t *id)
{
    const apr_array_header_t *of_user =
        apr_hash_get(owners->by_user, id->name, APR_HASH_KEY_STRING);
    int count = (of_user ? of_user->nelts : 0) + 1;
    member_t *all = apr_palloc(owners->p, (apr_size_t) count * sizeof(*all));
    uint32_t *ids = apr_palloc(owners->p, (apr_size_t) count * sizeof(*ids));
    const char **names =
        apr_palloc(owners->p, (apr_size_t) count * sizeof(*names));

    id->group = apr_hash_get(owners->names, &id->gid, sizeof(id->gid));
    all[0] = (member_t){id->gid, id->group};
    for (int i = 1; i < count; i++) {
        all[i] = APR_ARRAY_IDX(of_user, i - 1, member_t);
    }
    qsort(all, (size_t) count, sizeof(*all), compare_groups);
    for (int i = 0; i < count; i++) {
        if (id->group_count == 0 || ids[id->group_count - 1] != all[i].gid) {
            names[id->group_count] = all[i].group;
            ids[id->group_count++] = all[i].gid;
        }
    }
    id->groups = ids;
    id->group_names = names;
}

static int compare_accounts(const void *a, const void *b)
{
    const jc_identity_t *x = *(const jc_identity_t *const *) a;
    const jc_identity_t *y = *(const jc_identity_t *const *) b;

    return (x->uid > y->uid) - (x->uid < y->uid);
}

/* If several accounts have one uid, the first counts, as for getpwuid(3). */
static void read_users(owners_t *owners, uint32_t min, uint32_t max)
{
    apr_hash_t *seen = apr_hash_make(owners->p);
    const struct passwd *pw;

    setpwent();
    while ((pw = getpwent())) {
        jc_identity_t *id;

        if (pw->pw_uid < min || pw->pw_uid > max ||
            apr_hash_get(seen, &pw->pw_uid, sizeof(pw->pw_uid))) {
            continue;
        }
        id = apr_pcalloc(owners->p, sizeof(*id));
        id->uid = pw->pw_uid;
        id->gid = pw->pw_gid;
        id->name = apr_pstrdup(owners->p, pw->pw_name);
        id->home = jc_home_path_clean(owners->p, pw->pw_dir);
        set_groups(owners, id);
        apr_hash_set(seen, &id->uid, sizeof(id->uid), id);
        APR_ARRAY_PUSH(owners->accounts, jc_identity_t *) = id;
    }
    endpwent();
    qsort(owners->accounts->elts, (size_t) owners->accounts->nelts,
          sizeof(jc_identity_t *), compare_accounts);
}

/* One that is too long for the table is left out: its scripts run with their
 * own group alone, as those of a number without an account do. */
static void add_account(jc_table_t *table, apr_pool_t *p,
                        const jc_identity_t *id)
{
    uint32_t flags = id->groups[0] == 0 ? JC_ACCOUNT_ROOT : 0;

    if (id->group_count <= JC_GROUPS_MAX) {
        (void) jc_record_add_account(table, id, flags,
                                     jc_mount_rows_of_user(p, id, 1));
    }
}

void jc_owners_add(apr_pool_t *p, jc_table_t *table)
{
    owners_t owners;
    apr_pool_t *prow;

    if (table->owner_min > table->owner_max) {
        return;
    }
    apr_pool_create(&owners.p, p);
    apr_pool_create(&prow, owners.p);
    owners.by_user = apr_hash_make(owners.p);
    owners.names = apr_hash_make(owners.p);
    owners.accounts = apr_array_make(owners.p, 64, sizeof(jc_identity_t *));
    read_groups(&owners);
    read_users(&owners, table->owner_min, table->owner_max);
    for (int i = 0; i < owners.accounts->nelts; i++) {
        add_account(table, prow,
                    APR_ARRAY_IDX(owners.accounts, i, jc_identity_t *));
        apr_pool_clear(prow);
    }
    apr_pool_destroy(owners.p);
}
