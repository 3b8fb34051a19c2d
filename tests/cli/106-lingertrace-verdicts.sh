#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Each way to close gets its verdict, in the summary's words and in the last line of the JSON.
# shellcheck source=tests/cli/lingertrace.common
. "${0%/*}/lingertrace.common"
need_bpf
port=$(free_port)

said() { # PATTERN: a line of the summary
    grep -Eqx -e "$1" "$work/out" || fail "no verdict: $1"
}

start_trace --json "$work/lines.json" --summary --port "$port"
closes "$port"
end_trace INT
[ "$status" = 0 ] || fail "exit status $status"

linger='half-close and drain, or hand to lingerd'
said "1 response at risk: closed with 5\.0 kB unread data by python3 \(RST sent\); $linger"
said "1 response probably cut off: closed with 5\.0 kB unread data by python3 while [0-9.]+ [kM]B were not \
acknowledged \(RST sent\); $linger"
said "1 response at risk: data came after close\(\) by python3 \(RST sent\); $linger"
said "1 response at risk: aborted by python3 \(RST sent\); do not set SO_LINGER to 0"
said "1 response probably cut off: the peer sent an RST while [0-9.]+ [kM]B from python3 were not acknowledged; .*"
said "close\(\) blocked python3 1 time for 100 ms or more, up to [0-9]+ ms \(SO_LINGER\); hand to lingerd instead"
grep -q 'no response was at risk' "$work/out" && fail "contradicts itself"

python3 - "$work/lines.json" <<'EOF' || fail "verdicts of the last line"
import json
import sys

trace = json.loads(open(sys.argv[1]).readlines()[-1])["trace"]
verdicts = {verdict["verdict"]: verdict for verdict in trace["verdicts"]}
assert sorted(verdicts) == ["abortive", "blocked", "late_data", "peer_reset_cut", "unread", "unread_cut"], verdicts
assert all(verdict["connections"] == 1 and verdict["comm"] == "python3" for verdict in verdicts.values())
assert verdicts["unread"]["unread_bytes"] == 5000 and verdicts["unread"]["unacked_bytes"] == 0
assert verdicts["unread_cut"]["unacked_bytes"] > 0
assert trace["at_risk"] == 5 and not verdicts["blocked"]["at_risk"]
EOF
