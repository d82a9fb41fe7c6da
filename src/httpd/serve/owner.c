/*
 * Finds the user that a script of `JailUser owner` must run as, and the account
 * of that user.
 *
 * Runs in:   httpd child
 * Privilege: that of the web user
 * Trusts:    the file system; the keeper looks at the script again, as the
 *            tenant, and its fstat decides
 */
#include "exchange.h"
#include "variables.h"
#include "src/httpd/config/home_path.h"

#include "apr_strings.h"

#include <pthread.h>
#include <pwd.h>
#include <string.h>

/* The account of the owner of a script, for `JailUser owner`. */
typedef struct {
    uid_t uid;
    apr_time_t until;
    char name[64]; /* "": the uid has no name */
    char home[512];
} owner_t;

#define OWNERS        16
#define OWNER_SECONDS 60

/* getpwuid_r may ask a server on the network, so its answer is kept for a
 * minute. */
static void look_up_owner(uid_t uid, owner_t *found)
{
    static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    static owner_t owners[OWNERS];
    owner_t *slot = &owners[uid % OWNERS];
    apr_time_t now = apr_time_now();
    struct passwd pw, *result = NULL;
    char buf[4096];

    pthread_mutex_lock(&mutex);
    *found = *slot;
    pthread_mutex_unlock(&mutex);
    if (found->until > now && found->uid == uid) {
        return;
    }
    memset(found, 0, sizeof(*found));
    found->uid = uid;
    found->until = now + apr_time_from_sec(OWNER_SECONDS);
    if (getpwuid_r(uid, &pw, buf, sizeof(buf), &result) == 0 && result) {
        apr_cpystrn(found->name, pw.pw_name, sizeof(found->name));
        apr_cpystrn(found->home, pw.pw_dir, sizeof(found->home));
    }
    pthread_mutex_lock(&mutex);
    *slot = *found;
    pthread_mutex_unlock(&mutex);
}

void jc_owner_add_variables(const jc_exchange_t *c, apr_table_t *env)
{
    apr_pool_t *p = c->r->pool;
    owner_t owner;

    look_up_owner(c->owner_uid, &owner);
    if (!owner.name[0]) {
        /* As for a number in JailUser. */
        apr_snprintf(owner.name, sizeof(owner.name), "%u",
                     (unsigned) c->owner_uid);
        apr_cpystrn(owner.home, "/", sizeof(owner.home));
    }
    apr_table_set(env, "USER", owner.name);
    apr_table_set(env, "LOGNAME", owner.name);
    apr_table_setn(env, "HOME",
                   jc_jail_path(p, c->conf, jc_home_path_clean(p, owner.home)));
}

/* Finds the user that the script must run as, if that depends on the script. */
apr_status_t jc_owner_find(jc_exchange_t *c)
{
    request_rec *r = c->r;
    apr_finfo_t dir;
    apr_status_t rv;

    if (!c->conf->owner_is_dirs) {
        c->owner_uid = r->finfo.user;
        c->owner_gid = r->finfo.group;
        return APR_SUCCESS;
    }
    rv = apr_stat(&dir, ap_make_dirstr_parent(r->pool, r->filename),
                  APR_FINFO_OWNER, r->pool);
    if (rv == APR_SUCCESS) {
        c->owner_uid = dir.user;
        c->owner_gid = dir.group;
    }
    return rv;
}
