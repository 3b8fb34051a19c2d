#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""wire_streams.py PORT...: what servers on these ports of 127.0.0.1 send, as their clients' kernels see it.

Captures on loopback until SIGTERM; "ready" on stdout says that it does. Then prints a line for each connection, in the
order in which they began: the bytes up to the FIN, their digest, what came in place of a FIN or before it. The Date
header is left out of the digest. Of TLS it takes the types and lengths of the records instead of what is in them.
"""
import ctypes
import hashlib
import re
import signal
import socket
import struct
import sys

ETH_P_ALL, ETH_P_IP, TCP, OUTGOING = 3, 0x0800, 6, 4
SO_ATTACH_FILTER, SO_RCVBUFFORCE = 26, 33
FIN, SYN, RST = 1, 2, 4


class Stream:
    def __init__(self):
        self.begin, self.pieces, self.fin, self.resets = None, {}, None, 0

    def take(self, flags, seq, data):
        if flags & SYN:
            self.begin = seq + 1
        if self.begin is None:
            return
        at = (seq - self.begin) % (1 << 32)
        if flags & RST and self.fin is None:
            self.resets += 1
        if data:
            self.pieces[at] = max(self.pieces.get(at, b""), data, key=len)
        if flags & FIN and self.fin is None:
            self.fin = at + len(data)

    def bytes(self):
        whole = b""
        for at in sorted(self.pieces):
            if at > len(whole):
                return whole + b"?"  # the capture has lost something
            whole = whole[:at] + self.pieces[at]
        return whole


def records(stream):
    """Of TLS: type and length of each."""
    at, found = 0, []
    while at + 5 <= len(stream):
        length = int.from_bytes(stream[at + 3:at + 5], "big")
        found.append((stream[at], length))
        at += 5 + length
    return repr(found + [len(stream) - at]).encode()


def describe(stream):
    sent = stream.bytes()
    is_tls = sent[:2] == b"\x16\x03"
    compared = records(sent) if is_tls else re.sub(rb"\r\nDate: [^\r]*", b"", sent)
    fin = "no FIN" if stream.fin is None else "FIN at the end" if stream.fin == len(sent) else f"FIN at {stream.fin}"
    return f"{len(sent)} bytes {hashlib.sha256(compared).hexdigest()[:16]} {fin}, {stream.resets} resets before it"


def see_only(capture, ports):
    """TCP of IPv4 from these ports: what else there is on loopback neither fills the capture nor keeps it from its end."""
    steps = [
        (0x30, 0, 0, 9),  # the protocol
        (0x15, 0, len(ports) + 2, TCP),  # another: to the end
        (0xB1, 0, 0, 0),  # over the IP header
        (0x48, 0, 0, 0),  # the source port
        *((0x15, len(ports) - at, 0, port) for at, port in enumerate(sorted(ports))),
        (0x06, 0, 0, 0),  # nothing of it
        (0x06, 0, 0, 1 << 17),  # all of it
    ]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
    capture.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("HP", len(steps), ctypes.addressof(code)))


def main():
    ports = {int(word) for word in sys.argv[1:]}
    streams = {}
    capture = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL))
    capture.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 64 << 20)
    see_only(capture, ports)
    capture.bind(("lo", ETH_P_ALL))
    capture.settimeout(0.1)
    ended = []
    signal.signal(signal.SIGTERM, lambda *_: ended.append(True))
    print("ready", flush=True)
    while True:
        try:
            packet, address = capture.recvfrom(1 << 17)
        except TimeoutError:
            if ended:
                break
            continue
        if address[1] != ETH_P_IP or address[2] == OUTGOING or packet[9] != TCP:
            continue
        tcp = packet[(packet[0] & 15) * 4:int.from_bytes(packet[2:4], "big")]
        sport, dport = int.from_bytes(tcp[:2], "big"), int.from_bytes(tcp[2:4], "big")
        if sport in ports:
            stream = streams.setdefault((sport, dport), Stream())
            stream.take(tcp[13], int.from_bytes(tcp[4:8], "big"), tcp[(tcp[12] >> 4) * 4:])
    for stream in streams.values():
        print(describe(stream))


main()
