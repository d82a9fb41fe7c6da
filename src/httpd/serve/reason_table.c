/*
 * Holds the table of reasons: what was wrong and how to fix it, for everyone
 * who reads a site's error log without having read anything else.
 *
 * Runs in:   httpd child
 * Privilege: that of the web user
 * Trusts:    nothing: it has only constants
 *
 * reason.c fills in the words in braces. Status 500 is for what the owner of
 * the site fixes in files, as under suexec. Status 503 is for what the
 * administrator fixes or what passes by itself.
 */
#include "reason.h"

#define OWNER APLOG_ERR, HTTP_INTERNAL_SERVER_ERROR
#define ADMIN APLOG_ERR, HTTP_SERVICE_UNAVAILABLE

#define CONFIGURED "found {found}, expected {expected}"
#define MODE_GO                                                                \
    "found mode {mode}, expected no write permission for group and others"
#define UIDS  "found uid {found}, expected uid {expected}"
#define GIDS  "found gid {found}, expected gid {expected}"
#define LIMIT "JailLimit {limit}, hard limit {expected}"
#define STEP                                                                   \
    "see the helper's line in the main error log; a hardened apache2.service " \
    "often takes away the capability or system call that this needs"

static const jc_reason_row_t rows[] = {
    /* 10xx: the virtual host */
    {JC_CODE_NO_IDENTITY, ADMIN,
     "no user is configured for this site's scripts", CONFIGURED,
     "set JailUser USER GROUP (or SuexecUserGroup) for this host"},
    {JC_CODE_USER_UNKNOWN, ADMIN, "the configured user does not exist",
     CONFIGURED, "create the user or correct JailUser, then reload httpd"},
    {JC_CODE_GROUP_UNKNOWN, ADMIN, "the configured group cannot be used",
     CONFIGURED, "create the group or correct JailUser, then reload httpd"},
    {JC_CODE_ROOT_IDENTITY, ADMIN, "scripts never run as root", CONFIGURED,
     "name an ordinary user and group in JailUser"},
    {JC_CODE_UID_TOO_LOW, ADMIN, "the user's uid is below JailMinUID",
     CONFIGURED, "use an ordinary account, or lower JailMinUID if it is one"},
    {JC_CODE_GID_TOO_LOW, ADMIN, "the group's gid is below JailMinGID",
     CONFIGURED, "use an ordinary group, or lower JailMinGID if it is one"},
    {JC_CODE_NO_ROOT, ADMIN, "no JailRoot is configured for this host",
     CONFIGURED,
     "set JailRoot PATH, host, none (no change of root) or off (mod_cgi or "
     "mod_cgid runs the scripts)"},
    {JC_CODE_OFF_NO_CGI, ADMIN,
     "JailRoot is off, and no other module runs CGI scripts", CONFIGURED,
     "load mod_cgid or mod_cgi and restart Apache, or set JailRoot PATH"},
    {JC_CODE_NOT_STARTED_AS_ROOT, ADMIN, "httpd was not started as root",
     CONFIGURED, "start httpd as root; its children still run as its User"},
    {JC_CODE_UID_TOO_HIGH, ADMIN, "the user's uid is above JailMaxUID",
     CONFIGURED, "use the tenant's own account, or raise JailMaxUID"},
    {JC_CODE_GID_TOO_HIGH, ADMIN, "the group's gid is above JailMaxGID",
     CONFIGURED, "use the tenant's own group, or raise JailMaxGID"},
    {JC_CODE_NO_MOUNT_NAMESPACE, ADMIN,
     "JailNamespaces leaves out a namespace that this jail needs", CONFIGURED,
     "add it to JailNamespaces, or remove that line"},
    {JC_CODE_NO_HOME, ADMIN, "there is no home that JailMount home can mount",
     CONFIGURED,
     "correct the home in the user database, or name the directory: JailMount "
     "bind DIRECTORY; with JailUser owner, set JailRoot host, which shows each "
     "owner the home of its account"},
    {JC_CODE_TOO_MANY_MOUNTS, ADMIN, "the jail would have too many mounts",
     CONFIGURED, "mount a directory above several of them instead"},
    {JC_CODE_OWNER_ROOT_GROUP, ADMIN,
     "JailUser owner: the owner of the script is a member of root's group",
     "found uid {found}, a member of group 0",
     "take the user out of the group (gpasswd -d USER root) and reload Apache, "
     "or give the script to another user"},
    {JC_CODE_WEB_USER, ADMIN, "scripts never run as httpd's own User",
     CONFIGURED, "give the site a user of its own in JailUser"},
    {JC_CODE_NO_SITE, ADMIN,
     "JailSite does not say which directory of the home is the site's",
     CONFIGURED,
     "set JailSite for this host, or JailSite off, which shows it the whole "
     "home"},
    {JC_CODE_MAIL_NETWORK, ADMIN, "the jail could not reach a mail server",
     CONFIGURED,
     "leave net out of JailNamespaces, or set JailMail none for this host"},

    /* 12xx: the request */
    {JC_CODE_EXEC_CGI_OFF, APLOG_ERR, HTTP_FORBIDDEN,
     "Options ExecCGI is off in this directory", NULL,
     "add Options +ExecCGI to its <Directory>, or use ScriptAlias"},
    {JC_CODE_NOT_FOUND, APLOG_ERR, HTTP_NOT_FOUND,
     "script not found or unable to stat", NULL,
     "upload it, or correct the link that leads here"},
    {JC_CODE_IS_DIRECTORY, APLOG_ERR, HTTP_FORBIDDEN,
     "attempt to invoke a directory as a script", NULL,
     "name a script in the URL, or set a DirectoryIndex"},
    {JC_CODE_NPH_INCLUDED, APLOG_ERR, HTTP_FORBIDDEN,
     "attempt to include an nph- script in a page", NULL,
     "rename the script so that its name does not begin with nph-, and let it "
     "print no HTTP status line"},
    {JC_CODE_PATH_INFO, APLOG_ERR, HTTP_NOT_FOUND,
     "the URL continues after the script's name, and AcceptPathInfo is off",
     NULL, "set AcceptPathInfo On for this directory, or correct the link"},
    {JC_CODE_NO_RESOURCES, ADMIN,
     "httpd cannot get a pipe, a socket or memory for the request", NULL,
     "raise LimitNOFILE of Apache's service, or lower MaxRequestWorkers"},
    {JC_CODE_QUEUE_TIMEOUT, ADMIN,
     "the helper's queue stayed full for the whole Timeout", NULL,
     "the machine is overloaded, or jailcgi-helper does not run: see the main "
     "error log and which scripts run now, and raise net.core.wmem_default, "
     "which bounds the queue, if bursts are normal here"},
    {JC_CODE_NO_ANSWER, ADMIN,
     "the helper did not start the script within the Timeout", NULL,
     "see the main error log; check that jailcgi-helper runs and that the "
     "jail's file system answers"},
    {JC_CODE_LOST_TWICE, ADMIN,
     "the helper or the jail died twice before the script was started", NULL,
     "see the main error log for the reason; the request had no effect and can "
     "be sent again"},
    {JC_CODE_REQUEST_TOO_BIG, APLOG_ERR, HTTP_REQUEST_ENTITY_TOO_LARGE,
     "arguments and environment are too large",
     "found {found} bytes, expected at most {expected}",
     "set fewer or shorter variables (SetEnv, JailEnv); if a client has sent "
     "so much, lower LimitRequestFieldSize or LimitRequestFields, so that "
     "httpd refuses it sooner"},
    {JC_CODE_TMP_SMALL, APLOG_WARNING, HTTP_OK,
     "was sent a request body that its jail's /tmp has no room for, so a "
     "program "
     "that keeps uploads there loses it",
     "{found} bytes, and /tmp can hold {expected}",
     "make it larger: JailMount tmpfs /tmp size=SIZE, or JailTmp disk without "
     "that line"},
    {JC_CODE_WITHHELD, APLOG_WARNING, HTTP_OK,
     "runs without variables that the configuration sets: {text}", NULL,
     "{expected}; see environment.md in the manual"},

    /* 13xx: the helper */
    {JC_CODE_BAD_POLICY, ADMIN, "the helper does not know this host's policy",
     NULL, "reload httpd; report a bug if that does not help"},
    {JC_CODE_NO_KEEPER, ADMIN,
     "the keeper, the process that holds the jail, could not be started", NULL,
     "see the main error log; the machine may be out of processes or memory "
     "(TasksMax and LimitNOFILE of Apache's service)"},
    {JC_CODE_JAIL_BUSY, ADMIN, "too many requests wait for this jail", NULL,
     "the site is overloaded: find out which client asks so often, or make the "
     "scripts faster"},
    {JC_CODE_TOO_MANY_JAILS, ADMIN, "too many jails are in use at once",
     "found {found}, expected at most {expected}",
     "lower JailIdle, so that unused jails end sooner, check whether stopped "
     "processes keep old jails from ending, and raise LimitNOFILE of Apache's "
     "service if all sites together have so many"},
    {JC_CODE_NAMESPACES, ADMIN,
     "jail not built: its namespaces could not be made", NULL,
     "the helper needs CAP_SYS_ADMIN; RestrictNamespaces= of Apache's service "
     "must allow the jail's namespaces, or set JailNamespaces none, with which "
     "it needs none"},
    {JC_CODE_JAIL_FULL, ADMIN, "too many scripts of this jail run at once",
     "found {found} running and {text}, expected at most {expected} at once",
     "make them faster, or raise JailConcurrency (scripts, queue or wait)"},
    {JC_CODE_OWNER_REFUSED, OWNER,
     "JailUser owner: the script belongs to a user or group that may not run "
     "scripts",
     "found {text} {found}; the nearest allowed id is {expected}, but root and "
     "httpd's own User are never allowed",
     "chown it to the site's user, and to a group of the site's own if the "
     "user has no account; a new account counts after a reload of Apache; "
     "JailMinUID, JailMaxUID, JailMinGID and JailMaxGID set the bounds"},
    {JC_CODE_CGROUP_NONE, ADMIN, "JailCgroup: no cgroup could be made", NULL,
     "the machine needs cgroup v2 at /sys/fs/cgroup, and Apache's service "
     "needs Delegate=yes and no ProtectControlGroups= (see "
     "conf/apache2-jailcgi.conf)"},
    {JC_CODE_CGROUP_LIMIT, ADMIN, "JailCgroup: {name} could not be set", NULL,
     "cgroup.controllers of httpd's own cgroup must list the controller of "
     "that name (Delegate=yes), and the kernel must accept the value"},

    /* 14xx: building the jail */
    {JC_CODE_STEP_SESSION, ADMIN,
     "jail not built: the keeper cannot start a new session", NULL, STEP},
    {JC_CODE_STEP_DESCRIPTORS, ADMIN,
     "jail not built: the keeper cannot close inherited descriptors", NULL,
     STEP},
    {JC_CODE_STEP_PROCESSES, ADMIN,
     "jail not built: the keeper cannot list its own processes", NULL,
     "the kernel needs CONFIG_PROC_CHILDREN, and the helper needs "
     "CAP_SYS_ADMIN or a readable /proc; " STEP},
    {JC_CODE_STEP_LIMITS, ADMIN, "jail not built: a limit cannot be set", LIMIT,
     "lower the JailLimit, or raise the Limit...= of Apache's service"},
    {JC_CODE_STEP_NICE, ADMIN, "jail not built: the priority cannot be set",
     NULL,
     "use a higher nice value in JailLimit, or give Apache's service "
     "CAP_SYS_NICE"},
    {JC_CODE_ROOT_MISSING, ADMIN, "JailRoot does not exist: {name}", NULL,
     "create the directory, which needs no reload, or correct JailRoot"},
    {JC_CODE_ROOT_UNSAFE, ADMIN,
     "the path to JailRoot could be changed by others: {name}",
     "found {unsafe}",
     "every directory on the path must belong to root or the site's user and "
     "be writable by nobody else, so put the jail below one that serves "
     "nothing else, such as /srv/jails; a symbolic link counts only in a "
     "directory "
     "that belongs to root, on FUSE or nosuid only with JailTrustMount"},
    {JC_CODE_STEP_CHROOT, ADMIN, "jail not built: cannot enter JailRoot {name}",
     NULL, "check that it is a directory on a mounted file system; " STEP},
    {JC_CODE_STEP_GROUPS, ADMIN, "jail not built: the groups cannot be set",
     NULL, "the helper lacks CAP_SETGID: " STEP},
    {JC_CODE_STEP_GID, ADMIN, "jail not built: the gid cannot be set", NULL,
     "the helper lacks CAP_SETGID: " STEP},
    {JC_CODE_STEP_UID, ADMIN, "jail not built: the uid cannot be set", NULL,
     "the helper lacks CAP_SETUID: " STEP},
    {JC_CODE_STEP_BOUNDING, ADMIN,
     "jail not built: capabilities cannot be given up for good", NULL,
     "the helper lacks CAP_SETPCAP: " STEP},
    {JC_CODE_STEP_SECUREBITS, ADMIN,
     "jail not built: securebits cannot be locked", NULL,
     "the helper lacks CAP_SETPCAP: " STEP},
    {JC_CODE_STEP_NO_NEW_PRIVS, ADMIN,
     "jail not built: no_new_privs cannot be set", NULL, STEP},
    {JC_CODE_STEP_FILTER, ADMIN,
     "jail not built: a filter of system calls (JailSeccomp's or the keeper's "
     "own) cannot be installed",
     NULL,
     "the kernel needs CONFIG_SECCOMP_FILTER, and the helper needs "
     "CAP_SYS_ADMIN; " STEP},
    {JC_CODE_STEP_SCOPE, ADMIN, "jail not built: requests cannot be kept apart",
     NULL, "set JailScope Off to do without this; or " STEP},
    {JC_CODE_STEP_FILES, ADMIN,
     "jail not built: the Landlock rules for files and ports cannot be set",
     NULL,
     "the kernel has Landlock, so SystemCallFilter= of Apache's service must "
     "allow landlock_add_rule; " STEP},
    {JC_CODE_STEP_UNDUMPABLE, ADMIN,
     "jail not built: the keeper cannot be made undumpable", NULL, STEP},
    {JC_CODE_ROOT_REGAINED, APLOG_CRIT, HTTP_SERVICE_UNAVAILABLE,
     "jail not used: a test found that privileges could be regained", NULL,
     "no script was run; report this with the version of the kernel"},
    {JC_CODE_STEP_CAPABILITIES, ADMIN,
     "jail not built: capabilities cannot be dropped", NULL, STEP},
    {JC_CODE_STEP_SIGNALS, ADMIN,
     "jail not built: the keeper cannot set up its signals", NULL, STEP},
    {JC_CODE_STEP_MOUNTS, ADMIN,
     "jail not built: nothing can be mounted at "
     "{name}",
     NULL,
     "this needs Linux 5.12 or later, and httpd's own root must be a mount "
     "point; " STEP},
    {JC_CODE_MOUNT_SOURCE, ADMIN,
     "jail not built: a source of JailMount does not exist: {name}", NULL,
     "create it, correct the line, or add the word optional to the line"},
    {JC_CODE_MOUNT_UNSAFE, ADMIN,
     "jail not built: the path to a source of JailMount could be changed by "
     "others: {name}",
     "found {unsafe}",
     "name the real directory: a symbolic link counts only in a directory that "
     "belongs to root and is writable by nobody else, on FUSE or nosuid only "
     "with JailTrustMount; a home must belong to its user and be writable by "
     "nobody else"},
    {JC_CODE_MOUNT_TARGET, ADMIN,
     "jail not built: the jail has no place for a mount at {name}", NULL,
     "name a place that the jail has (for a directory a directory, for a file "
     "a "
     "file), or create it below JailRoot; a symbolic link in its path counts "
     "only where root alone can have made it"},
    {JC_CODE_HOME_LEFT_OUT, ADMIN, "the jail has no home", CONFIGURED,
     "add JailMount bind DIRECTORY"},
    {JC_CODE_MOUNT_AUTOMOUNT, ADMIN,
     "jail not built: {name} on the way to a JailRoot or a source of JailMount "
     "is an automount that does not reach the jail's mount namespace",
     NULL,
     "let mounts propagate to Apache: mount --make-rshared / in a container, "
     "no "
     "MountFlags=private in apache2.service; and see that automount runs"},
    {JC_CODE_TMP_DIR, ADMIN,
     "jail not built: the directory of JailTmp or JailSite cannot be used: "
     "{name}",
     NULL,
     "it must exist, and it and every directory above it must belong to root "
     "and be writable by nobody else: make a new one with install -d -m 711; "
     "where it is read-only for Apache, add it to ReadWritePaths= of the "
     "service"},
    {JC_CODE_MAIL_PLACE, ADMIN,
     "jail not built: the sendmail of JailMail cannot be laid over {name}",
     NULL,
     "below JailRoot create that directory; the kernel needs overlayfs "
     "(modprobe overlay); jailcgi-mail/sendmail must be beside the helper; or "
     "set JailMail none"},
    {JC_CODE_TMP_OWNER, ADMIN,
     "jail not built: the directory that is /tmp of this user belongs to "
     "another: {name}",
     UIDS,
     "if the number was another account's, move the directory away with mv "
     "{name} {name}.old"},
    {JC_CODE_STEP_CGROUP, ADMIN,
     "jail not built: the keeper cannot enter or watch its cgroup", NULL, STEP},

    /* 15xx: the checks of the script */
    {JC_CODE_REQUEST_MALFORMED, OWNER, "the jail could not read the request",
     NULL,
     "module and helper are of different builds: install both again and "
     "restart httpd"},
    {JC_CODE_NOT_IN_JAIL, OWNER, "{path} does not exist", NULL,
     "the script must be below JailRoot, or the same path must exist again "
     "inside it; with JailRoot host, put it in the user's home, in what a "
     "JailMount bind DIRECTORY brings in, or in /usr"},
    {JC_CODE_PATH_DENIED, OWNER, "the site's user may not search {path}", NULL,
     "chmod a+x {name} if others may pass through it, or put the script "
     "elsewhere"},
    {JC_CODE_DIR_WRITABLE, OWNER,
     "directory {path} is writable by group or others", MODE_GO, "{close}"},
    {JC_CODE_DIR_OWNER, OWNER, "directory {path} belongs to another user",
     "found uid {found}, expected uid {expected} or root",
     "chown {expected} {name} if it belongs to this site alone; a directory of "
     "several sites must belong to root"},
    {JC_CODE_SYMLINK_LOOP, OWNER,
     "too many symbolic links, or one that leads nowhere, at {path}", NULL,
     "replace the link with what it should lead to, inside the jail"},
    {JC_CODE_NOT_REGULAR, OWNER, "{path} is not a regular file",
     "found {type}, expected a regular file",
     "name the script itself in the URL"},
    {JC_CODE_SCRIPT_WRITABLE, OWNER, "{path} is writable by group or others",
     MODE_GO, "chmod go-w {name}"},
    {JC_CODE_SCRIPT_SETID, OWNER,
     "{path} is setuid or setgid to another than the site's user or group",
     "found mode {mode}, expected neither bit",
     "chmod ug-s {name} if it is the site's own; of a program of a package use "
     "a copy without the bit"},
    {JC_CODE_SCRIPT_OWNER, OWNER, "{path} does not belong to the site's user",
     UIDS,
     "name it in JailTrust if it is a shared program of root's; otherwise "
     "chown {expected} {name}"},
    {JC_CODE_SCRIPT_GROUP, OWNER,
     "{path} does not belong to the group that httpd found", GIDS,
     "try again: its group was changed meanwhile"},
    {JC_CODE_NOT_EXECUTABLE, OWNER, "{path} is not executable",
     "found mode {mode}, expected execute permission for its owner",
     "chmod u+x {name}"},
    {JC_CODE_OTHER_FILE, OWNER, "{path} is not the file that httpd looked at",
     "found inode {found}, expected inode {expected}",
     "the jail has another file at this path: put the site itself below "
     "JailRoot, or mount it there; if the path has an absolute symbolic link, "
     "which httpd follows outside the jail, name what it leads to; if the file "
     "was replaced just now, try again"},
    {JC_CODE_SCRIPT_DIR_OWNER, OWNER,
     "the directory of {path} does not belong to the user whom JailUser owner "
     "directory makes of the address",
     UIDS,
     "put the script itself into that user's directory, because a link there "
     "does not count; for a shared program, set JailUser with a name, and "
     "JailTrust"},
    {JC_CODE_SCRIPT_DIR_GROUP, OWNER,
     "the directory of {path} does not belong to the group that JailUser owner "
     "directory makes of the address",
     GIDS,
     "put the script itself into the directory, because a link there does not "
     "count; if it is no link, try again: the group was changed meanwhile"},
    {JC_CODE_PATH_OTHER, OWNER, "{path} cannot be opened", NULL,
     "see the error in parentheses: shorten a path that is too long or has "
     "more "
     "than 127 directories; otherwise check the file system that it is on"},
    {JC_CODE_COMMAND_OFF, OWNER,
     "the page asks for a command (exec cmd), which this host does not allow",
     NULL, "call a script instead (include virtual), or set JailExecCmd On"},
    {JC_CODE_FILE_SYSTEM, OWNER,
     "the owners of files below {path} do not count, because the machine's "
     "root does not vouch for that file system",
     "found {fs}",
     "set JailUser with a name, which does not depend on it; or, if root alone "
     "decides what that file system says, set JailTrustMount with its mount "
     "point on the machine (findmnt)"},
    {JC_CODE_AUTOMOUNT, ADMIN,
     "{path} is an automount, which cannot be mounted in a jail", NULL,
     "name the directory itself, or one below it, in JailMount bind; or add "
     "the word slave to the JailMount line of the directory above"},
    {JC_CODE_FOREIGN_SENDER, ADMIN,
     "a user other than httpd's has sent a request to this jail",
     "found uid {found}, expected uid {expected}",
     "an httpd child was compromised, or a module has changed its user; see "
     "what runs in httpd's processes, and restart httpd"},

    /* 16xx: the launch */
    {JC_CODE_FORK_NPROC, ADMIN, "the site's user has too many processes",
     "the limit is {found}",
     "end processes that still run, or raise JailLimit nproc; it counts all "
     "processes of this uid on the machine, not only those in the jail; if it "
     "has fewer, the machine is out of them (TasksMax of Apache's service)"},
    {JC_CODE_FORK_PIDS, ADMIN, "the jail has as many processes as it may have",
     NULL, "end processes that still run there, or raise JailCgroup pids="},
    {JC_CODE_FORK, ADMIN, "no process could be made for it", NULL,
     "the machine is out of processes or memory; see TasksMax of Apache's "
     "service"},
    {JC_CODE_INTERPRETER_MISSING, OWNER,
     "its interpreter {path} does not exist", NULL,
     "correct the first line of the script, or install {name} in the jail"},
    {JC_CODE_LOADER_MISSING, OWNER,
     "the program's loader {path} does not exist",
     "found a program for {found} bits",
     "copy {name} and the libraries that ldd lists into the jail (with "
     "JailRoot "
     "host, install the package that has them), or link the program "
     "statically"},
    {JC_CODE_CRLF, OWNER,
     "the first line of {path} ends with a carriage return (Windows line "
     "endings)",
     NULL,
     "save it with Unix line endings (dos2unix {name}), or upload it in text "
     "mode"},
    {JC_CODE_NO_FORMAT, OWNER,
     "it is not a program, and it does not begin with #! and an interpreter",
     "found {text}",
     "make #!/path/to/interpreter the very first characters of the file"},
    {JC_CODE_EXEC_DENIED, OWNER, "the kernel refused to execute {path}",
     "found {denied}", "{permit}"},
    {JC_CODE_EXEC_TOO_BIG, OWNER,
     "arguments and environment are larger than the kernel allows", NULL,
     "set fewer or shorter variables, or raise JailLimit stack"},
    {JC_CODE_EXEC_OTHER, OWNER, "the kernel could not execute {path}", NULL,
     "see the error in parentheses; the file may be damaged"},
    {JC_CODE_WRONG_MACHINE, OWNER,
     "the program was built for another kind of processor",
     "found ELF machine {found}, expected {expected}",
     "compile it for this machine"},
    {JC_CODE_INTERPRETER_DENIED, OWNER,
     "the site's user may not execute its interpreter {path}", NULL,
     "chmod a+rx {name} in the jail if everybody may run it, or name another "
     "interpreter"},
    {JC_CODE_FIRST_LINE_LONG, OWNER,
     "the #! line of {path} is longer than the kernel reads",
     "found {found} bytes, expected at most 255",
     "make the path in the line shorter, as by a symbolic link to the "
     "interpreter, or call it by env: #!/usr/bin/env NAME"},
    {JC_CODE_INTERPRETER_CHAIN, OWNER,
     "its interpreter is itself a script, and {path}, which that needs, does "
     "not exist",
     NULL,
     "install {name} in the jail, or name another interpreter in the first "
     "line of the script"},
    {JC_CODE_ENV_MISSING, OWNER,
     "env, which its first line calls, has not found the program {text}", NULL,
     "install it in a directory of PATH in the jail, or add its directory by "
     "JailEnv PATH; options after the name need env -S"},
    {JC_CODE_INTERPRETER_NAME, OWNER,
     "its first line names the interpreter {text} without its whole path", NULL,
     "write the path from / on, or #!/usr/bin/env {text}"},
    {JC_CODE_INTERPRETER_LINK, OWNER,
     "its interpreter {path} is a symbolic link that leads nowhere in the jail",
     NULL,
     "bring what it leads to (readlink {name}) into the jail, or name the "
     "program itself in the first line"},
    {JC_CODE_INTERPRETER_KIND, OWNER,
     "its interpreter {path} cannot be run as a program",
     "found {type}, expected a program or one of at most five scripts",
     "name a program in the first line of the script"},
    {JC_CODE_SCRIPT_BUSY, ADMIN, "{path} is being written at this moment", NULL,
     "try again when the upload is complete"},
    {JC_CODE_SCRIPT_LIMIT, ADMIN, "a resource limit could not be set", LIMIT,
     "lower that JailLimit, or raise the limit of Apache's service"},
    {JC_CODE_SCRIPT_SETUP, ADMIN, "its session or pipes could not be set up",
     NULL,
     "raise LimitNOFILE of Apache's service, or find out which of the site's "
     "scripts hold so many pipes and descriptors"},

    /* 17xx: how the script ended */
    {JC_CODE_SIGNAL, OWNER, "ended by signal {found} ({text})", NULL,
     "{advice}"},
    {JC_CODE_LIBRARY_MISSING, OWNER, "a library is missing: {text}", NULL,
     "copy that library into the jail (ldd lists all of them), then try again"},
    {JC_CODE_SYMBOL_MISSING, OWNER, "program and library do not match: {text}",
     NULL,
     "program and libraries in the jail are of different versions: update the "
     "jail, or rebuild the program for it; JailEagerBinding Off lets a library "
     "lack a function that is never called"},
    {JC_CODE_NO_OUTPUT, OWNER, "end of script output before headers",
     "exit status {found}",
     "it must print Content-Type: and an empty line before anything else; its "
     "own messages are in the lines above"},
    {JC_CODE_BAD_HEADER, OWNER, "malformed header line: \"{text}\"", NULL,
     "print Content-Type: and an empty line before anything else, and print "
     "messages for the log to standard error"},
    {JC_CODE_HEADER_TOO_LONG, OWNER,
     "its header block is longer than JailHeaderMax allows, or has more than "
     "1,000 lines",
     NULL, "end the headers with an empty line, or raise JailHeaderMax"},
    {JC_CODE_HEADER_TIMEOUT, APLOG_ERR, HTTP_GATEWAY_TIME_OUT,
     "timed out before sending its headers", NULL,
     "make it answer sooner, or raise Timeout for this host"},
    {JC_CODE_OUTPUT_TIMEOUT, APLOG_ERR, HTTP_GATEWAY_TIME_OUT,
     "timed out in the middle of its page, which was broken off", NULL,
     "make it print something now and then, or raise Timeout for this host"},
    {JC_CODE_BAD_STATUS, OWNER, "bad status line: \"{text}\"", NULL,
     "print three digits from 200 to 599 and a text after Status:"},
    {JC_CODE_CLIENT_GONE, APLOG_WARNING, HTTP_REQUEST_TIME_OUT,
     "ended because the client closed its connection", NULL,
     "nothing, or set JailAbort finish if it is to finish without its client"},
    {JC_CODE_STDERR_DROPPED, APLOG_WARNING, HTTP_OK,
     "wrote too much to standard error: {found} more lines ({expected} bytes) "
     "were dropped",
     NULL, "have it write to a log file of its own"},
    {JC_CODE_BODY_BROKEN, APLOG_INFO, HTTP_BAD_REQUEST,
     "ended because the request body broke off or was refused", NULL, NULL},
    {JC_CODE_CPU_LIMIT, OWNER, "used up its processor time ({text})", NULL,
     "make it faster, or raise JailLimit cpu (or RLimitCPU)"},
    {JC_CODE_FSIZE_LIMIT, OWNER, "wrote a file larger than allowed ({text})",
     NULL, "write smaller files, or raise JailLimit fsize"},
    {JC_CODE_EXIT_STATUS, APLOG_INFO, HTTP_OK, "ended with exit status {found}",
     NULL, NULL},
    {JC_CODE_END_UNKNOWN, ADMIN, "killed together with its jail", NULL,
     "see the main error log; check whether the keeper was killed or memory "
     "ran out"},
    {JC_CODE_TOTAL_TIMEOUT, APLOG_ERR, HTTP_GATEWAY_TIME_OUT,
     "ended because its time was up", "JailTimeout total, {found} ms",
     "make it faster, or raise JailTimeout total"},
    {JC_CODE_LEFT_BEHIND, APLOG_WARNING, HTTP_OK, "{text}", NULL,
     "let it finish before the page ends, or set JailBackground allow "
     "[max=TIME] "
     "for this host"},
    {JC_CODE_CALL_REFUSED, APLOG_WARNING, HTTP_OK,
     "its jail refused the system call {text}", NULL, "{expected}"},
    {JC_CODE_TMP_FILES, APLOG_WARNING, HTTP_OK,
     "its jail's /tmp has files, which are lost when the jail ends (JailIdle, "
     "a "
     "reload, a restart)",
     NULL,
     "set JailTmp disk, which keeps them; or keep what must last in the site's "
     "home"},
    {JC_CODE_TMP_FULL, APLOG_WARNING, HTTP_OK, "its jail's /tmp is full", NULL,
     "remove files there, or make it larger: JailMount tmpfs /tmp size=SIZE, "
     "or "
     "JailTmp disk without that line"},
    {JC_CODE_SYSLOG_LOST, APLOG_WARNING, HTTP_OK,
     "sent a message to syslog, which went nowhere: the /dev/log of the "
     "machine "
     "is not in its jail",
     NULL,
     "to let it write to the machine's journal: JailMount ro "
     "/run/systemd/journal/dev-log /dev/log"},
    {JC_CODE_PATH_ABSENT, APLOG_WARNING, HTTP_OK,
     "did not find {text}, which its jail does not show", NULL,
     "if the machine has it and the site may read it: JailMount ro {text}"},
    {JC_CODE_NO_TERMINAL, APLOG_WARNING, HTTP_OK,
     "got no pseudo-terminal in its jail", NULL,
     "JailMount pty, or JailMount pty max=NUMBER for more of them"},
    {JC_CODE_UNFINISHED, APLOG_WARNING, HTTP_REQUEST_TIME_OUT,
     "ended because it had not finished in time after its client had gone",
     "JailAbort finish max, {found} ms",
     "make it faster, or raise max of JailAbort"},
    {JC_CODE_THROTTLED, APLOG_INFO, HTTP_OK,
     "ran in a jail that had to wait for its share of the processor", NULL,
     "make the site's scripts faster, or raise JailCgroup cpu"},
    {JC_CODE_MEMORY_LIMIT, OWNER,
     "its jail used up its memory, and the kernel killed the script or a "
     "process that it had started ({text})",
     NULL, "make it use less memory, or raise JailCgroup memory="},
    {JC_CODE_PIDS_LIMIT, OWNER,
     "failed ({text}) after its jail had reached its limit of processes", NULL,
     "make it start fewer processes, or raise JailCgroup pids="},
    {JC_CODE_32_BIT, OWNER,
     "{path} is a program for 32 bits, and the filter of JailSeccomp refuses "
     "all system calls of such programs",
     NULL, "compile it for 64 bits, or set JailSeccomp off for this host"},
};

const jc_reason_row_t *jc_reason_table_row(uint32_t code)
{
    static const jc_reason_row_t unknown = {
        JC_CODE_NONE, ADMIN,
        "the helper gave a reason that this module does "
        "not know",
        NULL,
        "module and helper are of different builds: install "
        "both again and restart httpd"};

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        if (rows[i].code == (jc_code_t) code) {
            return &rows[i];
        }
    }
    return &unknown;
}
