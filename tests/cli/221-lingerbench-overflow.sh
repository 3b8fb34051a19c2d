#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Where the kernel has no room for what close() leaves behind, stays in FIN_WAIT_2 are cut short: a run says so.
if [ -z "${IN_NAMESPACE-}" ]; then
    if [ "$(id -u)" != 0 ] || ! unshare --net true 2>/dev/null; then
        echo "SKIP: the kernel's limit is lowered in a network namespace of its own, which takes root"
        exit 77
    fi
    IN_NAMESPACE=yes exec unshare --net "$0"
fi
. tests/cli/lingerbench.common
ip link set lo up || fail "no loopback"

# Closed by the server's side first, each of them stays behind.
bench run quick "${brief[@]}" --set load.connections=40 --out "$work/results"
[ "$status" = 0 ] || fail "exit status $status"
! grep -q 'no room' "$work/err" || fail "a warning without an overflow"

echo 1 >/proc/sys/net/ipv4/tcp_max_tw_buckets
bench run quick "${brief[@]}" --set load.connections=40 --out "$work/results"
expect 0 'the kernel had no room for'
grep -q 'no room for' "$work/results/latest/run.json" || fail "run.json does not have the warning"
exit 0
