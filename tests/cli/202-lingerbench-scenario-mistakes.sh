#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Mistakes in a scenario: named with file and line, nothing is started or written.
. tests/cli/lingerbench.common

bench run no-such
expect 2 'cannot read scenarios/no-such.ini: No such file or directory'
bench run "$work/"
expect 2 'cannot read'

cat >"$work/wrong.ini" <<'INI'
[server]
wrokers = 4
[load]
connections = 0
[strategies]
use = close hope
added-hold.close = 200
added-hold.lingerd_again = 200us
added-hold.faith = 200us
[peers]
use = prompt nobody
[expect]
close.prompt.complete = >= 0.9 * close.prompt.hope
close.prompt.complete = >= 0.9 *
INI
bench run "$work/wrong.ini" --out "$work/results"
expect 2 "wrong.ini:2: unknown key \"wrokers\""
expect 2 "wrong.ini:4: connections = 0: out of range"
expect 2 "wrong.ini:6: no strategy is called \"hope\""
expect 2 "wrong.ini:7: added-hold.close = 200: expected a time up to 1s"
expect 2 "wrong.ini:9: no strategy is called \"faith\""
expect 2 "no peer is called \"nobody\""
expect 2 "wrong.ini:13: summary.csv has no column \"hope\""
expect 2 "wrong.ini:14: close.prompt.complete = >= 0.9 *: expected"
[ ! -e "$work/results" ] || fail "results of a wrong scenario"

printf '[scenario]\ntitle = caf\xe9\n[strategies]\nuse = close\n[peers]\nuse = prompt\n' >"$work/latin.ini"
bench run "$work/latin.ini" --out "$work/results"
expect 2 "latin.ini:2: this is no UTF-8"
sed 2d "$work/latin.ini" >"$work/latest.ini"
bench run "$work/latest.ini" --out "$work/results"
expect 2 "latest.ini: its results would take the place of the link"
[ ! -e "$work/results" ] || fail "results of a wrong scenario"

# Each name once, where it stands first: also when [expect] has it, or a wrong line of the file was to explain it.
cat >"$work/once.ini" <<'INI'
[server]
program = nginy
[strategies]
use = native
[peers]
use = nobody mine prompt
mine = post:much
[expect]
native.nobody.truncated = = 0
*.mine.truncated = = 0
*.stranger.truncated = = 0
*.stranger.complete = >= 1 * *.stranger.truncated
INI
bench run "$work/once.ini"
expect 2 'once.ini:2: no server is called "nginy"'
expect 2 'once.ini:7: peer mine: '
expect 2 'once.ini:6: no peer is called "nobody"'
expect 2 'once.ini:11: no peer is called "stranger"'
[ "$(wc -l <"$work/err")" = 4 ] || fail "not four mistakes"
sed -i -e '2d' -e 's/native/hope/' "$work/once.ini"
bench run "$work/once.ini"
expect 2 'once.ini:3: no strategy is called "hope"'
[ "$(wc -l <"$work/err")" = 4 ] || fail "not four mistakes"

bench run nginx --set strategies.added-hold.lingerd=1ms --dry-run
expect 2 'added-hold.lingerd: workers of nginx are not the lab'

bench run quick --set 'peers.use=late prompt late' --dry-run
expect 2 'peer late stands here twice'
bench run quick --set peers.use= --dry-run
expect 2 'peers.use=: [peers] use = names no peer'
bench run quick --set load.connections=20000 --set load.clients=15000 --dry-run
if [ "$(ulimit -Hn)" != unlimited ] && [ "$(ulimit -Hn)" -lt 15064 ]; then
    expect 2 'clients at once'
else
    [ "$status" = 0 ] || fail "a plan within the limits is refused"
fi
(
    ulimit -n 100
    bench run quick --out "$work/results"
    expect 2 '60 clients at once and 64 other descriptors are more than the 100'
) || exit 1

# Ports are a limit as well. A network namespace of its own has its own range of them.
unshare -n true 2>"$work/err" || {
    echo "SKIP: another range of local ports needs a network namespace: $(cat "$work/err")"
    exit 77
}
# shellcheck disable=SC2016 # for the shell in there
bench_plan='echo 40000 40049 >/proc/sys/net/ipv4/ip_local_port_range && exec "$0" run quick --out "$1"'
status=0
unshare -n sh -c "$bench_plan" "$bench" "$work/results" >"$work/out" 2>"$work/err" || status=$?
expect 2 '60 clients at once are more than the 50 local ports, 40000 to 40049'
exit 0
