#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Reproduces the figures that the documents quote: make docs-figures.

docs/figures.csv has a row for each: the document, the words that quote it, the scenario (or the command) that shows it,
the figure as STRATEGY.PEER.COLUMN of summary.csv ("*": each), how it is quoted, and the bound in which it still holds.
Each scenario is run once; what it gives is written to results/docs-figures.md and .csv. Other commands are only named.
"""
import argparse
import configparser
import csv
import functools
import glob
import json
import operator
import os
import re
import signal
import subprocess
import sys

CLAIMS = "docs/figures.csv"
COLUMNS = ["document", "quote", "shown by", "figure", "quoted", "bound"]
OPERATORS = {"<": operator.lt, "<=": operator.le, "=": operator.eq, ">=": operator.ge, ">": operator.gt}
BOUND = re.compile(r"(<=|>=|<|>|=)\s*([\d.]+)(?:\s*\*\s*([\w/-]+|\*)\.([\w-]+|\*)\.(\w+))?\s*")
QUOTED = re.compile(r"([\d,.]*\d)(?: (us|ms|s))?")
UNITS = {None: 1, "us": 1, "ms": 1e3, "s": 1e6}


def read_claims(path):
    with open(path, encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        if reader.fieldnames != COLUMNS:
            sys.exit(f"{path}: its head is not {','.join(COLUMNS)}")
        claims = list(reader)
    for line, claim in enumerate(claims, 2):
        claim["line"] = f"{path}:{line}"
        if None in claim or None in claim.values():
            sys.exit(f"{path}: line {line} has not {len(COLUMNS)} fields")
    return claims


def is_scenario(claim):
    return bool(re.fullmatch(r"[a-z0-9-]+", claim["shown by"]))


# What a document says


def words(text):
    """With one space between them, as a reader sees it."""
    return " ".join(text.split())


@functools.cache
def places(path):
    """The texts that a claim and what shows it have to share: those under a heading, and the rows of tables with "shown by"."""
    with open(path, encoding="utf-8") as file:
        texts, rows, code, head = [[]], [], False, ""
        for line in file:
            code ^= line.startswith("```")
            head = (head or line) if line.startswith("|") else ""
            if line.startswith("#") and not code:
                texts.append([])
            if "shown by" in head:
                rows.append([line])
            else:
                texts[-1].append(line)
    return [words("".join(text)) for text in texts + rows]


@functools.cache
def columns_of_summary():
    with open("results/README.md", encoding="utf-8") as file:
        return re.findall(r"^\| `(\w+)` \|", file.read().partition("## summary.csv")[2], re.M)


def mistakes_of(claim):
    """What is wrong with a row, or with what its document says of it."""
    try:
        texts = [text for text in places(claim["document"]) if words(claim["quote"]) in text]
    except OSError as error:
        yield f'{claim["document"]} cannot be read: {error.strerror}'
        return
    if not texts:
        yield f'{claim["document"]} does not say "{claim["quote"]}"'
    elif not any(claim["shown by"] in text for text in texts):
        yield f'{claim["document"]} does not name {claim["shown by"]} beside "{claim["quote"]}"'
    if claim["quoted"] not in claim["quote"]:
        yield f'"{claim["quoted"]}" is not in "{claim["quote"]}"'
    if not is_scenario(claim):
        if claim["figure"] or claim["bound"]:
            yield "a figure and a bound are for scenarios; other commands are not run"
        return
    if not claim["bound"] or BOUND.sub("", claim["bound"]):
        yield f'the bound "{claim["bound"]}" is none'
    quoted = QUOTED.fullmatch(claim["quoted"])
    for sign, limit, other, *_ in BOUND.findall(claim["bound"]):
        if quoted and not other and not OPERATORS[sign](float(quoted[1].replace(",", "")) * UNITS[quoted[2]], float(limit)):
            yield f'the quoted {claim["quoted"]} is not {claim["bound"]}'
    scenario = configparser.ConfigParser(delimiters="=", comment_prefixes=(";", "#"), interpolation=None, strict=False)
    if not scenario.read(f'scenarios/{claim["shown by"]}.ini'):
        yield f'there is no scenarios/{claim["shown by"]}.ini'
        return
    figures = [claim["figure"]] + [".".join(match[2:]) for match in BOUND.findall(claim["bound"]) if match[2]]
    for figure in figures:
        strategy, peer, column = (figure.split(".") + ["", ""])[:3]
        server, _, strategy = strategy.rpartition("/")
        if server and server not in scenario["server"]["program"].replace("builtin", "prefork").split():
            yield f'{claim["shown by"]} has no server "{server}"'
        for section, name in (("strategies", strategy), ("peers", peer)):
            if name != "*" and name not in scenario[section]["use"].split():
                yield f'{claim["shown by"]} has no "{name}" among its {section}'
        if column not in columns_of_summary():
            yield f'summary.csv has no column "{column}"'


def named_and_not_there():
    """What a document names as if one could run it: scenarios in a command, tests by their path."""
    for document in ["README.md", "CONTRIBUTING.md", *glob.glob("docs/*.md"), *glob.glob("docs/man/lingerbench.1")]:
        with open(document, encoding="utf-8") as file:
            text = file.read()
        for name in re.findall(r"(?:SCENARIO=|lingerbench run )([a-z0-9][a-z0-9-]*)", text):
            if not os.path.exists(f"scenarios/{name}.ini"):
                yield f"{document} names a scenario {name}, which there is not"
        for path in re.findall(r"tests/[\w/.-]*\w", text):
            if not os.path.exists(path) and not os.path.exists(f"{path}.c"):
                yield f"{document} names {path}, which there is not"


def check(claims):
    """Says what is wrong, and how much."""
    mistakes = [f'{claim["line"]}: {mistake}' for claim in claims for mistake in mistakes_of(claim)]
    mistakes += named_and_not_there()
    with open("README.md", encoding="utf-8") as file:
        listed = set(re.findall(r"`([a-z0-9-]+)`", file.read()))
    there = {os.path.basename(path)[:-len(".ini")] for path in glob.glob("scenarios/*.ini")}
    mistakes += [f"README.md does not list the scenario {name}" for name in sorted(there - listed)]
    quoted = {claim["shown by"] for claim in claims}
    mistakes += [f"no document quotes a figure of the scenario {name}" for name in sorted(there - quoted)]
    for mistake in mistakes:
        print(mistake, file=sys.stderr)
    return 1 if mistakes else 0


# What a run gives


def newest_results(results, scenario):
    """The folder of its last whole run, and what its run.json says; None: there is none."""
    for folder in sorted(glob.glob(f"{results}/{scenario}/*Z-*"), reverse=True):
        try:
            with open(f"{folder}/run.json", encoding="utf-8") as file:
                run = json.load(file)
        except (OSError, ValueError):
            continue
        if not folder.endswith(".partial") and len(run["trials"]) == run["planned_trials"]:
            return folder, run
    return None


def read_summary(folder):
    """{(strategy, peer): row}; with several servers (SERVER/STRATEGY, peer), as the table of lingerbench has it"""
    with open(f"{folder}/summary.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    several = len({row.get("server") for row in rows}) > 1
    return {((f'{row["server"]}/' if several else "") + row["strategy"], row["peer"]): row for row in rows}


def number(text):
    return float(text) if text else None


def shown(value, column):
    """As lingerbench shows it."""
    if value is None:
        return "not known"
    if "_us_" not in column:
        return f"{value:.2f}".rstrip("0").rstrip(".") if value < 10 else f"{value:.0f}"
    for unit, size in (("us", 1), ("ms", 1e3), ("s", 1e6)):
        if value < 1000 * size or unit == "s":
            value /= size
            return f"{value:.2f} {unit}" if value < 10 and size > 1 else f"{value:.0f} {unit}"
    return None


def judge(claim, summary):
    """(this run's figure in words, whether the bound holds)"""
    strategy, peer, column = claim["figure"].split(".")
    rows = [key for key in summary if strategy in ("*", key[0]) and peer in ("*", key[1])]
    values, holds = [], bool(rows)
    for key in rows:
        value = number(summary[key][column])
        values.append(value)
        for sign, factor, *other in BOUND.findall(claim["bound"]):
            limit = float(factor)
            if other[0]:
                base = tuple(mine if name == "*" else name for name, mine in zip(other, key))
                base = number(summary[base][other[2]]) if base in summary else None
                limit = None if base is None else limit * base
            holds = holds and None not in (value, limit) and OPERATORS[sign](value, limit)
    texts = list(dict.fromkeys(shown(value, column)
                               for value in sorted(values, key=lambda value: -1 if value is None else value)))
    text = " to ".join([texts[0], texts[-1]] if len(texts) > 1 else texts) if texts else "no such row"
    return text, holds


def look_at(scenario, claims, results, runs):
    """Fills in "this run" and "holds" of the scenario's claims from its newest results."""
    found = newest_results(results, scenario)
    summary = read_summary(found[0]) if found else {}
    if found:
        runs[scenario] = found
    for claim in claims:
        if claim["shown by"] == scenario and found:
            claim["this run"], holds = judge(claim, summary)
            claim["holds"] = "yes" if holds else "no"


def run_scenario(scenario, options):
    """None, or why there is no result."""
    command = [*options.within.split(), f"{options.build}/lingerbench", "run", scenario, "--out", options.results]
    packages = subprocess.run([f"{options.build}/lingerbench", "packages", scenario], stdout=subprocess.PIPE, text=True, check=False)
    if subprocess.run(["packaging/install-packages.sh", "--named", *packages.stdout.split()], check=False).returncode != 0:
        return "its server is not installed"
    # In a group of its own: one Ctrl-C for all of it, from here, and time to end in.
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace",
                          start_new_session=True) as run:
        try:
            out, err = run.communicate()
        except KeyboardInterrupt:
            os.killpg(run.pid, signal.SIGINT)
            run.communicate()
            raise
    said = [line for line in out.splitlines() if "expectation" in line] if run.returncode in (0, 3) else []
    why = [line for line in err.splitlines() if ": warning: " not in line]
    last = (said or why or [""])[-1].strip()
    print(f"    {last}", flush=True)
    if run.returncode == 130:
        raise KeyboardInterrupt
    if run.returncode not in (0, 3):
        return last or f"exit status {run.returncode}"
    return None


def seconds_of(scenario, options):
    plan = subprocess.run([f"{options.build}/lingerbench", "run", scenario, "--dry-run"], stdout=subprocess.PIPE, text=True,
                          check=False).stdout
    about = re.search(r"^about ([\d.]+) (s|min|h)$", plan, re.M)
    return float(about[1]) * {"s": 1, "min": 60, "h": 3600}[about[2]] if about else 0


# What is written


def table(rows, head):
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    lines += ["| " + " | ".join(str(row[name]).strip().replace("|", "\\|") for name in head) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def counts(claims):
    number_of = {word: sum(claim["holds"] == word for claim in claims) for word in ("yes", "no", "")}
    return f"{number_of['yes']} of {len(claims)} claims hold, {number_of['no']} do not, {number_of['']} were not looked at"


def write(claims, runs, results):
    head = ["document", "quote", "shown by", "figure", "quoted", "this run", "bound", "holds"]
    machines = sorted({f"Linux {run['environment']['kernel']}, {run['environment']['cpus']} CPUs" for _, run in runs.values()})
    ran = [{"scenario": scenario, "folder": folder, "commit": run["commit"], "started": run["started_utc"]}
           for scenario, (folder, run) in runs.items()]
    text = "# Figures of the documents\n\n"
    text += f"{'; '.join(machines) or 'Nothing was run'}. {counts(claims)}.\n\n"
    text += table(claims, head) + "\n" + table(ran, ["scenario", "folder", "commit", "started"])
    os.makedirs(results, exist_ok=True)
    for name, save in (("docs-figures.md", lambda file: file.write(text)),
                       ("docs-figures.csv", lambda file: save_csv(file, claims, head))):
        with open(f"{results}/{name}.partial", "w", encoding="utf-8", newline="") as file:
            save(file)
        os.rename(f"{results}/{name}.partial", f"{results}/{name}")
    print(text)
    print(f"{results}/docs-figures.md, {results}/docs-figures.csv: {counts(claims)}")
    for claim in claims:
        if claim["holds"] == "no":
            print(f'{claim["document"]}: "{claim["quote"]}": {claim["figure"]} is {claim["this run"]}, not {claim["bound"]}',
                  file=sys.stderr)


def save_csv(file, claims, head):
    writer = csv.DictWriter(file, head, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(claims)


def parse_options():
    parser = argparse.ArgumentParser(description="Runs the scenarios that documents name, and says whether their figures hold.")
    parser.add_argument("scenario", nargs="*", help="only these (default: all that the documents quote)")
    parser.add_argument("--dry-run", action="store_true", help="say what would be run, and how long it takes")
    parser.add_argument("--check", action="store_true", help="run nothing: do the documents say what the claims quote?")
    parser.add_argument("--read", action="store_true", help="run nothing: judge the newest results that there are")
    parser.add_argument("--claims", default=CLAIMS, metavar="FILE", help=f"default {CLAIMS}")
    parser.add_argument("--results", default="results", metavar="DIR", help="default results")
    parser.add_argument("--within", default="", metavar="COMMAND", help="that runs lingerbench elsewhere, as tests/vm/run does")
    options = parser.parse_args()
    options.build = os.environ.get("BUILD", "build")
    return options


def main():
    options = parse_options()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    claims = read_claims(options.claims)
    if options.check:
        return check(claims)
    scenarios = list(dict.fromkeys(claim["shown by"] for claim in claims if is_scenario(claim)))
    unknown = set(options.scenario) - set(scenarios)
    if unknown:
        print(f"no document quotes a figure of {', '.join(sorted(unknown))}", file=sys.stderr)
        return 2
    if options.scenario:
        scenarios = [name for name in scenarios if name in options.scenario]
        claims = [claim for claim in claims if claim["shown by"] in scenarios]
    for claim in claims:
        claim["this run"], claim["holds"] = "not run", ""
    seconds = {} if options.read else {name: seconds_of(name, options) for name in scenarios}
    if options.dry_run:
        for name in scenarios:
            print(f"{name:<20} {seconds[name]:4.0f} s  {sum(claim['shown by'] == name for claim in claims)} claims")
        for command in dict.fromkeys(claim["shown by"] for claim in claims if not is_scenario(claim)):
            print(f"not run: {command}")
        print(f"{len(scenarios)} scenarios, about {sum(seconds.values()) / 60:.0f} min")
        return 0
    runs, failed, interrupted = {}, False, False
    try:
        for place, name in enumerate(scenarios, 1):
            why = None
            if not options.read:
                print(f"{place} of {len(scenarios)}: {name}, about {seconds[name]:.0f} s", flush=True)
                why = run_scenario(name, options)
            if not why:
                look_at(name, claims, options.results, runs)
                continue
            # A kernel without netem is a matter of the machine; anything else should not have been.
            failed = failed or "netem" not in why
            for claim in claims:
                if claim["shown by"] == name:
                    claim["this run"] = f"not run: {why}"
    except KeyboardInterrupt:
        interrupted = True
        print("interrupted: what follows is of the scenarios that were done", file=sys.stderr)
    write(claims, runs, options.results)
    if interrupted:
        return 130
    return 1 if failed or any(claim["holds"] == "no" for claim in claims) else 0


if __name__ == "__main__":
    sys.exit(main())
