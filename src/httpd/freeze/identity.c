/*
 * Decides who the scripts of a virtual host run as. Names become numbers here,
 * once each, so that neither the helper nor a keeper ever asks the user
 * database.
 *
 * Runs in:   httpd parent (root), while it reads its configuration
 * Privilege: that of the parent
 * Trusts:    the machine's user database (NSS, through nscd if it runs)
 * Never:     falls back to an identity other than the configured one
 */
#include "freeze.h"
#include "src/wire/table.h"
#include "src/wire/wire.h"

#include "apr_hash.h"
#include "apr_strings.h"
#include "unixd.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>

/* The groups of a user, together with one that is the primary group. */
typedef struct group_list_t {
    const struct group_list_t *next;
    const char *problem;
    uint32_t gid;
    uint32_t count;
    const uint32_t *ids;
} group_list_t;

/* A user or a group as it is configured, with what the look-up has found. */
typedef struct {
    const char *problem; /* why there is no number, or NULL */
    uint32_t id;
    const char *name; /* NULL: a number was configured that has no name,
                       * or (for groups) any number */
    int has_entry;    /* users: the fields below are valid */
    uint32_t gid;
    const char *home;
    const group_list_t *lists;
} entry_t;

typedef struct {
    uint32_t gid;
    const char *name; /* NULL: it has none */
} gid_name_t;

struct jc_identity_names_t {
    apr_pool_t *p;
    apr_hash_t *users;  /* as configured -> entry_t */
    apr_hash_t *groups; /* the same for groups */
    apr_hash_t *by_gid; /* gid -> gid_name_t */
};

jc_identity_names_t *jc_identity_names(apr_pool_t *p)
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

static entry_t *look_up_user(jc_identity_names_t *names, const char *user)
{
    entry_t *entry = apr_hash_get(names->users, user, APR_HASH_KEY_STRING);
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
        entry->home = apr_pstrdup(names->p, pw->pw_dir);
    }
    return entry;
}

static entry_t *look_up_group(jc_identity_names_t *names, const char *group)
{
    entry_t *entry = apr_hash_get(names->groups, group, APR_HASH_KEY_STRING);
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

/* Returns NULL if the group has no name. */
static const char *look_up_gid(jc_identity_names_t *names, uint32_t gid)
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
static void normalise(group_list_t *list, uint32_t *ids, unsigned count)
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

static const group_list_t *look_up_list(jc_identity_names_t *names,
                                        entry_t *user, uint32_t gid)
{
    gid_t ids[JC_GROUPS_MAX];
    int count = JC_GROUPS_MAX;
    group_list_t *list;

    for (const group_list_t *known = user->lists; known; known = known->next) {
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

uint32_t jc_identity_min(int64_t configured)
{
    return configured > 0 ? (uint32_t) configured : JC_DEFAULT_MIN_ID;
}

uint32_t jc_identity_max(int64_t configured)
{
    return configured > 0 ? (uint32_t) configured : JC_NO_ID - 1;
}

static int refuse(jc_identity_t *id, jc_code_t code, const char *found,
                  const char *expected)
{
    id->refusal = (jc_refusal_t){code, found, expected};
    return -1;
}

static int resolve_group(jc_identity_names_t *names, const char *group,
                         const entry_t *user, const char *user_arg,
                         jc_identity_t *id)
{
    const entry_t *entry;

    if (!group) {
        if (!user->has_entry) {
            return refuse(
                id, JC_CODE_GROUP_UNKNOWN,
                apr_psprintf(names->p,
                             "no group: user %s is not in the user database "
                             "and no group is given",
                             user_arg),
                apr_psprintf(names->p, "a group: JailUser \"%s\" GROUP",
                             user_arg));
        }
        id->gid = user->gid;
        return 0;
    }
    entry = look_up_group(names, group);
    if (entry->problem) {
        return refuse(id, JC_CODE_GROUP_UNKNOWN,
                      apr_psprintf(names->p, "group '%s', which %s", group,
                                   entry->problem),
                      "a group that exists (see getent group), or #GID");
    }
    id->gid = entry->id;
    id->group = entry->name;
    return 0;
}

/* Finds the groups that a login of the user would have. A number without a name
 * in the user database has none beyond its own. */
static int resolve_list(jc_identity_names_t *names, entry_t *user,
                        jc_identity_t *id)
{
    const group_list_t *list;

    if (!user->has_entry) {
        id->groups = apr_pmemdup(names->p, &id->gid, sizeof(id->gid));
        id->group_count = 1;
        return 0;
    }
    list = look_up_list(names, user, id->gid);
    if (list->problem) {
        return refuse(id, JC_CODE_GROUP_UNKNOWN,
                      apr_psprintf(names->p, "the groups of user '%s', %s",
                                   user->name, list->problem),
                      apr_psprintf(names->p, "at most %u groups",
                                   JC_GROUPS_MAX));
    }
    id->groups = list->ids;
    id->group_count = list->count;
    return 0;
}

/*
 * Group 0 as a supplementary group is refused, and not left out. It opens what
 * belongs to root's group, and a login of that user has it. Without it, scripts
 * would silently run as somebody whom the administrator has not named.
 */
static int check_root(jc_identity_names_t *names, jc_identity_t *id)
{
    if (id->uid == 0) {
        return refuse(id, JC_CODE_ROOT_IDENTITY, "uid 0",
                      "a user that is not root");
    }
    if (id->gid == 0) {
        return refuse(id, JC_CODE_ROOT_IDENTITY, "gid 0",
                      "a group that is not root's");
    }
    if (id->group_count > 0 && id->groups[0] == 0) {
        return refuse(
            id, JC_CODE_ROOT_IDENTITY,
            apr_psprintf(names->p, "user '%s', a member of group 0 (root)",
                         id->name),
            apr_psprintf(names->p,
                         "a user that is not a member (gpasswd -d %s root)",
                         id->name));
    }
    return 0;
}

/* `which` is "uid" or "gid". */
static int check_bounds(jc_identity_names_t *names, const char *which,
                        uint32_t id, uint32_t min, uint32_t max,
                        jc_identity_t *identity)
{
    int is_uid = which[0] == 'u';
    const char *upper = is_uid ? "UID" : "GID";

    if (id >= min && id <= max) {
        return 0;
    }
    if (id < min) {
        refuse(identity, is_uid ? JC_CODE_UID_TOO_LOW : JC_CODE_GID_TOO_LOW,
               apr_psprintf(names->p, "%s %u", which, id),
               apr_psprintf(names->p,
                            "at least %u (JailMin%s); system %s are below", min,
                            upper, is_uid ? "users" : "groups"));
    } else {
        refuse(identity, is_uid ? JC_CODE_UID_TOO_HIGH : JC_CODE_GID_TOO_HIGH,
               apr_psprintf(names->p, "%s %u", which, id),
               apr_psprintf(names->p, "at most %u (JailMax%s)", max, upper));
    }
    return -1;
}

static int check_ids(jc_identity_names_t *names, const jc_server_conf_t *conf,
                     jc_identity_t *id)
{
    if (id->uid == (uint32_t) ap_unixd_config.user_id) {
        return refuse(id, JC_CODE_WEB_USER,
                      apr_psprintf(names->p,
                                   "uid %u, which is httpd's own User",
                                   id->uid),
                      "a user for this site alone: a script that runs as "
                      "httpd's User could compromise httpd");
    }
    return check_bounds(names, "uid", id->uid, jc_identity_min(conf->min_uid),
                        jc_identity_max(conf->max_uid), id) ||
           check_bounds(names, "gid", id->gid, jc_identity_min(conf->min_gid),
                        jc_identity_max(conf->max_gid), id);
}

static void resolve_named(jc_identity_names_t *names,
                          const jc_server_conf_t *conf, const char *user_arg,
                          const char *group_arg, jc_identity_t *id)
{
    entry_t *user = look_up_user(names, user_arg);

    if (user->problem) {
        refuse(id, JC_CODE_USER_UNKNOWN,
               apr_psprintf(names->p, "user '%s', which %s", user_arg,
                            user->problem),
               "a user that exists (see getent passwd), or #UID");
        return;
    }
    id->uid = user->id;
    id->name = user->name;
    id->home = user->home;
    if (resolve_group(names, group_arg, user, user_arg, id) != 0 ||
        resolve_list(names, user, id) != 0 || check_root(names, id) != 0 ||
        check_ids(names, conf, id) != 0) {
        return;
    }
    /* Nothing but JailRoot host needs it. */
    if (!id->group && conf->root_kind == JC_ROOT_HOST) {
        id->group = look_up_gid(names, id->gid);
    }
}

void jc_identity_resolve(jc_identity_names_t *names,
                         const jc_server_conf_t *conf, jc_identity_t *id)
{
    memset(id, 0, sizeof(*id));
    if (conf->user_kind == JC_USER_OWNER) {
        /* They are known only when the script is known. The keeper compares
         * them with its file. */
        id->uid = JC_NO_ID;
        id->gid = JC_NO_ID;
    } else if (conf->user_kind == JC_USER_NAMED) {
        resolve_named(names, conf, conf->user, conf->group, id);
    } else if (conf->suexec_user) {
        resolve_named(names, conf, conf->suexec_user, conf->suexec_group, id);
    } else {
        refuse(id, JC_CODE_NO_IDENTITY, "neither JailUser nor SuexecUserGroup",
               "one of them, so that scripts have a user to run as");
    }
}
