# SPDX-License-Identifier: MIT
"""What the benchmarks share: arms that are run in blocks, and ratios within a block.

A block runs each arm once, in a random order of a seed that is printed; each arm is compared with the base of
its own block, so that whatever the machine does meanwhile hits both. The table gives the median of the
ratios, and the interval that holds it with 95 % confidence (order statistics of the binomial distribution).
"""
import csv
import math
import os
import random
import statistics
import sys


def interval(values):
    """Of the median, 95 %. None: fewer than 6 values have none."""
    values, n = sorted(values), len(values)
    below = 0.0
    for rank in range(n // 2 + 1):
        below += math.comb(n, rank) / 2**n
        if below > 0.025:
            return (values[rank - 1], values[n - rank]) if rank else None
    return None


def run_blocks(arms, blocks, seed):
    """arms: {name: function that returns {figure: value}}. Returns {name: [of each block]}."""
    order = random.Random(seed)
    results = {name: [] for name in arms}
    for block in range(blocks):
        names = list(arms)
        order.shuffle(names)
        for name in names:
            if sys.stderr.isatty():
                print(f"\rblock {block + 1} of {blocks}: {name:<40}", end="", file=sys.stderr, flush=True)
            results[name].append(arms[name]())
    if sys.stderr.isatty():
        print("\r" + " " * 70 + "\r", end="", file=sys.stderr)
    return results


def print_ratios(title, results, base, figure, unit, targets=None):
    targets = targets or {}
    base_values = [row[figure] for row in results[base]]
    print(f"{title}: {figure}, {unit}; ratio to \"{base}\" of the same block")
    print(f"  {'':<34} {'median':>10} {'ratio':>8} {'95 % interval':>18}  target")
    for name, rows in results.items():
        values = [row[figure] for row in rows]
        ratios = [value / other for value, other in zip(values, base_values)]
        bounds = interval(ratios)
        text = f"{bounds[0]:.3f} to {bounds[1]:.3f}" if bounds else "too few blocks"
        print(f"  {name:<34} {statistics.median(values):>10.1f} {statistics.median(ratios):>8.3f}"
              f" {'' if name == base else text:>18}  {targets.get(name, '')}")
    print()


def write_csv(path, results):
    if os.path.dirname(path):
        os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["arm", "block", "figure", "value"])
        for name, rows in results.items():
            for block, row in enumerate(rows):
                for figure, value in row.items():
                    writer.writerow([name, block, figure, value])
