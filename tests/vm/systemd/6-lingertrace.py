#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""lingertrace.service as shipped: under its sandbox it traces this kernel, and serves what it has counted."""
import urllib.request

from guest import *

TRACER = "lingertrace.service"
began = Journal()
ADDRESS = "http://127.0.0.1:9465/metrics"


def metrics():
    with urllib.request.urlopen(ADDRESS, timeout=PATIENCE) as answer:
        return answer.read().decode()


def value(text, name):
    """The sum over all labels."""
    return sum(float(number) for number in re.findall(rf"^{name}(?:\{{[^}}]*\}})? ([0-9.e+]+)$", text, re.M))


def served():
    try:
        return metrics()
    except OSError:
        check(show("NRestarts", TRACER) == "0", "it has ended")
        return None


@test
def it_serves_metrics_of_what_it_traces():
    as_shipped()
    mark = Journal()
    systemctl("start", TRACER)
    wait_for(served, "it serves no metrics")
    pid = int(show("MainPID", TRACER))
    sender = Sender()
    exchanges = [Exchange(sender) for _ in range(20)]
    check(all(exchange.finish() for exchange in exchanges), "a response did not arrive whole")

    def counted():
        text = metrics()
        return value(text, "lingertrace_connections_total") >= 20 and text

    text = wait_for(counted, "the connections are not counted")
    for line in text.splitlines():
        if re.match("lingertrace_(connections|lost|missed)", line):
            say(line)
    check_equal((show("ActiveState", TRACER), int(show("MainPID", TRACER))), ("active", pid), "state and process")
    check(not mark.find("not permitted|denied|rror", TRACER), f"complaints: {mark.lines('-u', TRACER)}")
    sender.close()


@test
def its_sandbox_is_what_the_unit_says():
    pid = show("MainPID", TRACER)
    with open(f"/proc/{pid}/status") as file:
        status = dict(line.rstrip("\n").split(":\t", 1) for line in file)
    check(int(status["Uid"].split()[0]) >= 61184, f"its user is {status['Uid']}, and none made for it")
    wanted = 1 << 38 | 1 << 39 | 1 << 34  # CAP_PERFMON, CAP_BPF, CAP_SYSLOG
    check_equal((int(status["CapBnd"], 16) & ~wanted, int(status["CapEff"], 16) & ~wanted), (0, 0), "more capabilities")
    check_equal((status["NoNewPrivs"], status["Seccomp"]), ("1", "2"), "new privileges and filter")


@test
def it_ends_when_it_is_told_to():
    systemctl("stop", TRACER)
    check_equal((show("ActiveState", TRACER), show("Result", TRACER)), ("inactive", "success"), "state and result")
    # lingerd tries its own filter.
    forbidden = [line for line in began.lines()
                 if re.match("SECCOMP auid|audit: type=1326", line) and 'comm="lingerd"' not in line]
    check_equal(forbidden, [], "calls that its filter has forbidden")


main()
