#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A strategy whose name ends in _untraced runs without the tracer, beside others that are traced, and nothing of them is
# lost where the tracer comes and goes.
. tests/cli/lingerbench.common

bench run quick --out "$work/results" --set "strategies.use=close close_again close_untraced" --set peers.use=prompt \
    --set load.connections=20 --set load.clients=5 --set load.blocks=3
[ "$status" = 0 ] || fail "exit status $status"
if grep -q '^Not traced: ' "$work/out"; then
    echo "SKIP: $(grep '^Not traced: ' "$work/out")"
    exit 77
fi
python3 - "$work/results/latest" <<'EOF' || fail "the results"
import csv, sys
rows = list(csv.DictReader(open(sys.argv[1] + "/connections.csv")))
for strategy in "close", "close_again", "close_untraced":
    ours = [row for row in rows if row["strategy"] == strategy]
    assert len(ours) == 60, (strategy, len(ours))
    traced = sum(row["closer_comm"] == "lb-worker" for row in ours)
    # An event in a hundred may be missed where the kernel is busy tracing.
    assert traced == 0 if strategy == "close_untraced" else traced >= 57, (strategy, traced)
summary = {row["strategy"]: row for row in csv.DictReader(open(sys.argv[1] + "/summary.csv"))}
assert summary["close_untraced"]["traced"] == "" and summary["close_untraced"]["fin_wait_2_us_p50"] == ""
assert int(summary["close"]["traced"]) >= 57, summary["close"]
EOF

# It is a suffix and no strategy.
bench run quick "${brief[@]}" --set strategies.use=_untraced
expect 2 'no strategy is called "_untraced"'
exit 0
