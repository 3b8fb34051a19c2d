#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# --metrics: over TCP, on a Unix socket and in a file; forms that strict readers take; clients that
# hang are no hindrance; sockets of others are left alone.
# shellcheck source=tests/cli/lingertrace.common
. "${0%/*}/lingertrace.common"
# shellcheck source=tests/cli/metrics.common
. "${0%/*}/metrics.common"
need_bpf
port=$(free_port)
openmetrics='application/openmetrics-text; version=1.0.0; charset=utf-8'

url() { # where the metrics are, as the log says
    sed -n 's/^lingertrace: metrics: //p' "$work/err"
}

# Over TCP, on a port that the kernel chose.
for address in 127.0.0.1 '[::1]'; do
    start_trace --port "$port" --metrics "$address:0"
    [[ $(url) == "http://$address:"[1-9]*/metrics ]] || fail "does not say its port: $(url)"
    closes "$port"
    sleep 0.3
    curl -gsS -D "$work/head" -o "$work/metrics" "$(url)" || fail "no answer"
    grep -qiF "content-type: $openmetrics" "$work/head" || fail "content type"
    strict "$work/metrics" >"$work/values" || fail "no OpenMetrics"
    curl -gsS -H 'Accept: text/plain' "$(url)" >"$work/plain" || fail "no answer"
    promtool check metrics <"$work/plain" >"$work/promtool" 2>&1 || fail "promtool does not like it"
    [ -s "$work/promtool" ] && fail "promtool has remarks"
    has 'lingertrace_connections_total{end=fin} 3'
    has 'lingertrace_connections_total{end=reset_sent} 4'
    has 'lingertrace_connections_total{end=reset_received} 1'
    has 'lingertrace_at_risk_total{comm=python3,verdict=unread} 1'
    has 'lingertrace_notices_total{comm=python3,verdict=blocked} 1'
    has 'lingertrace_close_call_seconds_count{end=fin} 3'
    has 'lingertrace_close_call_seconds_bucket{end=fin,le=0.25} 2'
    has 'lingertrace_lost_records_total{cause=ring_full} 0'
    has 'lingertrace_lost_records_total{cause=table_full} 0'
    has 'lingertrace_followed_connections{} 0'
    [[ $(curl -gsS "$(url | sed 's/metrics$//')") == *"at /metrics"* ]] || fail "no hint"
    for want in "404 -o $work/x $(url)x" "405 -o $work/x -d body $(url)" "200 -I -o $work/x $(url)"; do
        # shellcheck disable=SC2086 # words
        [ "$(curl -gs -w '%{http_code}' ${want#* })" = "${want%% *}" ] || fail "not ${want%% *}: $want"
    done
    end_trace INT
    [ "$status" = 0 ] || fail "exit status $status"
    [ -s "$work/out" ] && fail "rows, and nobody asked for them"
done

# Clients that say nothing, half of it, or do not read keep neither the tracer nor others waiting.
start_trace --port "$port" --metrics 127.0.0.1:0 --csv "$work/rows.csv"
python3 - "$(url)" <<'EOF' || fail "a slow client is in the way"
import socket
import sys
import time
import urllib.request

host, port = sys.argv[1].split("/")[2].split(":")
slow = []
for i in range(12):
    client = socket.create_connection((host, int(port)))
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    client.sendall([b"", b"GET /met", b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n" * 20][i % 3])
    slow.append(client)
began = time.monotonic()
assert b"# EOF\n" in urllib.request.urlopen(sys.argv[1], timeout=10).read()
assert time.monotonic() - began < 5
EOF
connections "$port" 10
end_trace INT
[ "$status" = 0 ] || fail "exit status $status"
[ "$(wc -l <"$work/rows.csv")" = 11 ] || fail "rows are missing"

# A Unix socket: a stale one is replaced, that of a living process and other files are not.
python3 -c 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])' "$work/socket"
start_trace --port "$port" --metrics "unix:$work/socket"
[ "$(stat -c %a "$work/socket")" = 660 ] || fail "mode of the socket"
curl -sS --unix-socket "$work/socket" http://localhost/metrics >"$work/metrics" || fail "no answer"
strict "$work/metrics" >"$work/values" || fail "no OpenMetrics"
"$trace" --metrics "unix:$work/socket" --duration 1 2>"$work/second" && fail "took a socket in use"
grep -q 'another process listens there' "$work/second" || fail "does not say why"
[ "$(wc -l <"$work/second")" = 1 ] || fail "not one line"
curl -sS --unix-socket "$work/socket" http://localhost/metrics >"$work/metrics" || fail "stolen"
end_trace TERM
[ -e "$work/socket" ] && fail "left its socket behind"
echo precious >"$work/file"
"$trace" --metrics "unix:$work/file" --duration 1 2>"$work/second" && fail "took a file"
[ "$(cat "$work/file")" = precious ] || fail "overwrote a file"

# A file, whole at any time; "*.prom" in the form that node_exporter reads.
start_trace --port "$port" --metrics "file:$work/trace.prom"
[ -s "$work/trace.prom" ] || fail "no file from the start"
connections "$port" 7
end_trace INT
[ "$status" = 0 ] || fail "exit status $status"
promtool check metrics <"$work/trace.prom" >"$work/promtool" 2>&1 || fail "promtool does not like the file"
grep -qx 'lingertrace_connections_total{end="fin"} 7' "$work/trace.prom" || fail "the last state is not in the file"
[ -e "$work/trace.prom.tmp" ] && fail "left a file behind"
start_trace --port "$port" --metrics "file:$work/trace.txt"
end_trace INT
strict "$work/trace.txt" >"$work/values" || fail "no OpenMetrics"

"$trace" --metrics "file:$work/nowhere/x" --duration 1 2>"$work/second" && fail "no failure"
grep -q 'nowhere/x: No such file' "$work/second" || fail "does not say why"
[ "$(wc -l <"$work/second")" = 1 ] || fail "not one line"
"$trace" --metrics "192.0.2.1:9100" --metrics-remote --duration 1 2>"$work/second" && fail "no failure"
grep -q 'cannot listen: Cannot assign requested address' "$work/second" || fail "does not say why"
