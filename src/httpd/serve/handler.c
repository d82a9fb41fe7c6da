/*
 * Implements the content handler: the checks of mod_cgi, then one script.
 *
 * Runs in:   httpd child
 * Privilege: that of the web user
 * Trusts:    the configuration and what httpd's earlier phases decided
 * Never:     serves the source of a script
 */
#include "answer.h"
#include "exchange.h"
#include "handler.h"
#include "hooks.h"
#include "variables.h"

#include "http_core.h"
#include "http_protocol.h"
#include "http_request.h"
#include "util_filter.h"
#include "apr_lib.h"
#include "apr_strings.h"

#include <string.h>

static int refuse(request_rec *r, const jc_server_conf_t *conf, jc_code_t code)
{
    jc_reason_t why = {.code = code};

    return jc_reason_log(r, conf, &why);
}

/* mod_alias notes a ScriptAlias, which counts as Options ExecCGI. */
static int is_scriptaliased(request_rec *r)
{
    const char *t = apr_table_get(r->notes, "alias-forced-type");

    return t && strcasecmp(t, JC_HANDLER_NAME) == 0;
}

static int is_nph(request_rec *r)
{
    return strncmp(apr_filepath_name_get(r->filename), "nph-", 4) == 0;
}

int jc_handler_check_host(request_rec *r, const jc_server_conf_t *conf)
{
    jc_reason_t why = {.code = conf->refusal.code, .refusal = &conf->refusal};

    if (why.code == JC_CODE_NONE && conf->policy == JC_NO_ID) {
        why.code = JC_CODE_NO_ROOT;
    }
    if (why.code != JC_CODE_NONE) {
        return jc_reason_log(r, conf, &why);
    }
    if (jc_link.socket_fd < 0) {
        return refuse(r, conf, JC_CODE_NO_ANSWER);
    }
    return OK;
}

static int check_request(request_rec *r, const jc_server_conf_t *conf)
{
    const apr_int32_t needed =
        APR_FINFO_DEV | APR_FINFO_INODE | APR_FINFO_OWNER;

    if (!(ap_allow_options(r) & OPT_EXECCGI) && !is_scriptaliased(r)) {
        return refuse(r, conf, JC_CODE_EXEC_CGI_OFF);
    }
    if (is_nph(r) && strcmp(r->protocol, "INCLUDED") == 0) {
        return refuse(r, conf, JC_CODE_NPH_INCLUDED);
    }
    if (r->finfo.filetype == APR_NOFILE) {
        return refuse(r, conf, JC_CODE_NOT_FOUND);
    }
    if (r->finfo.filetype == APR_DIR) {
        return refuse(r, conf, JC_CODE_IS_DIRECTORY);
    }
    if (r->used_path_info == AP_REQ_REJECT_PATH_INFO && r->path_info &&
        *r->path_info) {
        return refuse(r, conf, JC_CODE_PATH_INFO);
    }
    if ((r->finfo.valid & needed) != needed &&
        apr_stat(&r->finfo, r->filename, APR_FINFO_MIN | needed, r->pool) !=
            APR_SUCCESS) {
        return refuse(r, conf, JC_CODE_NOT_FOUND);
    }
    return OK;
}

/*
 * httpd would cut a range out of a page if it is complete when it begins to be
 * sent. The page of a quick script is, and that of a slow one is not. The
 * script itself must say what a range of its page is (HTTP_RANGE, Status: 206).
 * In a page that includes it, the range is that of the page.
 */
static void leave_ranges_to_script(request_rec *r)
{
    if (!r->main) {
        ap_remove_output_filter_byhandle(r->output_filters, "BYTERANGE");
    }
}

int jc_handler(request_rec *r)
{
    const jc_server_conf_t *conf;
    jc_exchange_t *c;
    int status;

    if (!r->handler || (strcmp(r->handler, JC_HANDLER_NAME) != 0 &&
                        strcmp(r->handler, JC_MAGIC_TYPE) != 0)) {
        return DECLINED;
    }
    conf = jc_config_of(r->server);
    if (jc_config_is_left(conf)) {
        return DECLINED;
    }
    status = jc_handler_check_host(r, conf);
    if (status == OK) {
        status = check_request(r, conf);
    }
    if (status != OK) {
        jc_script_log_write(r, conf, status, NULL);
        return status;
    }
    c = jc_exchange_create(r, conf);
    if (jc_spool_body(c) < 0 || jc_request_build(c) < 0 ||
        jc_control_spawn(c) < 0) {
        status = jc_exchange_end(c, &c->why);
        jc_script_log_write(r, conf, status, c->log);
        return status;
    }
    leave_ranges_to_script(r);
    return jc_page_answer(c, is_nph(r));
}
