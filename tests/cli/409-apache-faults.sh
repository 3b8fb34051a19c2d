#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Faults under load, with each MPM: the daemon killed, stopped for 5 s, stopped and killed, ended and started, full, its socket
# removed or forbidden, Apache restarted and stopped. No response is lost, each has its line in the access log.
# A kill of the daemon cuts the uploads that it lingers at that moment, as a plain close() would: there are none then.
# shellcheck disable=SC2317 # the functions that are faults are called by name
# shellcheck source=tests/cli/apache.common
. tests/cli/apache.common
# under_load NAME COUNT FAULT KINDS...: clients come while the fault happens, and after it
under_load() {
    local name=$1 count=$2 fault=$3 lines
    shift 3
    lines=$(wc -l <"$work/access.log")
    python3 -B "$support/http_soak.py" "$count" 20 "$@" >"$work/soak.out" 2>>"$work/peers.err" &
    local soak_pid=$!
    sleep 0.3
    "$fault"
    wait $soak_pid
    read -r _ complete _ truncated _ ms _ responses <"$work/soak.out"
    [ "$truncated" = 0 ] || fail "$mpm: $name: $truncated of $count responses are lost"
    # A client may have its response before the line is written.
    logged() { [ "$(wc -l <"$work/access.log")" = $((lines + responses)) ]; }
    wait_for logged
    echo "$mpm: $name: $complete of $count whole, $ms ms"
}

stopped() {
    kill -STOP "$lingerd_pid"
    sleep 5
    kill -CONT "$lingerd_pid"
}

stopped_and_killed() {
    kill -STOP "$lingerd_pid"
    sleep 1
    kill_lingerd
}

ended_and_started() {
    stop "$lingerd_pid"
    start_lingerd
}

removed() {
    rm "$work/lingerd.sock"
    graceful
}

forbidden() {
    chmod 0000 "$work/lingerd.sock"
    graceful
}

replaced_by_a_full_one() {
    stop "$lingerd_pid"
    lingerd_options=(--max-connections 2)
    start_lingerd
    lingerd_options=()
}

# The clients send on for 100 ms after all of them are the daemon's.
stop_apache_with_uploads() {
    local before soak_pid
    before=$(counter handoffs)
    python3 -B "$support/http_soak.py" 8 8 "$uploads" >"$work/soak.out" 2>>"$work/peers.err" &
    soak_pid=$!
    all_handed() { [ "$(counter handoffs)" = $((before + 8)) ]; }
    wait_for all_handed
    stop_apache
    wait $soak_pid
    read -r _ complete _ <"$work/soak.out"
    expect_whole 8
}

faults() {
    local uploads="uploader:$port:/refused"
    local others=("late:$port:/small" "prompt:$port:/large" "tls:$tls_port:/large" "first:$port:/small")
    # Event cuts what it lingers by itself when none of its threads is free: it has more of them than there are clients.
    workers=8
    [ "$mpm" = event ] && workers=32
    start_lingerd
    start_apache "$mpm"
    under_load killed 120 kill_lingerd "${others[@]}"
    under_load away 60 true "${others[@]}" "$uploads"
    under_load started 120 start_lingerd "${others[@]}" "$uploads"
    wait_for_handoffs
    under_load "ended and started" 120 ended_and_started "${others[@]}" "$uploads"
    wait_for_handoffs
    # Long enough to fill the queue to the daemon, so that Apache lingers by itself beside it.
    busy=$(apache_status LingerdFallbackBusy)
    under_load "stopped for 5 s" 2500 stopped "prompt:$port:/small" "prompt:$port:/small" "$uploads" "tls:$tls_port:/1k"
    # Of event's 32 threads the queue has room for more than come in that time.
    [ "$mpm" = event ] || [ "$(apache_status LingerdFallbackBusy)" -gt "$busy" ] || fail "$mpm: the queue to a stopped daemon is never full"
    under_load "stopped and killed" 120 stopped_and_killed "${others[@]}"
    start_lingerd
    wait_for_handoffs
    under_load "Apache restarted" 120 graceful "late:$port:/small" "tls:$tls_port:/large" "$uploads"
    under_load forbidden 120 forbidden "${others[@]}" "$uploads"
    chmod 0666 "$work/lingerd.sock"
    wait_for_handoffs
    under_load removed 120 removed "${others[@]}" "$uploads"
    under_load full 120 replaced_by_a_full_one "${others[@]}" "$uploads"
    [ "$(counter handoffs)" -gt 0 ] || fail "$mpm: the full one took nothing"
    ended_and_started
    wait_for_handoffs
    stop_apache_with_uploads
    stop "$lingerd_pid"
    [ "$(grep -c '\[lingerd:warn\]' "$work/error.log")" -le 3 ] || fail "$mpm: more than 3 warnings in the error log"
}

with_each_mpm faults
