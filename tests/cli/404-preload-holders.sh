#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The preload library where connections are open in several processes: children that end without closing.
# shellcheck source=tests/cli/preload.common
. tests/cli/preload.common

cat >"$work/holders.py" <<'PY'
import os, signal, time
from preload_pairs import accepted, answered, eof, run


def time_of_fork(kill):
    """400 connections are left to a child that ends without closing them. CPU time of the fork() itself."""
    pairs = [accepted() for _ in range(400)]
    began = time.thread_time()
    child = os.fork()
    if not child:
        if kill:
            signal.pause()
        os._exit(0)
    took = time.thread_time() - began
    if kill:
        os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    for fd, client in pairs:
        os.close(fd)
        client.close()
    return took


def children_end_without_closing():
    """However many were left so, fork() costs the same, and the last holder still hands off."""
    first = [time_of_fork(i % 2) for i in range(10)]
    later = [time_of_fork(i % 2) for i in range(12)]
    fd, client = accepted()
    child = os.fork()
    if not child:
        os.close(fd)
        os._exit(0)
    os.waitpid(child, 0)
    assert not eof(client)
    os.write(fd, b"answer")
    assert answered(client, b"answer")
    os.close(fd)
    assert eof(client, 10)
    assert min(later) < 8 * min(first), (first, later)


def more_than_can_be_counted():
    """A connection whose count had to be given up is closed as ever, by whoever is last."""
    fd, client = accepted()
    wait, go = os.pipe()
    child = os.fork()
    if not child:
        os.read(wait, 1)
        os.write(fd, b"answer")
        os.close(fd)
        os._exit(0)
    for _ in range(22):
        time_of_fork(False)
    os.close(fd)
    assert not eof(client)
    os.write(go, b"x")
    assert answered(client, b"answer")
    assert eof(client, 10)
    os.waitpid(child, 0)


run(globals())
PY

start_lingerd
holders children_end_without_closing 1
none more_than_can_be_counted
exit 0
