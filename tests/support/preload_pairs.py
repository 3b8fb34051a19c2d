# SPDX-License-Identifier: MIT
"""What the checks of the preload library share: connections that this process accepted itself."""
import os
import socket
import sys

listener = socket.create_server(("127.0.0.1", 0), backlog=1000)


def accepted():
    """The descriptor, and the client at its other end."""
    client = socket.create_connection(listener.getsockname())
    return listener.accept()[0].detach(), client


def eof(client, seconds=0.3):
    client.settimeout(seconds)
    try:
        return client.recv(1) == b""
    except TimeoutError:
        return False


def answered(client, answer):
    """Whether the answer comes, and before it no end."""
    client.settimeout(10)
    received = b""
    while len(received) < len(answer) and (piece := client.recv(100)):
        received += piece
    return received == answer


def ended(child):
    return os.waitpid(child, 0)[1] == 0


def run(checks):
    checks[sys.argv[1]]()
