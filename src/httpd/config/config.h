/*
 * Declares the configuration of a virtual host, and what other folders ask of
 * it.
 *
 * Runs in:   httpd parent (root) and httpd child (web user)
 * Privilege: that of the process
 * Trusts:    the configuration; in an httpd child nothing that a request brings
 */
#ifndef JC_CONFIG_H
#define JC_CONFIG_H

#include "httpd.h"
#include "http_config.h"
#include "http_log.h"
#include "ap_mpm.h"
#include "scoreboard.h"
#include "mpm_common.h"
#include "apr_tables.h"

#include "src/wire/codes.h"
#include "src/wire/table.h"

#include <stdint.h>
#include <sys/uio.h>

#define JC_HANDLER_NAME     "cgi-script"
#define JC_MAGIC_TYPE       "application/x-httpd-cgi"
#define JC_RLIMITS          16 /* RLIM_NLIMITS of Linux */
#define JC_DEFAULT_MIN_ID   1000
#define JC_DEFAULT_IDLE_MS  (5 * 60 * 1000)
#define JC_TMP_DIRECTORY    "/var/lib/jailcgi/tmp"
#define JC_PHP_SESSIONS     "/var/lib/php/sessions" /* of Debian's PHP */
#define JC_DEFAULT_TMP_SIZE (64 << 20)
#define JC_DEFAULT_PTYS     64
#define JC_PTY_DIRECTORY    "/dev/pts"
#define JC_UMASK_INHERIT    01000    /* above any umask */
#define JC_DEFAULT_LOG_LEN  10385760 /* ScriptLogLength, as in mod_cgi */
#define JC_DEFAULT_LOG_BUF  1024     /* ScriptLogBuffer, as in mod_cgi */

#ifndef JC_HELPER_PATH
#error "the Makefile gives JC_HELPER_PATH"
#endif

extern module AP_MODULE_DECLARE_DATA jailcgi_module;
APLOG_USE_MODULE(jailcgi);

typedef enum {
    JC_ROOT_UNSET,
    JC_ROOT_OFF,  /* hand the host to mod_cgi or mod_cgid */
    JC_ROOT_LEFT, /* the same for want of any line, set by freeze.c */
    JC_ROOT_NONE, /* no change of root */
    JC_ROOT_PATH,
    JC_ROOT_HOST, /* a root made of the machine's own directories */
} jc_root_kind_t;

typedef enum {
    JC_USER_UNSET,
    JC_USER_OWNER,
    JC_USER_NAMED, /* name or #uid, resolved after the configuration is read */
} jc_user_kind_t;

#define JC_CGROUPS 5 /* memory, swap, cpu, pids, io */

typedef struct {
    int is_set;
    uint64_t soft;
    uint64_t hard;
} jc_rlimit_t;

typedef enum {
    JC_CONF_BIND,
    JC_CONF_TMPFS,
    JC_CONF_PROC,
    JC_CONF_DEV,
    JC_CONF_HOME,
    JC_CONF_PTY,
} jc_mount_conf_kind_t;

/* A line of JailMount. */
typedef struct {
    jc_mount_conf_kind_t kind;
    uint32_t flags; /* JC_MOUNT_* */
    const char *source;
    const char *target;
    uint64_t size; /* bytes; this and the next two: of a tmpfs */
    uint32_t mode;
    uint32_t inodes; /* also the maximum of pseudo-terminals */
} jc_mount_conf_t;

/* JailSite. The paths may begin with %h. */
typedef struct {
    const char *pattern;        /* with %d for a component; NULL: off */
    apr_array_header_t *shared; /* const char * */
} jc_site_t;

/* Says why the scripts of a host cannot be run. */
typedef struct {
    jc_code_t code;       /* JC_CODE_NONE: they can */
    const char *found;    /* text: what was found */
    const char *expected; /* text: what would have been right */
} jc_refusal_t;

/* The result of JailSeccomp: a program for the kernel. */
typedef struct {
    uint32_t count; /* steps, of JC_FILTER_STEP bytes each; 0: off */
    const char *steps;
} jc_filter_t;

/* The result of JailListen: any TCP port, or these, in ascending order. */
typedef struct {
    int is_any;
    uint32_t count;
    uint32_t ports[JC_PORTS_MAX];
} jc_listen_t;

/* There is one for each server, and after the merge there are thousands. What a
 * host only inherits is the same array or table as that of the main server.
 * Fields that are unset inherit. */
typedef struct {
    jc_root_kind_t root_kind;
    const char *root; /* absolute, no trailing slash */

    jc_user_kind_t user_kind;
    const char *user;        /* "alice" or "#1001" */
    const char *group;       /* NULL: that of the user */
    const char *suexec_user; /* SuexecUserGroup; JailUser wins over it */
    const char *suexec_group;

    int owner_is_dirs; /* JC_USER_OWNER: the owner of the directory counts */

    int64_t min_uid; /* -1: unset, as in those that follow */
    int64_t min_gid;
    int64_t max_uid;
    int64_t max_gid;
    int eager_binding;
    int exec_cmd;
    int error_detail;
    int spool_body;
    int64_t header_max; /* bytes */
    int64_t idle_ms;
    int64_t timeout_total_ms; /* JailTimeout; 0: none */
    int64_t timeout_idle_ms;
    int64_t running_max; /* JailConcurrency, with the next four; 0: none */
    int64_t queue_max;
    int64_t queue_ms;
    int full_status;     /* HTTP status of a request that it refuses */
    int64_t retry_s;     /* seconds, for the Retry-After of that */
    apr_table_t *env;    /* JailEnv; NULL: none */
    jc_rlimit_t *limits; /* JC_RLIMITS of them; NULL: none is set */
    int nice_is_set;
    int nice;
    apr_array_header_t *trust;        /* const char *; NULL: unset */
    int trust_is_reset;               /* `none`: nothing is inherited */
    apr_array_header_t *trust_mounts; /* JailTrustMount, in the same way */
    int trust_mounts_are_reset;
    apr_array_header_t *pass;   /* JailPassEnv: const char *; NULL: unset */
    int pass_is_reset;          /* as trust_is_reset */
    int64_t namespaces;         /* JC_NS_*; -1: unset */
    apr_array_header_t *mounts; /* jc_mount_conf_t; NULL: unset */
    int mounts_are_reset;
    const jc_site_t *site; /* JailSite; NULL: unset */
    const char *mail;      /* JailMail: HOST PORT; "": none; NULL: unset */
    const char *tmp;       /* JailTmp: absolute; "": off; NULL: unset */
    /* JailCgroup: the values to be written, in the order of cgroup.c; NULL:
     * unset. */
    const char *cgroup[JC_CGROUPS];
    int cgroup_is_reset;
    const jc_filter_t *filter; /* JailSeccomp; NULL: unset */
    int scope;                 /* -1: unset, as the next three */
    int no_new_privs;
    int umask_mode;            /* JailUmask; JC_UMASK_INHERIT: httpd's own */
    int64_t background_ms;     /* JailBackground; as in src/wire/table.h */
    const jc_listen_t *listen; /* JailListen; NULL: unset */

    const char *script_log; /* NULL: none */
    int64_t script_log_len; /* bytes; the file grows no further */
    int64_t script_log_buffer;
    int64_t script_log_complain_s; /* httpd child: no complaint before */

    /* These are read from the main server's configuration only. */
    int strict; /* -1: unset */
    const char *helper;
    int has_script_sock; /* of mod_cgid; has no effect here */

    struct jc_told *told; /* once.c: what the site's log has already */

    /* The result of freezing, which jc_freeze_hosts() sets in post_config. */
    uint32_t policy;      /* number in the table; JC_NO_ID: none */
    jc_refusal_t refusal; /* why there is none */
} jc_server_conf_t;

/* The settings of one directory. A .htaccess cannot have them. */
typedef struct {
    apr_interval_time_t timeout; /* CGIScriptTimeout; -1: unset */
    int64_t finish_ms;           /* JailAbort; as in exchange.h; -1: unset */
} jc_dir_conf_t;

/* Returns the configuration of a server, which lives as long as the server. */
static inline jc_server_conf_t *jc_config_of(server_rec *s)
{
    return (jc_server_conf_t *) ap_get_module_config(s->module_config,
                                                     &jailcgi_module);
}

/* Whether another module runs the scripts of this host, or refuses to. */
static inline int jc_config_is_left(const jc_server_conf_t *conf)
{
    return (conf->root_kind == JC_ROOT_OFF ||
            conf->root_kind == JC_ROOT_LEFT) &&
           conf->refusal.code == JC_CODE_NONE;
}

/* config.c: the table of directives, which ends with an empty row. */
extern const command_rec jc_config_commands[];

/* limits.c: returns the name that JailLimit has for an RLIMIT_*, or "?". */
const char *jc_limits_name(uint64_t resource);

/* concurrency.c: returns how many milliseconds a request may have to wait until
 * its script is started, because others of its jail run. */
int64_t jc_concurrency_wait_ms(const jc_server_conf_t *conf);

/* seccomp.c: sets *found to the filter of `setting`, which is "default", "off"
 * or the path of a file. The filter is made once for all hosts that have the
 * setting, and lives as long as p. Returns NULL, or a sentence for the
 * administrator. */
const char *jc_seccomp_find(apr_pool_t *p, const char *setting,
                            const jc_filter_t **found);

/* cgroup.c: returns FILE=VALUE for each file of the jail's cgroup that has a
 * limit, allocated from p. */
apr_array_header_t *jc_cgroup_lines(apr_pool_t *p,
                                    const jc_server_conf_t *conf);
/* Returns NULL, or what this machine lacks for these limits, to follow a name.
 * Reads what the machine has into *have, which begins as NULL and lives as long
 * as p. */
const char *jc_cgroup_problem(apr_pool_t *p, const jc_server_conf_t *conf,
                              const char **have);

/* trust_mount.c: returns NULL, or why `JailUser owner` of this server would run
 * nothing, to follow a name. Reads what is mounted into *mounts, which begins
 * as NULL and lives as long as p. */
const char *jc_trust_mount_problem(apr_pool_t *p, server_rec *s,
                                   const jc_server_conf_t *conf,
                                   apr_array_header_t **mounts);

/* loaded.c: returns whether the module itself, which its file names
 * ("mod_cgid.c"), is loaded, and not a stand-in. */
int jc_loaded(const char *file);

/* suexec.c: hooks around the reading of directives. The first says that there
 * is a suexec program, and the second takes that back. */
int jc_suexec_pretend(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp);
int jc_suexec_restore(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp,
                      server_rec *s);
/* Runs after them. Returns NULL, or why httpd must not start: programs of this
 * host would run as the web user although SuexecUserGroup names another user.
 * `has_cgi` says whether mod_cgi or mod_cgid is loaded. The text is allocated
 * from p. */
const char *jc_suexec_problem(apr_pool_t *p, const jc_server_conf_t *conf,
                              const jc_server_conf_t *main_conf, int has_cgi);

#endif
