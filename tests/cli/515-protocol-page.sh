#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The example of lingerd-protocol(7) hands a connection over, and the page has the numbers of the header.
# shellcheck source=tests/cli/servers.common
. "${0%/*}/servers.common"
page=docs/man/lingerd-protocol.7

start_lingerd
{
    cat <<'PY'
import socket
listener = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(listener.getsockname())
server = listener.accept()[0]
PY
    sed -n '/^\.Sh EXAMPLES/,/^\.Ed/p' "$page" | grep -v '^\.' | sed '1d' | sed "s|/run/lingerd/lingerd.sock|$work/lingerd.sock|"
    echo 'assert client.recv(1) == b""'
} >"$work/example.py"
python3 "$work/example.py" >"$work/example.log" 2>&1 || fail "the example fails"
wait_for counts handoffs 1
wait_for counts ended_fin 1
"$build/lingerctl" status --json --socket "$work/lingerd.sock" | grep -E '"refused_[a-z_]+": [1-9]' && fail "refused"

cat >"$work/numbers.py" <<'PY'
import re
import sys

header = re.sub(r"/\*.*?\*/", "", open("user/liblinger/protocol.h").read(), flags=re.S)
page = open(sys.argv[1]).read()
types = {name: int(number) for name, number in re.findall(r"LINGER_MESSAGE_([A-Z_]+) =\s*(\d+)", header)}
named = {name: int(number) for number, name in re.findall(r"(\d+) ([A-Z_]+)", re.search(r"Ta type Ta (.*)", page).group(1))}
assert types and types == named, (types, named)
for name in types:
    assert re.search(rf"^\.It .*\b{name}\b", page, re.M), f"{name} is not explained"
for field in ("MAGIC", "VERSION"):
    number = re.search(rf"LINGER_PROTOCOL_{field}\s+(0x[0-9a-f]+|\d+)", header).group(1)
    assert f"Ta {field.lower()} Ta {number}\n" in page, (field, number)
PY
python3 "$work/numbers.py" "$page" >"$work/numbers.log" 2>&1 || fail "numbers"
exit 0
