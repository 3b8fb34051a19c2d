#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# --summary alone prints the table to stdout and no rows; with CSV on stdout it goes to stderr.
# shellcheck source=tests/cli/lingertrace.common
. "${0%/*}/lingertrace.common"
need_bpf
port=$(free_port)

start_trace --summary --port "$port"
connections "$port" 30
end_trace INT
[ "$status" = 0 ] || fail "exit status $status"
grep -Eq '^fin +30$' "$work/out" || fail "count of fin"
grep -Eq '^reset_sent +0$' "$work/out" || fail "count of reset_sent"
grep -Eq '^all +30$' "$work/out" || fail "count of all"
grep -Eq '^fin_wait_2_us +30( +[0-9]+\.[0-9]{3}){4}$' "$work/out" || fail "percentiles"
tail -n 1 "$work/err" | grep -q '30 rows written, 0 records lost' || fail "last line"

start_trace --summary --csv - --port "$port"
connections "$port" 3
end_trace INT
[ "$(wc -l <"$work/out")" = 4 ] || fail "the table is among the rows"
grep -Eq '^fin +3$' "$work/err" || fail "no table on stderr"
tail -n 1 "$work/err" | grep -q '3 rows written' || fail "last line"
