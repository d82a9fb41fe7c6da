/*
 * Freezes every virtual host into a number of the policy table. Reports hosts
 * that cannot run scripts at the start, before a visitor notices.
 *
 * Runs in:   httpd parent (root), while it reads its configuration
 * Privilege: that of the parent
 * Trusts:    the configuration, the machine's user database
 * Never:     gives a policy to a virtual host that fails a check
 */
#include "freeze.h"
#include "homes.h"
#include "warnings.h"
#include "src/httpd/config/inherit.h"
#include "src/wire/table.h"
#include "src/wire/wire.h"

#include "apr_hash.h"
#include "apr_strings.h"
#include "http_core.h"

#include <sys/resource.h>
#include <unistd.h>

typedef struct {
    apr_pool_t *p;
    apr_pool_t *ptemp;
    apr_pool_t *phost; /* cleared after each virtual host */
    server_rec *main_server;
    server_rec *log_to; /* NULL in a configtest: no log is open */
    int log_level;      /* in a configtest, without a date */
    jc_identity_names_t *names;
    jc_table_t *table;
    jc_mount_rows_t *mounts;
    const char *controllers;        /* of cgroups; NULL: not read yet */
    apr_array_header_t *mounted;    /* on the machine; NULL: not read yet */
    apr_array_header_t *roots;      /* jc_root_t: JailRoots to look at */
    apr_hash_t *roots_seen;         /* the same, by their paths */
    uint64_t inherited[JC_RLIMITS]; /* hard limits of this process */
    uint64_t caps_needed;
    jc_warnings_t *warnings;
    unsigned unasked; /* hosts that no line asks to be jailed */
    int strict;
    int has_cgi;     /* mod_cgi or mod_cgid is loaded */
    int is_helpless; /* httpd is not root: there will be no helper */
    const char *fatal;
} freeze_t;

static const char *describe(freeze_t *freeze, server_rec *s)
{
    const char *name = s->server_hostname;

    if (s == freeze->main_server) {
        return "the main server";
    }
    if (!name) {
        name = "without a ServerName";
    }
    if (!s->defn_name) {
        return apr_psprintf(freeze->ptemp, "virtual host %s", name);
    }
    return apr_psprintf(freeze->ptemp, "virtual host %s (%s:%u)", name,
                        s->defn_name, s->defn_line_number);
}

static void warn(freeze_t *freeze, jc_code_t code, server_rec *s,
                 const char *sentence)
{
    if (freeze->strict && !freeze->fatal) {
        freeze->fatal =
            apr_psprintf(freeze->p, "%s (JailStrict On: httpd does not start)",
                         sentence);
        return;
    }
    jc_warnings_add(freeze->warnings, code, describe(freeze, s), sentence);
}

/* A main server with virtual hosts usually only has what these have in
 * common. */
static int is_alone_or_virtual(const freeze_t *freeze, const server_rec *s)
{
    return s != freeze->main_server || !s->next;
}

/* It is no mistake if a main server with virtual hosts lacks a root or an
 * identity itself. */
static int is_worth_a_warning(const freeze_t *freeze, const server_rec *s,
                              const jc_server_conf_t *conf)
{
    if (!jc_inherit_is_configured(conf) ||
        conf->refusal.code == JC_CODE_NOT_STARTED_AS_ROOT) {
        return 0;
    }
    return is_alone_or_virtual(freeze, s) ||
           (conf->refusal.code != JC_CODE_NO_ROOT &&
            conf->refusal.code != JC_CODE_NO_IDENTITY);
}

static void report_refusal(freeze_t *freeze, server_rec *s,
                           const jc_server_conf_t *conf)
{
    if (conf->refusal.code == JC_CODE_NONE ||
        !is_worth_a_warning(freeze, s, conf)) {
        return;
    }
    warn(freeze, conf->refusal.code, s,
         apr_psprintf(freeze->ptemp,
                      "JCGI%d: %s runs no CGI scripts: found %s, expected %s",
                      conf->refusal.code, describe(freeze, s),
                      conf->refusal.found, conf->refusal.expected));
}

/*
 * A root that does not exist (yet) is no reason to refuse. The keeper finds out
 * at each request, and a root that appears repairs the site without a reload.
 */
static void report_roots(freeze_t *freeze)
{
    jc_roots_look(freeze->ptemp, freeze->roots);
    for (int i = 0; i < freeze->roots->nelts; i++) {
        const jc_root_t *root = &APR_ARRAY_IDX(freeze->roots, i, jc_root_t);

        if (!root->problem) {
            continue;
        }
        warn(freeze, JC_CODE_ROOT_MISSING, root->s,
             apr_psprintf(
                 freeze->ptemp,
                 "JCGI%d: JailRoot %s of %s: %s; requests for scripts get 503 "
                 "until the directory exists, which needs no reload",
                 JC_CODE_ROOT_MISSING, root->path, describe(freeze, root->s),
                 root->problem));
    }
}

static void add_root(freeze_t *freeze, server_rec *s, const char *path)
{
    jc_root_t *root;

    if (apr_hash_get(freeze->roots_seen, path, APR_HASH_KEY_STRING)) {
        return;
    }
    apr_hash_set(freeze->roots_seen, path, APR_HASH_KEY_STRING, path);
    root = apr_array_push(freeze->roots);
    *root = (jc_root_t){.path = path, .s = s};
}

/* The helper's unit may lack more, which the helper reports when it starts. */
static void check_cgroup(freeze_t *freeze, server_rec *s,
                         const jc_server_conf_t *conf)
{
    const char *problem =
        jc_cgroup_problem(freeze->ptemp, conf, &freeze->controllers);

    if (problem) {
        warn(freeze, JC_CODE_CGROUP_NONE, s,
             apr_psprintf(
                 freeze->ptemp,
                 "JCGI%d: JailCgroup of %s: %s; requests for scripts get 503",
                 JC_CODE_CGROUP_NONE, describe(freeze, s), problem));
    }
}

static void report(freeze_t *freeze, server_rec *s, jc_code_t code,
                   const char *problem)
{
    if (problem) {
        warn(freeze, code, s,
             apr_psprintf(freeze->ptemp, "JCGI%d: %s: %s", code,
                          describe(freeze, s), problem));
    }
}

static void refuse(jc_server_conf_t *conf, jc_code_t code, const char *found,
                   const char *expected)
{
    conf->refusal = (jc_refusal_t){code, found, expected};
}

/* Does the same with texts that do not live as long as the configuration. */
static void refuse_as(const freeze_t *freeze, jc_server_conf_t *conf,
                      const jc_refusal_t *refusal)
{
    refuse(conf, refusal->code, apr_pstrdup(freeze->p, refusal->found),
           apr_pstrdup(freeze->p, refusal->expected));
}

/*
 * Whether a host stays with mod_cgi or mod_cgid, as it was before this module
 * was loaded: no line says where its scripts run, or as whom. Only a jail would
 * heed a line that asks for a user, so a host with one is refused.
 */
static int is_left(const freeze_t *freeze, const jc_server_conf_t *conf)
{
    return conf->root_kind == JC_ROOT_LEFT ||
           (conf->root_kind == JC_ROOT_UNSET && freeze->has_cgi &&
            conf->user_kind == JC_USER_UNSET &&
            (!conf->suexec_user || jc_loaded("mod_suexec.c")));
}

/* Gives the host a policy, or the reason why it has none. Returns NULL, or why
 * httpd must not start, to follow the host's name. */
static const char *freeze_conf(freeze_t *freeze, server_rec *s,
                               jc_server_conf_t *conf)
{
    jc_identity_t id;
    jc_isolation_t isolation;
    const char *problem;

    conf->policy = JC_NO_ID;
    conf->refusal = (jc_refusal_t){.code = JC_CODE_NONE};
    if (conf->root_kind == JC_ROOT_OFF) {
        if (!freeze->has_cgi) {
            refuse(conf, JC_CODE_OFF_NO_CGI,
                   "JailRoot off and neither mod_cgi nor mod_cgid",
                   "one of these modules loaded, or JailRoot PATH or none");
        }
        return NULL;
    }
    if (is_left(freeze, conf)) {
        return NULL;
    }
    if (conf->root_kind == JC_ROOT_UNSET) {
        refuse(conf, JC_CODE_NO_ROOT, "no JailRoot",
               "JailRoot PATH, or host (a root made of the machine's own "
               "directories), or none (no change of root), or off (mod_cgi or "
               "mod_cgid runs the scripts)");
        return NULL;
    }
    jc_identity_resolve(freeze->names, conf, &id);
    if (id.refusal.code != JC_CODE_NONE) {
        refuse_as(freeze, conf, &id.refusal);
        return NULL;
    }
    if (freeze->is_helpless) {
        refuse(
            conf, JC_CODE_NOT_STARTED_AS_ROOT,
            "httpd that was not started as root",
            "httpd started as root: only root can run scripts as other users");
        return NULL;
    }
    jc_mount_rows_compile(freeze->mounts, freeze->phost, s, &id, &isolation);
    if (isolation.refusal.code != JC_CODE_NONE) {
        refuse_as(freeze, conf, &isolation.refusal);
        return NULL;
    }
    isolation.filter = conf->filter;
    if (!conf->filter) {
        problem = jc_seccomp_find(freeze->p, "default", &isolation.filter);
        if (problem) {
            return problem;
        }
    }
    problem = jc_record_add(freeze->table, freeze->phost, conf, &id, &isolation,
                            &conf->policy);
    if (!problem) {
        report(freeze, s, JC_CODE_HOME_LEFT_OUT,
               jc_homes_problem(freeze->ptemp, conf, &id));
        jc_tmp_rows_prepare(conf, freeze->log_to ? 1 : 0);
        freeze->caps_needed |=
            jc_caps_of(conf, isolation.namespaces, freeze->inherited);
    }
    return problem;
}

static int is_unasked(const freeze_t *freeze, const server_rec *s,
                      const jc_server_conf_t *conf)
{
    return is_alone_or_virtual(freeze, s) &&
           (conf->root_kind == JC_ROOT_LEFT ||
            (conf->root_kind == JC_ROOT_UNSET &&
             !jc_inherit_is_configured(conf)));
}

static void freeze_server(freeze_t *freeze, server_rec *s)
{
    jc_server_conf_t *conf = jc_config_of(s);
    const char *problem = NULL;

    /* httpd gives a virtual host without any of our directives the structure of
     * the main server itself. */
    if (s == freeze->main_server || conf != jc_config_of(freeze->main_server)) {
        problem = freeze_conf(freeze, s, conf);
        if (!problem) {
            problem = jc_suexec_problem(freeze->p, conf,
                                        jc_config_of(freeze->main_server),
                                        freeze->has_cgi);
        }
    }
    if (problem && !freeze->fatal) {
        freeze->fatal =
            apr_psprintf(freeze->p, "%s: %s", describe(freeze, s), problem);
    }
    report_refusal(freeze, s, conf);
    /* Only now: what was set is a part of the sentences above. */
    if (is_left(freeze, conf)) {
        conf->root_kind = JC_ROOT_LEFT;
    }
    freeze->unasked += is_unasked(freeze, s, conf);
    if (conf->policy != JC_NO_ID && conf->root_kind == JC_ROOT_PATH) {
        add_root(freeze, s, conf->root);
    }
    if (conf->policy != JC_NO_ID) {
        check_cgroup(freeze, s, conf);
        report(freeze, s, JC_CODE_FILE_SYSTEM,
               jc_trust_mount_problem(freeze->ptemp, s, conf,
                                      &freeze->mounted));
        report(freeze, s, JC_CODE_MAIL_SETUP,
               jc_mail_rows_problem(freeze->mounts, freeze->ptemp, conf));
    }
}

/* Says once how many hosts no line asks to be jailed. They stay with another
 * module if one is loaded. JailStrict has nothing against them: they may have
 * no scripts at all. */
static void report_unasked(const freeze_t *freeze)
{
    if (freeze->unasked > 0 && freeze->has_cgi) {
        ap_log_error(APLOG_MARK, freeze->log_level, 0, freeze->log_to,
                     "%u hosts have neither JailRoot nor JailUser; mod_cgi or "
                     "mod_cgid runs their scripts, in no jail and as httpd's "
                     "own User, unless mod_suexec changes it; set JailRoot "
                     "host, PATH or none, or JailRoot off if that is meant",
                     freeze->unasked);
    } else if (freeze->unasked > 0) {
        ap_log_error(APLOG_MARK, freeze->log_level, 0, freeze->log_to,
                     "JCGI%d: %u hosts have no JailRoot, and neither mod_cgi "
                     "nor mod_cgid is loaded; their scripts get 503; set "
                     "JailRoot host, PATH or none, or load one of these "
                     "modules",
                     JC_CODE_NO_ROOT, freeze->unasked);
    }
}

static void report_helpless(freeze_t *freeze)
{
    server_rec *s = freeze->is_helpless ? freeze->main_server : NULL;

    for (; s; s = s->next) {
        if (jc_config_of(s)->refusal.code == JC_CODE_NOT_STARTED_AS_ROOT) {
            warn(freeze, JC_CODE_NOT_STARTED_AS_ROOT, s,
                 apr_psprintf(freeze->ptemp,
                              "JCGI%d: httpd was not started as root, so it "
                              "cannot run scripts as other users; no jailed "
                              "virtual host runs CGI scripts",
                              JC_CODE_NOT_STARTED_AS_ROOT));
            return;
        }
    }
}

const char *jc_freeze_hosts(apr_pool_t *p, apr_pool_t *ptemp,
                            server_rec *main_server, uint64_t generation,
                            int *table_fd, uint64_t *caps_needed)
{
    freeze_t freeze = {
        .p = p,
        .ptemp = ptemp,
        .main_server = main_server,
        .log_to = table_fd ? main_server : NULL,
        .log_level = APLOG_WARNING | (table_fd ? 0 : APLOG_STARTUP),
        .names = jc_names_create(ptemp),
        .table = jc_table_create(ptemp),
        .warnings = jc_warnings_create(ptemp),
        .mounts = jc_mount_rows_create(ptemp, jc_config_of(main_server)),
        .roots = apr_array_make(ptemp, 16, sizeof(jc_root_t)),
        .roots_seen = apr_hash_make(ptemp),
        .strict = jc_config_of(main_server)->strict == 1,
        .has_cgi = jc_loaded("mod_cgi.c") || jc_loaded("mod_cgid.c"),
        /* Anybody may run a configtest. */
        .is_helpless = table_fd && geteuid() != 0,
    };

    for (int i = 0; i < JC_RLIMITS; i++) {
        struct rlimit limit;

        freeze.inherited[i] =
            getrlimit(i, &limit) == 0 ? limit.rlim_max : RLIM_INFINITY;
    }
    apr_pool_create(&freeze.phost, ptemp);
    for (server_rec *s = main_server; s; s = s->next) {
        freeze_server(&freeze, s);
        apr_pool_clear(freeze.phost);
    }
    apr_pool_destroy(freeze.phost);
    report_roots(&freeze);
    report_helpless(&freeze);
    jc_warnings_log(freeze.warnings, freeze.log_level, freeze.log_to);
    report_unasked(&freeze);
    if (!table_fd) {
        return freeze.fatal;
    }
    *table_fd = -1;
    *caps_needed = freeze.caps_needed;
    if (!freeze.fatal && jc_table_count(freeze.table) > 0) {
        jc_owners_add(ptemp, freeze.table);
        freeze.fatal = jc_table_seal(freeze.table, generation, table_fd);
    }
    return freeze.fatal;
}
