#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""http_soak.py TOTAL AT_ONCE KIND:PORT:PATH...: TOTAL connections, AT_ONCE at a time, of these kinds in turn.

The kinds are those of http_peers.py. Prints "complete N truncated N ms N responses N": responses are what the server's
log should have lines for.
"""
import collections
import itertools
import sys
import threading
import time

import http_peers

# Of one connection.
RESPONSES = {"keepalive": 3, "h2": 5}


def main():
    total, at_once = int(sys.argv[1]), int(sys.argv[2])
    peers = [(kind, int(port), path) for kind, port, path in (word.split(":") for word in sys.argv[3:])]
    work = iter(itertools.islice(itertools.cycle(peers), total))
    lock = threading.Lock()
    counts = collections.Counter()
    began = time.monotonic()

    def serve():
        while True:
            with lock:
                kind, port, path = next(work, (None, 0, ""))
            if not kind:
                return
            outcomes = []
            http_peers.run_one(getattr(http_peers, kind), port, path, outcomes)
            whole = bool(outcomes) and outcomes[0][0]
            with lock:
                counts[whole] += 1
                counts["responses"] += RESPONSES.get(kind, 1) if whole else 0
            if not whole:
                print(f"{kind} {path} was truncated at {time.time():.3f}", file=sys.stderr)

    threads = [threading.Thread(target=serve) for _ in range(at_once)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ms = int((time.monotonic() - began) * 1000)
    print(f"complete {counts[True]} truncated {counts[False]} ms {ms} responses {counts['responses']}")


main()
