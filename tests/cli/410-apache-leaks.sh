#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Nothing leaks: descriptors of the parent, the children and the daemon, counted before and after many connections,
# graceful restarts and children that end after a few connections.
# shellcheck disable=SC2317 # functions are called by name
# shellcheck source=tests/cli/apache.common
. tests/cli/apache.common

fds() { # PID
    find "/proc/$1/fd" -mindepth 1 2>/dev/null | wc -l
}

children() {
    pgrep -P "$server_pid"
}

no_more_than() { # LIMIT COMMAND...
    local limit=$1
    shift
    [ "$("$@")" -le "$limit" ]
}

most_of_children() {
    local child now most=0
    for child in $(children); do
        now=$(fds "$child")
        [ "$now" -gt "$most" ] && most=$now
    done
    echo "$most"
}

children_count() {
    children | wc -l
}

leaks() {
    start_lingerd
    idle_daemon=$(fds "$lingerd_pid")
    start_apache "$mpm" "MaxConnectionsPerChild 40"
    peers late "$port" /small 8
    peers uploader "$port" /refused 8
    parent=$(fds "$server_pid")
    child=$(most_of_children) # with the connection to the daemon
    for _ in 1 2 3; do
        soak 100 20 "late:$port:/small" "tls:$tls_port:/small" "prompt:$port:/large"
        # A child of event that has had its connections may drop one that it has just accepted, with lingerd or without.
        [ "$mpm" = event ] || expect_whole 100
        graceful
    done
    # The old children end when their connections do.
    wait_for no_more_than "$workers" children_count
    wait_for no_more_than "$child" most_of_children
    [ "$(fds "$server_pid")" -le "$parent" ] ||
        fail "$mpm: the parent had $parent descriptors before three graceful restarts, now $(fds "$server_pid")"
    wait_for counts lingers 0
    # Who has no child has no sender: one for each, and the question itself.
    no_more_senders_than_children() { [ "$(counter senders)" -le $(($(children_count) + 1)) ]; }
    wait_for no_more_senders_than_children
    stop_apache
    wait_for counts senders 1
    wait_for no_more_than "$idle_daemon" fds "$lingerd_pid"
}

with_each_mpm leaks
