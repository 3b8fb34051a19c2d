#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What the tracer does without: tracefs, debugfs and bpffs. What it does not do without: BTF and the permission
# to load programs; then it says so in one line.
# shellcheck source=tests/cli/lingertrace.common
. "${0%/*}/lingertrace.common"
need_bpf
port=$(free_port)
[ "$(id -u)" = 0 ] || { echo "SKIP: mounts take root"; exit 77; }

without() { # MOUNTS... -- COMMAND...: runs it where these are hidden by empty folders
    local hidden=()
    while [ "$1" != -- ]; do
        hidden+=("$1")
        shift
    done
    shift
    # shellcheck disable=SC2016 # the inner shell's
    unshare --mount sh -c '
        while [ "$1" != -- ]; do
            [ ! -d "$1" ] || mount -t tmpfs none "$1" || exit 99
            shift
        done
        shift
        exec "$@"' sh "${hidden[@]}" -- "$@"
}

one_line() { # TEXT: is in the only line of $work/err
    [ "$(wc -l <"$work/err")" = 1 ] || fail "not one line"
    grep -q -e "$1" "$work/err" || fail "does not say: $1"
}

without /sys/kernel/tracing /sys/kernel/debug /sys/fs/bpf -- \
    "$trace" --port "$port" --duration 3 --csv "$work/rows.csv" >"$work/out" 2>"$work/err" &
tracer=$!
for _ in {1..200}; do
    grep -q tracing "$work/err" && break
    sleep 0.02
done
connections "$port" 5
end_trace ""
[ "$status" = 0 ] || fail "without tracefs and bpffs: exit status $status"
[ "$(wc -l <"$work/rows.csv")" = 6 ] || fail "rows are missing without tracefs"

without /sys/kernel/btf -- "$trace" --csv "$work/rows.csv" --duration 1 >"$work/out" 2>"$work/err" &&
    fail "no failure without BTF"
one_line 'no /sys/kernel/btf/vmlinux; the kernel must be built with CONFIG_DEBUG_INFO_BTF'
[ "$(wc -l <"$work/rows.csv")" = 6 ] || fail "what cannot trace has emptied an earlier file"

chmod 755 "$work"
setpriv --reuid=65534 --regid=65534 --clear-groups "$trace" --duration 1 >"$work/out" 2>"$work/err" &&
    fail "no failure without permission"
one_line 'not allowed to load BPF programs; run as root or with CAP_BPF and CAP_PERFMON'
