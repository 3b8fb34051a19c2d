#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# gunicorn with and without liblinger-preload.so: refused uploads lose the end of the answer without it,
# and nothing with it. What must not be handed off is not.
# shellcheck source=tests/cli/preload.common
. tests/cli/preload.common
uploads=20

cat >"$work/refusal.py" <<'PY'
def application(environ, start_response):
    """Answers 1 MB and leaves the body unread."""
    start_response("413 Content Too Large", [("Content-Length", "1000000")])
    return [b"x" * 1000000]
PY

start_gunicorn() { # [NAME=VALUE...]: the environment that it gets
    port=$(free_port)
    : >"$work/gunicorn.err"
    env "$@" gunicorn --chdir "$work" --worker-tmp-dir "$work" --workers 2 --bind "127.0.0.1:$port" refusal:application \
        2>"$work/gunicorn.err" &
    server_pid=$!
    wait_for grep -q "Booting worker" "$work/gunicorn.err"
}

start_lingerd

start_gunicorn PLAIN=1
peers uploader "$port" / $uploads
[ "$truncated" -gt 0 ] || fail "nothing was lost without the library: this test shows nothing"
stop "$server_pid"
echo "without the library $truncated of $uploads answers were truncated"

# Without LINGER_SOCKET it does nothing at all.
start_gunicorn LD_PRELOAD="$preload"
peers uploader "$port" / $uploads
[ "$truncated" -gt 0 ] || fail "the library works without LINGER_SOCKET"
counts handoffs 0 || fail "the library hands off without LINGER_SOCKET"
stop "$server_pid"

start_gunicorn LD_PRELOAD="$preload" LINGER_SOCKET="$work/lingerd.sock"
peers uploader "$port" / $uploads
[ "$complete" = $uploads ] || fail "$truncated of $uploads answers were truncated"
wait_for counts handoffs $uploads

# A daemon that went away and came back. Meanwhile the server closes for itself, and goes on.
kill -KILL "$lingerd_pid"
wait "$lingerd_pid" 2>/dev/null
peers prompt "$port" / $uploads
[ "$complete" = $uploads ] || fail "$truncated of $uploads answers were truncated without a daemon"
start_lingerd
peers uploader "$port" / $uploads
[ "$complete" = $uploads ] || fail "$truncated of $uploads answers were truncated after a restart of the daemon"
wait_for counts handoffs $uploads
stop "$server_pid"
server_pid=

# One connection in each way; the daemon's count tells. Each check is a process of its own.
cat >"$work/holders.py" <<'PY'
import array, os, socket, struct, subprocess
from preload_pairs import accepted, answered, ended, eof, listener, run


def plain():
    fd, client = accepted()
    os.close(fd)
    assert eof(client, 10)


def dup():
    fd, client = accepted()
    other = os.dup(fd)
    os.close(fd)
    assert not eof(client)
    os.write(other, b"still there")
    assert answered(client, b"still there")
    os.close(other)
    assert eof(client, 10)


def dup2_over_it():
    fd, client = accepted()
    null = os.open("/dev/null", os.O_RDONLY)
    os.dup2(null, fd)
    assert eof(client, 10)
    os.close(fd)


def so_linger():
    fd, client = accepted()
    handle = socket.socket(fileno=fd)
    handle.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handle.close()
    client.settimeout(10)
    try:
        client.recv(1)
        assert False, "no reset"
    except ConnectionResetError:
        pass


def outgoing():
    fd, client = accepted()
    os.dup(fd)
    os.close(client.detach())
    os.close(listener.detach())


def number_reused():
    fd, client = accepted()
    os.closerange(fd, fd + 1)
    other = socket.create_connection(listener.getsockname())
    assert other.fileno() == fd
    os.close(other.detach())


def passed_on():
    fd, client = accepted()
    ours, theirs = socket.socketpair()
    ours.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [fd]))])
    os.close(fd)
    assert not eof(client)


def forking():
    """The parent closes at once, as a server with a process per connection does; the child is the last."""
    fd, client = accepted()
    ready, go = os.pipe()
    if not os.fork():
        os.read(ready, 1)
        os.write(fd, b"answer")
        os.close(fd)
        os._exit(0)
    os.close(fd)
    os.write(go, b"x")
    assert answered(client, b"answer")
    assert eof(client, 10)
    assert os.wait()[1] == 0


def forked_helper():
    """A child that cleans up ends nothing of the parent's."""
    fd, client = accepted()
    if not os.fork():
        os.close(fd)
        os._exit(0)
    os.wait()
    assert not eof(client)
    os.write(fd, b"answer")
    assert answered(client, b"answer")
    os.close(fd)
    assert eof(client, 10)


def subprocess_closes_all():
    """subprocess closes what the child should not have, in a vfork() that shares our memory."""
    fd, client = accepted()
    subprocess.run(["true"], check=True, close_fds=True)
    assert not eof(client)
    os.close(fd)
    assert eof(client, 10)


def subprocess_serves():
    """The connection becomes the output of a child, and its dup2() happens in our memory, too."""
    fd, client = accepted()
    child = subprocess.Popen(["sh", "-c", "sleep 0.5; echo answer"], stdout=fd)
    os.close(fd)
    assert not eof(client)
    assert answered(client, b"answer\n")
    assert child.wait() == 0


def spawned():
    fd, client = accepted()
    actions = [(os.POSIX_SPAWN_DUP2, fd, 1)]
    child = os.posix_spawn("/bin/sh", ["sh", "-c", "sleep 0.5; echo answer"], os.environ, file_actions=actions)
    os.close(fd)
    assert not eof(client)
    assert answered(client, b"answer\n")
    assert ended(child)


def unix():
    path = os.environ["WORK"] + "/unix.sock"
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
        server.bind(path)
        server.listen()
        client.connect(path)
        os.close(server.accept()[0].detach())
        assert eof(client, 10)


def result_of_close():
    fd, client = accepted()
    os.close(fd)
    try:
        os.close(fd)
        assert False, "closed twice"
    except OSError as error:
        assert error.errno == 9


run(globals())
PY
# A vfork() child has our memory, but descriptors of its own: its close() is no close of ours.
cat >"$work/vfork.c" <<'C'
#include <sys/wait.h>
#include "preload_pair.h"

int main(void)
{
	struct pair pair = open_pair();
	char answer[8];

	if (!vfork()) {
		close(pair.server);
		_exit(0);
	}
	wait(NULL);
	if (write(pair.server, "answer", 6) != 6 || read(pair.client, answer, sizeof(answer)) != 6)
		return 3;
	close(pair.server);
	return read(pair.client, answer, sizeof(answer)) ? 4 : 0;
}
C
compile vfork

holders plain 1
holders result_of_close 1
holders forking 1
holders forked_helper 1
holders subprocess_closes_all 1
holders vfork 1
none dup dup2_over_it so_linger outgoing number_reused passed_on subprocess_serves spawned unix
counts refused_not_tcp 0 || fail "something else than TCP was handed off"
exit 0
