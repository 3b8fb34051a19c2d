#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What a run leaves behind: five whole files, a link to them, columns as results/README.md lists them.
. tests/cli/lingerbench.common

bench run quick "${brief[@]}" --out "$work/results"
[ "$status" = 0 ] || fail "exit status $status"
results=$work/results/latest
[ -L "$results" ] || fail "no link"
for file in connections.csv blocks.csv summary.csv run.json report.html; do
    [ -s "$results/$file" ] || fail "no $file"
done
[ "$(find "$work/results" -name '*.partial')" = "" ] || fail "a partial folder is left"
[ "$(wc -l <"$results/connections.csv")" = 9 ] || fail "not 8 rows in connections.csv"

for file in connections.csv blocks.csv summary.csv; do
    # Every column is explained, and nothing is explained that is no column.
    head -n 1 "$results/$file" | tr , '\n' | sort >"$work/written"
    sed -n "/^## $file/,/^## /s/^| \`\([a-z0-9_]*\)\`.*/\1/p" results/README.md | sort >"$work/explained"
    diff "$work/written" "$work/explained" || fail "$file and results/README.md disagree"
done

python3 - "$results" <<'EOF' || fail "run.json"
import csv, html.parser, json, sys
run = json.load(open(sys.argv[1] + "/run.json"))
assert run["schema_version"] == 2, run["schema_version"]
assert run["scenario"]["connections_per_trial"] == 8
assert run["environment"]["kernel"] and run["environment"]["sysctl"]["net.ipv4.tcp_fin_timeout"]
assert len(run["trials"]) == 1 and run["trials"][0]["strategy"] == "close"
assert "--set" in run["command"]
rows = list(csv.DictReader(open(sys.argv[1] + "/connections.csv")))
assert {row["outcome"] for row in rows} == {"complete_fin"}, rows
assert {row["received_bytes"] for row in rows} == {"1048576"}
# Of the one block there is, blocks.csv says what summary.csv says of all blocks.
block, = csv.DictReader(open(sys.argv[1] + "/blocks.csv"))
summary, = csv.DictReader(open(sys.argv[1] + "/summary.csv"))
assert (block.pop("block"), block.pop("trial")) == ("1", "1")
assert block == {column: summary[column] for column in block}, (block, summary)
if run["trace"]["traced"]:
    assert all(row["close_call_us"] for row in rows), "traced, but a row has no close_call_us"
else:
    assert not any(row["close_call_us"] or row["end"] for row in rows)

class Balance(html.parser.HTMLParser):
    open = []
    def handle_starttag(self, tag, attributes):
        if tag not in ("meta", "rect", "line", "circle"):
            self.open.append(tag)
    def handle_endtag(self, tag):
        if tag not in ("rect", "line", "circle"):
            assert self.open and self.open[-1] == tag, (tag, self.open)
            self.open.pop()
page = open(sys.argv[1] + "/report.html").read()
parser = Balance()
parser.feed(page)
assert not parser.open, parser.open
assert "http://" not in page and "https://" not in page, "the report reaches for the network"
EOF

# Runs that begin in the same second do not share a folder.
for _ in 1 2 3; do
    "$bench" run quick "${brief[@]}" --out "$work/many" >>"$work/out" 2>&1 &
done
wait
[ "$(find "$work/many/quick" -name run.json | wc -l)" = 3 ] || fail "three runs at once left not three results"

cp "$results/report.html" "$work/before.html"
rm "$results/report.html"
bench report "$results"
[ "$status" = 0 ] || fail "report"
cmp "$results/report.html" "$work/before.html" || fail "the report of the same files is another"

# Compressed on demand, and the same to all who read it.
bench run quick "${brief[@]}" --set results.gzip=yes --set load.blocks=2 --out "$work/small"
[ "$status" = 0 ] || fail "gzip: exit status $status"
results=$work/small/latest
[ -e "$results/connections.csv" ] && fail "connections.csv beside connections.csv.gz"
[ "$(gzip -dc "$results/connections.csv.gz" | wc -l)" = 17 ] || fail "not 16 rows in connections.csv.gz"
cp "$results/report.html" "$work/before.html"
gunzip "$results/connections.csv.gz"
bench report "$results"
cmp "$results/report.html" "$work/before.html" || fail "the report of what was compressed is another"
gzip "$results/connections.csv"
truncate --size=-20 "$results/connections.csv.gz"
bench report "$results"
expect 1 'connections.csv'
bench run quick --set results.gzip=perhaps --dry-run
expect 2 'gzip = perhaps: expected auto, yes or no'
exit 0
