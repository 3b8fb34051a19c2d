# SPDX-License-Identifier: MIT
"""What the tests of systemd's side share: its units, handoffs by the installed library, and results as TAP."""
import ctypes
import json
import os
import pathlib
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
import traceback

SERVICE, SOCKET_UNIT = "lingerd.service", "lingerd.socket"
SOCKET = "/run/lingerd/lingerd.sock"
CONFIG = pathlib.Path("/etc/lingerd/lingerd.conf")
DROP_INS = pathlib.Path("/run/systemd/system/lingerd.service.d")
# Emulation makes everything slow, and none of it is what is tested.
PATIENCE = 120

tests = []
children = []  # processes that a failed test may leave


def test(function):
    tests.append(function)
    return function


def main():
    failed = 0
    print(f"1..{len(tests)}")
    for number, function in enumerate(tests, 1):
        began = time.monotonic()
        mark = Journal()
        try:
            function()
            print(f"ok {number} - {function.__name__}  # {time.monotonic() - began:.1f} s", flush=True)
        except Exception as error:
            failed += 1
            where = traceback.extract_tb(error.__traceback__)
            print(f"not ok {number} - {function.__name__}")
            words = " ".join(str(error).split())
            print(f"# {type(error).__name__}: {words if len(words) < 600 else words[:300] + ' [...] ' + words[-300:]}")
            print("# " + " < ".join(f"{frame.name}:{frame.lineno}" for frame in reversed(where)))
            for line in mark.lines("-n", "15"):
                print(f"# journal: {line}")
            sys.stdout.flush()
        while children:
            os.kill(children[-1], signal.SIGKILL)
            os.waitpid(children.pop(), 0)
    sys.exit(1 if failed else 0)


def say(text):
    print(f"# {text}", flush=True)


def check(true, text):
    if not true:
        raise AssertionError(text)


def check_equal(found, wanted, what):
    check(found == wanted, f"{what} is {found!r} and not {wanted!r}")


def wait_for(condition, what, seconds=PATIENCE):
    """Until it is true; then what it is."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        check(time.monotonic() < end, f"after {seconds} s: {what}")
        time.sleep(0.05)


def run(*words, fails=False):
    """What it says; with fails=None it may fail."""
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=PATIENCE)
    check(fails in (bool(done.returncode), None), f"{' '.join(words)}: exit status {done.returncode}: {done.stdout}")
    return done.stdout


def systemctl(*words, fails=False):
    return run("systemctl", *words, fails=fails)


def show(key, unit=SERVICE):
    return systemctl("show", "--value", "--property", key, unit).strip()


def main_pid():
    return int(show("MainPID"))


def counters():
    return json.loads(run("lingerctl", "status", "--json"))


def expect(**wanted):
    """Counters come to these values."""
    found = {}

    def there():
        found.update(counters())
        return all(found[name] == value for name, value in wanted.items())

    try:
        wait_for(there, "")
    except AssertionError:
        raise AssertionError(", ".join(f"{name} is {found[name]} and not {value}" for name, value in wanted.items())) from None


class Journal:
    """What the journal has got since then."""

    def __init__(self):
        self.since = time.time()

    def lines(self, *words):
        run("journalctl", "--sync")
        return run("journalctl", "--quiet", "-o", "cat", f"--since=@{self.since:.6f}", *words).splitlines()

    def find(self, pattern, unit=SERVICE):
        """Its matches in what this unit says, and systemd of it."""
        return [match for match in (re.search(pattern, line) for line in self.lines("-u", unit)) if match]

    def expect(self, pattern, unit=SERVICE):
        return wait_for(lambda: self.find(pattern, unit), f"the journal does not say '{pattern}'")[0]


def configure(text):
    CONFIG.write_text(text)


def drop_in(text):
    """Changes lingerd.service as systemctl edit does."""
    DROP_INS.mkdir(parents=True, exist_ok=True)
    (DROP_INS / "test.conf").write_text(text)
    systemctl("daemon-reload")


def as_shipped(config="[lingerd]\n"):
    """The socket listens, the service does not run, nothing of an earlier test is left."""
    systemctl("stop", SOCKET_UNIT, SERVICE)
    configure(config)
    if DROP_INS.exists():
        shutil.rmtree(DROP_INS)
        systemctl("daemon-reload")
    systemctl("reset-failed")
    systemctl("start", SOCKET_UNIT)
    check_equal(show("ActiveState"), "inactive", "the service's state")


class Sender:
    """A process that hands over, with the library that is installed."""

    library = ctypes.CDLL("/usr/lib/liblinger.so.1")

    def __init__(self):
        self.client = ctypes.c_void_p()
        error = self.library.linger_client_open(ctypes.byref(self.client), SOCKET.encode())
        check_equal(error, 0, "linger_client_open()")

    def hand_over(self, server):
        """0, or a negative errno. The server's socket is closed in the one case, and the caller's in the other."""
        error = self.library.linger_handoff(self.client, server.fileno())
        if error == 0:
            server.close()
        return error

    def close(self):
        self.library.linger_client_close(self.client)


def connection(receive_buffer=None, listeners={}):
    """A client and a server that are connected."""
    # Each process its own, or it accepts what another one has connected.
    listener = listeners.get(os.getpid()) or socket.create_server(("127.0.0.1", 0))
    listeners[os.getpid()] = listener
    client = socket.socket()
    if receive_buffer:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    client.connect(listener.getsockname())
    return client, listener.accept()[0]


def read_to_end(client):
    """How many bytes come before EOF; ConnectionResetError if one cut them off."""
    count = 0
    client.settimeout(PATIENCE)
    while True:
        piece = client.recv(65536)
        if not piece:
            return count
        count += len(piece)


class Exchange:
    """A response that a close() at once would cut off: the client has sent what nobody reads, and reads late."""

    RESPONSE = 200000

    def __init__(self, sender):
        self.client, self.server = connection(receive_buffer=16384)
        self.server.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, self.RESPONSE)
        self.client.sendall(bytes(500))
        self.server.sendall(bytes(self.RESPONSE))
        self.error = sender.hand_over(self.server)
        if self.error:
            self.server.shutdown(socket.SHUT_WR)

    def finish(self):
        """Whether all of it arrives."""
        try:
            self.client.sendall(bytes(500))
            return read_to_end(self.client) == self.RESPONSE
        except (ConnectionResetError, BrokenPipeError):
            return False
        finally:
            self.client.close()
            self.server.close()


class Held:
    """Clients that have their EOF and stay. The kernel tells when one is reset, and of nothing else."""

    def __init__(self):
        self.clients = {}  # by descriptor: the socket, and when it was handed over
        self.poll = select.epoll()

    def hold(self, count, sender):
        for _ in range(count):
            client, server = connection()
            # Not at once, if it has as many on their way to it as its queue takes.
            wait_for(lambda: sender.hand_over(server) == 0, "handoffs fail")
            self.clients[client.fileno()] = client, time.monotonic()
            self.poll.register(client.fileno(), 0)

    def reset(self, seconds=0):
        """Those that have been reset by now, or within that time: each is told once."""
        found = self.poll.poll(seconds, len(self.clients) or 1)
        for fd, _ in found:
            self.poll.unregister(fd)
        return [fd for fd, _ in found]

    def send(self, count):
        for client, _ in self.clients.values():
            client.send(bytes(count))

    def close(self):
        self.poll.close()
        for client, _ in self.clients.values():
            client.close()
        self.clients = {}
        self.poll = select.epoll()


def as_user(uid, groups, function):
    """In a process of its own, of that user: what it returns, a small number."""
    pid = os.fork()
    if pid == 0:
        result = 255
        try:
            os.setgroups(groups)
            os.setgid(uid)
            os.setuid(uid)
            result = function()
        except Exception:
            traceback.print_exc(file=sys.stdout)
            sys.stdout.flush()
        finally:
            os._exit(result)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
