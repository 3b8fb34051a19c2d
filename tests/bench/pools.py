#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What handing over costs and saves whole servers: ratios within the blocks of the scenarios worker-pool and linger-cost,
from their blocks.csv.
"""
import argparse
import csv
import os
import statistics
import subprocess
import tempfile

import bench

BUILD = os.environ.get("BUILD", "build")


# A trial differs from the next by a fifth, which takes many to see through. Short ones are as good, and the tracer is not
# what is measured. Late FINs fill the pool for a second, so these trials stay long.
SHORT = ("load.duration=1500ms", "trace.enabled=no", "peers.use=prompt")
LATE = ("strategies.use=lingerd", "peers.use=prompt late-1s", "trace.enabled=no")
SHORT_BLOCKS, LATE_BLOCKS = 10, 4  # for each of the others
FIGURES = ("throughput_per_s", "cpu_us_per_connection")


def run_scenario(name, blocks, folder, *settings):
    """{(server, strategy, peer): rows of its blocks}"""
    folder = tempfile.mkdtemp(dir=folder)
    command = [f"{BUILD}/lingerbench", "run", name, "--set", f"load.blocks={blocks}", "--out", folder]
    for setting in settings:
        command += ["--set", setting]
    with open(f"{folder}/{name}.log", "w+") as log:
        done = subprocess.run(command, stdout=log, stderr=log)
        log.seek(0)
        if done.returncode not in (0, 3):  # 3: an expectation does not hold; the figures are there, good or bad
            raise SystemExit(f"{name}: {log.read()}")
    rows = {}
    with open(f"{folder}/{name}/" + sorted(os.listdir(f"{folder}/{name}"))[0] + "/blocks.csv") as file:
        for row in csv.DictReader(file):
            rows.setdefault((row["server"], row["strategy"], row["peer"]), []).append(row)
    # A void trial has no row, and what is not known is empty: such a block is left out of all arms.
    blocks_of_all = set.intersection(*({row["block"] for row in of_arm if all(row[figure] for figure in FIGURES)}
                                       for of_arm in rows.values()))
    return {key: sorted((row for row in of_arm if row["block"] in blocks_of_all), key=lambda row: int(row["block"]))
            for key, of_arm in rows.items()}


def figures(rows, name):
    return [{name: float(row[name])} for row in rows]


def measure_pool(blocks, folder, all_figures):
    def arm(rows, strategy, peer):
        return figures(rows["apache-prefork", strategy, peer], "throughput_per_s")
    rows = run_scenario("worker-pool", SHORT_BLOCKS * blocks, folder, *SHORT)
    prompt = {"native": arm(rows, "native", "prompt"), "native, again (A/A)": arm(rows, "native_again", "prompt"),
              "lingerd": arm(rows, "lingerd", "prompt")}
    bench.print_ratios("Apache's prefork pool, FIN at once", prompt, "native", "throughput_per_s", "responses a second",
                       {"lingerd": ">= 1.0 within the A/A noise"})
    rows = run_scenario("worker-pool", LATE_BLOCKS * blocks, folder, *LATE)
    late = {"lingerd, FIN at once": arm(rows, "lingerd", "prompt"), "lingerd, FIN after 1 s": arm(rows, "lingerd", "late-1s")}
    bench.print_ratios("The same, FIN after 1 s", late, "lingerd, FIN at once", "throughput_per_s", "responses a second",
                       {"lingerd, FIN after 1 s": ">= 0.95"})
    all_figures["pool, prompt"], all_figures["pool, late"] = prompt, late


def differences(rows, more, less, peer):
    """What one way costs more than another, block by block, in microseconds of CPU time per connection."""
    def cost(row):
        return float(row["cpu_us_per_connection"])
    return [{"cpu_us": cost(a) - cost(b)} for a, b in zip(rows[*more, peer], rows[*less, peer])]


WAYS = {"Apache event, by itself": ("apache-event", "native"), "nginx, by itself": ("nginx", "lingering_close_always"),
        "Apache event, lingerd": ("apache-event", "lingerd"), "pool of processes, lingerd": ("prefork", "lingerd")}
PLAIN = {"nginx, by itself": ("nginx", "lingering_close_off"), "pool of processes, lingerd": ("prefork", "close")}


def print_added(peer, over):
    print(f"What lingering adds to the plain close of the same server, {peer}: CPU us per connection")
    for name, rows in over.items():
        values = [row["cpu_us"] for row in rows]
        bounds = bench.interval(values)
        text = f"{bounds[0]:.1f} to {bounds[1]:.1f}" if bounds else "too few blocks"
        print(f"  {name:<34} {statistics.median(values):>10.1f} {text:>27}")
    print()


def measure_cost(blocks, folder, all_figures):
    rows = run_scenario("linger-cost", blocks, folder)
    for peer in ("late", "sends"):
        whole = {name: figures(rows[*way, peer], "cpu_us_per_connection") for name, way in WAYS.items()}
        for base, rival in (("Apache event, by itself", "Apache event, lingerd"),
                            ("nginx, by itself", "pool of processes, lingerd")):
            bench.print_ratios(f"A connection in all, {peer}", whole, base, "cpu_us_per_connection", "CPU us", {rival: "< 1"})
        all_figures[f"cost, {peer}"] = whole
    # Who sends is reset by a plain close: what that costs is no measure for anything.
    over = {name: differences(rows, WAYS[name], way, "late") for name, way in PLAIN.items()}
    print_added("late", over)
    all_figures["cost, added"] = over


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--blocks", type=int, default=6)
    parser.add_argument("--csv", default="results/bench/pools.csv")
    options = parser.parse_args()
    all_figures = {}
    with tempfile.TemporaryDirectory() as folder:
        measure_pool(options.blocks, folder, all_figures)
        measure_cost(options.blocks, folder, all_figures)
    bench.write_csv(options.csv, {f"{part}: {name}": rows for part, results in all_figures.items()
                                  for name, rows in results.items()})
    print(f"figures of all blocks: {options.csv}")


if __name__ == "__main__":
    main()
