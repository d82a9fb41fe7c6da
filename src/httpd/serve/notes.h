/*
 * Names the notes of a request: those that LogFormat shows with
 * %{JAILCGI_PID}n, and those that one file of this folder leaves for another.
 *
 * Runs in:   httpd child
 * Privilege: that of the web user
 * Trusts:    nothing
 */
#ifndef JC_NOTES_H
#define JC_NOTES_H

/* Notes of the request, for %{JAILCGI_PID}n in LogFormat. */
#define JC_NOTE_PID       "JAILCGI_PID"
#define JC_NOTE_UID       "JAILCGI_UID"
#define JC_NOTE_GID       "JAILCGI_GID"
#define JC_NOTE_STATUS    "JAILCGI_STATUS" /* as wait(2) gives it */
#define JC_NOTE_UTIME     "JAILCGI_UTIME_US"
#define JC_NOTE_STIME     "JAILCGI_STIME_US"
#define JC_NOTE_MAXRSS    "JAILCGI_MAXRSS_KB"
#define JC_NOTE_THROTTLED "JAILCGI_THROTTLED" /* 1: by JailCgroup cpu= */
#define JC_NOTE_EXIT      "JAILCGI_EXIT"      /* in words: "exit 3" */
#define JC_NOTE_JAIL      "JAILCGI_JAIL"      /* JailRoot, or "-" */
#define JC_NOTE_SCRIPT    "JAILCGI_SCRIPT"    /* its path inside the jail */
#define JC_NOTE_CODE      "JAILCGI_CODE"      /* JCGInnnn of the last reason */
#define JC_NOTE_REASON    "JAILCGI_REASON"    /* its sentence */

/* This note says that the body belongs to the script that was started, and no
 * longer to the page that the request is redirected to. */
#define JC_NOTE_BODY_GIVEN "jailcgi-body-given"

/* This note of the connection says that the client has closed its sending side
 * and still reads. */
#define JC_NOTE_HALF_CLOSED "jailcgi-half-closed"

#endif
