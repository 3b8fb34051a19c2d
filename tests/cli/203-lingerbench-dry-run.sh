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

# One of each is no plural.
bench run quick --dry-run "${brief[@]}" --set load.connections=1 --set server.workers=1 --set response.bytes=1
grep -q '^1 trial of 1 connection, 1 at once, to 1 worker of builtin; responses of 1 byte;' "$work/out" || fail "plurals of one"
exit 0
