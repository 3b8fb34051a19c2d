#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What was measured is kept: when a later trial fails, and when whoever started it with nohup has logged out.
. tests/cli/lingerbench.common
long=(--set strategies.use=close --set peers.use=late --set load.connections=40 --set load.clients=8 --set load.blocks=3)

workers() { # of the trial that is on
    pgrep -P "$lab" -x lb-worker
}

"$bench" run quick "${long[@]}" --out "$work/results" >"$work/out" 2>"$work/err" &
lab=$!
first=
now=
for _ in {1..1000}; do
    sleep 0.01
    mapfile -t all < <(workers)
    [ ${#all[@]} = 4 ] || continue # they come, or go
    now=${all[0]}
    first=${first:-${all[*]}}
    [[ " $first " == *" $now "* ]] || break
done
[[ -n $now && " $first " != *" $now "* ]] || fail "there was no second trial"
kill -KILL "$now"
status=0
wait $lab || status=$?
expect 1 "worker $now ended in the middle of a trial"
expect 1 'a trial failed: the results are of the first 1 of 3 trials'
grep -q '^not all trials were done: expectations are not judged$' "$work/out" || fail "stdout does not say why"
[ "$(grep -c '^prefork,close,late,1,' "$work/results/latest/connections.csv")" = 40 ] || fail "not the rows of the first trial"
[ "$(wc -l <"$work/results/latest/connections.csv")" = 41 ] || fail "rows of another trial"
grep -q 'a trial failed' "$work/results/latest/report.html" || fail "the report does not warn"

nohup "$bench" run quick "${long[@]}" --set load.blocks=1 --out "$work/results" >"$work/out" 2>"$work/err" &
lab=$!
for _ in {1..400}; do
    [ -n "$(workers)" ] && break
    sleep 0.02
done
kill -HUP $lab
status=0
wait $lab || status=$?
[ $status = 0 ] || fail "SIGHUP ended it: exit status $status"
exit 0
