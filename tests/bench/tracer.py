#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What tracing costs: connections opened and closed as fast as one thread can, with no tracer, with lingertrace, and
with Debian's tcpstates and tcplife (package libbpf-tools) doing their part of the same.

The figures are the CPU time of that thread per connection, kernel and BPF programs included, which all run in
its context, and the CPU time of the tracer itself per connection.
"""
import argparse
import os
import resource
import signal
import socket
import statistics
import subprocess
import time

import bench

BUILD = os.environ.get("BUILD", "build")
CONNECTIONS, ROUNDS = 2000, 7


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def churn(port):
    """Nanoseconds per connection: the median of some short rounds."""
    rounds = []
    for _ in range(ROUNDS):
        output = subprocess.run([f"{BUILD}/bench/churn", str(port), str(CONNECTIONS)], check=True,
                                stdout=subprocess.PIPE, text=True).stdout
        rounds.append([float(value) for value in output.split()])
    return {"wall_ns": statistics.median(wall for wall, _ in rounds),
            "cpu_ns": statistics.median(cpu for _, cpu in rounds)}


def in_own_tracefs(command):
    """The peers need tracefs, which is not mounted everywhere."""
    return ["unshare", "-m", "sh", "-c",
            'mountpoint -q /sys/kernel/tracing || mount -t tracefs none /sys/kernel/tracing; exec "$@"',
            "sh"] + command


def cpu_of_children():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def traced(command, port):
    """The arm that runs a tracer, and its own CPU time beside."""
    def arm():
        with open("/dev/null", "w") as null:
            tracer = subprocess.Popen(command, stdout=null, stderr=null)
        time.sleep(1.0)  # until it is attached
        ticks = cpu_ticks(tracer.pid)
        result = churn(port)
        result["tracer_cpu_ns"] = (cpu_ticks(tracer.pid) - ticks) * 1e9 / (CONNECTIONS * ROUNDS)
        if tracer.poll() is not None:
            raise SystemExit(f"{command}: ended early, with {tracer.returncode}")
        tracer.send_signal(signal.SIGTERM)
        tracer.wait()
        return result
    return arm


def cpu_ticks(pid):
    """Seconds of CPU so far."""
    with open(f"/proc/{pid}/schedstat") as file:
        return int(file.read().split()[0]) / 1e9


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--blocks", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--csv", default="results/bench/tracer.csv")
    options = parser.parse_args()
    port = free_port()
    trace = [f"{BUILD}/lingertrace", "--csv", "/dev/null"]
    here = ["--port", str(port)]
    arms = {
        "off": lambda: churn(port),
        "off, again (A/A)": lambda: churn(port),
        "lingertrace --port": traced(trace + here, port),
        "lingertrace, all ports": traced(trace, port),
        "lingertrace, nothing matches": traced(trace + ["--port", "1"], port),
        "tcpstates -L": traced(in_own_tracefs(["/usr/sbin/tcpstates", "-L", str(port)]), port),
        "tcplife -L": traced(in_own_tracefs(["/usr/sbin/tcplife", "-L", str(port)]), port),
    }
    results = bench.run_blocks(arms, options.blocks, options.seed)
    bench.print_ratios("Connection churn", results, "off", "cpu_ns", "CPU ns per connection",
                       {"lingertrace --port": "<= 1.03"})
    bench.print_ratios("Connection churn", results, "off", "wall_ns", "ns per connection")
    bench.write_csv(options.csv, results)
    print(f"figures of all blocks: {options.csv}")


if __name__ == "__main__":
    main()
