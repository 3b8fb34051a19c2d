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
exit 0
