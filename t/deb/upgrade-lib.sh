# shellcheck shell=sh
#
# For the tests of an upgrade: load.pl and answers.pl in a root, with settings
# of 0.1.0.

# The last instance is to come, so that one is dead all the time.
# shellcheck disable=SC2016
settings() {
    cat <<'TEXT'
# Our servers; the last one is to come.
INSTANCES=http://127.0.0.1:3001,http://127.0.0.1:3002,http://127.0.0.1:3003,http://127.0.0.1:3009
API_KEY=secret   # of the shop
HEALTH_CHECK_INTERVAL=1000
REQUEST_TIMEOUT=8000
HEALTH_CHECK_PATH=/health?full=1
HEALTH_CHECK_JSON='$.method=GET,HEAD'
WORKERS=2
GATEWAY_LANG=en
TRUSTED_PROXIES=10.0.0.0/8
TEXT
}

status_of() {
    curl -s -H 'X-Api-Key: secret' "http://127.0.0.1:$1/status"
}

# says PORT VERSION
says() {
    has "\"version\":\"$2\"" status_of "$1"
}

sees_the_dead() {
    has '"unhealthy":1' status_of "$1"
}

# load PORT [KEY]: from the moment that a gateway is there.
load() {
    rm -rf "/root/load-$1"
    perl /src/t/deb/load.pl "/root/load-$1" "$@" &
    eval "load_$1=$!"
    until [ -e "/root/load-$1/ready" ]; do sleep 0.1; done
}

done_of() {
    stat -c %s "/root/load-$1/done" 2>/dev/null || echo 0
}

# Ten messages for each client, most of which began after this moment.
more() {
    enough=$(($(done_of "$1") + 40))

    for _ in $(seq 1200); do
        [ "$(done_of "$1")" -lt "$enough" ] || return 0
        sleep 0.1
    done

    fail "the load on port $1 stands still"
}

# judged PORT NAME: ends the load.
judged() {
    more "$1"
    : >"/root/load-$1/stop"
    status=0
    eval "wait \$load_$1" || status=$?
    step "$2: $(head -n 1 "/root/load-$1/told")"
    [ "$status" -eq 0 ] || {
        sed 1d "/root/load-$1/told" | head -n 20 >&2
        fail "$2"
    }
}

# answers PORT [KEY] >FILE
answers() {
    perl /src/t/deb/answers.pl "$@" || fail 'no answers'
}

same() {
    perl /src/t/deb/answers.pl --compare "/out/was-$1" "/out/is-$1" \
        >/tmp/same || { cat /tmp/same >&2; fail "answers on port $1"; }
    step "port $1: $(cat /tmp/same)"
}
