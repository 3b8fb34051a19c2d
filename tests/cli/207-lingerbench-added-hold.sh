#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# added-hold: the one arm's workers are held so much longer, the other's are not, and the results say so.
. tests/cli/lingerbench.common

bench run quick "${brief[@]}" --set 'strategies.use=close close_again' --set strategies.added-hold.close_again=30ms \
    --set trace.enabled=no --out "$work/results"
[ "$status" = 0 ] || fail "exit status $status"
grep -qF 'close_again: its workers slept 30000 us before each close' "$work/err" || fail "no warning"
python3 - "$work/results/latest" <<'EOF' || fail "the results"
import csv, json, sys
run = json.load(open(sys.argv[1] + "/run.json"))
assert run["scenario"]["added_hold_us"] == {"close_again": 30000}, run["scenario"]
hold = {"close": [], "close_again": []}
for row in csv.DictReader(open(sys.argv[1] + "/connections.csv")):
    hold[row["strategy"]].append(float(row["worker_hold_us"]))
assert min(hold["close_again"]) >= 30000, hold
assert sorted(hold["close"])[len(hold["close"]) // 2] < 30000, hold
EOF
exit 0
