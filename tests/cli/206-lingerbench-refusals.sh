#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A port in use, a folder that cannot be written, a full disk: one clear line, and nothing taken for a result.
. tests/cli/lingerbench.common

python3 -c '
import socket, sys, time
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
time.sleep(60)' >"$work/port" &
holder=$!
trap 'status=$?; kill $holder; rm -rf "$work"; exit $status' EXIT
for _ in {1..250}; do
    [ -s "$work/port" ] && break
    sleep 0.02
done
bench run quick "${brief[@]}" --set "server.port=$(cat "$work/port")" --out "$work/results"
expect 1 "port $(cat "$work/port") is in use; choose another"

touch "$work/file"
bench run quick "${brief[@]}" --out "$work/file"
expect 1 "cannot create a folder for the results below $work/file: Not a directory"

TMPDIR=$work/nowhere bench run quick "${brief[@]}" --out "$work/results"
expect 1 'cannot create a scratch folder'

if ! unshare --mount true 2>/dev/null; then
    echo "SKIP: no mount namespace here, which the full disk needs"
    exit 77
fi
mkdir "$work/small"
# shellcheck disable=SC2016 # expanded by the inner shell
unshare --mount bash -c '
    mount -t tmpfs -o size=32k none "$1" || exit 99
    "$2" run quick "${@:3}" --out "$1/results" 2>&1 >/dev/null
    echo "status $?"
    find "$1/results" -type f -o -type l' _ "$work/small" "$bench" "${brief[@]}" \
    --set load.connections=1000 --set response.bytes=1k >"$work/full" 2>&1 || fail "$(cat "$work/full")"
grep -q '^status 1$' "$work/full" || fail "full disk: $(cat "$work/full")"
grep -q 'No space left on device; nothing of this run was kept' "$work/full" ||
    fail "full disk: $(cat "$work/full")"
[ "$(tail -n 1 "$work/full")" = "status 1" ] || fail "left on the full disk: $(cat "$work/full")"
exit 0
