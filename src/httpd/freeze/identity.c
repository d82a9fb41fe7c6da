/*
 * Decides who the scripts of a virtual host run as. Names become numbers here,
 * because neither the helper nor a keeper ever asks the user database.
 *
 * Runs in:   httpd parent (root), while it reads its configuration
 * Privilege: that of the parent
 * Trusts:    the machine's user database (NSS, through nscd if it runs)
 * Never:     falls back to an identity other than the configured one
 */
#include "names.h"
#include "src/wire/table.h"
#include "src/wire/wire.h"

#include "apr_strings.h"
#include "unixd.h"

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
                         const jc_names_entry_t *user, const char *user_arg,
                         jc_identity_t *id)
{
    const jc_names_entry_t *entry;

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
    entry = jc_names_group(names, group);
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
static int resolve_list(jc_identity_names_t *names, jc_names_entry_t *user,
                        const jc_server_conf_t *conf, jc_identity_t *id)
{
    jc_names_groups_t *list;

    if (!user->has_entry) {
        id->groups = apr_pmemdup(names->p, &id->gid, sizeof(id->gid));
        id->group_count = 1;
        return 0;
    }
    list = jc_names_groups(names, user, id->gid);
    if (list->problem) {
        return refuse(id, JC_CODE_GROUP_UNKNOWN,
                      apr_psprintf(names->p, "the groups of user '%s', %s",
                                   user->name, list->problem),
                      apr_psprintf(names->p, "at most %u groups",
                                   JC_GROUPS_MAX));
    }
    id->groups = list->ids;
    id->group_count = list->count;
    if (conf->root_kind == JC_ROOT_HOST) {
        id->group_names = jc_names_of_groups(names, list);
    }
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
    jc_names_entry_t *user = jc_names_user(names, user_arg);

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
        resolve_list(names, user, conf, id) != 0 ||
        check_root(names, id) != 0 || check_ids(names, conf, id) != 0) {
        return;
    }
    /* Nothing but JailRoot host needs it. */
    if (!id->group && conf->root_kind == JC_ROOT_HOST) {
        id->group = jc_names_gid(names, id->gid);
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
