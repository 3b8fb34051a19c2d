#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Clients of other people's see what the lab says: curl the same completeness, wrk and h2load the same throughput within
# 10 %. The server is the same, started by "serve".
. tests/cli/lingerbench.common
server=
trap 'status=$?; [ -z "$server" ] || kill "$server" 2>/dev/null; wait; rm -rf "$work"; exit $status' EXIT

serve() { # SETTING...: sets $url
    local settings=() setting
    for setting in "$@"; do
        settings+=(--set "$setting")
    done
    "$bench" serve quick "${settings[@]}" </dev/null >"$work/serving" 2>"$work/err" &
    server=$!
    for _ in {1..200}; do
        grep -q 'closes by' "$work/serving" && break
        sleep 0.05
    done
    url=$(sed -n 's/.*GET \(http:[^ ]*\)\/0,.*/\1/p' "$work/serving")
    [ -n "$url" ] || fail "serve does not say where"
}

stop_serving() {
    kill -INT "$server"
    wait "$server" || fail "serve ends with status $?"
    server=
}

figure() { # NAME: of the only row of summary.csv
    python3 -c '
import csv, sys
(row,) = csv.DictReader(open(sys.argv[1]))
print(row[sys.argv[2]])' "$work/results/latest/summary.csv" "$1"
}

head -c 1000000 /dev/zero >"$work/upload"
by_curl() { # KIND: sets $whole: of 10 requests, those whose answer came whole
    local request=(--limit-rate 4m "$url/0")
    [ "$1" = slow ] || request=(-H 'Expect:' --limit-rate 20m --data-binary "@$work/upload" "$url/refused-0")
    whole=0
    for _ in {1..10}; do
        curl -s --max-time 20 -o "$work/answer" "${request[@]}"
        [ "$(stat -c %s "$work/answer" 2>/dev/null)" = 1048576 ] && whole=$((whole + 1))
        rm -f "$work/answer"
    done
}

# The same by a peer of the lab, the upload at about the same pace.
by_lab() { # KIND STRATEGY: sets $lab_whole
    bench run quick --out "$work/results" --set "strategies.use=$2" --set "peers.use=$1" --set load.connections=10 \
        --set load.clients=1 --set load.blocks=1 --set 'peers.slow=get pause:50ms receive close' --set 'peers.upload=post:1000000 upload:50x20000/1ms receive close'
    lab_whole=$(figure complete)
}

# A megabyte is in the worker's send buffer when it is done, and not in that of a client that has read little yet.
while read -r strategy kind least most; do
    serve "strategies.use=$strategy"
    by_curl "$kind"
    stop_serving
    grep -q '^10 connections' "$work/serving" || fail "$strategy: not 10 connections served"
    [ "$strategy" != lingerd ] || grep -q '^10 handed over' "$work/serving" || fail "not 10 handed over"
    by_lab "$kind" "$strategy"
    for count in "$whole" "$lab_whole"; do
        { [ "$count" -ge "$least" ] && [ "$count" -le "$most" ]; } ||
            fail "$strategy, $kind: curl has $whole of 10 whole, the lab $lab_whole; expected $least to $most"
    done
done <<'CASES'
so_linger_reset slow 0 8
close slow 10 10
lingering_close upload 10 10
lingerd upload 10 10
CASES

# Four workers that take 10 ms for each: clients are not what is waited for. Busy minutes pass: three tries. (Where each
# connection has one response, h2load -D does not always come to its end; -n does.)
slow=(strategies.use=lingering_close strategies.added-hold.lingering_close=10ms response.bytes=1k)
same() {
    local all=() setting
    for setting in "${slow[@]}"; do
        all+=(--set "$setting")
    done
    bench run quick --out "$work/results" "${all[@]}" --set peers.use=prompt --set load.clients=8 --set load.blocks=1 \
        --set load.duration=2s --set load.connections=10000
    lab=$(figure throughput_per_s)
    serve "${slow[@]}"
    wrk=$(wrk -c 8 -t 1 -d 2 -H 'Connection: close' "$url/0" | sed -n 's/^Requests\/sec: *//p')
    h2load=$(timeout 30 h2load --h1 -c 8 -t 1 -n 640 "$url/0" | sed -n 's/.* \([0-9.]*\) req\/s.*/\1/p')
    stop_serving
    echo "throughput: the lab $lab, wrk $wrk, h2load $h2load"
    python3 - "$lab" "$wrk" "$h2load" <<'EOF'
import sys
lab, *others = map(float, sys.argv[1:])
sys.exit(not all(0.9 < other / lab < 1.1 for other in others))
EOF
}
same || same || same || fail "throughput: the lab $lab, wrk $wrk, h2load $h2load"

bench serve
expect 2 'serve takes one scenario'
bench serve nothing-like-it
expect 2 'cannot read '
exit 0
