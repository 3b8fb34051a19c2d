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

# The results are whole without the link, and where the command line is no UTF-8.
mkdir -p "$work"/caf$'\xe9'/latest
bench run quick "${brief[@]}" --out "$work"/caf$'\xe9'
expect 0 "cannot be made a link to the results: Is a directory"
grep -q 'caf?' "$work"/caf$'\xe9'/quick/*/run.json || fail "the command is not in run.json"
[ "$(ls "$work"/caf$'\xe9')" = "$(printf 'latest\nquick')" ] || fail "a link is left"

TMPDIR=$work/nowhere bench run quick "${brief[@]}" --out "$work/results"
expect 1 'cannot create a scratch folder'

mkdir "$work/small"
if ! mount -t tmpfs -o size=32k none "$work/small" 2>"$work/err"; then
    echo "SKIP: the full disk needs a small file system: $(cat "$work/err")"
    exit 77
fi
trap 'status=$?; kill $holder; umount "$work/small"; rm -rf "$work"; exit $status' EXIT
bench run quick "${brief[@]}" --out "$work/small/results" --set load.connections=1000 --set response.bytes=1k
expect 1 'No space left on device; nothing of this run was kept'
[ -z "$(ls -A "$work/small")" ] || fail "something is left on the full disk"
mkdir "$work/small/results"
bench run quick "${brief[@]}" --out "$work/small/results/new/" --set load.connections=1000 --set response.bytes=1k
expect 1 'No space left on device; nothing of this run was kept'
[ "$(cd "$work/small" && find .)" = "$(printf '.\n./results')" ] || fail "a folder that was there before is gone, or more is left"
exit 0
