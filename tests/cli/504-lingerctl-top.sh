#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# lingerctl top: lines in a pipe, JSON, a table on a terminal that Ctrl-C restores, and a daemon that goes away.
# shellcheck source=tests/cli/servers.common
. "${0%/*}/servers.common"
ctl=$build/lingerctl
lingerd_options=(--idle-timeout 0.5)
start_lingerd

usage_error() { # WHAT-IT-SAYS ARGUMENT...
    local said=$1 code=0
    shift
    "$ctl" "$@" --socket "$work/lingerd.sock" >"$work/usage.log" 2>&1 || code=$?
    [ "$code" = 2 ] || fail "$*: exit $code"
    grep -qF -e "$said" "$work/usage.log" || fail "$*: does not say: $said"
}
usage_error "--interval: '0'" top --interval 0
usage_error "--interval: 'soon'" top --interval soon
usage_error "--count: '0'" top --count 0
usage_error 'for top alone' status --count 3

# A command's answer, good or bad.
[ "$("$ctl" close-all --json --socket "$work/lingerd.sock")" = '{"ok": true, "message": "closed 0 connections"}' ] || fail "close-all --json"
setpriv --reuid=33 --regid=33 --clear-groups "$ctl" reload --json --socket "$work/lingerd.sock" >"$work/refused.json"
[ $? = 1 ] || fail "a command that is refused does not exit with 1"
[ "$(cat "$work/refused.json")" = "{\"ok\": false, \"message\": \"commands are for root and the daemon's user\"}" ] || fail "$(cat "$work/refused.json")"

# shellcheck disable=SC2317 # wait_for calls it
catches_term() { # PID
    local caught
    caught=$(awk '$1 == "SigCgt:" { print $2 }' "/proc/$1/status")
    (((0x$caught >> 14) & 1)) # 15, from 1
}

# In a pipe: as many lines as wanted, below one head, no control sequences; what came stands in them.
"$ctl" top --socket "$work/lingerd.sock" --count 14 --interval 0.5 >"$work/lines" 2>&1 &
top=$!
wait_for test -s "$work/lines" # it has begun to count
python3 "$support/hand_over.py" "$work/lingerd.sock" 50 >"$work/handed" </dev/null
python3 "$support/hand_over.py" "$work/lingerd.sock" 5 1 >"$work/handed" </dev/null
wait "$top" || fail "exit status $?"
grep -q $'\033' "$work/lines" && fail "control sequences in a pipe"
[ "$(wc -l <"$work/lines")" = 15 ] || fail "not a head and 14 lines: $(cat "$work/lines")"
[ "$(head -n 1 "$work/lines" | tr -s ' ')" = "time linger hand/s fin/s rst/s idle/s totl/s othr/s ref/s drained/s" ] || fail "head"
grep -Eqv '^([0-9:]{8} +[0-9]+( +[0-9.]+[kMG]?){7} +[0-9.]+ (bytes?|[kMG]B)|time .*)$' "$work/lines" && fail "$(cat "$work/lines")"
# Intervals are longer than asked for where CPU is short, and rates the lower for it.
awk 'NR > 1 { sum += $3 * 0.5 } END { exit !(sum > 40 && sum < 70) }' "$work/lines" || fail "not 55 handoffs: $(cat "$work/lines")"
awk 'NR > 1 { sum += $6 * 0.5 } END { exit !(sum > 3 && sum < 8) }' "$work/lines" || fail "not 5 idle ends: $(cat "$work/lines")"

# JSON: an object a line, with what status has, and rates.
"$ctl" top --json --socket "$work/lingerd.sock" --count 3 --interval 0.2 >"$work/json" || fail "exit status $?"
"$ctl" status --json --socket "$work/lingerd.sock" >"$work/status.json"
python3 - "$work" <<'PY' || fail "JSON"
import json
import sys

rows = [json.loads(line) for line in open(sys.argv[1] + "/json")]
status = json.load(open(sys.argv[1] + "/status.json"))
assert len(rows) == 3
for row in rows:
    assert row["now"].keys() == status.keys()
    assert row["now"]["handoffs"] == 55 and row["per_second"]["handoffs"] == 0
    assert row["per_second"].keys() == row["now"].keys() - {"lingers", "lingers_peak", "max_connections", "senders", "drains_in_kernel", "uses_io_uring"}
    assert 0.19 < row["seconds"] < 5, row["seconds"]
PY

# On a terminal: on the other screen, within its size; Ctrl-C restores it, a daemon that is away is waited for.
cat >"$work/terminal.py" <<'PY'
import atexit
import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time

from frames import check, read_to_end

LINES, COLUMNS = 12, 60
lingerd, ctl, path = sys.argv[1:]


def start():
    daemon = subprocess.Popen([lingerd, "--socket", path], stderr=subprocess.DEVNULL)
    atexit.register(daemon.kill)
    while not os.path.exists(path):
        time.sleep(0.01)
    return daemon


output = b""


def read_until(text, seconds=20):
    global output
    end = time.monotonic() + seconds
    while text not in output:
        assert time.monotonic() < end, (text, output)
        if select.select([terminal], [], [], 0.1)[0]:
            try:
                output += os.read(terminal, 65536)
            except OSError:
                break
    assert text in output, (text, output)


daemon = start()
pid, terminal = pty.fork()
if pid == 0:
    fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
    os.execv(ctl, [ctl, "top", "--interval", "0.2", "--socket", path])
read_until(b"handoffs")
daemon.terminate()
daemon.wait()
read_until(b"no answer")
daemon = start()
drawn = output.count(b"linger of")
while output.count(b"linger of") < drawn + 3:
    output += os.read(terminal, 65536)
os.write(terminal, b"\x03")  # Ctrl-C, as the terminal's driver has it
output += read_to_end(terminal)
assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
text = output.decode().replace("^C", "")  # the echo of the terminal
check(text, LINES, COLUMNS)
assert text.rstrip().endswith("\x1b[?1049l"), text[-200:]
daemon.terminate()
daemon.wait()
PY
PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$support python3 "$work/terminal.py" "$build/lingerd" "$ctl" "$work/terminal.sock" >"$work/terminal.log" 2>&1 || fail "on a terminal"

# SIGTERM ends it at once, however long the interval; so does a daemon that is gone, in a pipe.
"$ctl" top --socket "$work/lingerd.sock" --interval 3600 >"$work/long" 2>&1 &
top=$!
wait_for catches_term "$top"
began=$SECONDS
kill -TERM "$top"
wait "$top" || fail "exit status $?"
[ $((SECONDS - began)) -lt 10 ] || fail "did not end"
"$ctl" top --socket "$work/lingerd.sock" --interval 0.2 >"$work/gone" 2>"$work/gone.err" &
top=$!
sleep 0.5
stop "$lingerd_pid"
lingerd_pid=
code=0
wait "$top" || code=$?
[ "$code $(wc -l <"$work/gone.err")" = "1 1" ] || fail "exit status $code: $(cat "$work/gone.err")"
code=0
"$ctl" top --socket "$work/lingerd.sock" 2>"$work/gone.err" || code=$?
[ "$code" = 1 ] || fail "exit status $code"
grep -q 'is lingerd running' "$work/gone.err" || fail "does not say why: $(cat "$work/gone.err")"
exit 0
