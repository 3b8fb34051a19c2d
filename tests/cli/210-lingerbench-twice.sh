#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The same scenario run twice does not differ from itself; with 200 us added to one strategy, it differs in that and in
# nothing else. The margin is wide, because the machine of a test has busy minutes, and blocks of a run cannot know of
# those of another: within 50 % there must be room for them. 200 us are many times what the strategy takes.
. tests/cli/lingerbench.common

measure() { # FOLDER [ARGUMENT...]
    local folder=$work/$1
    shift
    bench run sensitivity --set trace.enabled=no "$@" --out "$folder"
    [ "$status" = 0 ] || fail "exit status $status"
}

measure once
measure again
bench compare "$work/once/latest" "$work/again/latest" --margin 50
[ "$status" = 0 ] || { cat "$work/out" && fail "the same scenario twice: exit status $status"; }
grep -q '^0 differences found among 12 comparisons' "$work/out" || fail "not twelve comparisons"
grep -q 'not alike' "$work/out" && fail "the same scenario twice, not alike"

measure held --set strategies.added-hold.lingerd=200us
bench compare "$work/once/latest" "$work/held/latest" --margin 50 --json
[ "$status" = 4 ] || { cat "$work/out" && fail "200 us more: exit status $status"; }
python3 - "$work/out" <<'EOF' || { cat "$work/out" && fail "200 us more"; }
import json, sys
compared = json.load(open(sys.argv[1]))
found = {(row["strategy"], row["figure"]): row for row in compared["rows"] if row["found"]}
hold = found["lingerd", "worker_hold_us"]
assert hold["verdict"] == "longer" and hold["a"] + 150 < hold["b"] < hold["a"] + 20000, hold
# Workers who are held longer may serve fewer and later; other strategies know nothing of it.
assert {strategy for strategy, _ in found} == {"lingerd"}, found
assert [(one["name"], one["b"]) for one in compared["not_alike"]] == [("scenario.added_hold_us.lingerd", 200)], compared["not_alike"]
EOF
exit 0
