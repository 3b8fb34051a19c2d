#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# --summary alone prints the tables to stdout and no rows; with CSV on stdout they go to stderr.
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
for loss in 'ring full' 'table full' 'filtered out' incomplete; do
    grep -Eq "^$loss +0$" "$work/out" || fail "$loss"
done
grep -Eq '^fin_wait_2_us +measured +p50 +p90 +p99 +max$' "$work/out" || fail "no percentiles"
[ "$(grep -Ec '^fin +30( +[0-9]+\.[0-9]{3}){4}$' "$work/out")" = 4 ] || fail "percentiles"
grep -q '^time_wait_us' "$work/out" && fail "TIME_WAIT was not followed"
grep -qx 'no response was at risk' "$work/out" || fail "no verdict"
tail -n 1 "$work/err" | grep -q '30 rows written, 0 records lost' || fail "last line"

# The distribution of each end holds all of its connections.
python3 - "$work/out" <<'EOF' || fail "distributions"
import re
import sys

sums, current = {}, None
for line in open(sys.argv[1]):
    if re.fullmatch(r"\w+_us, \w+\n", line):
        current = line.strip()
    bar = re.fullmatch(r" +(\d+) -> (\d+) +: (\d+) +\|(\** *)\|\n", line)
    if bar:
        assert int(bar[2]) >= int(bar[1]), line
        assert len(bar[4]) == 40 and len(line) <= 81, line
        sums[current] = sums.get(current, 0) + int(bar[3])
stays = "fin_wait_1_us fin_wait_2_us orphan_us close_call_us".split()
assert sums == {stay + ", fin": 30 for stay in stays}, sums
EOF

start_trace --summary --csv - --port "$port"
connections "$port" 3
end_trace INT
[ "$(wc -l <"$work/out")" = 4 ] || fail "the table is among the rows"
grep -Eq '^fin +3$' "$work/err" || fail "no table on stderr"
tail -n 1 "$work/err" | grep -q '3 rows written' || fail "last line"
