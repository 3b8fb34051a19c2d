#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""hand_over.py SOCKET COUNT [HOLD]: hands COUNT connections to the lingerd there, one after the other.

Their clients send 100 bytes each and close HOLD seconds later (0); with HOLD "never" they stay until this
process ends, with stdin. Prints how many were taken and how many the daemon had no room for.
"""
import array
import collections
import socket
import struct
import sys
import time

HANDOFF = struct.pack("IHHHHI", 0x474E494C, 1, 16, 1, 1, 0)


def hand_over(sender, server):
    rights = array.array("i", [server.fileno()])
    sender.sendmsg([HANDOFF], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)])


def main():
    path, count = sys.argv[1], int(sys.argv[2])
    hold = float("inf") if sys.argv[3:] == ["never"] else float((sys.argv[3:] or ["0"])[0])
    sender = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    sender.connect(path)
    sender.setblocking(False)
    listener = socket.create_server(("127.0.0.1", 0))
    held = collections.deque()
    taken = refused = 0
    for _ in range(count):
        client = socket.create_connection(listener.getsockname())
        server = listener.accept()[0]
        server.shutdown(socket.SHUT_WR)
        client.send(bytes(100))
        patience = time.monotonic() + (0.5 if hold == float("inf") else 30)
        while True:
            try:
                hand_over(sender, server)
                taken += 1
                held.append((time.monotonic() + hold, client))
                break
            except BlockingIOError:  # it may be busy, or full
                if time.monotonic() > patience:
                    refused += 1
                    break
                time.sleep(0.001)
        server.close()
        while held and held[0][0] <= time.monotonic():
            held.popleft()[1].close()
    print(taken, refused, flush=True)
    if hold == float("inf"):
        sys.stdin.read()
    else:
        time.sleep(hold)


main()
