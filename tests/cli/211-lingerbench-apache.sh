#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Scenarios on Debian's Apache: every response whole, the late client's second is the native worker's and not the
# handed off one's; rows say of a real server what can be known of it, and no more.
# shellcheck source=tests/cli/servers-lab.common
. tests/cli/servers-lab.common
need /usr/sbin/apache2 apache2-bin

run_small apache-prefork --set strategies.use="native lingerd" --set peers.use="prompt late uploader"
for strategy in native lingerd; do
    for peer in prompt late uploader; do
        is $strategy $peer server apache-prefork
        is $strategy $peer complete 40
        is $strategy $peer worker_hold_us_p50 ""
        is $strategy $peer unserved ""
        is $strategy $peer fallbacks "$([ $strategy = native ] || echo 0)"
        [ -n "$(summary $strategy $peer cpu_us_per_connection)" ] || fail "no CPU time of $strategy under $peer"
    done
done
python3 - "$work/results/latest" <<'EOF' || fail "the rows"
import csv, json, sys
run = json.load(open(sys.argv[1] + "/run.json"))
assert run["scenario"]["server"] == "apache-prefork"
for row in csv.DictReader(open(sys.argv[1] + "/connections.csv")):
    assert row["outcome"] == "complete_fin", row
    assert row["worker"] == row["worker_hold_us"] == row["handoff"] == "", row
    if run["trace"]["traced"] and row["closer_comm"]:
        assert row["cookie"]
        # Of the two that have a handed off socket, the last to close it is the closer. Who has a client's FIN at once
        # may be through before the worker lets go of its copy; who waits 200 ms for it is not.
        closers = {"native": {"apache2"}, "lingerd": {"lingerd"} if row["peer"] == "late" else {"lingerd", "apache2"}}
        assert row["closer_comm"] in closers[row["strategy"]], row
EOF

# Ten workers that each wait 200 ms for their client begin with the last ten of 40 after 600 ms.
python3 - "$(summary native late throughput_per_s)" "$(summary lingerd late throughput_per_s)" <<'EOF' || fail "throughput"
import sys
native, lingerd = map(float, sys.argv[1:])
assert native < 80 and lingerd > 1.5 * native, (native, lingerd)
EOF

for mpm in worker event; do
    run_small apache-$mpm --set peers.use="late uploader"
done
exit 0
