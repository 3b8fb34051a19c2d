#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Limits of descriptors: of the daemon, which lingers few then, and of those on their way to a daemon that hangs, which the
# kernel counts for each user. What goes beyond them Apache lingers by itself, and nothing is lost.
# shellcheck source=tests/cli/apache.common
. tests/cli/apache.common
workers=8
kinds=("late:$port:/small" "prompt:$port:/large" "tls:$tls_port:/large" "uploader:$port:/refused")

for mpm in prefork worker; do
    # Raised as far as the hard limit allows, so that has to be low.
    files=$(ulimit -Hn)
    lingerd_wrapper=(prlimit --nofile=64:64)
    start_lingerd
    lingerd_wrapper=()
    start_apache "$mpm"
    soak 200 60 "${kinds[@]}"
    expect_whole 200
    counts refused_truncated 0 || fail "$mpm: the daemon has lost descriptors"
    [ "$(counter lingers_peak)" -gt 0 ] || fail "$mpm: nothing lingered"
    [ "$(counter lingers_peak)" -le 64 ] || fail "$mpm: more lingered than there are descriptors"
    [ "$(counter intake_pauses)" -gt 0 ] || fail "$mpm: the limit was never met: this test shows nothing"
    stop_apache
    stop "$lingerd_pid"

    start_lingerd
    server_wrapper=(prlimit --nofile=100:"$files")
    start_apache "$mpm"
    server_wrapper=()
    kill -STOP "$lingerd_pid"
    soak 600 20 "prompt:$port:/small"
    expect_whole 600
    kill -CONT "$lingerd_pid"
    soak 40 20 "${kinds[@]}"
    expect_whole 40
    [ "$(apache_status LingerdFallbackDescriptors)" -gt 0 ] || fail "$mpm: no handoff failed for too many on their way"
    said 1 "Too many references: cannot splice: no handoff" || fail "$mpm: not one line about it"
    wait_for counts lingers 0
    stop_apache
    stop "$lingerd_pid"
done
exit 0
