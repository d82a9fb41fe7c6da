/*
 * Makes SuexecUserGroup work beside a mod_suexec that cannot work. The
 * directive names an identity for this module too, but mod_suexec fails the
 * whole configuration at that line if httpd has found no usable suexec program.
 * Therefore httpd is made to believe in one while directives are read, and only
 * then.
 *
 * Theory of operation. mod_unixd looks for the program in its pre_config hook
 * (APR_HOOK_FIRST). The hook of this file comes after it and sets
 * suexec_enabled. The first check_config hook sets it back. In between, httpd
 * runs directives and nothing else, and ends if one of them fails. Everything
 * that acts on the value runs later: mod_cgid and mod_fcgid fork in
 * post_config, mod_suexec announces itself there, and requests are served after
 * that. Therefore no process ever believes in a program that does not exist.
 *
 * The refusal of mod_suexec also kept scripts from running as the web user.
 * jc_suexec_problem() refuses in its place where nothing else of this module
 * does.
 *
 * Runs in:   httpd parent (root), while it reads its configuration
 * Privilege: that of the parent
 * Trusts:    the configuration; what mod_unixd has found out
 * Never:     leaves suexec_enabled different from what httpd has at run time
 */
#include "config.h"

#include "apr_strings.h"
#include "unixd.h"

/* Is 1 between the two hooks of one reading of the configuration. */
static int is_pretended;

int jc_suexec_pretend(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp)
{
    is_pretended = !ap_unixd_config.suexec_enabled;
    ap_unixd_config.suexec_enabled = 1;
    return OK;
}

/* Goes back to 0 even after `Suexec On`, which httpd itself would have refused.
 * If there is a program, `Suexec Off` may have been read meanwhile, and stays
 * in force. */
int jc_suexec_restore(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp,
                      server_rec *s)
{
    if (is_pretended) {
        ap_unixd_config.suexec_enabled = 0;
        is_pretended = 0;
    }
    return DECLINED;
}

/*
 * Returns who would start programs of this host as the web user although
 * another user is configured for them, or NULL. The text follows
 * "SuexecUserGroup U G of a host".
 *
 * JailRoot off hands the scripts to other modules, whether mod_suexec is loaded
 * or not. Without mod_suexec, httpd alone would not even know the directive.
 *
 * In other hosts the line is an identity for this module, and if mod_suexec is
 * not loaded, for this module alone. If it is loaded, the administrator counts
 * on the line wherever another module asks mod_suexec. The handler of this
 * module keeps scripts from mod_cgi and mod_cgid, even where no JailRoot is
 * set. But there the `exec cmd` of mod_include is theirs, and the line could be
 * for that alone. In a jailed host the line is for its scripts and for `exec
 * cmd`, which run in the jail. FastCGI programs never pass the handler of this
 * module.
 */
static const char *who_ignores_it(const jc_server_conf_t *conf, int has_cgi)
{
    if (jc_loaded("mod_suexec.c") && ap_unixd_config.suexec_enabled) {
        return NULL;
    }
    if (conf->root_kind == JC_ROOT_OFF) {
        return "that is not jailed (JailRoot off)";
    }
    if (!jc_loaded("mod_suexec.c")) {
        return NULL;
    }
    if (jc_loaded("mod_fcgid.c") || jc_loaded("mod_fastcgi.c")) {
        return "in which FastCGI programs rely on it";
    }
    if (conf->root_kind == JC_ROOT_UNSET && has_cgi) {
        return "that is not jailed (no JailRoot)";
    }
    return NULL;
}

const char *jc_suexec_problem(apr_pool_t *p, const jc_server_conf_t *conf,
                              const jc_server_conf_t *main_conf, int has_cgi)
{
    const jc_server_conf_t *from = conf;
    const char *who, *why = "mod_suexec is not loaded";

    /* A JailUser of the host removes the server's SuexecUserGroup from our
     * record of the host, but not from that of mod_suexec. */
    if (!from->suexec_user) {
        from = main_conf;
    }
    if (!from->suexec_user || !(who = who_ignores_it(conf, has_cgi))) {
        return NULL;
    }
    if (jc_loaded("mod_suexec.c")) {
        why = ap_unixd_config.suexec_disabled_reason;
    }
    return apr_psprintf(
        p,
        "SuexecUserGroup %s %s applies to a host %s, but suEXEC is disabled: "
        "%s; programs would run as httpd's own User, so write JailRoot PATH or "
        "none, or remove SuexecUserGroup from this host (it inherits that of "
        "the server), or install suexec and load mod_suexec%s",
        from->suexec_user, from->suexec_group, who, why,
        conf->root_kind == JC_ROOT_OFF ? "" : ", or do not load mod_suexec");
}
