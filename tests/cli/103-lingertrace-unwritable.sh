#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A CSV that cannot be written: one line that says why, a failure, and no torn row.
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
