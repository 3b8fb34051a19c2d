#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What is packed for Prometheus and Grafana: rules fire when they should, and no rule, panel or document names a
# metric that lingerd and lingertrace do not have, in a real scrape of each.
# shellcheck source=tests/cli/lingertrace.common
. "${0%/*}/lingertrace.common"
lingerd_pid=
# shellcheck disable=SC2154 # status
trap 'status=$?; kill $lingerd_pid ${tracer:-} 2>/dev/null; rm -rf "$work"; exit $status' EXIT

for rules in packaging/prometheus/*.rules.yml; do
    promtool check rules "$rules" >"$work/promtool" 2>&1 || fail "$(cat "$work/promtool")"
done
for tests in packaging/prometheus/*.test.yml; do
    promtool test rules "$tests" >"$work/promtool" 2>&1 || fail "$(cat "$work/promtool")"
done
# Each alert is one that a test has seen fire.
sed -n 's/^ *- alert: //p' packaging/prometheus/*.rules.yml | while read -r alert; do
    grep -q "alertname[:=] *\"\\?$alert\\b" packaging/prometheus/*.test.yml || echo "$alert"
done >"$work/untested"
[ -s "$work/untested" ] && fail "no test of these alerts"

port=$(free_port)
"$BUILD/lingerd" --socket "$work/lingerd.sock" --metrics "unix:$work/metrics.sock" 2>"$work/lingerd.err" &
lingerd_pid=$!
for _ in {1..200}; do
    [ -S "$work/metrics.sock" ] && break
    sleep 0.02
done
curl -sS --unix-socket "$work/metrics.sock" http://localhost/metrics >"$work/lingerd.metrics" || fail "no answer of lingerd"
echo '# no tracer' >"$work/lingertrace.metrics"
if "$trace" --csv "$work/probe" --duration 0.01 2>"$work/probe.err"; then
    start_trace --port "$port" --metrics "unix:$work/trace.sock"
    closes "$port"
    sleep 0.3
    curl -sS --unix-socket "$work/trace.sock" http://localhost/metrics >"$work/lingertrace.metrics" || fail "no answer of lingertrace"
    end_trace INT
fi

cat >"$work/names.py" <<'PY'
import glob
import json
import re
import sys

work = sys.argv[1]
NAME = re.compile(r"\b(lingerd|lingertrace)_[a-z0-9_]+\b")


def scraped(program):
    """Sample names, and the families in their documents' form."""
    samples, families = set(), set()
    for line in open(f"{work}/{program}.metrics"):
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split()
            families.add(name + "_total" if kind == "counter" else name)
        elif not line.startswith("#"):
            samples.add(re.match(r"[a-z0-9_]+", line).group())
    return samples, families


def dashboard():
    board = json.load(open("packaging/grafana/lingerd.json"))
    ids = [panel["id"] for panel in board["panels"]]
    assert len(ids) == len(set(ids)), "panels share an id"
    yield from (query["expr"] for query in board["annotations"]["list"])
    yield from (variable["query"]["query"] for variable in board["templating"]["list"] if isinstance(variable["query"], dict))
    for panel in board["panels"]:
        assert panel["title"] and panel["type"] in ("row", "stat", "timeseries"), panel
        assert panel["type"] == "row" or panel["targets"], panel["title"]
        yield from (target["expr"] for target in panel.get("targets", []))


def rules():
    for path in glob.glob("packaging/prometheus/*.rules.yml"):
        text = "".join(line for line in open(path) if not line.lstrip().startswith("#"))
        recorded = set(re.findall(r"record: (\S+)", text))
        for name in re.findall(r"[a-z_]+:[a-z0-9_]+:[a-z0-9_]+", text):
            assert name in recorded, f"{path}: {name} is not recorded"
        # The names of recorded metrics have colons, files and words of prose do not come with an underscore.
        yield re.sub(r"[a-z_]+:[a-z0-9_]+:[a-z0-9_]+", "", text)


samples, families = scraped("lingerd")
trace_samples, _ = scraped("lingertrace")
document = open("docs/metrics.md").read()
documented = set(re.findall(r"^\| `(lingerd_[a-z0-9_]+)` \|", document, re.M))
assert documented == families, f"docs/metrics.md and the scrape differ in {documented ^ families}"
for cause in re.findall(r'cause="(\w+)"', open(f"{work}/lingerd.metrics").read()):
    assert f"`{cause}`" in document, f"docs/metrics.md does not explain the cause {cause}"

expressions = list(dashboard()) + list(rules())
used = {match.group() for text in expressions for match in NAME.finditer(text)}
known = samples | trace_samples | (set() if trace_samples else {name for name in used if name.startswith("lingertrace")})
assert not used - known, f"not in any scrape: {sorted(used - known)}"
assert sum(name.startswith("lingerd_") for name in used) > 15 and sum(name.startswith("lingertrace_") for name in used) > 4

# Queries of the dashboard, as rules for promtool to parse.
with open(f"{work}/dashboard.yml", "w") as out:
    out.write("groups: [{name: dashboard, rules: [\n")
    for i, text in enumerate(text for text in dashboard() if "label_values" not in text):
        text = text.replace("$__rate_interval", "5m").replace("$instance", ".*")
        out.write(json.dumps({"record": f"query{i}", "expr": text}) + ",\n")
    out.write("]}]\n")
PY
python3 "$work/names.py" "$work" || fail "names"
promtool check rules "$work/dashboard.yml" >"$work/promtool" 2>&1 || fail "a query of the dashboard is wrong: $(cat "$work/promtool")"
grep -q lingertrace_ "$work/lingertrace.metrics" && exit 0
grep -q 'not allowed' "$work/probe.err" || fail "lingertrace does not start"
echo "SKIP: the names of lingertrace's metrics: $(cat "$work/probe.err")"
exit 77
