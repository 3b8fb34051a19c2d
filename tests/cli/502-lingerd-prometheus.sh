#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Debian's Prometheus scrapes lingerd under load, with our rules: it takes every scrape, no counter goes back, sums
# agree within each scrape, recording rules have values, and it notices when the daemon is gone.
# shellcheck source=tests/cli/servers.common
. "${0%/*}/servers.common"
prometheus_pid=
trap 'stop "$prometheus_pid"; clean_up' EXIT
rules=$PWD/packaging/prometheus
read -r port web < <(free_ports 2)

cat >"$work/prometheus.yml" <<YAML
global: {scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}
rule_files: ["$rules/lingerd.rules.yml", "$rules/lingertrace.rules.yml"]
scrape_configs:
  - {job_name: lingerd, static_configs: [{targets: ["127.0.0.1:$port"]}]}
YAML
promtool check config "$work/prometheus.yml" >"$work/check.log" 2>&1 || fail "promtool does not like the configuration"

ask() { # EXPRESSION: its values, "LABELS VALUE" a line
    curl -sS --get "http://127.0.0.1:$web/api/v1/query" --data-urlencode "query=$1" | python3 -c '
import json, sys
answer = json.load(sys.stdin)
assert answer["status"] == "success", answer
for row in answer["data"]["result"]:
    name = row["metric"].pop("__name__", "")
    print(name, json.dumps(row["metric"], sort_keys=True), row["value"][1])'
}

is() { # EXPRESSION VALUE: whether all that it gives, and something, has the value
    ask "$1" >"$work/answer" && [ -s "$work/answer" ] && ! grep -qv " $2\$" "$work/answer"
}

lingerd_options=(--metrics "127.0.0.1:$port" --idle-timeout 1)
start_lingerd
prometheus --config.file="$work/prometheus.yml" --storage.tsdb.path="$work/tsdb" \
    --web.listen-address="127.0.0.1:$web" >"$work/prometheus.log" 2>&1 &
prometheus_pid=$!
wait_for is 'up{job="lingerd"}' 1

# Load: clients that close at once, late, and never; and a reader that looks at each scrape by itself.
python3 "$support/hand_over.py" "$work/lingerd.sock" 6000 0.05 >"$work/handed.1" </dev/null &
loads=($!)
python3 "$support/hand_over.py" "$work/lingerd.sock" 300 2 >"$work/handed.2" </dev/null &
loads+=($!)
python3 - "http://127.0.0.1:$port/metrics" >"$work/reader.log" 2>&1 <<'PY' &
import re
import sys
import time
import urllib.request

before = {}
scrapes = 0
end = time.monotonic() + 8
while time.monotonic() < end:
    text = urllib.request.urlopen(sys.argv[1], timeout=10).read().decode()
    now = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            name, value = line.rsplit(" ", 1)
            now[name] = float(value)
    for name, value in now.items():
        if re.search(r"_(total|bucket|count|sum)(\{|$)", name):
            assert value >= before.get(name, 0), f"{name} went back from {before[name]} to {value}"
    ends = sum(value for name, value in now.items() if name.startswith("lingerd_ends_total"))
    taken = now["lingerd_handoffs_total"] + now["lingerd_restored_total"]
    assert taken == now["lingerd_lingers"] + ends + now["lingerd_passed_on_total"], text
    assert now["lingerd_linger_seconds_count"] == ends, text
    assert now["lingerd_fin_seconds_count"] == now['lingerd_ends_total{cause="fin"}'], text
    assert now["lingerd_fd_headroom"] <= now["lingerd_fd_limit"] - now["lingerd_lingers"], text
    before = now
    scrapes += 1
assert before["lingerd_handoffs_total"] > 0
print(scrapes, "scrapes")
PY
reader=$!
wait "$reader" || fail "a scrape does not agree with itself"
for load in "${loads[@]}"; do wait "$load" || fail "the load ended badly"; done
[ "$(cat "$work/handed.1") $(cat "$work/handed.2")" = "6000 0 300 0" ] || fail "handoffs failed: $(cat "$work"/handed.*)"
wait_for is lingerd_handoffs_total 6300
wait_for is 'sum(lingerd_ends_total)' 6300
wait_for is lingerd_lingers 0

# It has been up all the time, and nothing has gone back.
is 'min_over_time(up{job="lingerd"}[5m])' 1 || fail "a scrape failed: $(cat "$work/answer")"
for name in $(ask 'count by (__name__) ({__name__=~"lingerd_.*_(total|bucket|count|sum)"})' | cut -d ' ' -f 1); do
    ask "resets(${name}[5m])" | sed "s/^/$name/" # which names it no more
done >"$work/resets"
[ "$(wc -l <"$work/resets")" -gt 70 ] || fail "too few counters: $(cat "$work/resets")"
grep -v ' 0$' "$work/resets" && fail "a counter went back"
is 'count(count by (__name__) ({__name__=~"lingerd_.*"}))' "$(curl -sS "http://127.0.0.1:$port/metrics" |
    sed -n '/^#/!s/[{ ].*//p' | sort -u | wc -l)" || fail "it has not taken all families: $(cat "$work/answer")"

# Our rules, as it evaluates them.
for rule in instance:lingerd_handoffs:rate5m instance:lingerd_deadline_ends:ratio_rate5m instance:lingerd_lingers:ratio \
    instance:lingerd_fin_seconds:p99_5m instance:lingerd_round_seconds:p99_5m instance:lingerd_fd_headroom:ratio; do
    wait_for is "count($rule)" 1
done
is 'instance:lingerd_fin_seconds:p50_5m > bool 0.01' 1 || fail "the median of the FINs: $(cat "$work/answer")"
curl -sS "http://127.0.0.1:$web/api/v1/rules" >"$work/rules.json"
python3 - "$work/rules.json" <<'PY' || fail "a rule is not healthy"
import json
import sys

rules = [rule for group in json.load(open(sys.argv[1]))["data"]["groups"] for rule in group["rules"]]
assert len(rules) > 25, len(rules)
bad = [rule for rule in rules if rule["health"] != "ok"]
assert not bad, bad
PY
stop "$lingerd_pid"
lingerd_pid=
wait_for is 'up{job="lingerd"}' 0
wait_for is 'ALERTS{alertname="LingerdDown", alertstate="pending"}' 1
grep -E 'level=(warn|error)' "$work/prometheus.log" && fail "Prometheus complains"
exit 0
