#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Every scenario of the tree can be planned, asks a question, and says in its head what it is; some of those that need
# no other server are run, and show what they say.
. tests/cli/lingerbench.common

count=0
for file in scenarios/*.ini; do
    name=$(basename "$file" .ini)
    bench run "$name" --dry-run
    [ "$status" = 0 ] || fail "$name cannot be planned"
    grep -qE '^ +1  block 1 ' "$work/out" || fail "$name has no trial"
    [ "$(head -n 1 "$work/out" | tail -c 2)" = '?' ] || fail "$name asks no question"
    grep -q "^; $name" "$file" || fail "the head of $file says nothing"
    grep -q '^\[expect\]' "$file" || fail "$name expects nothing"
    bench list
    grep -q "^  $name  *" "$work/out" || fail "$name is not listed"
    count=$((count + 1))
done
[ "$count" -gt 10 ] || fail "only $count scenarios"

# Each judges its expectations by itself; what they are about is another misbehaviour each.
for run in 'early-413 --set peers.use=slow' 'pipelined --set load.blocks=1' \
    'daemon-faults --set peers.use=prompt --set load.blocks=1' \
    'so-linger-myths --set peers.use=vanished' 'slow-reader --set peers.use=slow-pipeliner'; do
    # shellcheck disable=SC2086 # words
    bench run $run --out "$work/results"
    [ "$status" = 0 ] || fail "$run: exit status $status"
    grep -qE '^([1-9][0-9]*) of \1 expectations hold' "$work/out" || fail "$run: expects nothing"
done

# What its name promises has to happen to a lingerd.
bench run daemon-faults --out "$work/results" --set peers.use=prompt --set load.connections=20 --set load.blocks=1
expect 3 'lingerd_killed under prompt: void, the clients were gone before [faults] at'
expect 3 'lingerd_stopped under prompt: void, the clients were gone before [faults] at'
grep -q 'killed' "$work/results/latest/summary.csv" && fail "a figure of a lingerd that was not killed"
exit 0
