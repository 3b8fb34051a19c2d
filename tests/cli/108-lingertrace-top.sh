#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# --top: on a terminal it draws on the other screen, within its size, and restores it; in a pipe it prints
# one table per interval and no control sequences.
# shellcheck source=tests/cli/lingertrace.common
. "${0%/*}/lingertrace.common"
need_bpf
port=$(free_port)

start_trace --top 0.5 --port "$port"
closes "$port"
sleep 0.6
end_trace INT
[ "$status" = 0 ] || fail "exit status $status"
grep -q $'\033' "$work/out" && fail "control sequences in a pipe"
[ "$(grep -c '^closer ' "$work/out")" -ge 2 ] || fail "not one table per interval"
grep -Eq "^python3 +$port +[0-9.]+( +[0-9]+){6}( +[0-9.]+[mu]?s){2}$" "$work/out" || fail "no row of the server"
tail -n 20 "$work/out" | grep -q '^since the start: 8 ended, 5 at risk; lost 0 (ring full) + 0 (table full)$' ||
    fail "no sum"
tail -n 20 "$work/out" | grep -q '^1 response at risk: closed with 5.0 kB unread data by python3' || fail "no verdict"
tail -n 1 "$work/err" | grep -q '8 rows written, 0 records lost' || fail "last line"
# The connections of all tables are those that were traced.
[ "$(awk -v port="$port" '$2 == port { sum += $4 + $5 + $6 + $7 + $8 } END { print sum }' "$work/out")" = 8 ] ||
    fail "connections are missing in the tables"

pause=1 # until it draws; an emulated machine takes longer
[ "${TEST_SLOWNESS:-1}" = 1 ] || pause=5
(sleep "$pause" && closes "$port") &
PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=tests/support python3 - "$trace" "$port" $((3 * pause)) >"$work/terminal" 2>&1 <<'EOF' || fail "on a terminal"
import fcntl
import os
import pty
import struct
import sys
import termios

from frames import check, read_to_end

LINES, COLUMNS = 12, 60
pid, terminal = pty.fork()
if pid == 0:
    fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
    os.execv(sys.argv[1], [sys.argv[1], "--top", "0.3", "--duration", sys.argv[3], "--port", sys.argv[2]])
output = read_to_end(terminal)
assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0, output
text = output.decode()
frames = check(text, LINES, COLUMNS)
assert any("python3" in frame for frame in frames) and "since the start: 8" in frames[-1], frames
assert "8 rows written" in text[text.index("\x1b[?1049l") :], text
EOF
wait

# Together with rows: these go to their file, the table to stdout.
start_trace --top=5 --csv "$work/rows.csv" --port "$port"
connections "$port" 3
end_trace INT
[ "$(wc -l <"$work/rows.csv")" = 4 ] || fail "rows"
grep -Eq "^python3 +$port " "$work/out" || fail "what the last interval had is not shown"
