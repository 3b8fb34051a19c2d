#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The preload library and epoll: what is closed leaves its sets, as without the library, and what was taken out of
# them before is handed off.
# shellcheck source=tests/cli/preload.common
. tests/cli/preload.common

cat >"$work/holders.py" <<'PY'
import os, select
from preload_pairs import accepted, ended, eof, run

epoll = select.epoll()
other_set = select.epoll()


def nothing_comes(client):
    """Not even when the peer gives it something to tell: then an event would be of a connection that is gone."""
    assert eof(client, 10)
    client.close()
    assert epoll.poll(0.3) == [] and other_set.poll(0) == []


def watched():
    fd, client = accepted()
    epoll.register(fd, select.EPOLLIN)
    os.close(fd)
    nothing_comes(client)
    again, _ = accepted()
    epoll.register(again, select.EPOLLIN)


def modified():
    fd, client = accepted()
    epoll.register(fd, select.EPOLLIN)
    epoll.modify(fd, select.EPOLLIN | select.EPOLLONESHOT)
    os.close(fd)
    nothing_comes(client)


def taken_out():
    fd, client = accepted()
    epoll.register(fd, select.EPOLLIN)
    epoll.unregister(fd)
    os.close(fd)
    nothing_comes(client)


def in_twice():
    """The second time fails, and counts for nothing; nor does it to take it out once more."""
    fd, client = accepted()
    epoll.register(fd, select.EPOLLIN)
    try:
        epoll.register(fd, select.EPOLLIN)
        assert False, "registered twice"
    except FileExistsError:
        pass
    epoll.unregister(fd)
    try:
        epoll.unregister(fd)
        assert False, "unregistered twice"
    except FileNotFoundError:
        pass
    os.close(fd)
    nothing_comes(client)


def two_sets(out_of_both=False):
    fd, client = accepted()
    epoll.register(fd, select.EPOLLIN)
    other_set.register(fd, select.EPOLLIN)
    epoll.unregister(fd)
    if out_of_both:
        other_set.unregister(fd)
    os.close(fd)
    nothing_comes(client)


def out_of_both_sets():
    two_sets(True)


def number_reused():
    """What was closed unseen says nothing of the next one."""
    fd, client = accepted()
    epoll.register(fd, select.EPOLLIN)
    os.closerange(fd, fd + 1)
    client.close()
    fd, client = accepted()
    os.close(fd)
    nothing_comes(client)


def child(work):
    made = os.fork()
    if not made:
        work()
        os._exit(0)
    return made


def child_watches():
    """A child puts it into the set of both, and is gone."""
    fd, client = accepted()

    def watch():
        epoll.register(fd, select.EPOLLIN)
        os.close(fd)

    assert ended(child(watch))
    assert epoll.poll(0) == []
    os.close(fd)
    nothing_comes(client)


def child_serves(taken_out=False):
    """An event loop gives a connection to a child."""
    fd, client = accepted()
    epoll.register(fd, select.EPOLLIN)
    if taken_out:
        epoll.unregister(fd)
    wait, go = os.pipe()

    def serve():
        os.read(wait, 1)
        os.close(fd)

    made = child(serve)
    os.close(fd)
    os.write(go, b"x")
    assert ended(made)
    nothing_comes(client)


def child_serves_taken_out():
    child_serves(True)


run(globals())
PY

start_lingerd
none watched modified two_sets child_watches child_serves
for check in taken_out in_twice out_of_both_sets number_reused child_serves_taken_out; do
    holders $check 1
done
exit 0
