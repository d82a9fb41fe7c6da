/*
 * Holds the module record and registers the hooks.
 *
 * Runs in:   httpd parent (root) and httpd child (web user)
 * Privilege: that of the process
 * Trusts:    the configuration
 * Never:     does the work itself: the hooks call src/httpd
 */
#include "src/httpd/freeze/freeze.h"
#include "src/httpd/config/inherit.h"
#include "src/httpd/serve/hooks.h"
#include "src/httpd/supervise/helper_process.h"
#include "src/httpd/supervise/supervise.h"
#include "src/wire/wire.h"

#include "http_core.h"
#include "http_protocol.h"
#include "http_request.h"
#include "mpm_common.h"

#include <unistd.h>

jc_link_t jc_link = {.socket_fd = -1};

static const char *helper_path(server_rec *s)
{
    const char *path = jc_config_of(s)->helper;

    return path ? path : JC_HELPER_PATH;
}

/* A helper is needed as soon as one virtual host may run a script. */
static int has_policy(server_rec *s)
{
    for (; s; s = s->next) {
        if (jc_config_of(s)->policy != JC_NO_ID) {
            return 1;
        }
    }
    return 0;
}

/* Without a server this is a configtest, in which the logs are not open. A line
 * to stderr, which is open, begins without the date. */
static int refuse_to_start(server_rec *s, const char *sentence)
{
    int level = APLOG_CRIT | (!s ? APLOG_STARTUP : 0);

    ap_log_error(APLOG_MARK, level, 0, s, "%s", sentence);
    return HTTP_INTERNAL_SERVER_ERROR;
}

/*
 * `apachectl configtest` never reaches post_config. This looks at everything
 * that post_config would warn of or refuse, but makes and starts nothing.
 */
static int on_check_config(apr_pool_t *pconf, apr_pool_t *plog,
                           apr_pool_t *ptemp, server_rec *s)
{
    const char *sentence;

    if (ap_state_query(AP_SQ_RUN_MODE) != AP_SQ_RM_CONFIG_TEST) {
        return OK;
    }
    sentence = jc_freeze_hosts(pconf, ptemp, s, 0, NULL, NULL);
    if (!sentence && has_policy(s)) {
        sentence = jc_helper_process_check(ptemp, helper_path(s));
    }
    return sentence ? refuse_to_start(NULL, sentence) : OK;
}

static int on_post_config(apr_pool_t *pconf, apr_pool_t *plog,
                          apr_pool_t *ptemp, server_rec *s)
{
    const char *sentence;
    uint64_t generation, caps_needed = 0;
    int table_fd = -1;

    jc_link.socket_fd = -1;
    /* At start httpd reads the configuration twice, and throws the first
     * reading away. */
    if (ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_CREATE_PRE_CONFIG) {
        return OK;
    }
    generation = jc_supervise_next_generation();
    sentence =
        jc_freeze_hosts(pconf, ptemp, s, generation, &table_fd, &caps_needed);
    if (!sentence && has_policy(s)) {
        sentence = jc_helper_process_check(ptemp, helper_path(s));
    }
    if (sentence) {
        if (table_fd >= 0) {
            close(table_fd);
        }
        return refuse_to_start(s, sentence);
    }
    jc_once_prepare(pconf, s);
    if (jc_config_of(s)->has_script_sock) {
        ap_log_error(APLOG_MARK, APLOG_INFO, 0, s,
                     "ScriptSock has no effect: mod_jailcgi has no socket with "
                     "a name in the file system");
    }
    sentence = jc_supervise_post_config(pconf, plog, s, table_fd, generation,
                                        caps_needed, &jc_link);
    return sentence ? refuse_to_start(s, sentence) : OK;
}

static void on_child_init(apr_pool_t *pchild, server_rec *s)
{
    jc_supervise_child_init();
    jc_channel_pool_child_init(pchild);
}

static void register_hooks(apr_pool_t *p)
{
    /* mod_cgi and mod_cgid answer to the same handler name. Ours comes first,
     * because otherwise a jailed host would run its scripts as the web user. */
    static const char *const cgi[] = {"mod_cgi.c", "mod_cgid.c", NULL};

    jc_supervise_load();
    /* jc_suexec_pretend has the last word before directives are read, and
     * jc_suexec_restore has the first one after that. */
    ap_hook_pre_config(jc_ssi_watch, NULL, NULL, APR_HOOK_REALLY_FIRST);
    ap_hook_pre_config(jc_suexec_pretend, NULL, NULL, APR_HOOK_REALLY_LAST);
    ap_hook_check_config(jc_suexec_restore, NULL, NULL, APR_HOOK_REALLY_FIRST);
    ap_hook_check_config(on_check_config, NULL, NULL, APR_HOOK_MIDDLE);
    /* This runs after every other module. What can fail has failed before a
     * helper is started, and daemons that others fork from post_config
     * (mod_cgid, mod_fcgid) do not inherit this generation's sockets. */
    ap_hook_post_config(on_post_config, NULL, NULL, APR_HOOK_REALLY_LAST);
    /* This runs after post_config, and after the others who register for SSI
     * there. */
    ap_hook_optional_fn_retrieve(jc_ssi_register, cgi, NULL,
                                 APR_HOOK_REALLY_LAST);
    ap_hook_child_status(jc_supervise_child_status, NULL, NULL,
                         APR_HOOK_MIDDLE);
    ap_hook_monitor(jc_supervise_monitor, NULL, NULL, APR_HOOK_MIDDLE);
    /* This runs before the child_init of another module can fork or start a
     * thread. */
    ap_hook_child_init(on_child_init, NULL, NULL, APR_HOOK_REALLY_FIRST);
    jc_length_register();
    jc_broken_register();
    /* The first runs after what the server's own configuration does to a
     * request, and before what a .htaccess does. The second runs between
     * authentication and mod_dir. */
    ap_hook_post_read_request(jc_origin_read, NULL, NULL, APR_HOOK_REALLY_LAST);
    ap_hook_fixups(jc_origin_fixup, NULL, NULL, APR_HOOK_REALLY_FIRST);
    ap_hook_handler(jc_handler, NULL, cgi, APR_HOOK_MIDDLE);
    /* This runs after any module whose sockets are special, and before httpd's
     * own. */
    ap_hook_insert_network_bucket(jc_network_insert, NULL, NULL, APR_HOOK_LAST);
}

/* All symbols are compiled hidden, except this one, which LoadModule looks
 * up. */
module AP_MODULE_DECLARE_DATA __attribute__((visibility("default")))
jailcgi_module = {
    STANDARD20_MODULE_STUFF,  jc_inherit_create_dir,   jc_inherit_merge_dir,
    jc_inherit_create_server, jc_inherit_merge_server, jc_config_commands,
    register_hooks,
#if defined(AP_MODULE_FLAG_NONE)
    AP_MODULE_FLAG_NONE,
#endif
};
