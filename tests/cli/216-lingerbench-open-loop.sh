#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# An open loop: clients come by their schedule, who finds no place is dropped and counted, a warm-up is recorded and not
# measured, and a client process that cannot keep up makes its trial void.
. tests/cli/lingerbench.common

cat >"$work/open.ini" <<'INI'
[scenario]
title = Clients that come at their times
[server]
workers = 4
[response]
bytes = 1k
[load]
arrivals = constant
rate = 100
connections = 150
clients = 150
[strategies]
use = lingerd
[peers]
use = late
INI

column() { # FILE NAME: that column, without its head
    python3 -c '
import csv, sys
for row in csv.DictReader(open(sys.argv[1])):
    print(row[sys.argv[2]])' "$work/results/latest/$1" "$2"
}

# A machine that is busy with something else makes trials void, too: then once more.
bench_measured() { # ARGUMENT...
    for _ in 1 2 3 4 5 6; do
        bench run "$work/open.ini" --out "$work/results" "$@"
        grep -q ": void, " "$work/err" || break
    done
    [ "$status" = 0 ] || fail "exit status $status"
}

# Of 150 in 1.5 s, those of the first half second are a warm-up.
bench_measured --set load.warm-up=500ms
[ "$(column connections.csv phase | grep -c warm_up)" = 50 ] || fail "not 50 connections in the warm-up"
[ "$(column connections.csv phase | grep -c measured)" = 100 ] || fail "not 100 connections measured"
[ "$(column summary.csv connections)" = 100 ] || fail "the warm-up is in the summary"
[ "$(column summary.csv dropped)" = 0 ] || fail "some were dropped"
column connections.csv start_delay_us | grep -q '^$' && fail "a connection without its delay"
[ "$(column summary.csv offered_per_s)" = 100.0 ] || fail "offered: $(column summary.csv offered_per_s) a second"

# One worker, held for 200 ms by each: it serves 5 a second, and 10 may wait.
bench_measured --set strategies.use=lingering_close --set server.workers=1 --set load.clients=10
served=$(column summary.csv connections) dropped=$(column summary.csv dropped)
[ $((served + dropped)) = 150 ] || fail "$served served and $dropped dropped are not 150"
[ "$dropped" -ge 100 ] || fail "only $dropped dropped"
grep -q 'lingering_close  late .* '"$dropped"' ' "$work/out" || fail "the table does not say what was dropped"

# A warm-up that takes all of them.
bench run "$work/open.ini" --out "$work/results" --set load.warm-up=2s --set 'expect.*.*.truncated== 0'
expect 1 'void, no client came after the warm-up; raise [load] connections'
expect 1 'all trials are void: nothing was measured'

# A closed loop has no schedule.
bench run "$work/open.ini" --out "$work/results" --set load.arrivals=closed --set load.rate=100
expect 2 '[load] rate is of an open loop: it takes arrivals = constant or poisson'
sed -i -e '/^rate/d' -e '/^arrivals/d' "$work/open.ini"
bench run "$work/open.ini" --out "$work/results" --set load.arrivals=poisson
expect 2 '[load] arrivals = poisson takes a rate'
bench run "$work/open.ini" --out "$work/results" --set load.arrivals=often
expect 2 'arrivals = often: expected closed, constant or poisson'
bench run "$work/open.ini" --out "$work/results" --set load.connections=20
[ "$status" = 0 ] || fail "exit status $status"
[ -z "$(column summary.csv dropped)" ] || fail "a closed loop drops"
column connections.csv start_delay_us | grep -q . && fail "a closed loop has delays"

# No process begins so many.
bench run "$work/open.ini" --out "$work/results" --set load.arrivals=constant --set load.rate=200000 \
    --set load.connections=200000 --set load.clients=5000 --set peers.use=prompt \
    --set 'expect.*.*.truncated== 0'
expect 1 'all trials are void: nothing was measured'
expect 1 'lingerd under prompt: void, the client process could not keep up'
column connections.csv phase | grep -qv void && fail "a row of a void trial that counts"
[ -z "$(column summary.csv truncated)" ] || fail "figures of a void trial"
grep -q '"void": true' "$work/results/latest/run.json" || fail "run.json does not say void"
exit 0
