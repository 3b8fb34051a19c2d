# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# The packages where systemd runs: it boots the tree, as the first process of namespaces and a cgroup of their own.
# Sourced by inside.sh.
# shellcheck disable=SC2016,SC2154,SC2317 # as there; its variables

boot() {
    # With its own mounts and network, it finds nothing of the machine to set up. Its root has to be a mount: services
    # get mounts of their own from it.
    local prepare='mount --bind "$0" "$0" && mount -t proc proc "$0/proc" && mount --bind -o ro "$0/proc/sys" "$0/proc/sys" && mount -t sysfs -o ro sysfs "$0/sys" &&
        mount -t cgroup2 cgroup2 "$0/sys/fs/cgroup" && mount -t tmpfs tmpfs "$0/run" && ip link set lo up &&
        exec env -i container=lingerd-test PATH="$PATH" chroot "$0" /lib/systemd/systemd --system'
    (
        echo 0 >"$cgroup/cgroup.procs"
        exec unshare --mount --pid --fork --kill-child --net --uts --ipc --cgroup bash -c "$prepare" "$tree"
    ) >"$scratch/boot.log" 2>&1 </dev/null &
    booted=$!
    local state=
    for _ in {1..300}; do
        systemd=$(pgrep -P $booted) && state=$(in_booted systemctl is-system-running 2>&1)
        [[ $state == running || $state == degraded ]] && return
        sleep 0.1
    done
    cat "$scratch/boot.log"
    echo "not running, but: $state"
    return 1
}

in_booted() {
    nsenter -t "$systemd" --all --root --wd env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
        "$@" </dev/null
}

states() { # WHAT STATE...: of the socket, the service, the tracer's service
    local what=$1
    shift
    [ "$(in_booted systemctl "$what" lingerd.socket lingerd.service lingertrace.service)" = "$(printf '%s\n' "$@")" ]
}

runs_at_once() {
    in_booted sh -c 'dpkg -i /root/now/*.deb' && states is-active active active inactive && states is-enabled enabled enabled disabled
}

status_of() { # NAME
    in_booted lingerctl status | awk -v name="$1" '$1 == name { print $2 }'
}

# 200 connections linger when the service is restarted; their clients go on sending afterwards.
upgrade_loses_nothing() {
    local held
    printf '[lingerd]\nidle-timeout = 300\ntotal-timeout = 300\n' >"$tree/etc/lingerd/lingerd.conf"
    in_booted systemctl reload lingerd.service || return
    in_booted stat -c %i /run/lingerd/lingerd.sock >"$scratch/socket" || return
    mkfifo "$scratch/go"
    nsenter -t "$systemd" --all --root --wd /root/try hold <>"$scratch/go" &
    held=$!
    for _ in {1..100}; do
        [ "$(status_of lingers)" = 200 ] && break
        sleep 0.1
    done
    in_booted sh -c 'dpkg -i /root/next/*.deb' && states is-active active active inactive || return
    echo >"$scratch/go"
    wait $held || { echo "connections were reset: $?" && return 1; }
    in_booted lingerctl status
    [ "$(status_of restored) $(status_of ended_fin)" = "200 200" ] &&
        in_booted stat -c %i /run/lingerd/lingerd.sock | diff "$scratch/socket" -
}

# Five thousand linger, and a thousand are handed over each second, while the service is restarted: twice, for systemd
# by itself and for an upgrade.
restarts_under_load() {
    local held serving
    printf '[lingerd]\nidle-timeout = 300\ntotal-timeout = 40\nat-deadline = reset\n' >"$tree/etc/lingerd/lingerd.conf"
    in_booted systemctl reload lingerd.service || return
    nsenter -t "$systemd" --all --root --wd /root/load hold 5000 40 </dev/null >"$scratch/held" &
    held=$!
    nsenter -t "$systemd" --all --root --wd /root/load serve 1000 <>"$scratch/go" >"$scratch/served" &
    serving=$!
    for _ in {1..100}; do
        [ "$(status_of lingers)" -ge 5000 ] && break
        sleep 0.1
    done
    in_booted systemctl restart lingerd.service || return
    sleep 1
    [ "$(status_of restored)" -ge 5000 ] || { echo "$(status_of restored) restored" && return 1; }
    in_booted sh -c 'dpkg -i /root/next/*.deb' && in_booted systemctl restart lingerd.service || return
    sleep 1
    [ "$(status_of restored)" -ge 5000 ] || { echo "$(status_of restored) restored" && return 1; }
    echo >"$scratch/go"
    wait $serving || { cat "$scratch/served" && return 1; }
    wait $held || { cat "$scratch/held" && return 1; }
    # Figures, where somebody looks for them.
    cat "$scratch/served" "$scratch/held" | sed 's/^/    /' >&3
}

# The tracer's service and the drain's, which somebody has started, too. The latter has mounted a file system with its programs.
purge_stops_them() {
    in_booted systemctl start lingertrace.service || true
    in_booted systemctl start lingerd-drain.service && in_booted test -e /run/lingerd-drain/connections || return
    # shellcheck disable=SC2086 # one word per package
    in_booted dpkg --purge $ours || return
    [ "$(in_booted systemctl is-active lingerd.socket lingerd.service lingertrace.service lingerd-drain.service)" = \
        $'inactive\ninactive\ninactive\ninactive' ] || return
    in_booted systemctl --failed --no-legend | grep linger && return 1
    in_booted find / -xdev ! -path '/root/*' ! -path '/proc/*' ! -path '/var/log/*' ! -path '/var/lib/dpkg/*' -name '*linger*' | grep . && return 1
    in_booted find /run -name '*lingerd*' | grep . && return 1
    return 0
}

under_systemd() {
    if [ -z "$cgroup" ]; then
        echo "under systemd                                                          SKIP: no cgroup2 to write to"
        return
    fi
    rm -f "$tree/usr/sbin/policy-rc.d"
    if check "systemd runs in the tree" boot; then
        check "installed, the daemon runs; the tracer does not" runs_at_once
        check "an upgrade loses none of 200 connections, and the socket stays" upgrade_loses_nothing
        check "restarts under load break nothing, forget nothing, keep deadlines" restarts_under_load
        check "purged, they have ended, and nothing of them is left" purge_stops_them
    fi
    kill -KILL "$booted"
    wait "$booted" 2>/dev/null
}
