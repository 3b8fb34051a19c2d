#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Each virtual host has its own setting, also those that share an address: whether, to which daemon, with which
# timeouts. A connection has that of its last request.
# shellcheck source=tests/cli/apache.common
. tests/cli/apache.common

host() { # NAME LINE
    echo "<VirtualHost 127.0.0.1:$port>
ServerName $1
$2
</VirtualHost>"
}

# HOST...: one connection with a request for each; then the client stays until nothing lingers. Prints for how many ms.
cat >"$work/get.py" <<'PY'
import json, socket, subprocess, sys, time

support, port, lingerctl, lingerd, *hosts = sys.argv[1:]
sys.path.insert(0, support)
from http_peers import read_response


def lingers():
    status = subprocess.run([lingerctl, "status", "--json", "--socket", lingerd], stdout=subprocess.PIPE, check=True)
    return json.loads(status.stdout)["lingers"]


with socket.create_connection(("127.0.0.1", int(port)), 30) as connection:
    stream = connection.makefile("rb")
    for host in hosts:
        last = "Connection: close\r\n" if host is hosts[-1] else ""
        connection.sendall(f"GET /small HTTP/1.1\r\nHost: {host}\r\n{last}\r\n".encode())
        if not read_response(stream):
            sys.exit("not whole")
    if stream.read() != b"":
        sys.exit("more than the response")
    began = time.monotonic()
    time.sleep(0.1)
    while lingers():
        pass
    print(int((time.monotonic() - began) * 1000))
PY
get() { # HOST...: sets $held
    held=$(python3 -B "$work/get.py" "$support" "$port" "$build/lingerctl" "$work/lingerd.sock" "$@" 2>>"$work/peers.err") || fail "get $*"
}

start_lingerd
start_apache worker \
    "$(host plain "")" \
    "$(host off "Lingerd Off")" \
    "$(host brief "LingerdIdleTimeout 0.4")" \
    "$(host total "LingerdTotalTimeout 0.7")" \
    "$(host long "LingerdIdleTimeout 60")"

expect_held() { # FROM TO COUNTER VALUE
    { [ "$held" -ge "$1" ] && [ "$held" -le "$2" ]; } || fail "held for $held ms, not from $1 to $2"
    wait_for counts "$3" "$4"
}
get brief
expect_held 390 1000 ended_idle 1
get total
expect_held 690 1300 ended_total 1
get plain
expect_held 1990 2800 ended_idle 2
get long # the daemon's own timeout is the most that it gives
expect_held 1990 2800 ended_idle 3
get plain total brief
expect_held 390 1000 ended_idle 4
counts handoffs 5 || fail "$(counter handoffs) handoffs, not 5"
get off
counts handoffs 5 || fail "a host with Lingerd Off hands over"
get plain off
counts handoffs 5 || fail "a connection whose last request went to a host with Lingerd Off is handed over"
get off brief
wait_for counts handoffs 6
said 0 "[lingerd:" || fail "the module complains"
exit 0
