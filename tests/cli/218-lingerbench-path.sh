#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Clients and server in network namespaces with a link between them, and system settings of their own: those of the machine
# stay as they are. With netem the link delays and loses; a kernel without it says so in a line.
. tests/cli/lingerbench.common

[ "$(id -u)" = 0 ] || {
    echo "SKIP: network namespaces take root"
    exit 77
}
own=$(cat /proc/sys/net/ipv4/tcp_fin_timeout)
other=$((own + 1))
links=$(ip -o link | wc -l)
link=(--set "strategies.use=close lingerd" --set "peers.use=prompt late" --set load.connections=20 --set load.clients=10
    --set load.blocks=1 --set response.bytes=30k --set path.kind=veth --out "$work/results")

check() { # MS: of delay in each direction
    python3 - "$work/results/latest" "$other" "$1" <<'EOF' || fail "the results"
import csv, json, sys
folder, fin_timeout, delay_ms = sys.argv[1], sys.argv[2], int(sys.argv[3])
run = json.load(open(folder + "/run.json"))
assert run["scenario"]["link"].startswith("veth"), run["scenario"]["link"]
assert run["scenario"]["sysctl"] == {"net.ipv4.tcp_fin_timeout": fin_timeout}, run["scenario"]["sysctl"]
assert run["environment"]["sysctl"]["net.ipv4.tcp_fin_timeout"] == fin_timeout, run["environment"]["sysctl"]
rows = list(csv.DictReader(open(folder + "/connections.csv")))
assert len(rows) == 80
for row in rows:
    assert row["outcome"] == "complete_fin", row
    # The handshake and the request: two round trips.
    assert float(row["response_us"]) >= 4 * delay_ms * 1000, row
for row in csv.DictReader(open(folder + "/summary.csv")):
    assert row["fallbacks"] in ("", "0"), row
EOF
}

bench run quick "${link[@]}" --set "sysctl.net.ipv4.tcp_fin_timeout=$other" --set 'load.timeout=20s'
[ "$status" = 0 ] || [ "$status" = 3 ] || fail "exit status $status"
check 0
[ "$(cat /proc/sys/net/ipv4/tcp_fin_timeout)" = "$own" ] || fail "the machine's own setting has changed"
[ "$(ip -o link | wc -l)" = "$links" ] || fail "a link is left"

bench run quick "${link[@]}" --set "sysctl.net.ipv4.tcp_fin_timeout=$other" --set path.delay=20ms --set path.loss=2% --set path.reorder=5%
if [ "$status" = 1 ]; then
    expect 1 '[path] takes netem, which this kernel has not'
else
    check 0 # those that overtake others have no delay
    bench run quick "${link[@]}" --set "sysctl.net.ipv4.tcp_fin_timeout=$other" --set path.delay=20ms --set path.loss=2%
    check 20
fi

bench run quick "${link[@]}" --set sysctl.net.ipv4.no_such_thing=1
expect 1 'net.ipv4.no_such_thing: a network namespace has no such setting'
bench run quick "${link[@]}" --set sysctl.kernel.hostname=me
expect 2 'kernel.hostname: expected a setting of a network namespace'
bench run quick "${link[@]}" --set path.kind=wire
expect 2 'kind = wire: expected loopback or veth'
bench run quick "${link[@]}" --set path.loss=1
expect 2 'loss = 1: expected a share of packets'
bench run quick "${link[@]}" --set path.length=1
expect 2 'unknown key "length" in [path]'
bench run quick "${link[@]}" --set path.kind=loopback --set path.delay=1ms
expect 2 '[path] delay, jitter, loss and reorder are of a link'
bench run quick "${link[@]}" --set path.delay=1ms --set path.jitter=2ms
expect 2 '[path] jitter is more than the delay'
chmod 755 "$work"
status=0
setpriv --reuid=65534 --regid=65534 --clear-groups "$bench" run quick "${link[@]}" --out "$work/none" >"$work/out" 2>"$work/err" || status=$?
expect 1 '[path] and [sysctl] take a network namespace: Operation not permitted; only root may make one'
exit 0
