#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The same scenario run twice does not differ from itself; with 200 us added to one strategy, it differs in that and in
# nothing that is not of that strategy.
#
# The machine of a test has busy seconds, and the blocks of a run cannot know of those of another. So the margin is wide
# (200 us are many times what the strategy takes), and what is found is asked again of a second pair of runs, as anybody
# should do: chance does not find the same thing twice.
. tests/cli/lingerbench.common

measure() { # FOLDER [ARGUMENT...]
    local folder=$work/$1
    shift
    bench run sensitivity --set trace.enabled=no "$@" --out "$folder"
    [ "$status" = 0 ] || fail "exit status $status"
}

compare() { # A B: what differs, as "STRATEGY FIGURE VERDICT", in $work/found; all of it is in $work/out
    bench compare "$work/$1/latest" "$work/$2/latest" --margin 50 --json
    cp "$work/out" "$work/compared"
    python3 - "$work/compared" "$status" <<'EOF' | sort >"$work/found"
import json, sys
compared = json.load(open(sys.argv[1]))
for row in compared["rows"]:
    if row["found"]:
        print(row["strategy"], row["figure"], row["verdict"])
assert compared["comparisons"] == 12, compared["comparisons"]
assert int(sys.argv[2]) == (4 if compared["found"] else 0), sys.argv[2]
EOF
    [ "${PIPESTATUS[0]}" = 0 ] || fail "compare $1 $2: exit status $status"
}

again() { # A B [ARGUMENT...]: a second pair of runs; in $work/found stays what both pairs have
    mv "$work/found" "$work/first"
    measure "$1"
    measure "$2" "${@:3}"
    compare "$1" "$2"
    comm -12 "$work/first" "$work/found" >"$work/both"
    mv "$work/both" "$work/found"
}

measure once
measure twice
compare once twice
grep -q '"not_alike": \[\]' "$work/compared" || fail "the same scenario twice, not alike"
[ ! -s "$work/found" ] || again once twice
[ ! -s "$work/found" ] || fail "the same scenario twice, and again twice: $(cat "$work/found")"

held=(--set strategies.added-hold.lingerd=200us)
measure held "${held[@]}"
compare once held
grep -qv '^lingerd ' "$work/found" && again once held "${held[@]}"
grep -qx 'lingerd worker_hold_us longer' "$work/found" || fail "200 us more were not found, but: $(cat "$work/found")"
# Workers who are held longer may serve fewer and later; other strategies know nothing of it.
grep -v '^lingerd ' "$work/found" && fail "200 us more of lingerd are found in others"
python3 - "$work/compared" <<'EOF' || fail "200 us more"
import json, sys
compared = json.load(open(sys.argv[1]))
hold, = (row for row in compared["rows"] if (row["strategy"], row["figure"]) == ("lingerd", "worker_hold_us"))
assert hold["a"] + 150 < hold["b"] < hold["a"] + 20000, hold
assert [(one["name"], one["a"], one["b"]) for one in compared["not_alike"]] == [
    ("scenario.added_hold_us.lingerd", None, 200)], compared["not_alike"]
EOF
exit 0
