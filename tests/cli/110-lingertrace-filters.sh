#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The filters by their options: what does not match has no row, and is counted where it was followed.
# shellcheck source=tests/cli/lingertrace.common
. "${0%/*}/lingertrace.common"
need_bpf
port=$(free_port)

rows() { # EXPECTED ARGUMENT...: a trace with these, while there are 5 connections of python3
    local expected=$1
    shift
    start_trace --csv "$work/rows.csv" --port "$port" "$@"
    connections "$port" 5
    end_trace INT
    [ "$status" = 0 ] || fail "$*: exit status $status"
    [ "$(wc -l <"$work/rows.csv")" = $((expected + 1)) ] || fail "$*: not $expected rows"
}

last_line() { # TEXT
    tail -n 1 "$work/err" | grep -qF "$1" || fail "last line is not $1"
}

rows 5
last_line '5 rows written, 0 records lost (ring buffer full: 0, table full: 0)'
grep -q filtered "$work/err" && fail "nothing was to be filtered"
rows 5 --family ipv4
rows 0 --family ipv6
rows 5 --comm python3
last_line ', 0 filtered'
rows 0 --comm python
last_line '0 rows written, 0 records lost (ring buffer full: 0, table full: 0), 5 filtered'
rows 0 --pid $$
last_line ', 5 filtered'
rows 5 --netns /proc/self/ns/net
rows 5 --netns "$(stat -L -c %i /proc/self/ns/net)"
rows 0 --netns 1
# By its name, as ip netns makes them.
# shellcheck disable=SC2016 # for the inner shell
unshare -m sh -c 'mount -t tmpfs none /run && mkdir /run/netns && touch /run/netns/ours && mount --bind /proc/self/ns/net /run/netns/ours &&
    exec "$@"' sh "$trace" --netns ours --duration 0.1 --csv "$work/rows.csv" 2>"$work/err" || fail "--netns by name"
rows 5 --no-close-calls
rows 5 --all-close-calls
rows 5 --hooks tracepoint --new-only --max-connections 100
grep -q 'tracing 1 local port by tracepoints' "$work/err" || fail "does not say its hooks"

skipped=
cgroups=$(findmnt -n -t cgroup2 -o TARGET | head -n 1)
if [ -n "$cgroups" ] && mkdir "$cgroups/lingertrace.$$" 2>/dev/null; then
    cgroup=$cgroups/lingertrace.$$
    rows 0 --cgroup "$cgroup"
    start_trace --csv "$work/rows.csv" --port "$port" --cgroup "$cgroup"
    (
        echo "$BASHPID" >"$cgroup/cgroup.procs"
        connections "$port" 5
    )
    end_trace INT
    rmdir "$cgroup"
    cgroup=
    [ "$(wc -l <"$work/rows.csv")" = 6 ] || fail "the connections of the cgroup are missing"
else
    skipped="SKIP: --cgroup: there is no cgroup2 to write to"
fi

# Connections that are there when the trace begins have rows, unless only new ones are wanted.
for existing in 1 0; do
    python3 - "$port" "$work/go" >"$work/ready" <<'EOF' &
import os
import socket
import sys
import time

listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
client = socket.create_connection(listener.getsockname())
server, _ = listener.accept()
print("ready", flush=True)
for _ in range(6000):
    if os.path.exists(sys.argv[2]):
        break
    time.sleep(0.01)
server.close()
client.close()
EOF
    peer=$!
    until grep -q ready "$work/ready"; do sleep 0.01; done
    options=()
    [ "$existing" = 1 ] || options=(--new-only)
    start_trace --csv "$work/rows.csv" --port "$port" "${options[@]}"
    touch "$work/go"
    wait "$peer"
    peer=
    end_trace INT
    rm "$work/go" "$work/ready"
    [ "$(tail -n +2 "$work/rows.csv" | wc -l)" = "$existing" ] || fail "existing connections: not $existing"
done
[ -z "$skipped" ] || { echo "$skipped" && exit 77; }
exit 0
