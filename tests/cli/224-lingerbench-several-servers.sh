#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A scenario of several servers: which pairs of server and strategy are run, in one shuffled order; every file tells their rows
# apart; expectations name servers; and what is wrong with any of it is said with its line.
# shellcheck source=tests/cli/servers-lab.common
. tests/cli/servers-lab.common
server=
trap 'status=$?; [ -z "$server" ] || kill "$server" 2>/dev/null; wait; rm -rf "$work"; exit $status' EXIT

# All mistakes in one pass, each once.
cat >"$work/wrong.ini" <<'INI'
[server]
program = nginx gunicorn nginx
program = nginy
[strategies]
use = close hope
added-hold.close = 1ms
[peers]
use = prompt
[expect]
apache-prefork/native.prompt.truncated = = 0
nginy/close.prompt.truncated = = 0
nginx/close.prompt.truncated = = 0
gunicorn/hope.prompt.truncated = = 0
close.prompt.truncated = <= 1 * nginx/close.prompt
INI
bench run "$work/wrong.ini"
expect 2 'wrong.ini:2: server nginx stands here twice'
expect 2 'wrong.ini:3: no server is called "nginy"; see "lingerbench list"'
expect 2 'wrong.ini:5: no strategy is called "hope"; see "lingerbench list" for those of nginx, gunicorn'
expect 2 'wrong.ini:12: nginx has no strategy "close"'
expect 2 'wrong.ini:14: close.prompt.truncated = <= 1 * nginx/close.prompt: expected STRATEGY.PEER.COLUMN'
[ "$(wc -l <"$work/err")" = 5 ] || fail "not five mistakes"

# Without the unknown one it is known which servers there are, and what they lack.
sed -i -e '3d' -e 's/ hope$//; s/ nginx$//' "$work/wrong.ini"
bench run "$work/wrong.ini"
expect 2 'wrong.ini:2: nginx has none of the strategies in use; see "lingerbench list" for those it has'
expect 2 'wrong.ini:5: added-hold.close: workers of nginx, gunicorn are not the lab'
expect 2 "wrong.ini:9: apache-prefork is none of the scenario's servers: nginx, gunicorn"
expect 2 'wrong.ini:10: no server is called "nginy"'
expect 2 'wrong.ini:12: no strategy is called "hope"'
[ "$(wc -l <"$work/err")" = 7 ] || fail "not seven mistakes"

# The plan: each server with the strategies that it has. It names them where there are several.
bench run servers --dry-run --set load.blocks=1 --set peers.use=late
[ "$status" = 0 ] || fail "servers cannot be planned"
grep -q ' 4 workers of apache-prefork, apache-event, nginx, gunicorn, uwsgi; ' "$work/out" || fail "the plan does not name the servers"
sed -n 's/^ *[0-9]*  block 1  \([^ ]*\) .*/\1/p' "$work/out" >"$work/order"
sort "$work/order" | diff - <(printf '%s\n' apache-event/lingerd apache-event/native apache-prefork/lingerd apache-prefork/native \
    gunicorn/close gunicorn/lingerd nginx/lingering_close_on uwsgi/close uwsgi/lingerd) || fail "other pairs"
[ "$(sed 's,/.*,,' "$work/order" | uniq | wc -l)" -gt 5 ] || fail "server by server, and not shuffled"
bench run servers --dry-run --set server.program="uwsgi nginx" --set peers.use=late
[ "$(grep -c ' block 1 ' "$work/out")" = 3 ] || fail "narrowed to two servers: not three pairs"
bench run servers --dry-run --set strategies.use=lingerd_again --set peers.use=late
[ "$(grep -c ' block 1  [a-z-]*/lingerd_again ' "$work/out")" = 4 ] || fail "narrowed to a strategy: not the four that have it"
bench run servers --dry-run --set server.program=gunicorn
grep -q '/close' "$work/out" && fail "one server is named in each line"
bench run servers --dry-run --set server.program="nginx gunicorn" --set strategies.use=close
expect 2 'nginx has none of the strategies in use'

bench packages servers
printf '%s\n' apache2-bin nginx gunicorn 'uwsgi-core uwsgi-plugin-python3' | diff - "$work/out" || fail "packages"

status=0
timeout 20 "$bench" serve servers >"$work/out" 2>"$work/err" || status=$?
expect 2 'servers has several servers, and one is served; say which of apache-prefork, apache-event, nginx, gunicorn, uwsgi, with --set server.program=NAME'

need /usr/sbin/nginx nginx
need /usr/bin/gunicorn gunicorn
need /usr/sbin/apache2 apache2-bin
need /usr/bin/openssl openssl

# All that is missing, not only the first.
if [ "$(id -u)" = 0 ] && unshare -m true 2>/dev/null; then
    status=0
    # shellcheck disable=SC2016 # for the inner shell
    unshare -m sh -c 'mount -t tmpfs none /usr/lib/apache2/modules && mount -t tmpfs none /usr/lib/uwsgi && exec "$@"' sh \
        "$bench" run servers --out "$work/results" >"$work/out" 2>"$work/err" || status=$?
    for server_missing in apache-prefork apache-event uwsgi; do
        expect 1 "$server_missing is not installed: "
    done
fi

export TMPDIR=$work/tmp
mkdir -p "$TMPDIR"
chmod 755 "$work" "$TMPDIR" # the servers' user reads below it
"$bench" serve servers --set server.program=nginx </dev/null >"$work/serving" 2>"$work/err" &
server=$!
for _ in {1..200}; do
    grep -q 'closes by' "$work/serving" && break
    sleep 0.05
done
grep -q '^nginx closes by lingering_close_on: ' "$work/serving" || fail "serve does not serve the one that it was told"
kill -INT "$server"
wait "$server" || fail "serve ends with status $?"
server=
leaves_nothing

# For real: the lab's own workers, TLS and plain, with lingerd and without, in one run.
cat >"$work/mixed.ini" <<'INI'
[scenario]
title = Are they told apart?
[server]
program = apache-tls builtin nginx gunicorn
workers = 2
[response]
bytes = 1000k
[load]
connections = 12
clients = 12
blocks = 2
[strategies]
use = native close lingering_close_on lingerd close_again
added-hold.close = 20ms
[peers]
use = prompt uploader
[expect]
*.*.corrupt = = 0
*.prompt.complete = = 24
lingerd.uploader.truncated = = 0
builtin/close_again.uploader.truncated = > 0
nginx/*.uploader.truncated = = 0
*.prompt.complete = >= 1 * nginx/lingering_close_on.prompt.complete
lingerd.uploader.complete = >= 1 * close_again.uploader.complete
INI
bench run "$work/mixed.ini" --out "$work/results"
[ "$status" = 0 ] || fail "exit status $status"
grep -q '^7 of 7 expectations hold$' "$work/out" || fail "expectations"
leaves_nothing
for label in apache-tls/native apache-tls/lingerd prefork/close prefork/close_again prefork/lingerd nginx/lingering_close_on \
    gunicorn/close gunicorn/close_again gunicorn/lingerd; do
    [ "$(grep -cE "^$label +(prompt|uploader) +24 " "$work/out")" = 2 ] || fail "no two rows of $label in the table"
    [ "$(grep -oE ">$label *<" "$work/results/latest/report.html" | wc -l)" -ge 2 ] || fail "$label is not in the tables and drawings of the report"
done
grep -oE '[0-9]+ values' "$work/results/latest/report.html" | sort -u >"$work/values"
grep -qx '24 values' "$work/values" || fail "no chart of 24 values"
grep -qE '^(2[5-9]|[3-9][0-9]|[0-9]{3,}) ' "$work/values" && fail "a chart takes two servers for one"
grep -qF 'warning: prefork/close: its workers slept 20000 us' "$work/err" || fail "no warning of the lab's own"
grep -qF 'gunicorn/close: its workers slept' "$work/err" && fail "a warning of workers that are not the lab's"
python3 - "$work/results/latest" <<'EOF' >"$work/says" 2>&1 || fail "the results: $(cat "$work/says")"
import csv, itertools, json, sys
rows = {name: list(csv.DictReader(open(f"{sys.argv[1]}/{name}.csv"))) for name in ("summary", "blocks", "connections")}
run = json.load(open(sys.argv[1] + "/run.json"))
key = lambda row: (row["server"], row["strategy"], row["peer"])
arms = [("apache-tls", "native"), ("apache-tls", "lingerd"), ("prefork", "close"), ("prefork", "lingerd"),
        ("prefork", "close_again"), ("nginx", "lingering_close_on"), ("gunicorn", "close"), ("gunicorn", "lingerd"),
        ("gunicorn", "close_again")]
wanted = [(*arm, peer) for peer in ("prompt", "uploader") for arm in arms]
assert [key(row) for row in rows["summary"]] == wanted
assert run["scenario"]["server"] == "apache-tls prefork nginx gunicorn", run["scenario"]
# Each once in each block, and a block is over before the next begins.
for block in 1, 2:
    ours = [key(trial) for trial in run["trials"] if trial["block"] == block]
    assert sorted(ours) == sorted(wanted)
    assert len(list(itertools.groupby(ours, lambda trial: trial[0]))) > 6, "server by server"
    assert sorted(key(row) for row in rows["blocks"] if row["block"] == str(block)) == sorted(wanted)
assert [trial["block"] for trial in run["trials"]] == [1] * 18 + [2] * 18
for row in rows["blocks"]:
    assert key(row) == key(run["trials"][int(row["trial"]) - 1]), row
# Ratios are to the first pair of all, in the same block and under the same peer; of two, what is halfway between them is the median.
per_s = {(*key(row), row["block"]): float(row["throughput_per_s"]) for row in rows["blocks"]}
for row in rows["summary"]:
    ratio = sum(per_s[(*key(row), block)] / per_s[(*arms[0], row["peer"], block)] for block in "12") / 2
    assert abs(float(row["throughput_ratio"]) - ratio) <= 0.01 * ratio + 0.001, (row, ratio)
for each in wanted:
    ours = [row for row in rows["connections"] if key(row) == each]
    assert len(ours) == 24, each
    # What only the lab's own workers tell, the lab's own rows have.
    assert all(bool(row["worker"]) == (each[0] == "prefork") for row in ours), each
    hold = [float(row["worker_hold_us"]) for row in ours if row["worker_hold_us"] and not row["server_error"]]
    if each[:2] == ("prefork", "close"):
        assert min(hold) >= 20000, hold
    if run["trace"]["traced"]:
        # Its own processes closed it, or lingerd where it was handed over, and nobody else: an event in many may be missed.
        closers = {{"prefork": "lb-worker", "apache-tls": "apache2"}.get(each[0], each[0])}
        closers |= {"lingerd"} if each[1] == "lingerd" else set()
        seen = [row["closer_comm"] for row in ours if row["closer_comm"]]
        assert len(seen) >= 20 and set(seen) <= closers, (each, seen)
EOF

# Compared by server, too.
bench compare "$work/results/latest" "$work/results/latest"
grep -q '^gunicorn, close, prompt$' "$work/out" || fail "compare does not name the server"
grep -q '^prefork, close, prompt$' "$work/out" || fail "compare has lost a server"
rm -rf "$work/first"
mv "$work/results" "$work/first"

# Narrowed, a broken expectation says whose it is; with one server there is none to name.
bench run "$work/mixed.ini" --out "$work/results" --set server.program="builtin gunicorn" --set peers.use=prompt --set load.blocks=1 \
    --set 'expect.gunicorn/close.prompt.truncated=> 0' --set 'expect.*.prompt.complete=> 1 * builtin/close.prompt.complete'
expect 3 'expected gunicorn/close.prompt.truncated > 0, it is 0'
expect 3 'expected gunicorn/close.prompt.complete > 1 * prefork/close.prompt.complete = 12, it is 12'
grep -qF 'expected prefork/close.prompt.truncated' "$work/err" && fail "an expectation of another server was judged"
bench compare "$work/first/latest" "$work/results/latest"
grep -qx 'only A has nginx, lingering_close_on, prompt' "$work/out" || fail "compare does not say which server only one has"
grep -q '^  scenario.server: apache-tls prefork nginx gunicorn in A, prefork gunicorn in B$' "$work/out" || fail "not alike in servers"
bench run "$work/mixed.ini" --out "$work/results" --set server.program=builtin --set peers.use=uploader --set load.blocks=1
[ "$status" = 3 ] || [ "$status" = 0 ] || fail "exit status $status"
grep -qE '^close +uploader ' "$work/out" || fail "the only server is named"
leaves_nothing
exit 0
