#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""http_peers.py KIND PORT PATH COUNT: COUNT clients at once against 127.0.0.1.

Kinds: late closes 300 ms after the end of the response; tls does so over TLS and wants a close_notify;
uploader reads when it has sent 200 KB of body, in pieces; keepalive asks three times before it closes; prompt closes
at the end of the response; first closes its side before it has asked the server to; stall begins a request and does not
end it; h2 has five requests at once in one connection of HTTP/2 and waits until the server ends it.
Prints "complete N truncated N ms N": the last is how long it took until all responses had come.
"""
import socket
import ssl
import sys
import threading
import time

PATIENCE = 60
UPLOAD, PIECE = 200000, 10000


def connect(port):
    connection = socket.create_connection(("127.0.0.1", port), PATIENCE)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def read_head(stream):
    """The announced length of the body; -1 when there is no head."""
    length = -1
    if not stream.readline().startswith(b"HTTP/1.1 "):
        return -1
    while (line := stream.readline()) not in (b"\r\n", b""):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    return length


def read_response(stream):
    length = read_head(stream)
    return length > 0 and len(stream.read(length)) == length


def request(path, method="GET", more="Connection: close\r\n"):
    return f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n{more}\r\n".encode()


def late(connection, path):
    connection.sendall(request(path))
    stream = connection.makefile("rb")
    whole = read_response(stream) and stream.read() == b""
    yield whole
    time.sleep(0.3)


def prompt(connection, path):
    connection.sendall(request(path))
    stream = connection.makefile("rb")
    yield read_response(stream) and stream.read() == b""


def first(connection, path):
    connection.sendall(request(path, more=""))
    yield read_response(connection.makefile("rb"))


def stall(connection, path):
    connection.sendall(request(path)[:-4])
    stream = connection.makefile("rb")
    yield read_response(stream) and stream.read() == b""
    time.sleep(4)


def wrap(connection, *protocols):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if protocols:
        context.set_alpn_protocols(protocols)
    return context.wrap_socket(connection, suppress_ragged_eofs=False)


def tls(connection, path):
    with wrap(connection) as wrapped:
        yield from late(wrapped, path)


def tls_first(connection, path):
    with wrap(connection) as wrapped:
        yield from first(wrapped, path)


def h2(connection, path):
    """Frames of RFC 9113; headers as literals, so that no table is needed."""
    streams = range(1, 11, 2)
    left, said_goodbye, whole = set(streams), False, True

    def frame(kind, flags, stream, payload):
        return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload

    with wrap(connection, "h2") as wrapped:
        # HEADERS: GET, https, :path, :authority. Windows that one response never fills.
        headers = b"\x82\x87\x04" + bytes([len(path)]) + path.encode() + b"\x01\x09localhost"
        settings = frame(4, 0, 0, b"\x00\x04\x3f\xff\xff\xff")
        wrapped.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + settings + frame(8, 0, 0, b"\x3f\xff\x00\x00")
                        + b"".join(frame(1, 5, stream, headers) for stream in streams))
        stream = wrapped.makefile("rb")
        while len(head := stream.read(9)) == 9:
            length, kind, flags, number = int.from_bytes(head[:3], "big"), head[3], head[4], int.from_bytes(head[5:], "big")
            payload = stream.read(length)
            if kind == 4 and not flags & 1:
                wrapped.sendall(frame(4, 1, 0, b""))
            elif kind in (0, 1) and flags & 1:
                left.discard(number)
            elif kind == 3:
                whole = False
            elif kind == 7:
                said_goodbye = True
        yield whole and said_goodbye and not left and head == b""
        time.sleep(0.3)


def uploader(connection, path):
    connection.sendall(request(path, "POST", f"Content-Length: {UPLOAD}\r\n"))
    try:
        for _ in range(UPLOAD // PIECE):
            connection.sendall(b"x" * PIECE)
            time.sleep(0.005)
    except OSError:
        pass
    yield read_response(connection.makefile("rb"))


def keepalive(connection, path):
    stream = connection.makefile("rb")
    whole = True
    for more in "", "", "Connection: close\r\n":
        connection.sendall(request(path, more=more))
        whole = read_response(stream) and whole
    yield whole and stream.read() == b""


def run_one(kind, port, path, outcomes):
    """What follows kind's yield is the client's own delay, and no matter of the outcome."""
    try:
        with connect(port) as connection:
            for whole in kind(connection, path):
                outcomes.append((whole, time.monotonic()))
    except OSError as error:
        print(f"{kind.__name__}: {error!r}", file=sys.stderr)
        outcomes.append((False, time.monotonic()))


def main():
    kind, port, path, count = globals()[sys.argv[1]], int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
    outcomes = []
    began = time.monotonic()
    threads = [threading.Thread(target=run_one, args=(kind, port, path, outcomes)) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    complete = sum(whole for whole, _ in outcomes)
    last = max(when for _, when in outcomes)
    print(f"complete {complete} truncated {count - complete} ms {int((last - began) * 1000)}")


if __name__ == "__main__":
    main()
