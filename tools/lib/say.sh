# Words and colours that demo, check and the tools share. To be sourced.
# shellcheck shell=bash

if [ -t 1 ]; then
    bold=$'\033[1m' dim=$'\033[2m' red=$'\033[31m' green=$'\033[32m'
    plain=$'\033[0m' clear=$'\r\033[K'
else
    bold='' dim='' red='' green='' plain='' clear=''
fi

step() { printf '%s==> %s%s\n' "$bold" "$*" "$plain"; }
note() { printf '    %s%s%s\n' "$dim" "$*" "$plain"; }
good() { printf '    %sok%s  %s\n' "$green" "$plain" "$*"; }
bad() { printf '    %sNOT OK%s  %s\n' "$red" "$plain" "$*"; }

die() {
    printf '%s%s: %s%s\n' "$red" "${0##*/}" "$*" "$plain" >&2
    exit 1
}

need_root() {
    [ "$(id -u)" = 0 ] || die "needs root to change roots and users: sudo $0"
}

log=/dev/null

# counted WORD...: passes output lines on to $log and shows how many came, in
# one line that is overwritten, so that a wait is seen to move.
counted() {
    local n=0 line
    while IFS= read -r line; do
        printf '%s\n' "$line" >>"$log"
        n=$((n + 1))
        if [ -n "$clear" ]; then
            printf '%s    %s %d' "$clear" "$*" "$n"
        fi
    done
    printf '%s' "$clear"
}

# The user to whom the checkout belongs builds it, so that a `sudo ./check`
# leaves nothing there that this user cannot remove or build over.
as_owner() {
    local uid gid
    uid=$(stat -c %u .) gid=$(stat -c %g .)
    if [ "$uid" = 0 ]; then
        "$@"
    else
        setpriv --reuid="$uid" --regid="$gid" --clear-groups -- "$@"
    fi
}
