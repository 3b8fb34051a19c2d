#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The strategy lingerd_kernel drains in the kernel or not at all, and leaves neither mount nor table behind.
set -u
# shellcheck source=tests/cli/lingerbench.common
. tests/cli/lingerbench.common

brief=(--set load.connections=8 --set load.clients=4 --set load.blocks=1 --set peers.big='post:4m upload:64x64k/0ms receive close'
    --set peers.use='prompt late big' --set trace.enabled=no)
mounts() { grep -c ' bpf ' /proc/self/mounts; }

# So few connections say nothing of CPU time.
grep -v cpu_us_per_connection scenarios/big-uploads.ini >"$work/few.ini"
before=$(mounts)
bench run "$work/few.ini" "${brief[@]}" --set strategies.use='lingering_close lingerd lingerd_kernel' --out "$work/results"
[ "$status" = 0 ] || fail "exit status $status: $(tail -n 5 "$work/out" "$work/err")"
[ "$(grep -cE '^lingerd_kernel +(prompt|late|big) +8 +8 +0 ' "$work/out")" = 3 ] || fail "responses were lost"
[ "$(mounts)" = "$before" ] || fail "a mount was left behind"

# Without the rights for it there is no such result.
setpriv --bounding-set -sys_admin --inh-caps -sys_admin "$bench" run "$work/few.ini" "${brief[@]}" --set strategies.use=lingerd_kernel \
    --out "$work/without" >"$work/out" 2>"$work/err" && fail "it runs without rights"
grep -qF 'the drain in the kernel takes root: Operation not permitted' "$work/err" || fail "it does not say what is missing: $(cat "$work/err")"
[ -z "$(find "$work/without" -name summary.csv 2>/dev/null)" ] || fail "that has a result"
exit 0
