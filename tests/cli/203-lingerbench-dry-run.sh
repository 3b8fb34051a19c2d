#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# --dry-run prints every trial and a time, runs nothing, and one seed gives one order.
. tests/cli/lingerbench.common

bench run quick --dry-run --out "$work/results"
[ "$status" = 0 ] || fail "exit status $status"
[ "$(grep -cE '^ +[0-9]+  block' "$work/out")" = 45 ] || fail "not 45 trials"
grep -q '^about [0-9]* s$' "$work/out" || fail "no time"
[ ! -e "$work/results" ] || fail "results of a dry run"
cp "$work/out" "$work/first"
bench run quick --dry-run
cmp -s "$work/out" "$work/first" || fail "the same seed gave another order"
bench run quick --dry-run --set load.seed=2
cmp -s "$work/out" "$work/first" && fail "another seed gave the same order"
exit 0
