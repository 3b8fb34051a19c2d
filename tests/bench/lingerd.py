#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What lingerd costs: CPU per linger against a bare loop that only takes, reads and closes, CPU to discard what peers
send against the reads of Apache and nginx, memory per linger, and what a handoff costs its caller.
"""
import argparse
import json
import os
import subprocess
import tempfile
import time

import bench

BUILD = os.environ.get("BUILD", "build")
LINGERS = 20000
OPEN = 15000
DISCARDED = 1 << 30
TIMEOUT_S = 60
KERNEL = "lingerd --drain kernel"


def cpu_ns(pid):
    with open(f"/proc/{pid}/schedstat") as file:
        return int(file.read().split()[0])


def status_of(pid, name):
    """A figure of /proc/PID/status: of memory, in bytes."""
    with open(f"/proc/{pid}/status") as file:
        for line in file:
            if line.startswith(name + ":"):
                words = line.split()
                return int(words[1]) * (1024 if words[-1] == "kB" else 1)
    raise SystemExit(f"/proc/{pid}/status has no {name}")


class Daemon:
    """A lingerd of its own, which neither caps nor gives up what is measured."""

    def __init__(self, folder, *options):
        self.table = None
        if "kernel" in options:
            self.table = f"{folder}/drain/connections"
            run(f"{BUILD}/lingerd-drain", "--user", "root", "--table", self.table, "load")
            options += ("--drain-table", self.table)
        self.socket = f"{folder}/lingerd.sock"
        self.process = subprocess.Popen(
            [f"{BUILD}/lingerd", "--socket", self.socket, "--byte-cap", "none", "--idle-timeout", "60",
             "--total-timeout", "600", *options], stderr=subprocess.DEVNULL)
        self.pid = self.process.pid
        for _ in range(500):
            if os.path.exists(self.socket):
                return
            time.sleep(0.01)
        self.end()
        raise SystemExit("lingerd does not start")

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.end()

    def end(self):
        self.process.terminate()
        self.process.wait()
        if self.table:
            run(f"{BUILD}/lingerd-drain", "--table", self.table, "unload")

    def counters(self):
        output = subprocess.run([f"{BUILD}/lingerctl", "--socket", self.socket, "status", "--json"],
                                check=True, stdout=subprocess.PIPE).stdout
        return json.loads(output)

    def cpu_until_ended(self, feed, lingers, still_open=0):
        """CPU time from before that feeding on until so many more have ended, in nanoseconds."""
        before, ended = cpu_ns(self.pid), self.counters()["ended_fin"]
        feed(self.socket)
        for _ in range(100):
            time.sleep(0.02)
            counters = self.counters()
            if counters["ended_fin"] - ended == lingers and counters["lingers"] == still_open:
                return cpu_ns(self.pid) - before
        raise SystemExit(f"lingerd lost some: {counters}")


def run(*command, **more):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, timeout=TIMEOUT_S, **more).stdout


def feed(*arguments):
    return lambda socket: run(f"{BUILD}/bench/feed", socket, *map(str, arguments))


def floor(what, number, feeding):
    """CPU time of the bare loop, in nanoseconds."""
    with tempfile.TemporaryDirectory() as folder:
        socket = f"{folder}/floor.sock"
        with subprocess.Popen([f"{BUILD}/bench/floor", socket, what, str(number)], stdout=subprocess.PIPE,
                              text=True) as loop:
            loop.stdout.readline()
            feeding(socket)
            return float(loop.stdout.read())


def lingerd_arm(feeding, lingers, *options):
    def arm():
        with tempfile.TemporaryDirectory() as folder, Daemon(folder, *options) as daemon:
            return {"cpu_ns": daemon.cpu_until_ended(feeding, lingers) / lingers}
    return arm


def floor_arm(what, feeding):
    return lambda: {"cpu_ns": floor(what, LINGERS, feeding) / LINGERS}


def print_lingers(results, base, title):
    for rows in results.values():
        for row in rows:
            row["lingers_per_cpu_s"] = 1e9 / row["cpu_ns"]
    bench.print_ratios(title, results, base, "lingers_per_cpu_s", "lingers per CPU second",
                       {"lingerd": ">= 1.0"})


def measure_lingers(options, figures):
    for what, ms, title in (("fin", 0, "The peer's FIN is there already"),
                            ("late", 1, "The peer's FIN comes 1 ms later")):
        feeding = feed("fin", ms, LINGERS)
        arms = {"bare loop": floor_arm(what, feeding), "bare loop, again (A/A)": floor_arm(what, feeding),
                "lingerd": lingerd_arm(feeding, LINGERS),
                "lingerd --io-uring off": lingerd_arm(feeding, LINGERS, "--io-uring", "off")}
        if what == "fin":
            arms["bare loop, batches"] = floor_arm("batch", feeding)
            arms["bare loop, batches, io_uring"] = floor_arm("ring", feeding)
        results = bench.run_blocks(arms, options.blocks, options.seed)
        print_lingers(results, "bare loop", title)
        figures[title] = results


def beside_open(count):
    """CPU time per linger, FIN 1 ms later, while so many others are open; and what each of these takes."""
    def arm():
        with tempfile.TemporaryDirectory() as folder, Daemon(folder) as daemon:
            feed("fin", 1, 1000)(daemon.socket)
            before = status_of(daemon.pid, "VmRSS")
            with subprocess.Popen([f"{BUILD}/bench/feed", daemon.socket, "open", str(count)],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as peers:
                peers.stdout.readline()
                time.sleep(0.2)
                memory = (status_of(daemon.pid, "VmRSS") - before) / count
                used = daemon.cpu_until_ended(feed("fin", 1, LINGERS), LINGERS, still_open=count)
                peers.stdin.close()
            return {"cpu_ns": used / LINGERS, "rss_bytes": memory}
    return arm


def measure_open(options, figures):
    many = f"{OPEN} open"
    arms = {"100 open": beside_open(100), "100 open, again (A/A)": beside_open(100), many: beside_open(OPEN)}
    results = bench.run_blocks(arms, options.blocks, options.seed)
    bench.print_ratios("CPU per linger beside others", results, "100 open", "cpu_ns", "ns", {many: "<= 1.1"})
    memory = [row["rss_bytes"] for row in results[many]]
    print(f"Memory per open linger: RSS grows by {min(memory):.1f} to {max(memory):.1f} bytes each over {OPEN};"
          " target <= 64\n")
    figures["beside others"] = results


def discarding(what, *options):
    def arm():
        with tempfile.TemporaryDirectory() as folder, Daemon(folder, *options) as daemon:
            wakeups = status_of(daemon.pid, "voluntary_ctxt_switches")
            used = daemon.cpu_until_ended(feed(what, DISCARDED), 1)
            return {"cpu_ms": used / 1e6,
                    "wakeups": status_of(daemon.pid, "voluntary_ctxt_switches") - wakeups}
    return arm


def reading(what, size):
    return lambda: {"cpu_ms": floor(what, size, feed("upload", DISCARDED)) / 1e6}


def measure_discarding(options, figures):
    arms = {"512 bytes a read (Apache)": reading("read", 512), "4 KiB a read (nginx)": reading("read", 4096),
            "MSG_TRUNC, 1 MiB": reading("discard", 1 << 20), "lingerd": discarding("upload"),
            KERNEL: discarding("upload-kernel", "--drain", "kernel")}
    results = bench.run_blocks(arms, options.blocks, options.seed)
    kernel = results[KERNEL]
    for base, target in (("512 bytes a read (Apache)", 15), ("4 KiB a read (nginx)", 5)):
        bench.print_ratios("Discarding 1 GB", results, base, "cpu_ms", "CPU ms",
                           {"lingerd": f"<= 1/{target} = {1 / target:.3f}"})
    bench.print_ratios("Discarding 1 GB", results, "MSG_TRUNC, 1 MiB", "cpu_ms", "CPU ms", {KERNEL: "< 1"})
    print(f"Wakeups per GB: {KERNEL} {min(row['wakeups'] for row in kernel)} to "
          f"{max(row['wakeups'] for row in kernel)}, target <= 10; lingerd "
          f"{min(row['wakeups'] for row in results['lingerd'])} to {max(row['wakeups'] for row in results['lingerd'])}\n")
    figures["discarding"] = results


def measure_handoff(options, figures):
    def both():
        with tempfile.TemporaryDirectory() as folder, Daemon(folder) as daemon:
            bare50, bare99, ours50, ours99 = map(float, run(f"{BUILD}/bench/handoff", daemon.socket,
                                                            str(LINGERS)).split())
        pairs = {"shutdown() and sendmsg()": {"p50_ns": bare50, "p99_ns": bare99},
                 "linger_handoff()": {"p50_ns": ours50, "p99_ns": ours99}}
        return pairs
    blocks = bench.run_blocks({"both": both}, options.blocks, options.seed)["both"]
    results = {name: [block[name] for block in blocks] for name in blocks[0]}
    for figure in ("p50_ns", "p99_ns"):
        bench.print_ratios("A handoff, in the worker", results, "shutdown() and sendmsg()", figure, "ns",
                           {"linger_handoff()": "<= 1.2"})
    figures["handoff"] = results


PARTS = {"lingers": measure_lingers, "open": measure_open, "discard": measure_discarding,
         "handoff": measure_handoff}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--blocks", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--csv", default="results/bench/lingerd.csv")
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], help="all of them unless some are named")
    options = parser.parse_args()
    figures = {}
    for name in options.parts or PARTS:
        PARTS[name](options, figures)
    bench.write_csv(options.csv, {f"{part}: {name}": rows for part, results in figures.items()
                                  for name, rows in results.items()})
    print(f"figures of all blocks: {options.csv}")


if __name__ == "__main__":
    main()
