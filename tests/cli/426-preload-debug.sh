#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# LINGER_PRELOAD_DEBUG: the preload library says once of each thing what becomes of the connections; and it writes to
# nothing but the stderr that it found, nor waits for that.
# shellcheck source=tests/cli/preload.common
. tests/cli/preload.common

cat >"$work/holders.py" <<'PY'
import fcntl, os, select, signal, socket, struct, sys
from preload_pairs import accepted, ended, eof, listener, run


def close_three(before_close=lambda fd: None):
    for _ in range(3):
        fd, client = accepted()
        before_close(fd)
        os.close(fd)


def plain():
    close_three()


def dup():
    close_three(os.dup)


def so_linger():
    def turn_on(fd):
        handle = socket.socket(fileno=fd)
        handle.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 1))
        handle.detach()

    close_three(turn_on)


def epoll():
    watched = select.epoll()
    close_three(lambda fd: watched.register(fd, select.EPOLLIN))


def forking():
    fd, client = accepted()
    child = os.fork()
    if not child:
        signal.pause()
    os.close(fd)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def unix():
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
        server.bind(os.environ["WORK"] + "/unix.sock")
        server.listen()
        client.connect(os.environ["WORK"] + "/unix.sock")
        os.close(server.accept()[0].detach())


def stderr_is_a_connection():
    """The server has closed its stderr, and a connection has that number: its client must get none of our lines."""
    client = socket.create_connection(listener.getsockname())
    os.close(2)
    fd = listener.accept()[0].detach()
    assert fd == 2
    other, _ = accepted()
    os.close(other)
    assert not eof(client)
    os.close(fd)
    assert eof(client, 10)


def with_stderr(make):
    """The library takes for stderr what a process starts with. In the child, SIGPIPE ends it."""
    if len(sys.argv) == 2:
        read, write = make()
        child = os.fork()
        if not child:
            os.dup2(write, 2)
            os.execv(sys.executable, [sys.executable, *sys.argv, "again"])
        os.close(write)
        assert ended(child)
    else:
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        plain()


def nobody_reads():
    def make():
        read, write = os.pipe()
        os.close(read)
        return read, write

    with_stderr(make)


def nobody_reads_on():
    def make():
        read, write = os.pipe()
        fcntl.fcntl(write, fcntl.F_SETPIPE_SZ, 4096)
        os.write(write, b"x" * 4096)
        return read, write

    with_stderr(make)


run(globals())
PY

debugged() { # CHECK HANDOFFS LINE...: says these, each once, and nothing else; the load's comes before them
    LINGER_PRELOAD_DEBUG=1 holders "$1" "$2"
    says "loaded into python, LINGER_SOCKET=$work/lingerd.sock" "${@:3}"
}

says() { # LINE...: Python does; what its start runs is loaded into as well
    printf 'liblinger-preload: %s\n' "$@" >"$work/wanted"
    sed -E 's/\[[0-9]+\]//; /: loaded into /{/ into python[0-9.]*,/!d; s/python[0-9.]*/python/}' "$work/holders.err" |
        diff "$work/wanted" - || fail "this (<) should have been said"
}

run_plain() { # [NAME=VALUE...]
    env LD_PRELOAD="$preload" LINGER_PRELOAD_DEBUG=1 "$@" python3 "$work/holders.py" plain >"$work/holders.err" 2>&1 ||
        fail "plain failed ($?)"
}

start_lingerd
holders plain 3
[ -s "$work/holders.err" ] && fail "it says something without being asked"
LINGER_PRELOAD_DEBUG=0 holders plain 3
[ -s "$work/holders.err" ] && fail "it says something when asked not to"

first='sees the first TCP connection that the server accepts' alone='leaves a connection alone:'
debugged plain 3 "$first" "has handed the first connection over"
debugged dup 0 "$first" "$alone it was shared by dup(), SCM_RIGHTS or a child that is not followed"
debugged so_linger 0 "$first" "$alone the server has set SO_LINGER on it"
debugged epoll 0 "$first" "$alone it is in an epoll set, or was in a closed one"
debugged forking 0 "$first" "leaves a connection to another process that still holds it, or held it until its own end"
debugged unix 0 "$alone it is not TCP"

LINGER_PRELOAD_DEBUG=1 holders stderr_is_a_connection 2
LINGER_PRELOAD_DEBUG=1 holders nobody_reads 3
LINGER_PRELOAD_DEBUG=1 holders nobody_reads_on 3

run_plain
says "loaded into python, and does nothing: LINGER_SOCKET is not set"
run_plain LINGER_SOCKET="/$(printf '%0200d' 0)"
says "loaded into python, and does nothing: LINGER_SOCKET=/$(printf '%0200d' 0): File name too long"
run_plain LINGER_SOCKET="$work/nobody.sock"
says "loaded into python, LINGER_SOCKET=$work/nobody.sock" "$first" \
    "cannot hand a connection over: No such file or directory"
exit 0
