#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What lingerd says while it runs: sums at intervals with activity and none without, one line for each class of
# trouble however often it comes.
# shellcheck source=tests/cli/servers.common
. "${0%/*}/servers.common"

lines() { # PATTERN
    grep -cE "$1" "$work/lingerd.err"
}

says() { # PATTERN: whether any line does
    grep -qE "$1" "$work/lingerd.err"
}

lingerd_options=(--summary-interval 1 --idle-timeout 0.3 --max-connections 4)
start_lingerd
sleep 1.5
[ "$(wc -l <"$work/lingerd.err")" = 1 ] || fail "says more than that it runs"
python3 "$support/hand_over.py" "$work/lingerd.sock" 40 >"$work/handed" </dev/null
wait_for says '^lingerd: in 1 s: [0-9]+ handoffs: [0-9]+ fin; 0 refused, [0-9]+ bytes drained; 0 linger now$'
sleep 2
[ "$(lines '^lingerd: in ')" -le 2 ] || fail "sums without activity"
handed=$(sed -n 's/^lingerd: in .* s: \([0-9]*\) handoffs.*/\1/p' "$work/lingerd.err" | awk "{ sum += \$1 } END { print sum }")
[ "$handed" = 40 ] || fail "sums of $handed handoffs, not of 40"

# Full, again and again: the first time at once, the others together.
python3 "$support/hand_over.py" "$work/lingerd.sock" 30 0.5 >"$work/handed" </dev/null &
load=$!
wait_for says 'full: servers wait'
[ "$(lines 'full: servers wait')" = 1 ] || fail "more than one line"
wait "$load" || fail "load"
[ "$(counter intake_pauses)" -gt 1 ] || fail "it was not full again"
[ "$(lines 'full: servers wait')" -le 2 ] || fail "a line for each time"
stop "$lingerd_pid"
lingerd_pid=
tail -n 1 "$work/lingerd.err" | grep -qE '^lingerd: ended: 70 handoffs: ' || fail "last line"

# Others' classes have lines of their own; no sums where none are wanted.
: >"$work/lingerd.err"
lingerd_options=(--summary-interval 0 --max-connections 4 --when-full shed-oldest --max-per-client 3)
start_lingerd
python3 "$support/hand_over.py" "$work/lingerd.sock" 30 0.2 >"$work/handed" </dev/null
wait_for says 'closed at once: max-per-client of its client linger \([0-9]+ times'
sleep 1.2
says '^lingerd: in ' && fail "sums, and nobody wants them"
exit 0
