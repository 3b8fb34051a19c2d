#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A real server that is not there, does not start, is interrupted or is left alone by a killed lab: one clear line,
# and no process or file of it is left.
# shellcheck source=tests/cli/servers-lab.common
. tests/cli/servers-lab.common
need /usr/sbin/apache2 apache2-bin

bench run apache-prefork --dry-run
[ "$status" = 0 ] || fail "--dry-run"
grep -q 'workers of apache-prefork' "$work/out" || fail "the plan does not name the server"
bench packages apache-prefork
[ "$(cat "$work/out")" = apache2-bin ] || fail "packages"
bench list
grep -q '^  apache-prefork ' "$work/out" || fail "list has no apache-prefork"
bench run apache-prefork --set server.program=apache --dry-run
expect 2 'no server is called "apache"'
bench run apache-prefork --set strategies.use=so_linger --dry-run
expect 2 'no strategy is called "so_linger"'

# Not installed: in a namespace of mounts that hides it.
if [ "$(id -u)" = 0 ] && unshare -m true 2>/dev/null; then
    status=0
    # shellcheck disable=SC2016 # for the inner shell
    unshare -m sh -c 'mount -t tmpfs none /usr/lib/apache2/modules && exec "$@"' sh "$bench" run apache-prefork \
        --out "$work/results" >"$work/out" 2>"$work/err" || status=$?
    expect 1 'apache-prefork is not installed: there is no /usr/lib/apache2/modules/mod_mpm_prefork.so; apt-get install apache2-bin'
fi

# Its modules are there, but no module: it fails to start and says why.
mkdir "$work/tmp"
chmod 755 "$work" "$work/tmp"
export TMPDIR=$work/tmp
if [ "$(id -u)" = 0 ] && unshare -m true 2>/dev/null; then
    : >"$work/empty.so"
    status=0
    # shellcheck disable=SC2016
    unshare -m sh -c 'mount --bind "$1" /usr/lib/apache2/modules/mod_authz_core.so && shift && exec "$@"' sh "$work/empty.so" \
        "$bench" run apache-prefork --out "$work/results" >"$work/out" 2>"$work/err" || status=$?
    expect 1 'apache-prefork did not start; its log ends: '
    grep -q 'file too short' "$work/err" || fail "not Apache's own reason"
    leaves_nothing
fi

start_long_run() {
    "$bench" run apache-prefork --set load.duration=20s --out "$work/results" >"$work/out" 2>"$work/err" &
    lab=$!
    for _ in {1..200}; do
        pgrep -f "$work/tmp/lingerbench-.*httpd.conf" >/dev/null && return 0
        sleep 0.05
    done
    fail "Apache is not there"
}

for signal in INT TERM; do
    start_long_run
    sleep 0.5
    # A background job of a script ignores SIGINT, unless it asks for it: lingerbench does.
    kill -$signal $lab
    wait $lab
    [ $? = 130 ] || fail "exit status after SIG$signal"
    leaves_nothing
done

if [ "$(id -u)" = 0 ]; then
    start_long_run
    sleep 0.5
    kill -KILL $lab
    wait $lab 2>/dev/null
    for _ in {1..100}; do
        pgrep -f "$work/tmp/lingerbench-" >/dev/null || break
        sleep 0.05
    done
    left=$(pgrep -af "$work/tmp/lingerbench-") && fail "still running: $left"
    rm -rf "$work"/tmp/lingerbench-* # a killed lab cannot remove its folder
fi
exit 0
