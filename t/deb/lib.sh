# shellcheck shell=sh disable=SC2034
#
# For what runs in a root of t/tools/in-root.

start=$(date +%s)
release=$(cat /etc/debian_version)

# step TEXT: what follows, and how long all took so far.
step() {
    printf '%4ds  Debian %s: %s\n' $(($(date +%s) - start)) "$release" "$*"
}

fail() {
    printf 'FAILED: %s\n' "$*" >&2
    exit 1
}

# quiet COMMAND...: its output only if it fails.
quiet() {
    "$@" >/tmp/quiet.log 2>&1 </dev/null && return
    tail -n 40 /tmp/quiet.log >&2
    fail "$*"
}

# has TEXT COMMAND...: its output has TEXT in it; for ten seconds to come true.
has() {
    want=$1
    shift

    for _ in $(seq 50); do
        got=$("$@" 2>&1) || :
        case $got in *"$want"*) return ;; esac
        sleep 0.2
    done

    printf '%s\n' "$got" >&2
    fail "no \"$want\" from: $*"
}

hold_services() {
    printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
    chmod 755 /usr/sbin/policy-rc.d
}

# offline SCRIPT: without a network but 127.0.0.1, where ports are free.
offline() {
    rm -f /usr/sbin/policy-rc.d
    unshare --net sh -euc 'ip link set lo up; exec "$@"' sh "$@"
}
