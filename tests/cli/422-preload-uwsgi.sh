#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# uWSGI with and without liblinger-preload.so, as gunicorn in 402; then threads, and connections that live through
# exec() or end by it.
# shellcheck source=tests/cli/preload.common
. tests/cli/preload.common
uploads=20

uwsgi=/usr/bin/uwsgi-core
if [ ! -x $uwsgi ] || [ ! -e /usr/lib/uwsgi/plugins/python3_plugin.so ]; then
    echo "SKIP: no uWSGI: apt-get install uwsgi-core uwsgi-plugin-python3"
    exit 77
fi

cat >"$work/refusal.py" <<'PY'
def application(environ, start_response):
    """Answers 1 MB and leaves the body unread."""
    start_response("413 Content Too Large", [("Content-Length", "1000000")])
    return [b"x" * 1000000]
PY

start_uwsgi() { # [NAME=VALUE...]: the environment that it gets; $threads: more options
    port=$(free_port)
    # shellcheck disable=SC2086 # words
    env "$@" $uwsgi --master --die-on-term --need-app --plugin python3 --chdir "$work" --wsgi-file refusal.py \
        --processes 2 $threads --http-socket "127.0.0.1:$port" >"$work/uwsgi.err" 2>&1 &
    server_pid=$!
    wait_for grep -q "spawned uWSGI worker 2" "$work/uwsgi.err"
}

start_lingerd

threads=
start_uwsgi PLAIN=1
peers uploader "$port" / $uploads
[ "$truncated" -gt 0 ] || fail "nothing was lost without the library: this test shows nothing"
stop "$server_pid"
echo "without the library $truncated of $uploads answers were truncated"

expected=0
for threads in "" "--enable-threads --threads 4"; do
    start_uwsgi LD_PRELOAD="$preload" LINGER_SOCKET="$work/lingerd.sock"
    peers uploader "$port" / $uploads
    [ "$complete" = $uploads ] || fail "$truncated of $uploads answers were truncated ($threads)"
    expected=$((expected + uploads))
    wait_for counts handoffs $expected
    stop "$server_pid"
done
server_pid=

cat >"$work/holders.py" <<'PY'
import os, sys, threading
from preload_pairs import accepted, answered, eof, run


def threads():
    """Each accepts, and closes what another one has accepted."""
    pairs, lock = [], threading.Lock()

    def serve():
        for _ in range(10):
            with lock:
                pairs.append(accepted())
        for _ in range(10):
            with lock:
                fd, client = pairs.pop(0)
            os.close(fd)
            assert eof(client, 10)

    workers = [threading.Thread(target=serve) for _ in range(10)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert not pairs


def exec_keeps():
    """A CGI of sorts: the connection is the output of what the child becomes, and nobody ends it before."""
    fd, client = accepted()
    os.set_inheritable(fd, True)
    if not os.fork():
        os.execv("/bin/sh", ["sh", "-c", f"sleep 0.5; echo answer >&{fd}"])
    os.close(fd)
    assert not eof(client)
    assert answered(client, b"answer\n")
    assert os.wait()[1] == 0
    assert eof(client, 10)


def exec_closes():
    """close-on-exec: the kernel closes it, in the child alone or in the last holder."""
    fd, client = accepted()
    if not os.fork():
        os.execv("/bin/true", ["true"])
    os.wait()
    assert not eof(client)
    os.write(fd, b"answer")
    assert answered(client, b"answer")
    if not os.fork():
        os.execv("/bin/true", ["true"])
    os.close(fd)
    os.wait()
    assert eof(client, 10)


def exec_the_last():
    """The holder itself becomes another program, which knows of no connection and closes it as ever."""
    fd, client = accepted()
    os.set_inheritable(fd, True)
    child = os.fork()
    if not child:
        client.close()
        os.execv(sys.executable, [sys.executable, "-c", f"import os; os.write({fd}, b'answer'); os.close({fd})"])
    os.close(fd)
    assert answered(client, b"answer")
    assert eof(client, 10)
    assert os.wait()[1] == 0


run(globals())
PY

holders threads 100
none exec_keeps exec_closes exec_the_last
counts refused_not_tcp 0 || fail "something else than TCP was handed off"
exit 0
