#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# compare: what it says of folders made up here, of which the answer is known; and a line for each folder that is none.
. tests/cli/lingerbench.common

make_run() { # FOLDER HOLD TRUNCATED BLOCKS: results of two strategies; of lingerd with that hold, and so many truncated a block
    mkdir -p "$1"
    python3 - "$@" <<'EOF'
import json, sys
folder, hold, truncated, blocks = sys.argv[1], float(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
json.dump({"schema_version": 2, "version": "0.1.0", "commit": "c0ffee", "started_utc": "2026-01-01T00:00:00Z",
           "scenario": {"name": "made-up", "blocks": blocks, "peers": {"prompt": "get receive"}},
           "trace": {"traced": False, "reason": "made up"}, "warnings": [],
           "counters": {"CpuTasksMs": 300, "CpuLabMs": 250, "CpuIdleMs": 700},
           "environment": {"kernel": "6.1", "sysctl": {"net.ipv4.tcp_fin_timeout": "60"}}},
          open(folder + "/run.json", "w"))
with open(folder + "/blocks.csv", "w") as file:
    print("server,strategy,peer,block,connections,truncated,worker_hold_us_p50,throughput_per_s", file=file)
    for strategy in ("close", "lingerd"):
        for block in range(1, blocks + 1):
            mine = strategy == "lingerd"
            print(f"prefork,{strategy},prompt,{block},60,{truncated if mine else 0},"
                  f"{(hold if mine else 20) * (1 + block * 7 % blocks / 100):.1f},{1000 + block * 5 % blocks}", file=file)
EOF
}
make_run "$work/a" 10 0 10
make_run "$work/same" 10 0 10
make_run "$work/slow" 210 2 10
make_run "$work/few" 10 0 5
make_run "$work/seven" 210 2 7

bench compare "$work/a" "$work/same"
[ "$status" = 0 ] || fail "the same: exit status $status"
grep -q '^0 differences found among 4 comparisons' "$work/out" || fail "the same"
grep -q 'not alike' "$work/out" && fail "they are alike"

bench compare "$work/a" "$work/slow"
[ "$status" = 4 ] || fail "a difference: exit status $status"
grep -qE '^worker_hold_us +10 us +219 us +x 21 +[0-9.]+ to [0-9.]+ +<?0\.[0-9]+  longer$' "$work/out" || fail "longer"
grep -qE '^truncated +0/600 +20/600 +\+3\.3 pt +\+[0-9.]+ to \+[0-9.]+ +<?0\.[0-9]+  more$' "$work/out" || fail "more truncated"
grep -q '^2 differences found among 5 comparisons' "$work/out" || fail "two differences"
[ "$(grep -c 'equal$\|same$' "$work/out")" = 4 ] || fail "four that do not differ"
bench compare "$work/slow" "$work/a"
[ "$(grep -cE "(shorter|fewer)\$" "$work/out")" = 2 ] || fail "the other way round"
bench compare --margin 1000 "$work/a" "$work/slow"
grep -q '^2 differences' "$work/out" || fail "2000 % is more than 1000 %"
bench compare "$work/a" "$work/seven"
[ "$status" = 4 ] || fail "10 and 7 blocks: exit status $status"

# A link is as good as a folder; both may be the same one.
ln -s slow "$work/latest"
bench compare "$work/latest" "$work/latest" --json
[ "$status" = 0 ] || fail "a link"
bench compare "$work/a" "$work/latest" --json
[ "$status" = 4 ] || fail "--json: exit status $status"
python3 - "$work/out" "$work/slow" <<'EOF' || fail "--json"
import json, sys
found = json.load(open(sys.argv[1]))
assert found["b"]["folder"] == sys.argv[2], found["b"]
assert found["found"] == 2 and found["comparisons"] == 5 and found["confidence"] == 0.95 and found["margin"] == 0.1
rows = {(row["strategy"], row["figure"]): row for row in found["rows"]}
hold = rows["lingerd", "worker_hold_us"]
assert hold["verdict"] == "longer" and hold["found"] is True and hold["scale"] == "ratio"
assert 18 < hold["low"] < hold["estimate"] < hold["high"] < 25 and hold["p"] < 0.05, hold
assert (hold["blocks_a"], hold["blocks_b"]) == (10, 10)
share = rows["lingerd", "truncated"]
assert share["scale"] == "difference" and share["a"] == 0 and abs(share["b"] - 1 / 30) < 1e-9, share
assert rows["close", "truncated"]["p"] is None and rows["close", "truncated"]["verdict"] == "equal"
assert not found["not_alike"] and not found["only_in_a"] and not found["only_in_b"]
EOF

# In what they were not alike comes first, and what only one of them has last.
make_run "$work/other" 10 0 10
sed -i -e 's/c0ffee/facade/; s/"6.1"/"6.12"/; s/"60"/"30"/; s/made-up/other/; s/"sysctl": {/&"net.core.somaxconn": "9", /' "$work/other/run.json"
sed -i -e '/,close,/d' -e 's/,lingerd,prompt,1,.*/&\nprefork,late_only,late,1,60,0,1,1/' "$work/other/blocks.csv"
bench compare "$work/a" "$work/other"
[ "$status" = 0 ] || fail "unlike conditions are no difference: exit status $status"
cat >"$work/expected" <<'TEXT'
  commit: c0ffee in A, facade in B
  scenario.name: made-up in A, other in B
  environment.kernel: 6.1 in A, 6.12 in B
  environment.sysctl.net.ipv4.tcp_fin_timeout: 60 in A, 30 in B
  environment.sysctl.net.core.somaxconn: not there in A, 9 in B
TEXT
sed -n '/^not alike:/,/^$/p' "$work/out" | grep '^  ' | diff "$work/expected" - || fail "not alike"
grep -qx 'only A has prefork, close, prompt' "$work/out" || fail "only A"
grep -qx 'only B has prefork, late_only, late' "$work/out" || fail "only B"

grep -q '^A .* others had 5 % of the CPUs$' "$work/out" || fail "what others had"
grep -q 'busier' "$work/out" && fail "nobody was busier"
sed -i 's/"CpuTasksMs": 300/"CpuTasksMs": 500/' "$work/other/run.json"
bench compare "$work/a" "$work/other"
grep -q '^others kept the machine busier in B' "$work/out" || fail "others were busier"
sed -i 's/^{/{"planned_trials": 3, "trials": [{"void": true}, {"void": false}], /' "$work/other/run.json"
bench compare "$work/a" "$work/other"
grep -q '^B .*, interrupted after 2 of 3 trials, 1 void trial$' "$work/out" || fail "an interrupted run"

bench compare "$work/a" "$work/few"
expect 1 'have too few blocks to be compared'
grep -q '5 blocks: too few for an interval, which takes 6 on each side' "$work/out" || fail "too few"
grep -q 'too few blocks$' "$work/out" || fail "no verdict of too few"

bench compare
expect 2 'compare takes two folders'
bench compare "$work/a"
expect 2 'compare takes two folders'
bench compare "$work/a" "$work/a" "$work/a"
expect 2 'compare takes two folders'
bench compare "$work/a" "$work/a" --margin five
expect 2 '--margin takes percents'
bench compare "$work/a" "$work/a" --margin -1
expect 2 '--margin takes percents'
bench compare "$work/a" "$work/nowhere"
expect 1 "cannot read $work/nowhere: No such file or directory; expected the folder of a run"
bench compare "$work" "$work/a"
expect 1 "$work has no run.json; expected the folder of a run, such as results/latest"
cp -r "$work/a" "$work/a.partial"
bench compare "$work/a.partial" "$work/a"
expect 1 'is of a run that is under way or was killed, and no result'
cp -r "$work/a" "$work/old"
sed -i 's/"schema_version": 2/"schema_version": 1/' "$work/old/run.json"
bench compare "$work/old" "$work/a"
expect 1 'has schema version 1 and no blocks to compare, version 2 has them; run the scenario again'
sed -i 's/"schema_version": 1/"schema_version": 99/; s/0\.1\.0/7.0/' "$work/old/run.json"
bench compare "$work/a" "$work/old"
expect 1 'has schema version 99, this lingerbench knows 2; compare with a newer one, such as 7.0, which wrote it'
echo '[]' >"$work/old/run.json"
bench compare "$work/a" "$work/old"
expect 1 'run.json is damaged'
head -c 100 "$work/a/run.json" >"$work/old/run.json"
bench compare "$work/a" "$work/old"
expect 1 'run.json is damaged'
cp "$work/a/run.json" "$work/old"
echo 'prefork,close' >>"$work/old/blocks.csv"
bench compare "$work/a" "$work/old"
expect 1 'blocks.csv is damaged'
rm "$work/old/blocks.csv"
bench compare "$work/a" "$work/old"
expect 1 'blocks.csv: No such file or directory'
[ "$(wc -l <"$work/err")" = 1 ] || fail "more than a line"
[ ! -s "$work/out" ] || fail "something on stdout"
sed -i '/,lingerd,/d; s/,close,/,hope,/' "$work/same/blocks.csv"
bench compare "$work/a" "$work/same"
expect 1 'have no strategy and peer in common'
exit 0
