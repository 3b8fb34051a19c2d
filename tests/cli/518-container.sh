#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# In a container that has nothing but lingerd and its libraries: process 1, no capability, no network, a file system that
# cannot be written to, a user that has no name there. A server outside of it, with another network, hands over through
# a volume, and `podman stop` ends it in order.
# shellcheck source=tests/cli/servers.common
. "${0%/*}/servers.common"
if [ "$BUILD" = build/sanitized ]; then
    echo "SKIP: the sanitizer's libraries are not in the container"
    exit 77
fi
[ "$(id -u)" = 0 ] || { echo "SKIP: needs root" && exit 77; }
for program in podman runc; do
    command -v "$program" >/dev/null || { echo "SKIP: no $program" && exit 77; }
done

# What containers leave on a host is in the test's own folder.
name=lingerd-test-$$
podman() {
    command podman --root "$work/storage" --runroot "$work/run" --tmpdir "$work/podman" \
        --cgroup-manager=cgroupfs --runtime runc --events-backend=file --log-level=error "$@"
}
trap 'podman rm --force --time 1 "$name" >/dev/null 2>&1; umount -l "$work/storage/overlay" 2>/dev/null; clean_up' EXIT

root=$work/root
mkdir -p "$root"/{etc,proc,sys,dev,tmp,run/lingerd} "$work/shared"
chown 61000:61000 "$work/shared"
install -D "$build/lingerd" "$root/usr/sbin/lingerd"
install -D "$build/lingerctl" "$root/usr/sbin/lingerctl"
ldd "$build/lingerd" "$build/lingerctl" | grep -oE '/[^ ]+\.so[^ ]*' | sort -u | while read -r library; do
    install -D "$library" "$root$library"
done

podman run --detach --name "$name" --network none --read-only --cap-drop all --user 61000:61000 --pids-limit 10 \
    --ulimit nofile=1024:1024 --ulimit nproc=100:100 --volume "$work/shared:/run/lingerd" \
    --rootfs "$root" /usr/sbin/lingerd --socket-mode 0666 --metrics unix:/run/lingerd/metrics.sock --idle-timeout 30 \
    >"$work/podman.log" 2>&1 || fail "podman run: $(cat "$work/podman.log")"
ask() { # [lingerctl's arguments]
    "$build/lingerctl" "$@" --socket "$work/shared/lingerd.sock"
}
# shellcheck disable=SC2317 # wait_for calls it
is() { # NAME VALUE
    [ "$(ask status | awk -v name="$1" '$1 == name { print $2 }')" = "$2" ]
}
wait_for is handoffs 0
pid=$(podman inspect --format '{{.State.Pid}}' "$name")
[ "$(awk '$1 == "NSpid:" { print $NF }' "/proc/$pid/status")" = 1 ] || fail "not process 1"
[ "$(awk '$1 == "Uid:" { print $2 }' "/proc/$pid/status")" = 61000 ] || fail "not the user that it was to be"
[ "$(awk '/^Cap(Prm|Eff|Bnd)/ { print $2 }' "/proc/$pid/status" | sort -u)" = 0000000000000000 ] || fail "capabilities"
[ "$(ask status | awk '$1 == "max_connections" { print $2 }')" -lt 1024 ] || fail "the limit of the container is not asked for"

unshare --net /bin/sh -c 'ip link set lo up; exec "$@"' sh \
    setpriv --reuid=33 --regid=33 --clear-groups /usr/bin/python3 "$support/hand_over.py" "$work/shared/lingerd.sock" 100 0.1 \
    </dev/null >"$work/handed" 2>&1 || fail "hand_over.py: $(cat "$work/handed")"
[ "$(cat "$work/handed")" = '100 0' ] || fail "handed: $(cat "$work/handed")"
wait_for is ended_fin 100
curl -sS --unix-socket "$work/shared/metrics.sock" http://localhost/metrics 2>"$work/curl.err" | grep -q '^lingerd_handoffs_total 100$' || fail "metrics"
podman exec "$name" /usr/sbin/lingerctl status >"$work/inside" || fail "lingerctl in the container"
grep -q '^handoffs  *100 ' "$work/inside" || fail "$(cat "$work/inside")"

# Some linger when it is stopped: they come to their end first.
mkfifo "$work/held"
python3 "$support/hand_over.py" "$work/shared/lingerd.sock" 10 never <"$work/held" >"$work/handed" 2>&1 &
exec 9>"$work/held"
wait_for is lingers 10
podman stop --time 20 "$name" >"$work/podman.log" 2>&1 9>&- &
stopping=$!
sleep 0.5
exec 9>&-
wait "$stopping" || fail "podman stop: $(cat "$work/podman.log")"
[ "$(podman inspect --format '{{.State.ExitCode}}' "$name")" = 0 ] || fail "it does not end with 0"
podman logs "$name" >"$work/logged" 2>&1
grep -q '^lingerd: ended: 110 handoffs: 110 fin;' "$work/logged" || fail "$(cat "$work/logged")"
[ -z "$(ls "$work/shared")" ] || fail "left behind: $(ls "$work/shared")"
exit 0
