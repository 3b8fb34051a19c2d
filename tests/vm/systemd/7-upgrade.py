#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Another build in its place, and the units enabled and disabled: nothing is lost, and nothing stays behind."""
import os
import shutil

from guest import *

PROGRAM = "/usr/sbin/lingerd"


@test
def another_build_goes_on_with_what_lingers():
    as_shipped("[lingerd]\nidle-timeout = 300\ntotal-timeout = 300\n")
    systemctl("start", SERVICE)
    held, sender = Held(), Sender()
    held.hold(500, sender)
    expect(lingers=500)
    before = os.stat(PROGRAM).st_ino
    # As a package manager does it: the running process keeps the old file.
    shutil.copy2(PROGRAM, PROGRAM + ".new")
    os.rename(PROGRAM + ".new", PROGRAM)
    check(os.stat(PROGRAM).st_ino != before, "it is the same file")
    check(os.readlink(f"/proc/{main_pid()}/exe").endswith("(deleted)"), "it does not run the old one")
    exchange = Exchange(sender)
    check_equal((exchange.error, exchange.finish()), (0, True), "a handoff to the old one")
    systemctl("daemon-reload")
    systemctl("restart", SERVICE)
    check_equal(os.readlink(f"/proc/{main_pid()}/exe"), PROGRAM, "what runs")
    check_equal(len(held.reset()), 0, "connections reset")
    expect(lingers=500, restored=500, drained_bytes=0)
    held.send(100)
    expect(drained_bytes=50000)
    exchange = Exchange(sender)
    check_equal((exchange.error, exchange.finish()), (0, True), "a handoff to the new one")
    held.close()
    expect(lingers=0, ended_fin=501)
    sender.close()


def enabled():
    return [systemctl("is-enabled", unit, fails=None).strip() for unit in (SOCKET_UNIT, SERVICE)]


@test
def enable_and_disable_bring_it_and_take_it_away():
    for _ in range(2):
        systemctl("disable", "--now", SERVICE, SOCKET_UNIT)
        check_equal(enabled(), ["disabled", "disabled"], "the units")
        check(not os.path.exists(SOCKET), "the socket is still there")
        check_equal(os.listdir("/run/lingerd"), [], "what is left in /run/lingerd")
        check_equal((show("ActiveState"), show("ActiveState", SOCKET_UNIT)), ("inactive", "inactive"), "their states")
        check(Exchange(Sender()).error < 0, "somebody has taken a handoff")
        # The one brings the other.
        systemctl("enable", "--now", SERVICE)
        check_equal(enabled(), ["enabled", "enabled"], "the units")
        exchange = Exchange(Sender())
        check_equal((exchange.error, exchange.finish()), (0, True), "a handoff")
        expect(handoffs=1, ended_fin=1)
    check_equal(systemctl("--failed", "--plain", "--no-legend").strip(), "", "failed units")


main()
