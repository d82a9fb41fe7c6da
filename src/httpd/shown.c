/*
 * Lists what of the machine is in a jail of JailRoot host.
 *
 * Runs in:   httpd parent, httpd child
 * Privilege: that of the process
 */
#include "shown.h"

#include <fnmatch.h>
#include <stddef.h>

/* These are patterns of glob(7). What does not exist is left out. */
const char *const jc_shown[] = {
    /* Programs, their libraries and data. */
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/opt",
    /* The loader's cache, and the names by which packages choose programs. */
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/alternatives",
    /* Names of hosts, services and protocols. */
    "/etc/resolv.conf",
    "/etc/hosts",
    "/etc/host.conf",
    "/etc/nsswitch.conf",
    "/etc/gai.conf",
    "/etc/services",
    "/etc/protocols",
    "/etc/networks",
    /* Time zone and language. */
    "/etc/localtime",
    "/etc/timezone",
    "/etc/locale.alias",
    "/etc/locale.conf",
    /* Certificates. The modes of the private keys among them keep these
     * closed. */
    "/etc/ssl",
    "/etc/pki",
    "/etc/ca-certificates",
    "/etc/ca-certificates.conf",
    "/etc/crypto-policies",
    /* Configuration of interpreters and of programs that scripts call. */
    "/etc/perl",
    "/etc/php*",
    "/etc/python*",
    "/etc/mercurial",
    "/etc/gitconfig",
    "/etc/java-*",
    "/etc/ImageMagick-*",
    "/etc/fonts",
    "/etc/mime.types",
    "/etc/magic*",
    "/etc/terminfo",
    "/etc/odbc*.ini",
    "/etc/mysql",
    "/etc/my.cnf*",
    "/etc/debian_version",
    "/etc/redhat-release",
    "/etc/os-release",
    NULL,
};

/*
 * Data that programs of Debian read, found among the names of /etc and /var/lib
 * that belong to packages with programs or libraries and without a daemon
 * (tools/host-data). Left out is what may name a password or a token although
 * everybody can read it: configuration of clients that log in somewhere
 * (wgetrc, npmrc, pip.conf, mail.rc, Maven's settings), and what describes the
 * machine.
 */
const char *const jc_shown_data[] = {
    /* Spelling, word lists, morphology. */
    "/var/lib/aspell",
    "/var/lib/ispell",
    "/var/lib/dictionaries-common",
    "/etc/dictionaries-common",
    "/var/lib/mecab",
    "/etc/mecabrc",
    /* TeX, PostScript, manual pages, paper, other typesetting. */
    "/etc/texmf",
    "/var/lib/texmf",
    "/etc/ghostscript",
    "/var/lib/ghostscript",
    "/etc/groff",
    "/etc/manpath.config",
    "/etc/papersize",
    "/etc/paperspecs",
    "/etc/libpaper.d",
    "/etc/a2ps*.cfg",
    "/etc/enscript.cfg",
    "/etc/asciidoc",
    "/etc/latex2html.conf",
    "/etc/html2psrc",
    "/etc/catdocrc",
    "/etc/libreoffice",
    "/etc/highlight",
    "/var/cache/fontconfig",
    /* Catalogs of XML and SGML. */
    "/etc/xml",
    "/etc/sgml",
    "/var/lib/xml-core",
    "/var/lib/sgml-base",
    /* Interpreters, compilers and their libraries. */
    "/var/lib/gems",
    "/var/lib/ghc",
    "/var/lib/ocaml",
    "/var/lib/chicken",
    "/etc/R",
    "/etc/octave*",
    "/etc/emacs",
    "/etc/java",
    "/etc/mono",
    "/etc/luarocks",
    "/etc/OpenCL",
    /* Clients of directories, Kerberos and databases. */
    "/etc/ldap/ldap.conf",
    "/etc/krb5.conf",
    "/etc/krb5.conf.d",
    "/etc/gss",
    "/etc/netconfig",
    "/etc/rpc",
    "/etc/freetds",
    /* Terminals, editors, text viewers, sound, units. */
    "/etc/inputrc",
    "/etc/bash.bashrc",
    "/etc/screenrc",
    "/etc/tmux.conf",
    "/etc/vim",
    "/etc/nanorc",
    "/etc/lynx",
    "/etc/w3m",
    "/etc/timidity",
    "/var/lib/units",
    "/etc/mailcap",
    "/etc/shells",
    "/etc/lsb-release",
    NULL,
};

static int is_in(const char *const *patterns, const char *path)
{
    for (; *patterns; patterns++) {
        if (fnmatch(*patterns, path, FNM_LEADING_DIR | FNM_PATHNAME) == 0) {
            return 1;
        }
    }
    return 0;
}

int jc_shown_has(const char *path)
{
    return is_in(jc_shown, path) || is_in(jc_shown_data, path);
}
