#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# systemd's units as they are installed: systemd finds nothing wrong with them, thinks lingerd.service little exposed,
# makes their user and folder; and the limits in them are those that lingerd needs.
set -u
status=0
work=$(mktemp -d)
daemon=
trap 'status=$?; kill $daemon 2>/dev/null; rm -rf "$work"; exit $status' EXIT
root=$work/root
fail() {
    echo "$*"
    [ ! -s "$work/log" ] || cat "$work/log"
    exit 1
}
command -v systemd-analyze >/dev/null || { echo "SKIP: no systemd-analyze" && exit 77; }
san=
[ "$BUILD" = build/sanitized ] && san=${SAN:-address,undefined}

make --no-print-directory SAN="$san" DESTDIR="$root" PREFIX=/usr SBINDIR=/usr/lib/linger/sbin SYSCONFDIR=/srv/etc install \
    >"$work/log" 2>&1 || fail "install"
units=$root/usr/lib/systemd/system
service=$units/lingerd.service
grep -q '^ExecStart=/usr/lib/linger/sbin/lingerd .*/srv/etc/lingerd/lingerd.conf' "$service" || fail "ExecStart= is for another place"
grep -n '@[A-Z]*@' "$units"/* >"$work/log" && fail "a template is not filled"
[ -s "$root/srv/etc/lingerd/lingerd.conf" ] || fail "no lingerd.conf"

# What the units refer to and do not bring along: systemd's own, and kill.
for folder in /lib/systemd/system /usr/lib/systemd/system; do
    cp -P "$folder"/*.{target,slice,mount} "$units" 2>/dev/null
done
mkdir -p "$root/bin" "$root/etc"
cp -L /bin/kill "$root/bin/"
for unit in lingerd.socket lingerd.service lingerd-drain.service lingertrace.service; do
    # Unknown keys are only said, and not counted as a failure.
    systemd-analyze verify --man=no --root="$root" "$unit" >"$work/log" 2>&1 || fail "verify $unit"
    [ ! -s "$work/log" ] || fail "verify $unit"
done

# The threshold is in tenths.
systemd-analyze security --offline=true --threshold=10 --no-pager "$service" >"$work/log" 2>&1 || fail "lingerd.service is more exposed than 1.0"
figure=$(sed -n 's/.*Overall exposure level for lingerd.service: \([0-9.]*\) .*/\1/p' "$work/log")
[ -n "$figure" ] || fail "systemd-analyze tells no exposure"
grep -qF "says $figure" README.md || fail "the exposure is $figure, and README.md says another"
systemd-analyze security --offline=true --threshold=25 --no-pager "$units/lingertrace.service" >"$work/log" 2>&1 ||
    fail "lingertrace.service is more exposed than 2.5"
# Every sender would be "nobody" then, whatever the figure gains by it.
! grep -qE '^(PrivateUsers=(yes|true|1|on|self)|DynamicUser=)' "$service" || fail "users of senders are lost"

value_of() { sed -n "s/^$1=//p" "$service"; }
queues=$(sed -n 's/.*SUCCESSION_QUEUES_MAX = \([0-9]*\).*/\1/p' user/lingerd/succession.h)
[ "$(value_of FileDescriptorStoreMax)" -ge "$queues" ] || fail "the store has no room for $queues queues"
user=$(value_of User)
[ "$user" = "$(value_of Group)" ] || fail "the group is another one"
[ "$user" = "$(sed -n 's/^SocketGroup=//p' "$units/lingerd.socket")" ] || fail "the socket's group is another one"

systemd-sysusers --root="$root" >"$work/log" 2>&1 || fail "sysusers"
id=$(sed -n "s/^$user:[^:]*:\([0-9]*\):.*nologin$/\1/p" "$root/etc/passwd")
[ -n "$id" ] || fail "sysusers makes no user $user"
if [ "$(id -u)" = 0 ]; then
    systemd-tmpfiles --root="$root" --create lingerd.conf >"$work/log" 2>&1 || fail "tmpfiles"
    [ "$(stat -c '%F %a %u' "$root/run/lingerd")" = "directory 755 $id" ] || fail "tmpfiles: $(stat "$root/run/lingerd")"
fi
folder=$(sed -n 's|^ListenSequentialPacket=/run/\(.*\)/[^/]*$|\1|p' "$units/lingerd.socket")
[ "$folder" = "$(value_of RuntimeDirectory)" ] || fail "the folder of the socket cannot be written"
[ "$(value_of RuntimeDirectoryPreserve)" = yes ] || fail "the folder of the socket ends with the service"

# LimitNOFILE= is enough for as many connections as the default allows; half of it is not.
lingers_at_most() { # LIMIT
    # shellcheck disable=SC3045 # bash
    (ulimit -n "$1" && exec "$BUILD/lingerd" --socket "$work/lingerd.sock") 2>"$work/log" &
    daemon=$!
    for _ in {1..200}; do
        "$BUILD/lingerctl" status --socket "$work/lingerd.sock" >"$work/status" 2>/dev/null && break
        sleep 0.02
    done
    kill $daemon && wait $daemon
    daemon=
    most=$(awk '$1 == "max_connections" { print $2 }' "$work/status")
}
limit=$(value_of LimitNOFILE)
if [ "$(ulimit -Hn)" = unlimited ] || [ "$(ulimit -Hn)" -ge "$limit" ]; then
    lingers_at_most "$limit"
    [ "$most" = 65536 ] || fail "LimitNOFILE=$limit is for $most connections"
    lingers_at_most $((limit / 2))
    [ "$most" -lt 65536 ] || fail "LimitNOFILE= makes no difference"
fi
exit 0
