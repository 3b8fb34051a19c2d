#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# An output that cannot be written: one line that says why, a failure, no torn row, and the other outputs whole.
# shellcheck source=tests/cli/lingertrace.common
. "${0%/*}/lingertrace.common"
need_bpf

said() { # TEXT: in the one line that is no ready line
    grep -v 'tracing' "$work/err" >"$work/lines"
    [ "$(wc -l <"$work/lines")" = 1 ] || fail "not one line"
    grep -q -e "$1" "$work/lines" || fail "does not say: $1"
}

"$trace" --csv "$work/nowhere/rows.csv" --duration 1 >"$work/out" 2>"$work/err" && fail "no failure"
said "nowhere/rows.csv: No such file"

"$trace" --csv /dev/full --duration 1 >"$work/out" 2>"$work/err" && fail "no failure"
said "/dev/full: No space left"

"$trace" --json /dev/full --duration 0.2 >"$work/out" 2>"$work/err" && fail "no failure"
said "/dev/full: No space left"

"$trace" --summary --port 1 --duration 0.2 >/dev/full 2>"$work/err" && fail "no failure"
said "summary: No space left"

"$trace" --top 0.2 --port 1 --duration 1 >/dev/full 2>"$work/err" && fail "no failure"
said "stdout: No space left"

# A reader that takes the header and goes.
port=$(free_port)
mkfifo "$work/fifo"
head -n 1 "$work/fifo" >/dev/null &
reader=$!
"$trace" --port "$port" --duration 20 >"$work/fifo" 2>"$work/err" &
tracer=$!
wait "$reader"
connections "$port" 5
end_trace ""
[ "$status" = 1 ] || fail "broken pipe: exit status $status"
said "stdout: Broken pipe"
rm "$work/fifo"

# A file that may not grow beyond a point is cut back to whole rows.
start_trace --csv "$work/rows.csv" --port "$port"
prlimit --fsize=2000 --pid "$tracer"
connections "$port" 50
end_trace ""
[ "$status" = 1 ] || fail "file size limit: exit status $status"
said "rows.csv: File too large"
[ "$(tail -c 1 "$work/rows.csv" | od -An -c | tr -d ' ')" = '\n' ] || fail "torn row"
[ "$(stat -c %s "$work/rows.csv")" -gt 1500 ] || fail "rows that fitted are gone"

# So are lines of JSON. The CSV beside it goes to a pipe, which has room: all that was traced is in it.
mkfifo "$work/fifo"
cat "$work/fifo" >"$work/rows.csv" &
reader=$!
start_trace --json "$work/lines.json" --csv "$work/fifo" --summary --port "$port"
prlimit --fsize=5000 --pid "$tracer"
connections "$port" 50
end_trace ""
wait "$reader"
[ "$status" = 1 ] || fail "file size limit: exit status $status"
said "lines.json: File too large"
rm "$work/fifo"
python3 - "$work/lines.json" "$work/rows.csv" "$work/out" <<'EOF' || fail "what was collected is not whole"
import json
import re
import sys

lines, rows, summary = (open(path).read() for path in sys.argv[1:])
assert lines.endswith("}\n") and len(lines) > 4000, len(lines)
for line in lines.splitlines():
    assert json.loads(line)["closer_comm"] == "python3"
assert rows.endswith("\n") and {row.count(",") for row in rows.splitlines()} == {36}
assert len(rows.splitlines()) - 1 == int(re.search(r"^all +(\d+)$", summary, re.M)[1]) >= 7
EOF
