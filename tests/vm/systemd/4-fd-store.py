#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Restarts in order lose nothing: all that lingers waits in systemd's store. A stop and a crash cost what is promised."""
import json
import os
import resource
import select
import signal
import sys
import traceback

from guest import *

COUNT = 3000
SECONDS = 100  # deadlines: after all restarts, and the daemon's waits in them


def ended_handoffs(mark):
    """What the processes that have ended since then had taken over."""
    return sum(int(match.group(1)) for match in mark.find(r"ended: (\d+) handoffs"))


class Servers:
    """Processes that hand over all the time once they are told to, with some responses at once still under way."""

    WINDOW = 10

    def __init__(self, count):
        self.stop, self.go_on = os.pipe()
        self.wait, self.begin = os.pipe()
        self.results = []
        for _ in range(count):
            reader, writer = os.pipe()
            pid = os.fork()
            if pid == 0:
                try:
                    os.close(self.go_on)
                    os.close(self.begin)
                    os.read(self.wait, 1)
                    os.write(writer, json.dumps(self._serve()).encode())
                except Exception:
                    traceback.print_exc(file=sys.stdout)
                    sys.stdout.flush()
                finally:
                    os._exit(0)
            os.close(writer)
            children.append(pid)
            self.results.append((pid, reader))

    def _serve(self):
        sender, window = Sender(), []
        handed_over = kept = broken = 0
        longest = 0
        while window or not self._is_over():
            if not self._is_over():
                began = time.monotonic()
                exchange = Exchange(sender)
                longest = max(longest, time.monotonic() - began)
                window.append(exchange)
                handed_over += exchange.error == 0
                kept += exchange.error != 0
                if len(window) < self.WINDOW:
                    continue
            broken += not window.pop(0).finish()
        return handed_over, kept, broken, longest

    def _is_over(self):
        return select.select([self.stop], [], [], 0)[0]

    def end(self):
        """How many they have handed over and kept, how many responses did not arrive whole; the longest handoff."""
        os.close(self.go_on)
        found = []
        for pid, reader in self.results:
            with os.fdopen(reader) as file:
                found.append(json.loads(file.read()))
            os.waitpid(pid, 0)
            children.remove(pid)
        os.close(self.stop)
        handed_over, kept, broken, longest = zip(*found)
        return sum(handed_over), sum(kept), sum(broken), max(longest)


@test
def restarts_reset_none_and_forget_none_while_servers_hand_over():
    config = f"[lingerd]\nidle-timeout = {SECONDS}\ntotal-timeout = {SECONDS}\nat-deadline = reset\n"
    as_shipped(config)
    systemctl("start", SERVICE)
    mark, servers = Journal(), Servers(2)  # before there is anything that they could inherit
    held, sender = Held(), Sender()
    began = time.monotonic()
    held.hold(COUNT, sender)
    say(f"{COUNT} handed over in {time.monotonic() - began:.1f} s")
    expect(lingers=COUNT)
    os.close(servers.begin)
    for number in range(1, 5):
        if number == 3:
            # The rest of the gap is what it takes to end and to start.
            configure(config + "stop-grace = 0\n")
            systemctl("reload", SERVICE)
        pid, began = main_pid(), time.monotonic()
        systemctl("restart", SERVICE)
        took = time.monotonic() - began
        check(main_pid() != pid, "it is the same process")
        check_equal(len(held.reset()), 0, "connections reset by a restart")
        # What servers have just handed over is restored, too.
        now = counters()
        check(now["restored"] >= COUNT, f"only {now['restored']} of {COUNT} are restored")
        check(now["lingers"] >= COUNT, f"only {now['lingers']} of {COUNT} linger")
        say(f"restart {number}: {took:.1f} s, {now['restored']} restored")
    handed_over, kept, broken, longest = servers.end()
    say(f"meanwhile: {handed_over} handed over, {kept} kept by their servers, the longest handoff {longest:.3f} s")
    check_equal(broken, 0, "responses that did not arrive whole")
    check(handed_over > 100, "servers have hardly handed over")
    expect(lingers=COUNT)
    check_equal(ended_handoffs(mark) + counters()["handoffs"], handed_over + COUNT, "handoffs counted by all processes")
    drained = counters()["drained_bytes"]
    held.send(100)
    expect(drained_bytes=drained + 100 * COUNT)
    # The third part of the clients closes; the others stay until their deadlines.
    for fd in list(held.clients)[::3]:
        held.clients.pop(fd)[0].close()
    rest = len(held.clients)
    expect(lingers=rest, ended_reset=0, ended_total=0, ended_idle=0, ended_error=0)
    late = []
    while len(late) < rest:
        fds = held.reset(SECONDS)
        now = time.monotonic()
        check(fds, f"only {len(late)} of {rest} have come to their deadline")
        late += [now - held.clients[fd][1] - SECONDS for fd in fds]
    say(f"deadlines: from {min(late) * 1000:.0f} ms to {max(late) * 1000:.0f} ms after what they were")
    check(min(late) >= -0.1, f"one was reset {-min(late):.3f} s before its deadline")
    check(max(late) < 1, f"one was reset {max(late):.3f} s after its deadline")
    now = counters()
    check_equal(now["ended_total"] + now["ended_idle"], rest, "ended by their deadline")
    expect(lingers=0)
    held.close()
    sender.close()


@test
def a_stop_has_its_grace_and_cuts_the_rest():
    as_shipped("[lingerd]\nidle-timeout = 300\ntotal-timeout = 300\n")
    systemctl("start", SERVICE)
    mark, sender, brief, held = Journal(), Sender(), Held(), Held()
    brief.hold(100, sender)
    held.hold(200, sender)
    expect(lingers=300)
    began = time.monotonic()
    systemctl("stop", "--no-block", SOCKET_UNIT, SERVICE)
    mark.expect("ending: 300 connections have 5 s to come to their end")
    check_equal(len(held.reset()), 0, "connections reset at once")
    brief.close()
    wait_for(lambda: show("ActiveState") == "inactive", "it does not stop")
    say(f"{time.monotonic() - began:.1f} s until it had stopped")
    mark.expect("left 200 connections to the service manager; if it does not start lingerd again, they are cut")
    end = mark.expect("ended: 300 handoffs: .*").group(0)
    say(end)
    check(": 100 fin; 200 passed on;" in end, "the last line does not count them")
    check_equal(show("NFileDescriptorStore"), "0", "what is in the store")
    check(not os.path.exists(SOCKET), "the socket is still there")
    # Nobody has them any more: whoever goes on sending learns it.
    held.send(100)
    told = 0
    while told < 200:
        fds = held.reset(PATIENCE)
        check(fds, f"only {told} of 200 are cut")
        told += len(fds)
    systemctl("start", SOCKET_UNIT, SERVICE)
    expect(restored=0, lingers=0)
    held.close()
    sender.close()


@test
def a_crash_costs_what_a_plain_close_would_and_the_queue_of_the_socket_survives():
    as_shipped("[lingerd]\nidle-timeout = 300\ntotal-timeout = 300\n")
    systemctl("start", SERVICE)
    mark, pid, sender, held = Journal(), main_pid(), Sender(), Held()
    held.hold(100, sender)
    # Responses that are still on their way: whoever sends nothing more gets them.
    under_way = []
    for _ in range(20):
        client, server = connection(receive_buffer=16384)
        server.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, Exchange.RESPONSE)
        server.sendall(bytes(Exchange.RESPONSE))
        check_equal(sender.hand_over(server), 0, "handoff")
        under_way.append(client)
    expect(lingers=120)
    os.kill(pid, signal.SIGSTOP)
    # Of processes that it has not seen: they wait in the socket's queue.
    waiting = [Exchange(Sender()) for _ in range(30)]
    check_equal(sum(exchange.error != 0 for exchange in waiting), 0, "handoffs that failed")
    began = time.monotonic()
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: show("NRestarts") == "1" and show("ActiveState") == "active", "it is not started again")
    say(f"{time.monotonic() - began:.1f} s until the next one was ready")
    expect(handoffs=30, restored=0)
    check_equal(sum(not exchange.finish() for exchange in waiting), 0, "responses from the queue that did not arrive whole")
    expect(ended_fin=30, lingers=0)
    check_equal(len(held.reset()), 0, "connections reset by the crash, whose clients had sent nothing")
    check_equal([read_to_end(client) for client in under_way], [Exchange.RESPONSE] * 20, "responses on their way")
    mark.expect("code=killed, status=9/KILL")
    exchange = Exchange(sender)
    check_equal((exchange.error, exchange.finish()), (0, True), "a handoff of a process that was connected before")
    for client in under_way:
        client.close()
    held.close()
    sender.close()


resource.setrlimit(resource.RLIMIT_NOFILE, (COUNT + 1000, COUNT + 1000))
main()
