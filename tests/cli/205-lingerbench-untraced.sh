#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Without the right to load BPF programs a run says so in the table and in run.json, leaves the traced columns
# empty, and measures the rest.
. tests/cli/lingerbench.common

if [ "$(id -u)" = 0 ]; then
    drop=(setpriv --inh-caps=-all --bounding-set=-all)
else
    drop=()
fi
status=0
"${drop[@]}" "$bench" run quick "${brief[@]}" --out "$work/results" >"$work/out" 2>"$work/err" || status=$?
expect 0 'not traced: '
grep -q '^Not traced: ' "$work/out" || fail "the table does not say that it is untraced"
grep -qi 'root' "$work/err" || fail "no word of what is missing"

python3 - "$work/results/latest" <<'EOF' || fail "the results"
import csv, json, sys
run = json.load(open(sys.argv[1] + "/run.json"))
assert run["trace"]["traced"] is False and run["trace"]["reason"], run["trace"]
rows = list(csv.DictReader(open(sys.argv[1] + "/connections.csv")))
for column in "closer_pid closer_comm close_call_us fin_wait_1_us fin_wait_2_us unread_bytes unacked_bytes end".split():
    assert all(row[column] == "" for row in rows), column
assert all(row["worker_hold_us"] for row in rows)
(summary,) = csv.DictReader(open(sys.argv[1] + "/summary.csv"))
for column in "traced fin_wait_2_us_p50 fin_wait_2_us_p99".split():
    assert summary[column] == "", column
assert summary["complete"] == "8"
EOF

# What it was to tell is missed where it was asked for, and not judged where it was switched off.
printf '%s\n' '[strategies]' 'use = close' '[peers]' 'use = prompt' '[expect]' 'close.prompt.traced = = 8' \
    'close.prompt.truncated = = 0' 'close.prompt.fin_wait_2_us_p50 = < 1 * close.prompt.fin_wait_2_us_p99' >"$work/traced.ini"
status=0
"${drop[@]}" "$bench" run "$work/traced.ini" "${brief[@]}" --out "$work/results" >"$work/out" 2>"$work/err" || status=$?
expect 3 'expected close.prompt.traced = 8, it is not known'
bench run "$work/traced.ini" "${brief[@]}" --out "$work/results" --set trace.enabled=no
[ "$status" = 0 ] || fail "exit status $status with the tracer switched off"
grep -q '^1 of 1 expectations hold' "$work/out" || fail "not the one expectation that is left"
exit 0
