/*
 * The reasons: one stable code for every refusal and failure. Error logs show
 * it as JCGInnnn, and doc/manual/codes.md explains it. A test compares the
 * three places. A code never gets another meaning.
 *
 * Runs in:   all processes; the sentences are in src/httpd/serve/reason_table.c
 * Privilege: none of its own
 */
#ifndef JC_CODES_H
#define JC_CODES_H

typedef enum {
    JC_CODE_NONE = 0,

    /* 10xx: the configuration of the virtual host */
    JC_CODE_NO_IDENTITY = 1001, /* neither JailUser nor SuexecUserGroup */
    JC_CODE_USER_UNKNOWN = 1002,
    JC_CODE_GROUP_UNKNOWN = 1003,
    JC_CODE_ROOT_IDENTITY = 1004, /* uid 0 or gid 0 */
    JC_CODE_UID_TOO_LOW = 1005,   /* below JailMinUID */
    JC_CODE_GID_TOO_LOW = 1006,   /* below JailMinGID */
    JC_CODE_NO_ROOT = 1007,       /* no JailRoot */
    JC_CODE_OFF_NO_CGI = 1008,    /* JailRoot off, and no mod_cgi/mod_cgid */
    JC_CODE_NOT_STARTED_AS_ROOT = 1009,
    JC_CODE_WEB_USER = 1010,     /* the identity is httpd's own User */
    JC_CODE_UID_TOO_HIGH = 1011, /* above JailMaxUID */
    JC_CODE_GID_TOO_HIGH = 1012, /* above JailMaxGID */
    JC_CODE_NO_MOUNT_NAMESPACE = 1013,
    JC_CODE_NO_HOME = 1014, /* JailMount home, but no single user */
    JC_CODE_TOO_MANY_MOUNTS = 1015,
    JC_CODE_OWNER_ROOT_GROUP = 1016, /* JailUser owner; found = uid */
    JC_CODE_NO_SITE = 1018,          /* JailSite does not describe it */
    JC_CODE_MAIL_NETWORK = 1019,     /* JailMail, but no network */

    /* 12xx: the request, in the httpd child */
    JC_CODE_EXEC_CGI_OFF = 1201,
    JC_CODE_NOT_FOUND = 1202,
    JC_CODE_IS_DIRECTORY = 1203,
    JC_CODE_NPH_INCLUDED = 1204,
    JC_CODE_PATH_INFO = 1205,
    JC_CODE_NO_RESOURCES = 1206,  /* pipes, sockets, memory: errno */
    JC_CODE_QUEUE_TIMEOUT = 1207, /* the helper's queue stayed full */
    JC_CODE_NO_ANSWER = 1208,     /* not started within the time-out */
    JC_CODE_LOST_TWICE = 1209,    /* helper or keeper died before the start */
    JC_CODE_REQUEST_TOO_BIG = 1210,
    JC_CODE_WITHHELD = 1211,  /* variables; text = their names: a note */
    JC_CODE_TMP_SMALL = 1212, /* found = body, expected = /tmp: a note */

    /* 13xx: the helper */
    JC_CODE_BAD_POLICY = 1301, /* unknown number or generation */
    JC_CODE_NO_KEEPER = 1303,  /* the keeper could not be forked */
    JC_CODE_JAIL_BUSY = 1304,  /* the keeper's queue is full */
    JC_CODE_TOO_MANY_JAILS = 1305,
    JC_CODE_OWNER_REFUSED = 1306, /* JailUser owner: text = which id is out of
                                     bounds */
    JC_CODE_NAMESPACES = 1307,    /* those of JailNamespaces: errno */
    JC_CODE_JAIL_FULL = 1308,     /* JailConcurrency; found = running */

    JC_CODE_CGROUP_NONE = 1320,  /* no cgroup v2 was delegated */
    JC_CODE_CGROUP_LIMIT = 1321, /* text = the file of the limit */

    /* 14xx: a step of building the jail, in the keeper */
    JC_CODE_STEP_SESSION = 1401,
    JC_CODE_STEP_DESCRIPTORS = 1402,
    JC_CODE_STEP_PROCESSES = 1403, /* the list of its own processes */
    JC_CODE_STEP_LIMITS = 1404,
    JC_CODE_STEP_NICE = 1405,
    JC_CODE_ROOT_MISSING = 1406, /* JailRoot does not exist */
    JC_CODE_ROOT_UNSAFE = 1407,  /* a symlink that a tenant could change */
    JC_CODE_STEP_CHROOT = 1408,
    JC_CODE_STEP_GROUPS = 1409,
    JC_CODE_STEP_GID = 1410,
    JC_CODE_STEP_UID = 1411,
    JC_CODE_STEP_BOUNDING = 1412,
    JC_CODE_STEP_SECUREBITS = 1413,
    JC_CODE_STEP_NO_NEW_PRIVS = 1414,
    JC_CODE_STEP_UNDUMPABLE = 1415,
    JC_CODE_ROOT_REGAINED = 1416,
    JC_CODE_STEP_CAPABILITIES = 1417,
    JC_CODE_STEP_SIGNALS = 1418,
    JC_CODE_STEP_MOUNTS = 1419,     /* text = the target */
    JC_CODE_MOUNT_SOURCE = 1420,    /* missing; text = how far it exists */
    JC_CODE_MOUNT_UNSAFE = 1421,    /* expected = what is wrong: 15xx */
    JC_CODE_MOUNT_TARGET = 1422,    /* missing; text = the target */
    JC_CODE_HOME_LEFT_OUT = 1423,   /* a warning at the start: JailRoot host */
    JC_CODE_MOUNT_AUTOMOUNT = 1424, /* text = where autofs cannot mount */
    JC_CODE_TMP_DIR = 1427,    /* JailTmp; text = the first bad component */
    JC_CODE_MAIL_PLACE = 1428, /* JailMail; text = the directory */
    JC_CODE_TMP_OWNER = 1429,  /* found, expected = uid; text = directory */
    JC_CODE_STEP_CGROUP = 1430,
    JC_CODE_STEP_FILTER = 1440, /* JailSeccomp, and the keeper's own */
    JC_CODE_STEP_SCOPE = 1441,  /* JailScope */
    JC_CODE_STEP_FILES = 1442,  /* the layer of files and of JailListen */

    /* 15xx: the checks of the script, in its child, as the tenant */
    JC_CODE_REQUEST_MALFORMED = 1501,
    JC_CODE_NOT_IN_JAIL = 1502,  /* text = first missing component */
    JC_CODE_PATH_DENIED = 1503,  /* a directory may not be searched */
    JC_CODE_DIR_WRITABLE = 1504, /* found = mode */
    JC_CODE_DIR_OWNER = 1505,    /* a parent belongs to a third user */
    JC_CODE_SYMLINK_LOOP = 1506,
    JC_CODE_NOT_REGULAR = 1507,      /* found = mode */
    JC_CODE_SCRIPT_WRITABLE = 1508,  /* found = mode */
    JC_CODE_SCRIPT_SETID = 1509,     /* found = mode */
    JC_CODE_SCRIPT_OWNER = 1510,     /* found, expected = uid */
    JC_CODE_SCRIPT_GROUP = 1511,     /* found, expected = gid */
    JC_CODE_NOT_EXECUTABLE = 1512,   /* found = mode */
    JC_CODE_OTHER_FILE = 1513,       /* not the file that httpd authorised */
    JC_CODE_SCRIPT_DIR_OWNER = 1514, /* found, expected = uid */
    JC_CODE_SCRIPT_DIR_GROUP = 1515, /* found, expected = gid */
    JC_CODE_PATH_OTHER = 1516,       /* any other errno while walking */
    JC_CODE_COMMAND_OFF = 1517,      /* SSI exec cmd, and JailExecCmd Off */
    JC_CODE_FILE_SYSTEM = 1518, /* found = jc_fs_t: root does not vouch; text =
                                   where that begins */
    JC_CODE_AUTOMOUNT = 1520,   /* text = where autofs cannot mount */
    JC_CODE_FOREIGN_SENDER = 1519, /* found, expected = uid of the sender */

    /* 16xx: the launch */
    JC_CODE_FORK_NPROC = 1601, /* EAGAIN: found = the NPROC limit */
    JC_CODE_FORK = 1602,
    JC_CODE_INTERPRETER_MISSING = 1603, /* text = the #! interpreter */
    JC_CODE_LOADER_MISSING = 1604,      /* text = PT_INTERP */
    JC_CODE_CRLF = 1605, /* carriage return ends the #! line; text = file */
    JC_CODE_NO_FORMAT = 1606,    /* neither #! nor ELF */
    JC_CODE_EXEC_DENIED = 1607,  /* EACCES: text = file, found = JC_EXEC_* */
    JC_CODE_EXEC_TOO_BIG = 1608, /* E2BIG */
    JC_CODE_EXEC_OTHER = 1609,
    JC_CODE_WRONG_MACHINE = 1610,      /* ELF for another architecture */
    JC_CODE_INTERPRETER_DENIED = 1611, /* text = the interpreter */
    JC_CODE_SCRIPT_BUSY = 1612,        /* ETXTBSY */
    JC_CODE_SCRIPT_LIMIT = 1613,    /* found = the limit that cannot be set */
    JC_CODE_SCRIPT_SETUP = 1614,    /* pipes or session of the child */
    JC_CODE_FIRST_LINE_LONG = 1615, /* text = file, found = bytes of its line */
    JC_CODE_INTERPRETER_CHAIN = 1616, /* text = the interpreter's own one */
    JC_CODE_ENV_MISSING = 1617,       /* text = what env(1) looks for */
    JC_CODE_INTERPRETER_NAME = 1618,  /* text = a name that is no whole path */
    JC_CODE_INTERPRETER_LINK = 1619,  /* text = a link that leads nowhere */
    JC_CODE_INTERPRETER_KIND = 1620,  /* text = file, found = st_mode */
    JC_CODE_FORK_PIDS = 1630,         /* EAGAIN: JailCgroup pids= */

    /* 17xx: how the script ended */
    JC_CODE_SIGNAL = 1701,
    JC_CODE_LIBRARY_MISSING = 1702, /* the loader's own words */
    JC_CODE_SYMBOL_MISSING = 1703,  /* relocation, version, lookup */
    JC_CODE_NO_OUTPUT = 1704,
    JC_CODE_BAD_HEADER = 1705,
    JC_CODE_HEADER_TOO_LONG = 1706,
    JC_CODE_HEADER_TIMEOUT = 1707, /* 504 */
    JC_CODE_OUTPUT_TIMEOUT = 1708,
    JC_CODE_BAD_STATUS = 1709,
    JC_CODE_CLIENT_GONE = 1710,
    JC_CODE_STDERR_DROPPED = 1711,
    JC_CODE_BODY_BROKEN = 1712,
    JC_CODE_CPU_LIMIT = 1713,     /* SIGXCPU, or SIGKILL with it */
    JC_CODE_FSIZE_LIMIT = 1714,   /* SIGXFSZ */
    JC_CODE_EXIT_STATUS = 1715,   /* non-zero after a whole page: a note */
    JC_CODE_END_UNKNOWN = 1716,   /* its keeper was killed */
    JC_CODE_TOTAL_TIMEOUT = 1717, /* JailTimeout total; 504 */
    JC_CODE_LEFT_BEHIND = 1718,   /* text = what was still running: a note */
    JC_CODE_CALL_REFUSED = 1719,  /* text = the system call: a note */
    JC_CODE_TMP_FILES = 1720,     /* files in the jail's /tmp: a note */
    JC_CODE_TMP_FULL = 1721,      /* a note */
    JC_CODE_SYSLOG_LOST = 1722,   /* a message for syslog: a note */
    JC_CODE_UNFINISHED = 1723,    /* JailAbort finish max= */
    JC_CODE_PATH_ABSENT = 1724,   /* text = a path of the machine: a note */
    JC_CODE_NO_TERMINAL = 1725,   /* a note */
    JC_CODE_MEMORY_LIMIT = 1730,  /* JailCgroup memory= */
    JC_CODE_PIDS_LIMIT = 1731,    /* JailCgroup pids= */
    JC_CODE_THROTTLED = 1732,     /* JailCgroup cpu=: a note */
    JC_CODE_32_BIT = 1733,        /* text = the program */

    /* 18xx: JailMail; jailcgi-sendmail writes them, as the tenant */
    JC_CODE_MAIL_DOWN = 1801,    /* no connection, or it has ended early */
    JC_CODE_MAIL_LATER = 1802,   /* 4xx */
    JC_CODE_MAIL_REFUSED = 1803, /* 5xx */
    JC_CODE_MAIL_USAGE = 1804,
    JC_CODE_MAIL_ADDRESS = 1805,
    JC_CODE_MAIL_SETUP = 1806,
    JC_CODE_MAIL_MESSAGE = 1807,
} jc_code_t;

/* found of JC_CODE_EXEC_DENIED: why the kernel has refused, if that is seen. */
enum { JC_EXEC_NOEXEC = 1, JC_EXEC_MODE };

/* found of JC_CODE_INTERPRETER_KIND, which no st_mode is: a script whose
 * interpreter is a script, and so on, more often than the kernel goes on. */
#define JC_INTERPRETER_SIXTH 6

#endif
