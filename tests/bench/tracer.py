#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What tracing costs: with no tracer, with lingertrace, and with Debian's tcpstates and tcplife (package libbpf-tools)
doing their part of the same.

First, connections opened and closed as fast as one thread can: the CPU time of that thread per connection, kernel
and BPF programs included, which all run in its context, and the CPU time of the tracer itself. Then nginx with a
connection for each request, as much as it can serve: its throughput, and the CPU time of it and its clients.
"""
import argparse
import json
import os
import resource
import signal
import socket
import statistics
import subprocess
import time

import bench
import nginx

BUILD = os.environ.get("BUILD", "build")
ROUNDS = 5
# Connections before an arm is measured: after 10,000 without a close() that may block, lingertrace looks at no system
# calls any more.
WARM_UP = 20000


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def churn(port, connections):
    """Nanoseconds per connection: the median of some short rounds."""
    rounds = []
    for _ in range(ROUNDS):
        output = subprocess.run([f"{BUILD}/bench/churn", str(port), str(connections)], check=True,
                                stdout=subprocess.PIPE, text=True).stdout
        rounds.append([float(value) for value in output.split()])
    return {"wall_ns": statistics.median(wall for wall, _ in rounds),
            "cpu_ns": statistics.median(cpu for _, cpu in rounds), "of": connections * ROUNDS}


def in_own_tracefs(command):
    """The peers need tracefs, which is not mounted everywhere."""
    return ["unshare", "-m", "sh", "-c",
            'mountpoint -q /sys/kernel/tracing || mount -t tracefs none /sys/kernel/tracing; exec "$@"',
            "sh"] + command


def cpu_of_children():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def wait_until_attached(tracer):
    """lingertrace says so; the others need some time."""
    if tracer.stderr is None:
        time.sleep(1.0)
        return
    for line in tracer.stderr:
        if line.startswith("lingertrace: tracing"):
            return
    raise SystemExit("lingertrace does not start")


def traced(command, load, warm_up):
    """The arm that runs a tracer, and its own CPU time beside. load() returns figures; "of" in it, of how many connections."""
    tells = command[0].endswith("lingertrace")

    def arm():
        with open("/dev/null", "w") as null:
            tracer = subprocess.Popen(command, stdout=null, stderr=subprocess.PIPE if tells else null, text=True)
        try:
            wait_until_attached(tracer)
            warm_up()
            ticks = cpu_ticks(tracer.pid)
            result = load()
            result["tracer_cpu_ns"] = (cpu_ticks(tracer.pid) - ticks) * 1e9 / result["of"]
            if tracer.poll() is not None:
                raise SystemExit(f"{command}: ended early, with {tracer.returncode}")
        finally:  # one that stayed would be in every arm
            tracer.send_signal(signal.SIGTERM)
            tracer.communicate()
        return result
    return arm


def cpu_ticks(pid):
    """Seconds of CPU so far."""
    with open(f"/proc/{pid}/schedstat") as file:
        return int(file.read().split()[0]) / 1e9


def bpf_programs():
    output = subprocess.run(["/usr/sbin/bpftool", "-j", "prog", "show"], check=True, stdout=subprocess.PIPE).stdout
    return {program["id"]: program for program in json.loads(output)}


def program_costs(port, connections):
    """What the kernel counts of its BPF programs while the tracer runs: name, runs per connection, ns per run."""
    with open("/proc/sys/kernel/bpf_stats_enabled", "r+") as switch:
        before = switch.read()
        switch.seek(0)
        switch.write("1")
    try:
        others = bpf_programs()
        tracer = subprocess.Popen([f"{BUILD}/lingertrace", "--csv", "/dev/null", "--port", str(port)],
                                  stderr=subprocess.DEVNULL)
        time.sleep(1.0)
        churn(port, connections)
        programs = bpf_programs()
        tracer.send_signal(signal.SIGTERM)
        tracer.wait()
    finally:
        with open("/proc/sys/kernel/bpf_stats_enabled", "w") as switch:
            switch.write(before)
    ours = [program for key, program in programs.items() if key not in others and program.get("run_cnt")]
    return [(program["name"], program["run_cnt"] / (connections * ROUNDS), program["run_time_ns"] / program["run_cnt"])
            for program in ours]


def print_program_costs(port, connections):
    print("BPF programs of lingertrace --port, as the kernel counts them (which itself costs some 40 ns a run)")
    print(f"  {'program':<20} {'runs per connection':>20} {'ns per run':>12}")
    for name, runs, ns in program_costs(port, connections):
        print(f"  {name:<20} {runs:>20.2f} {ns:>12.1f}")
    print()


def print_tracer_costs(results):
    print("CPU ns per connection of the tracers themselves, median")
    for name, rows in results.items():
        if "tracer_cpu_ns" in rows[0]:
            print(f"  {name:<34} {statistics.median(row['tracer_cpu_ns'] for row in rows):>10.1f}")
    print()


def arms(load, warm_up, port, more=()):
    """With and without tracers; more: of lingertrace, {name: arguments}."""
    def off():
        warm_up()
        return load()

    def lingertrace(*arguments):
        return traced([f"{BUILD}/lingertrace", "--csv", "/dev/null", *arguments], load, warm_up)

    def peer(program):
        return traced(in_own_tracefs([f"/usr/sbin/{program}", "-L", str(port)]), load, warm_up)

    here = ["--port", str(port)]
    return {
        "off": off,
        "off, again (A/A)": off,
        "lingertrace --port": lingertrace(*here),
        **{name: lingertrace(*here, *arguments) for name, arguments in more},
        "  and --all-close-calls": lingertrace(*here, "--all-close-calls"),
        "lingertrace, all ports": lingertrace(),
        "lingertrace, nothing matches": lingertrace("--port", "1", "--no-close-calls"),
        "tcpstates -L": peer("tcpstates"),
        "tcplife -L": peer("tcplife"),
    }


def measure_churn(options):
    port = free_port()
    more = [("  and --time-wait", ["--time-wait"]), ("  and --no-mini-sockets", ["--no-mini-sockets"])]
    results = bench.run_blocks(
        arms(lambda: churn(port, options.connections), lambda: churn(port, WARM_UP // ROUNDS), port, more),
        options.blocks, options.seed)
    bench.print_ratios("Connection churn", results, "off", "cpu_ns", "CPU ns per connection",
                       {"lingertrace --port": "<= 1.03"})
    bench.print_ratios("Connection churn", results, "off", "wall_ns", "ns per connection")
    print_tracer_costs(results)
    print_program_costs(port, options.connections)
    return results


def measure_nginx(options):
    server = nginx.Nginx(free_port())

    def load():
        return server.load(options.seconds)

    def warm_up():
        served = 0
        while served < WARM_UP:
            served += server.load(1)["of"]

    try:
        load()  # until there are as many connections in TIME_WAIT as there may be
        results = bench.run_blocks(arms(load, warm_up, server.port), options.blocks, options.seed)
    finally:
        server.stop()
    bench.print_ratios("nginx", results, "off", "per_second", "requests per second",
                       {"lingertrace --port": ">= 0.97"})
    bench.print_ratios("nginx", results, "off", "cpu_us", "CPU us of server and clients per request",
                       {"lingertrace --port": "<= 1.03"})
    print_tracer_costs(results)
    return results


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--blocks", type=int, default=16)
    parser.add_argument("--connections", type=int, default=1000, help="of each of %d rounds of churn" % ROUNDS)
    parser.add_argument("--load", choices=["churn", "nginx"], help="only this one")
    parser.add_argument("--seconds", type=int, default=1, help="of load on nginx")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--csv", default="results/bench/tracer.csv")
    options = parser.parse_args()
    if any(program.get("name") == "on_state" for program in bpf_programs().values()):
        raise SystemExit("a lingertrace runs already: it would be in every arm")
    churned = measure_churn(options) if options.load != "nginx" else {}
    served = measure_nginx(options) if options.load != "churn" else {}
    bench.write_csv(options.csv, {**churned, **{f"nginx: {name}": rows for name, rows in served.items()}})
    print(f"figures of all blocks: {options.csv}")


if __name__ == "__main__":
    main()
