/*
 * The two lists of names of environment variables, with the reason for each
 * name.
 *
 * Runs in:   httpd parent and httpd child; script's child, in the keeper's
 *            memory
 * Privilege: the process's own; the tenant's in the script's child
 * Trusts:    nothing
 * Never:     allocates; calls a function of the C library that has a state
 *
 * A name is denied if its value alone makes a common program or library load or
 * run code, or read its configuration from a file that the setter chooses. A
 * name that only tunes a program, or configures one application (a data base's
 * address, GIT_PROJECT_ROOT), is not denied. The names of the C library are
 * those that glibc removes for set-user-ID programs
 * (sysdeps/generic/unsecvars.h, ld.so(8)), except for the allocator's tuning.
 *
 * That list protects a tenant from a compromised httpd child, and from setting
 * a name of the loader by accident. No such list is ever complete. With
 * JailUser owner, where one tenant's page can lead to another tenant's script,
 * a name must therefore be on the second list instead.
 *
 * The rows are sorted by their first character. Among rows with the same first
 * character the first match decides, so an exception precedes the pattern that
 * covers it. doc/manual/environment.md has the same lists (t/lint/names.t).
 */
#include "env_names.h"

#include <string.h>

/* It contains no pointer, so it needs no relocation: script's children use it
 * as it is mapped. */
typedef struct {
    char pattern[31];
    char passes;
} row_t;

/* The reason is for the manual. */
#define DROP(pattern, why)                                                     \
    {                                                                          \
        pattern, 0                                                             \
    }
#define PASS(pattern, why)                                                     \
    {                                                                          \
        pattern, 1                                                             \
    }

#define LOADER            "libraries that the loader or libltdl loads"
#define LIBC              "files, servers and checks of the C library"
#define HTTPOXY           "a request header Proxy would set it"
#define SHELL             "code, functions or search paths of shells"
#define HARMLESS          "tunes a program, loads nothing"
#define UNPACKED          "where a program puts what it unpacks and loads"
#define JAVA              "classes and options of a Java machine"
#define LUA               "code and search paths of Lua"
#define NODE              "code, options and search paths of Node.js and npm"
#define PERL              "code, options and search paths of Perl"
#define PHP               "PHP's configuration, which names extensions"
#define PYTHON            "code, options and search paths of Python"
#define RUBY              "code, options and search paths of Ruby, its gems"
#define TCL               "Tcl's and Tk's own libraries"
#define DOTNET            "assemblies and profilers of .NET and Mono"
#define ERLANG            "code and options of Erlang and Elixir"
#define GUILE             "code and search paths of Guile"
#define RLANG             "profiles and libraries of R"
#define OTHER_LANGUAGE    "libraries or initial files of a language"
#define AWK               "files and extensions that gawk loads"
#define TLS               "a TLS library's configuration, modules, engines"
#define GIT               "commands, configuration and programs of Git"
#define VERSION_CONTROL   "commands or configuration of version control"
#define COMMAND           "a command that programs run"
#define OPTIONS           "options or commands that a program obeys"
#define CONFIGURATION     "configuration files of many programs"
#define DIRECTORY_SERVICE "configuration and plugins of Kerberos, LDAP, SASL"
#define DATABASE          "configuration and drivers of data base clients"
#define GRAPHICS          "modules, plugins and programs of graphics, media"
#define TEX               "configuration and macros of TeX"

static const row_t denied[] = {
    DROP("ASPELL_CONF", CONFIGURATION),
    DROP("ASPNETCORE_HOSTING*", DOTNET),
    DROP("AWKLIBPATH", AWK),
    DROP("AWKPATH", AWK),
    DROP("BASHOPTS", SHELL),
    DROP("BASH_ENV", SHELL),
    DROP("BASH_FUNC_*", SHELL),
    DROP("BC_ENV_ARGS", OPTIONS),
    DROP("BROWSER", COMMAND),
    DROP("BUNDLE_*", RUBY),
    DROP("CAML_LD_LIBRARY_PATH", OTHER_LANGUAGE),
    DROP("CDPATH", SHELL),
    DROP("CLASSPATH", JAVA),
    DROP("COMPILER_PATH", OPTIONS),
    DROP("COMPLUS_*", DOTNET),
    DROP("CORECLR_*", DOTNET),
    DROP("COR_*", DOTNET),
    DROP("CURL_HOME", CONFIGURATION),
    DROP("CVS_RSH", VERSION_CONTROL),
    PASS("DOTNET_CLI_TELEMETRY_OPTOUT", HARMLESS),
    PASS("DOTNET_ENVIRONMENT", HARMLESS),
    PASS("DOTNET_NOLOGO", HARMLESS),
    PASS("DOTNET_RUNNING_IN_CONTAINER", HARMLESS),
    PASS("DOTNET_SYSTEM_*", HARMLESS),
    DROP("DOTNET_*", DOTNET),
    DROP("EDITOR", COMMAND),
    DROP("ELIXIR_*", ERLANG),
    DROP("EMACSLOADPATH", OTHER_LANGUAGE),
    PASS("ERL_CRASH_DUMP*", HARMLESS),
    DROP("ERL_*", ERLANG),
    DROP("EXINIT", OPTIONS),
    DROP("FONTCONFIG_*", CONFIGURATION),
    DROP("FPATH", SHELL),
    DROP("FREI0R_PATH", GRAPHICS),
    DROP("GCC_EXEC_PREFIX", OPTIONS),
    DROP("GCONV_PATH", LIBC),
    DROP("GDAL_DRIVER_PATH", GRAPHICS),
    DROP("GDK_*", GRAPHICS),
    DROP("GEM_*", RUBY),
    DROP("GETCONF_DIR", LIBC),
    DROP("GIO_*", GRAPHICS),
    DROP("GIT_ASKPASS", GIT),
    PASS("GIT_CONFIG_NOSYSTEM", HARMLESS),
    DROP("GIT_CONFIG*", GIT),
    DROP("GIT_EDITOR", GIT),
    DROP("GIT_EXEC_PATH", GIT),
    DROP("GIT_EXTERNAL_DIFF", GIT),
    DROP("GIT_PAGER", GIT),
    DROP("GIT_PROXY_COMMAND", GIT),
    DROP("GIT_SEQUENCE_EDITOR", GIT),
    DROP("GIT_SSH*", GIT),
    DROP("GIT_TEMPLATE_DIR", GIT),
    DROP("GLIBC_TUNABLES", LOADER),
    DROP("GNUMAKEFLAGS", OPTIONS),
    DROP("GNUPGHOME", CONFIGURATION),
    PASS("GNUPLOT_DEFAULT_GDFONT", HARMLESS),
    DROP("GNUPLOT_*", GRAPHICS),
    DROP("GNUTLS_SYSTEM_PRIORITY_FILE", TLS),
    DROP("GROFF_*", OPTIONS),
    DROP("GST_*", GRAPHICS),
    DROP("GS_*", GRAPHICS),
    DROP("GTK_*", GRAPHICS),
    DROP("GUILE_*", GUILE),
    DROP("GVBINDIR", GRAPHICS),
    DROP("HGEDITOR", VERSION_CONTROL),
    DROP("HGRCPATH", VERSION_CONTROL),
    DROP("HOSTALIASES", LIBC),
    DROP("HTTP_PROXY", HTTPOXY),
    DROP("IFS", SHELL),
    DROP("JAVA_TOOL_OPTIONS", JAVA),
    DROP("JDK_JAVA_OPTIONS", JAVA),
    DROP("JRUBY_OPTS", JAVA),
    DROP("JULIA_*", OTHER_LANGUAGE),
    PASS("KRB5_CLIENT_KTNAME", HARMLESS),
    PASS("KRB5_KTNAME", HARMLESS),
    PASS("KRB5_TRACE", HARMLESS),
    DROP("KRB5_*", DIRECTORY_SERVICE),
    DROP("KSH_ENV", SHELL),
    DROP("LADSPA_PATH", GRAPHICS),
    DROP("LDAPCONF", DIRECTORY_SERVICE),
    DROP("LDAPRC", DIRECTORY_SERVICE),
    DROP("LD_*", LOADER),
    DROP("LESSCLOSE", COMMAND),
    DROP("LESSOPEN", COMMAND),
    DROP("LIBGL_DRIVERS_PATH", GRAPHICS),
    DROP("LIBMYSQL_*", DATABASE),
    DROP("LIBVA_DRIVERS_PATH", GRAPHICS),
    DROP("LOCALDOMAIN", LIBC),
    DROP("LOCPATH", LIBC),
    DROP("LTDL_LIBRARY_PATH", LOADER),
    DROP("LUAINPUTS", TEX),
    DROP("LUA_*", LUA),
    DROP("LV2_PATH", GRAPHICS),
    DROP("LYNX_CFG*", CONFIGURATION),
    DROP("MAGICK_CODER_*", GRAPHICS),
    DROP("MAGICK_CONFIGURE_PATH", GRAPHICS),
    DROP("MAGICK_FILTER_*", GRAPHICS),
    DROP("MAGICK_HOME", GRAPHICS),
    DROP("MAILCAPS", CONFIGURATION),
    DROP("MAILRC", CONFIGURATION),
    DROP("MAKEFILES", OPTIONS),
    DROP("MAKEFLAGS", OPTIONS),
    DROP("MALLOC_CHECK_", LIBC),
    DROP("MALLOC_TRACE", LIBC),
    DROP("MANPAGER", COMMAND),
    DROP("MARIADB_PLUGIN_DIR", DATABASE),
    DROP("MONO_*", DOTNET),
    DROP("MYSQL_HOME", DATABASE),
    DROP("MYSQL_TEST_LOGIN_FILE", DATABASE),
    DROP("NIS_PATH", LIBC),
    DROP("NLSPATH", LIBC),
    PASS("NODE_DEBUG", HARMLESS),
    PASS("NODE_ENV", HARMLESS),
    PASS("NODE_EXTRA_CA_CERTS", HARMLESS),
    PASS("NODE_NO_WARNINGS", HARMLESS),
    PASS("NODE_TLS_REJECT_UNAUTHORIZED", HARMLESS),
    DROP("NODE_*", NODE),
    DROP("NPM_CONFIG_*", NODE),
    DROP("OCTAVE_*", OTHER_LANGUAGE),
    DROP("ODBC*", DATABASE),
    PASS("OPENSSL_armcap", HARMLESS),
    PASS("OPENSSL_ia32cap", HARMLESS),
    DROP("OPENSSL_*", TLS),
    DROP("PAGER", COMMAND),
    DROP("PERL5*", PERL),
    DROP("PERLIO*", PERL),
    DROP("PERLLIB", PERL),
    PASS("PERL_HASH_SEED*", HARMLESS),
    PASS("PERL_LWP_*", HARMLESS),
    PASS("PERL_PERTURB_KEYS", HARMLESS),
    PASS("PERL_SIGNALS", HARMLESS),
    PASS("PERL_UNICODE", HARMLESS),
    DROP("PERL_*", PERL),
    DROP("PGSERVICEFILE", DATABASE),
    DROP("PGSYSCONFDIR", DATABASE),
    DROP("PHPRC", PHP),
    DROP("PHP_INI_SCAN_DIR", PHP),
    DROP("PS4", SHELL),
    DROP("PSQL*", DATABASE),
    PASS("PYTHONCOERCECLOCALE", HARMLESS),
    PASS("PYTHONDEVMODE", HARMLESS),
    PASS("PYTHONDONTWRITEBYTECODE", HARMLESS),
    PASS("PYTHONFAULTHANDLER", HARMLESS),
    PASS("PYTHONHASHSEED", HARMLESS),
    PASS("PYTHONIOENCODING", HARMLESS),
    PASS("PYTHONMALLOC*", HARMLESS),
    PASS("PYTHONNOUSERSITE", HARMLESS),
    PASS("PYTHONOPTIMIZE", HARMLESS),
    PASS("PYTHONSAFEPATH", HARMLESS),
    PASS("PYTHONUNBUFFERED", HARMLESS),
    PASS("PYTHONUTF8", HARMLESS),
    PASS("PYTHON_EGG_CACHE", UNPACKED),
    DROP("PYTHON*", PYTHON),
    DROP("QML*", GRAPHICS),
    DROP("QT_PLUGIN_PATH", GRAPHICS),
    DROP("QT_QPA_PLATFORM_PLUGIN_PATH", GRAPHICS),
    DROP("RESOLV_HOST_CONF", LIBC),
    DROP("RES_OPTIONS", LIBC),
    DROP("RSYNC_CONNECT_PROG", COMMAND),
    DROP("RSYNC_RSH", COMMAND),
    DROP("RUBYGEMS_*", RUBY),
    DROP("RUBYLIB*", RUBY),
    DROP("RUBYOPT", RUBY),
    DROP("RUBYSHELL", RUBY),
    DROP("R_*", RLANG),
    DROP("SASL_*", DIRECTORY_SERVICE),
    DROP("SBCL_HOME", OTHER_LANGUAGE),
    DROP("SHELLOPTS", SHELL),
    DROP("SNMPCONFPATH", CONFIGURATION),
    DROP("SNMPDLMODPATH", CONFIGURATION),
    DROP("SSH_ASKPASS", COMMAND),
    DROP("SVN_EDITOR", VERSION_CONTROL),
    DROP("SVN_SSH", VERSION_CONTROL),
    DROP("SYSTEM_WGETRC", CONFIGURATION),
    DROP("TAR_OPTIONS", OPTIONS),
    DROP("TCL8_*", TCL),
    DROP("TCL9_*", TCL),
    DROP("TCLLIBPATH", TCL),
    DROP("TCL_LIBRARY", TCL),
    DROP("TERMCAP", CONFIGURATION),
    DROP("TERMINFO*", CONFIGURATION),
    DROP("TERMPATH", CONFIGURATION),
    DROP("TEXINPUTS*", TEX),
    DROP("TEXMF*", TEX),
    DROP("TK_LIBRARY", TCL),
    DROP("TZDIR", LIBC),
    DROP("VIM", OPTIONS),
    DROP("VIMINIT", OPTIONS),
    DROP("VIMRUNTIME", OPTIONS),
    DROP("VISUAL", COMMAND),
    DROP("WGETRC", CONFIGURATION),
    PASS("XDG_RUNTIME_DIR", HARMLESS),
    PASS("XDG_SESSION_*", HARMLESS),
    DROP("XDG_*", CONFIGURATION),
    DROP("ZDOTDIR", SHELL),
    DROP("ZIPOPT", OPTIONS),
    DROP("_JAVA_OPTIONS", JAVA),
    DROP("npm_config_*", NODE),
};

#define CGI         "CGI/1.1 (RFC 3875)"
#define HTTPD       "Apache's own addition"
#define HEADER      "headers of the request, except HTTP_PROXY"
#define CONNECTION  "as mod_ssl knows this connection"
#define MULTIPLEXED "as mod_http2 knows this connection"
#define REDIRECT    "the request that was redirected, or failed"
#define ACCOUNT     "the owner's account"
#define ZONE        "httpd's own"

static const row_t allowed[] = {
    PASS("AUTH_TYPE", CGI),
    PASS("CONTENT_LENGTH", CGI),
    PASS("CONTENT_TYPE", CGI),
    PASS("CONTEXT_DOCUMENT_ROOT", HTTPD),
    PASS("CONTEXT_PREFIX", HTTPD),
    PASS("DOCUMENT_ROOT", HTTPD),
    PASS("GATEWAY_INTERFACE", CGI),
    PASS("H2PUSH", MULTIPLEXED),
    PASS("H2_PUSH", MULTIPLEXED),
    PASS("H2_PUSHED", MULTIPLEXED),
    PASS("H2_PUSHED_ON", MULTIPLEXED),
    PASS("H2_STREAM_ID", MULTIPLEXED),
    PASS("H2_STREAM_TAG", MULTIPLEXED),
    PASS("HOME", ACCOUNT),
    PASS("HTTP2", MULTIPLEXED),
    PASS("HTTPS", CONNECTION),
    PASS("HTTP_*", HEADER),
    PASS("LOGNAME", ACCOUNT),
    PASS("PATH_INFO", CGI),
    PASS("PATH_TRANSLATED", CGI),
    PASS("QUERY_STRING", CGI),
    PASS("QUERY_STRING_UNESCAPED", HTTPD),
    PASS("REDIRECT_ERROR_NOTES", REDIRECT),
    PASS("REDIRECT_HANDLER", REDIRECT),
    PASS("REDIRECT_QUERY_STRING", REDIRECT),
    PASS("REDIRECT_REQUEST_METHOD", REDIRECT),
    PASS("REDIRECT_STATUS", REDIRECT),
    PASS("REDIRECT_URL", REDIRECT),
    PASS("REMOTE_ADDR", CGI),
    PASS("REMOTE_HOST", CGI),
    PASS("REMOTE_IDENT", CGI),
    PASS("REMOTE_PORT", HTTPD),
    PASS("REMOTE_USER", CGI),
    PASS("REQUEST_METHOD", CGI),
    PASS("REQUEST_SCHEME", HTTPD),
    PASS("REQUEST_URI", HTTPD),
    PASS("SCRIPT_FILENAME", HTTPD),
    PASS("SCRIPT_NAME", CGI),
    PASS("SERVER_ADDR", HTTPD),
    PASS("SERVER_ADMIN", HTTPD),
    PASS("SERVER_NAME", CGI),
    PASS("SERVER_PORT", CGI),
    PASS("SERVER_PROTOCOL", CGI),
    PASS("SERVER_SIGNATURE", HTTPD),
    PASS("SERVER_SOFTWARE", CGI),
    PASS("SSL_CIPHER*", CONNECTION),
    PASS("SSL_CLIENT_*", CONNECTION),
    PASS("SSL_COMPRESS_METHOD", CONNECTION),
    PASS("SSL_PROTOCOL", CONNECTION),
    PASS("SSL_SECURE_RENEG", CONNECTION),
    PASS("SSL_SERVER_*", CONNECTION),
    PASS("SSL_SESSION_*", CONNECTION),
    PASS("SSL_SRP_*", CONNECTION),
    PASS("SSL_TLS_SNI", CONNECTION),
    PASS("SSL_VERSION_*", CONNECTION),
    PASS("TZ", ZONE),
    PASS("UNIQUE_ID", HTTPD),
    PASS("USER", ACCOUNT),
};

int jc_env_names_match(const char *pattern, const char *name, size_t len)
{
    size_t pattern_len = strlen(pattern);

    if (pattern_len > 0 && pattern[pattern_len - 1] == '*') {
        return len >= pattern_len - 1 &&
               memcmp(pattern, name, pattern_len - 1) == 0;
    }
    return len == pattern_len && memcmp(pattern, name, len) == 0;
}

/* Returns the first row that matches, or NULL. */
static const row_t *find(const row_t *rows, size_t count, const char *name,
                         size_t len)
{
    size_t low = 0, high = count;

    if (len == 0) {
        return NULL;
    }
    while (low < high) { /* the first row with this character */
        size_t middle = low + (high - low) / 2;

        if (rows[middle].pattern[0] < name[0]) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    for (; low < count && rows[low].pattern[0] == name[0]; low++) {
        if (jc_env_names_match(rows[low].pattern, name, len)) {
            return &rows[low];
        }
    }
    return NULL;
}

int jc_env_names_are_denied(const char *name, size_t len)
{
    const row_t *row =
        find(denied, sizeof(denied) / sizeof(*denied), name, len);

    return row && !row->passes;
}

int jc_env_names_are_allowed(const char *name, size_t len)
{
    return find(allowed, sizeof(allowed) / sizeof(*allowed), name, len) &&
           !jc_env_names_are_denied(name, len);
}
