#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What lingertrace, and Debian's tcpstates and tcplife (package libbpf-tools), say of the same ten connections.

Prints a table in Markdown, which docs/tracer.md shows. All three are attached at once, in one run.
"""
import csv
import os
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

from tracer import BUILD, free_port, in_own_tracefs

RESET = struct.pack("ii", 1, 0)


def half_close(server):
    server.shutdown(socket.SHUT_WR)


def hand_over(server):
    """To a child process, which waits for the peer's FIN and closes."""
    half_close(server)
    if os.fork() == 0:
        with open("/proc/self/comm", "w") as comm:
            comm.write("receiver")
        while server.recv(4096):
            pass
        server.close()
        os._exit(0)
    server.close()


def close_after(seconds):
    def peer(client):
        while client.recv(4096):
            pass
        time.sleep(seconds)
        client.close()
    return peer


def stay(client):
    time.sleep(1.5)
    client.close()


def send_late(client):
    time.sleep(0.12)
    client.sendall(b"late")
    time.sleep(0.05)
    client.close()


def close_when_told(server):
    server.recv(1)
    time.sleep(0.1)
    server.close()


def unread(server):
    time.sleep(0.05)
    server.close()


def linger_0(server):
    server.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    server.close()


def linger2(server):
    server.setsockopt(socket.IPPROTO_TCP, socket.TCP_LINGER2, 1)
    half_close(server)
    time.sleep(0.1)
    server.close()


def drain(server):
    half_close(server)
    while server.recv(4096):
        pass
    server.close()


# What is done: its name, the server's part, the client's part.
CASES = [
    ("close(); the peer follows at once", lambda s: s.close(), close_after(0)),
    ("close(); the peer follows after 0.3 s", lambda s: s.close(), close_after(0.3)),
    ("close(); the peer follows after 1.5 s", lambda s: s.close(), close_after(1.5)),
    ("half-close; the peer follows after 0.2 s; close()", drain, close_after(0.2)),
    ("half-close; handed to another process, which waits 0.3 s for the peer", hand_over, close_after(0.3)),
    ("close() with unread bytes", unread, lambda c: (c.sendall(b"unread"), time.sleep(0.1), c.close())),
    ("close() with SO_LINGER of 0 s", linger_0, lambda c: (time.sleep(0.05), c.close())),
    ("close(); the peer sends data after 0.12 s", lambda s: s.close(), send_late),
    ("close() with TCP_LINGER2 of 1 s; the peer stays", linger2, stay),
    ("the peer closes first; close() after 0.1 s", close_when_told, lambda c: c.close()),
]


def run_case(listener, server_part, client_part):
    """Returns the client's port, by which all three know the connection. Neither side has the other's socket."""
    client_process = os.fork()
    if client_process == 0:
        with open("/proc/self/comm", "w") as comm:
            comm.write("client")
        client_part(socket.create_connection(listener.getsockname()))
        os._exit(0)
    server, address = listener.accept()
    server_part(server)
    os.waitpid(client_process, 0)
    return address[1]


def read_tcpstates(path):
    """By the client's port: how long in FIN_WAIT2, and who is named where it is left for CLOSE."""
    rows = {}
    for line in open(path):
        field = line.split()
        if len(field) != 11 or not field[6].isdigit():
            continue
        row = rows.setdefault(int(field[6]), {"fin_wait2": None, "last": None})
        if field[7] == "FIN_WAIT2":
            row["fin_wait2"] = float(field[10])
        if field[9] == "CLOSE":
            row["last"] = field[2]
    return rows


def read_tcplife(path):
    rows = {}
    for line in open(path):
        field = line.split()
        if len(field) == 9 and field[0].isdigit():
            rows[int(field[5])] = (field[1], float(field[8]))
    return rows


def milliseconds(text):
    return f"{float(text) / 1000:.3f}" if text else "none"


def main():
    with open("/proc/self/comm", "w") as comm:
        comm.write("server")
    port = free_port()
    if not os.path.exists(f"{BUILD}/lingertrace"):
        sys.exit("build/lingertrace is missing: make")
    with tempfile.TemporaryDirectory() as folder:
        commands = {
            "lingertrace": [f"{BUILD}/lingertrace", "--port", str(port), "--csv", f"{folder}/rows.csv"],
            "tcpstates": in_own_tracefs(["stdbuf", "-oL", "/usr/sbin/tcpstates", "-L", str(port)]),
            "tcplife": in_own_tracefs(["stdbuf", "-oL", "/usr/sbin/tcplife", "-L", str(port)]),
        }
        tracers = []
        for name, command in commands.items():
            with open(f"{folder}/{name}", "w") as output:
                tracers.append(subprocess.Popen(command, stdout=output, stderr=subprocess.DEVNULL))
        time.sleep(2)
        listener = socket.create_server(("127.0.0.1", port))
        ports = [run_case(listener, server, client) for _, server, client in CASES]
        time.sleep(2)
        for tracer in tracers:
            tracer.send_signal(signal.SIGTERM)
            tracer.wait()
        ours = {int(row["rport"]): row for row in csv.DictReader(open(f"{folder}/rows.csv"))}
        states, life = read_tcpstates(f"{folder}/tcpstates"), read_tcplife(f"{folder}/tcplife")

    print("| what was done | tcpstates: FIN_WAIT2, ms; to CLOSE by | tcplife: closed by; ms |"
          " lingertrace: FIN_WAIT_2, ms; half-closed by; closed by; end |")
    print("| --- | --- | --- | --- |")
    for (name, _, _), client_port in zip(CASES, ports):
        state = states.get(client_port, {"fin_wait2": None, "last": None})
        row = ours[client_port]
        fin_wait2 = "none" if state["fin_wait2"] is None else f"{state['fin_wait2']:.3f}"
        comm, duration = life.get(client_port, ("no line", 0))
        print(f"| {name} | {fin_wait2}; {state['last']} | {comm}; {duration:.1f} |"
              f" {milliseconds(row['fin_wait_2_us'])}; {row['half_closer_comm'] or 'nobody'};"
              f" {row['closer_comm'] or 'nobody'}; {row['end']} |")


if __name__ == "__main__":
    main()
