#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What documents quote stands in docs/figures.csv, beside the scenario that shows it; docs/figures.py says which figures
# no longer hold, of results that are made up here and of a run.
# shellcheck disable=SC2016,SC2317 # dollars are of sed; a function is called by name
. tests/cli/lingerbench.common

export PYTHONDONTWRITEBYTECODE=1
tree=$PWD figures=$PWD/docs/figures.py

figures() { # ARGUMENT...: sets $status
    status=0
    /usr/bin/python3 "$figures" "$@" >"$work/out" 2>"$work/err" || status=$?
}

says() { # STATUS TEXT: of the last one, on either output
    [ "$status" = "$1" ] || fail "exit status $status, expected $1"
    cat "$work/out" "$work/err" | grep -qF -- "$2" || fail "does not say: $2"
}

figures --check
[ "$status" = 0 ] || fail "documents, scenarios and docs/figures.csv do not fit together"

# Whatever does not fit is told: in a copy of the documents that is broken in many places.
mkdir -p "$work/tree/results"
cp -r README.md CONTRIBUTING.md docs scenarios "$work/tree"
ln -s "$tree/tests" "$work/tree"
cp results/README.md "$work/tree/results"
cd "$work/tree" || exit 1
expected=()
broken() { # TEXT COMMAND...: what is to be said when COMMAND has changed the tree
    expected+=("$1")
    shift
    "$@"
}
add_claim() { echo "$1" >>docs/figures.csv; }
broken 'README.md does not say' sed -i 's/^    close            uploader /&1/' README.md
broken 'README.md does not name' sed -i 's/many-lingers/few-lingers/g' README.md
broken 'docs/answers.md does not name quick beside' \
    sed -i -e 's/^| `quick` |/| `other` |/' -e 's/^| `slow-close` |/| `quick` |/' docs/answers.md
broken 'names a scenario quiet, which there is not' sed -i 's/run quick/run quiet/' docs/strategies.md
broken 'names a scenario no-such, which there is not' sed -i '$a make run-scenario SCENARIO=no-such' docs/apache.md
broken 'docs/apache.md names tests/cli/000-none.sh, which' sed -i '$a tests/cli/000-none.sh' docs/apache.md
broken 'there is no scenarios/nginx.ini' rm scenarios/nginx.ini
broken 'README.md does not list the scenario unheard-of' cp scenarios/quick.ini scenarios/unheard-of.ini
broken 'no document quotes a figure of the scenario unheard-of' cp scenarios/quick.ini scenarios/unheard-of.ini
broken 'cannot be read' rm docs/reliability.md
broken 'has no "closed" among its strategies' add_claim 'README.md,lingerd,quick,closed.prompt.truncated,,= 0'
broken 'has no "nobody" among its peers' add_claim 'README.md,lingerd,quick,close.nobody.truncated,,= 0'
broken 'summary.csv has no column "lost"' add_claim 'README.md,lingerd,quick,close.prompt.lost,,= 0'
broken 'the bound "about 1" is none' add_claim 'README.md,lingerd,quick,close.prompt.truncated,,about 1'
broken 'the quoted 20 is not < 10' add_claim 'README.md,some 20 responses a second,quick,close.prompt.truncated,20,< 10'
broken '"21" is not in' add_claim 'README.md,some 20 responses a second,quick,close.prompt.truncated,21,< 30'
figures --check
cd "$tree" || exit 1
for text in "${expected[@]}"; do
    says 1 "$text"
done

# What would be run, and for how long.
figures --dry-run
says 0 'quick '
for name in scenarios/*.ini; do
    name=$(basename "$name" .ini)
    [ "$(grep -cE "^$name +[0-9]+ s  [1-9][0-9]* claims$" "$work/out")" = 1 ] || fail "$name would not be run once"
done
says 0 "$(find scenarios -name '*.ini' | wc -l) scenarios, about "
says 0 'not run: make soak'
figures --dry-run quick nginx
says 0 '2 scenarios, about '
figures --dry-run no-such
says 2 'no document quotes a figure of no-such'

# Results that are made up.
claims() { # LINE...
    printf '%s\n' 'document,quote,shown by,figure,quoted,bound' "$@" >"$work/claims.csv"
}
made_up() { # FOLDER TRIALS LOST
    mkdir -p "$work/made-up/$1"
    cat >"$work/made-up/$1/run.json" <<EOF
{"planned_trials": 1, "trials": [$2], "commit": "c0ffee", "started_utc": "x", "environment": {"kernel": "6.1", "cpus": 2}}
EOF
    printf '%s\n' strategy,peer,connections,truncated,worker_hold_us_p50 "close,prompt,20,$3,1500" 'lingerd,prompt,20,0,' \
        >"$work/made-up/$1/summary.csv"
}
judge() { figures --read --claims "$work/claims.csv" --results "$work/made-up"; }
made_up quick/20260101T000000Z-c0ffee 1 20
claims 'README.md,all are lost,quick,close.prompt.truncated,20,= 1 * close.prompt.connections' \
    'README.md,held,quick,close.prompt.worker_hold_us_p50,1.5 ms,> 1000 < 2000' \
    'README.md,from none to all,quick,*.prompt.truncated,,<= 1 * *.prompt.connections' \
    'README.md,not looked at,slow-close,close.prompt.truncated,0,= 0' 'README.md,a million,make soak,,,'
judge
says 0 '3 of 5 claims hold, 0 do not, 2 were not looked at'
says 0 '| README.md | held | quick | close.prompt.worker_hold_us_p50 | 1.5 ms | 1.50 ms | > 1000 < 2000 | yes |'
says 0 '| 0 to 20 |'
says 0 'Linux 6.1, 2 CPUs'
grep -q '^README.md,held,quick,close.prompt.worker_hold_us_p50,1.5 ms,1.50 ms,> 1000 < 2000,yes$' \
    "$work/made-up/docs-figures.csv" || fail "docs-figures.csv"
claims 'README.md,all are lost,quick,close.prompt.truncated,20,= 1 * close.prompt.connections' \
    'README.md,held,quick,lingerd.prompt.worker_hold_us_p50,0,< 1000' 'README.md,in time,quick,close.prompt.worker_hold_us_p50,,< 1000' \
    'README.md,each,quick,*.prompt.truncated,0,= 0' 'README.md,of nobody,quick,so_linger.prompt.truncated,0,= 0'
judge
says 1 '1 of 5 claims hold, 4 do not'
says 1 'README.md: "held": lingerd.prompt.worker_hold_us_p50 is not known, not < 1000'
says 1 'README.md: "in time": close.prompt.worker_hold_us_p50 is 1.50 ms, not < 1000'
says 1 'README.md: "of nobody": so_linger.prompt.truncated is no such row, not = 0'
# The newest counts, if it is whole.
made_up quick/20260102T000000Z-c0ffee '' 0
made_up quick/20260103T000000Z-c0ffee.partial 1 0
judge
grep -q '"all are lost"' "$work/err" && fail "takes a run that was interrupted for a result"
made_up quick/20260102T000000Z-c0ffee 1 0
judge
says 1 '"all are lost": close.prompt.truncated is 0'

# A run, and one that is interrupted when the first of two scenarios is done.
claims 'README.md,none is lost,sensitivity,*.prompt.truncated,0,= 0' 'README.md,all of them,sensitivity,close.prompt.complete,400,= 400' \
    'README.md,never done,slow-close,close.prompt.truncated,0,= 0'
/usr/bin/python3 "$figures" --claims "$work/claims.csv" --results "$work/results" >"$work/out" 2>"$work/err" &
pid=$!
for _ in $(seq 600); do
    grep -q '^2 of 2: slow-close' "$work/out" && break
    sleep 0.1
done
grep -q '^2 of 2: slow-close' "$work/out" || fail "the second scenario has not begun"
sleep 0.5
kill -TERM "$pid"
status=0
wait "$pid" || status=$?
says 130 '2 of 3 claims hold, 0 do not, 1 were not looked at'
says 130 'interrupted'
says 130 '1 of 2: sensitivity, about '
says 130 '4 of 4 expectations hold'
[ -z "$(find "$work/results" -name '*.partial')" ] || fail "left behind"
exit 0
