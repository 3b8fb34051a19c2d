#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# With io_uring or without it, because it is off or not allowed as in many containers, connections linger alike.
set -u
work=$(mktemp -d)
daemon=
status=0
trap 'status=$?; [ -z "$daemon" ] || kill "$daemon" 2>/dev/null; rm -rf "$work"; exit $status' EXIT
fail() {
    echo "$*"
    cat "$work/log"
    exit 1
}
cat >"$work/without" <<'PY'
import errno, os, seccomp, sys
rules = seccomp.SyscallFilter(seccomp.ALLOW)
rules.add_rule(seccomp.ERRNO(errno.EPERM), "io_uring_setup")
rules.load()
os.execv(sys.argv[1], sys.argv[1:])
PY
counter() { "$BUILD/lingerctl" --socket "$work/socket" status | awk -v name="$1" '$1 == name { print $2 }'; }

linger() { # EXPECTED COMMAND...: two thousand connections, of which half close later
    local expected=$1
    shift
    "$@" "$BUILD/lingerd" --socket "$work/socket" ${option:+"$option" off} 2>"$work/log" &
    daemon=$!
    for _ in $(seq 100); do
        [ -S "$work/socket" ] && break
        sleep 0.05
    done
    [ "$(counter uses_io_uring)" = "$expected" ] || fail "uses_io_uring is $(counter uses_io_uring), not $expected: $* $option"
    /usr/bin/python3 - "$work/socket" <<'PY' || fail "the peers"
import array, socket, struct, sys, time
listener = socket.create_server(("127.0.0.1", 0), backlog=64)
sender = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
sender.connect(sys.argv[1])
late = []
for number in range(2000):
    client = socket.create_connection(listener.getsockname())
    server, _ = listener.accept()
    server.sendall(b"response")
    if number % 2:
        late.append(client)
        client.sendall(b"late")
    server.shutdown(socket.SHUT_WR)
    assert client.recv(100, socket.MSG_WAITALL) == b"response"
    if not number % 2:
        client.close()
    message = struct.pack("=IHHHHI", 0x474e494c, 1, 16, 1, 1, 0)
    sender.sendmsg([message], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [server.fileno()]))])
    server.close()
    while len(late) > 100:
        assert late[0].recv(1) == b""
        late.pop(0).close()
for client in late:
    client.close()
PY
    for _ in $(seq 100); do
        [ "$(counter ended_fin)" = 2000 ] && break
        sleep 0.05
    done
    [ "$(counter ended_fin) $(counter lingers) $(counter drained_bytes)" = "2000 0 4000" ] || fail "$(counter ended_fin) of 2000 ended well"
    kill "$daemon"
    wait "$daemon" || fail "exit status $?"
    daemon=
}

option=''
linger 0 /usr/bin/python3 "$work/without"
option=--io-uring
linger 0 env
option=''
# Linux 6.1 has all that it takes.
if [ "$(printf '6.1\n%s\n' "$(uname -r)" | sort -V | head -n 1)" = 6.1 ] && [ "$(cat /proc/sys/kernel/io_uring_disabled 2>/dev/null || echo 0)" = 0 ]; then
    linger 1 env
fi
exit 0
