#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# --json: each line is an object that says what the row of the CSV of the same trace says; the last line
# counts, and what it counts adds up.
# shellcheck source=tests/cli/lingertrace.common
. "${0%/*}/lingertrace.common"
need_bpf
port=$(free_port)

start_trace --json "$work/lines.json" --csv "$work/rows.csv" --port "$port"
closes "$port"
end_trace INT
[ "$status" = 0 ] || fail "exit status $status"

python3 - "$work/lines.json" "$work/rows.csv" <<'EOF' || fail "wrong content"
import csv
import json
import sys

lines = [json.loads(line) for line in open(sys.argv[1], encoding="utf-8")]
rows = list(csv.DictReader(open(sys.argv[2], encoding="utf-8")))
trace = lines.pop()["trace"]
assert len(lines) == len(rows) == 8, len(rows)

for line, row in zip(lines, rows):
    assert list(line) == list(row)
    for name, value in line.items():
        if value is None:
            assert row[name] == "", (name, row)
        elif isinstance(value, str):
            assert row[name] == value != "", (name, value, row)
        elif isinstance(value, float):
            assert float(row[name]) == value and name.endswith("_us"), (name, value, row)
        else:
            assert row[name] == str(value), (name, value, row)

assert trace["rows"] == len(rows)
assert trace["rows"] == sum(trace["ends"].values())
assert trace["followed"] == sum(trace[name] for name in ("rows", "filtered", "ring_full", "table_full"))
for end in "fin", "reset_sent", "reset_received":
    assert trace["ends"][end] == sum(row["end"] == end for row in rows) > 0, (end, trace)
assert trace["at_risk"] == sum(v["connections"] for v in trace["verdicts"] if v["at_risk"])
assert trace["incomplete"] == sum(row["incomplete"] == "1" for row in rows)
EOF

# On stdout, with the tables of the summary on stderr.
start_trace --json - --summary --port "$port"
connections "$port" 3
end_trace TERM
[ "$status" = 0 ] || fail "exit status $status"
[ "$(wc -l <"$work/out")" = 4 ] || fail "not 3 lines and the last one"
tail -n 1 "$work/out" | grep -q '^{"trace":{"rows":3,' || fail "last line"
grep -Eq '^fin +3$' "$work/err" || fail "no table on stderr"
