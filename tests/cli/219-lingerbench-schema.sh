#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# run.json is as results/run.schema.json says: of the lab's own server and of a real one, traced (where it can be) and not.
# And the schema says something: damaged in any of many ways, run.json is refused.
. tests/cli/lingerbench.common

if ! /usr/bin/python3 -c 'import jsonschema' 2>/dev/null; then
    [ -z "${CI-}" ] || fail "no python3-jsonschema, and this is CI: packaging/packages-test has it"
    echo "SKIP: no python3-jsonschema"
    exit 77
fi

bench run quick "${brief[@]}" --set strategies.added-hold.close=1ms --out "$work/traced"
[ "$status" = 0 ] || fail "exit status $status"
bench run quick "${brief[@]}" --set trace.enabled=no --out "$work/untraced"
[ "$status" = 0 ] || fail "untraced: exit status $status"
runs=("$work"/traced/latest/run.json "$work"/untraced/latest/run.json)
if [ -x /usr/sbin/nginx ]; then
    bench run nginx --set strategies.use=lingering_close_on --set peers.use=prompt --set load.connections=4 \
        --set load.blocks=1 --out "$work/nginx"
    [ "$status" = 0 ] || fail "nginx: exit status $status"
    runs+=("$work/nginx/latest/run.json")
fi
[ -z "${CI-}" ] || [ "${#runs[@]}" = 3 ] || fail "no nginx, and this is CI"

/usr/bin/python3 - "${runs[@]}" <<'EOF' >"$work/out" 2>&1 || fail "the schema"
import copy, json, sys
import jsonschema

schema = json.load(open("results/run.schema.json"))
jsonschema.Draft202012Validator.check_schema(schema)
check = jsonschema.Draft202012Validator(schema)
runs = [json.load(open(path)) for path in sys.argv[1:]]
for path, run in zip(sys.argv[1:], runs):
    for error in check.iter_errors(run):
        sys.exit(f"{path}: {error.json_path}: {error.message}")
assert not runs[1]["trace"]["traced"]
assert runs[0]["scenario"]["added_hold_us"] == {"close": 1000}
assert [run["scenario"]["server"] for run in runs[2:]] in ([], ["nginx"])

def refused(what, damage):
    run = copy.deepcopy(runs[0])
    damage(run)
    assert not check.is_valid(run), f"accepted: {what}"

# Nothing may be missing, and nothing may be there that is not explained.
for name in runs[0]:
    refused(f"without {name}", lambda run: run.pop(name))
for part in ("scenario", "trace"):
    for name in runs[0][part]:
        refused(f"{part} without {name}", lambda run: run[part].pop(name))
for name in runs[0]["trials"][0]:
    refused(f"a trial without {name}", lambda run: run["trials"][0].pop(name))
for part in (lambda run: run, lambda run: run["scenario"], lambda run: run["trace"], lambda run: run["trials"][0],
             lambda run: run["environment"]):
    refused("something unexplained", lambda run: part(run).update(surprise=1))
refused("another version", lambda run: run.update(schema_version=1))
refused("a time as a text", lambda run: run["trials"][0].update(duration_s="1"))
refused("a negative count", lambda run: run["trials"][0].update(connections=-1))
refused("no trials", lambda run: run.update(trials=[]))
refused("a moment that is none", lambda run: run.update(started_utc="yesterday"))
refused("a sysctl that is a number", lambda run: run["environment"]["sysctl"].update({"net.core.somaxconn": 4096}))
refused("another sysctl", lambda run: run["environment"]["sysctl"].update({"kernel.hostname": "x"}))
refused("a counter of nobody", lambda run: run["counters"].update(IpInReceives=1))
refused("half traced", lambda run: run["trace"].update(reason="no"))
refused("an empty warning", lambda run: run["warnings"].append(""))
# What is unknown is null, not 0 and not missing.
unknown = copy.deepcopy(runs[0])
unknown["trials"][0]["cpu_us"] = None
assert check.is_valid(unknown)
EOF
exit 0
