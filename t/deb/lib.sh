# shellcheck shell=sh disable=SC2034
#
# For what runs in a root of t/tools/in-root.

START=${START:-$(date +%s)}
export START
release=$(cat /etc/debian_version)

# step TEXT: what follows, and how long all took so far.
step() {
    printf '%4ds  Debian %s: %s\n' $(($(date +%s) - START)) "$release" "$*"
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

# has TEXT COMMAND...: its output has TEXT in it; for a minute to come true.
has() {
    want=$1
    shift

    for _ in $(seq 300); do
        got=$("$@" 2>&1) || :
        case $got in *"$want"*) return ;; esac
        sleep 0.2
    done

    printf '%s\n' "$got" >&2
    fail "no \"$want\" from: $*"
}

# instance PORT SECONDS &: a pretended one that answers a message after SECONDS.
instance() {
    # shellcheck disable=SC2016
    exec perl -I/src/t/lib -MWaGateway::Fake -e '
        my ($port, $seconds) = @ARGV;
        $SIG{TERM} = sub { exit };

        WaGateway::Fake->new(port => $port, handler => sub {
            my ($s) = @_;
            my $request = WaGateway::Fake::read_whole($s) or return;
            my $text = qq({"messageId":"slow-$port"});

            sleep $seconds if $request =~ /^POST/;
            print $s "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n",
                "Connection: close\r\nContent-Length: ", length $text,
                "\r\n\r\n$text";
        });

        sleep;
        ' "$1" "$2"
}

hold_services() {
    printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
    chmod 755 /usr/sbin/policy-rc.d
}

# booted SCRIPT: the same, as a service of the root's own systemd, which may put
# a /tmp of its own over ours.
booted() {
    cat >/etc/systemd/system/try.service <<END
[Service]
Type=oneshot
Environment=HOME=/root LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive START=$START
ExecStart=$1
StandardOutput=append:/root/booted.log
StandardError=inherit
TimeoutStartSec=10min
ExecStopPost=/bin/sh -c 'echo \$EXIT_STATUS >/root/booted; systemctl --no-block exit'
END
    cat >/etc/systemd/system/try.target <<'END'
[Unit]
Requires=basic.target try.service
After=basic.target
END

    rm -f /usr/sbin/policy-rc.d /root/booted
    : >/root/booted.log

    # shellcheck disable=SC2016
    unshare --mount --pid --fork --net --uts --ipc --cgroup sh -euc '
        mount -t proc proc /proc
        mount -t tmpfs -o mode=755 tmpfs /run
        mount -t sysfs -o ro sysfs /sys
        mount -t tmpfs tmpfs /sys/fs/cgroup
        mount -t cgroup2 cgroup2 /sys/fs/cgroup
        mount --bind /tmp/systemd.log /dev/console
        ip link set lo up
        exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin container=other \
            /lib/systemd/systemd --unit=try.target --log-target=console
        ' </dev/null >/tmp/systemd.log 2>&1 || :

    cat /root/booted.log
    [ -e /root/booted ] || { cat /tmp/systemd.log; fail 'systemd does not start'; }
    [ "$(cat /root/booted)" = 0 ] || fail "$1"
}

# offline SCRIPT: without a network but 127.0.0.1, where ports are free.
offline() {
    rm -f /usr/sbin/policy-rc.d
    unshare --net sh -euc 'ip link set lo up; exec "$@"' sh "$@"
}
