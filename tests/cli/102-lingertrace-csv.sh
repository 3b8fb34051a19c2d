#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A trace to a file: the columns that outsiders read by name, a row per connection, the last line;
# SIGINT and SIGTERM end it in order.
# shellcheck source=tests/cli/lingertrace.common
. "${0%/*}/lingertrace.common"
need_bpf

columns="laddr lport raddr rport closer_pid closer_comm close_call_us fin_wait_1_us fin_wait_2_us
    orphan_us time_wait_us unread_bytes unacked_bytes end"
port=$(free_port)

for signal in INT TERM; do
    start_trace --csv "$work/rows.csv" --port "$port" --port 1
    connections "$port" 20
    end_trace "$signal"
    [ "$status" = 0 ] || fail "SIG$signal: exit status $status"
    [ "$(wc -l <"$work/rows.csv")" = 21 ] || fail "not 20 rows and the header"
    for column in $columns; do
        head -n 1 "$work/rows.csv" | tr ',' '\n' | grep -qx "$column" || fail "no column $column"
    done
    python3 - "$work/rows.csv" "$port" <<'EOF' || fail "wrong content"
import csv
import re
import sys

for row in csv.DictReader(open(sys.argv[1])):
    assert row["laddr"] == row["raddr"] == "127.0.0.1", row
    assert row["lport"] == sys.argv[2], row
    assert row["end"] == "fin", row
    assert row["closer_comm"] == "python3", row
    assert row["unread_bytes"] == row["unacked_bytes"] == "0", row
    assert row["time_wait_us"] == "", row
    for column in ("close_call_us", "fin_wait_1_us", "fin_wait_2_us", "orphan_us"):
        assert re.fullmatch(r"\d+\.\d{3}", row[column]), row
EOF
    tail -n 1 "$work/err" | grep -q '20 rows written, 0 records lost' || fail "last line"
done

# Without --csv and --summary the rows go to stdout, and --duration ends the trace.
"$trace" --port "$port" --duration 0.2 >"$work/out" 2>"$work/err" || fail "to stdout"
[[ $(cat "$work/out") == laddr,lport,* ]] || fail "no header on stdout"
tail -n 1 "$work/err" | grep -q '0 rows written, 0 records lost' || fail "last line"
