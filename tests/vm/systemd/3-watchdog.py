#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""systemd's watchdog leaves a daemon alone that works or has nothing to do, and ends one whose loop stands still."""
import os
import signal

from guest import *

PERIOD = 3


@test
def an_idle_daemon_is_left_alone():
    as_shipped()
    drop_in(f"[Service]\nWatchdogSec={PERIOD}\n")
    systemctl("start", SERVICE)
    pid = main_pid()
    check_equal(show("WatchdogUSec"), f"{PERIOD}s", "the watchdog's period")
    time.sleep(5 * PERIOD)
    check_equal((show("ActiveState"), main_pid(), show("NRestarts")), ("active", pid, "0"), "state, process, restarts")


@test
def a_busy_daemon_is_left_alone():
    pid, end, count = main_pid(), time.monotonic() + 4 * PERIOD, 0
    sender = Sender()
    while time.monotonic() < end:
        exchange = Exchange(sender)
        check_equal(exchange.error, 0, "handoff")
        check(exchange.finish(), "a response did not arrive whole")
        count += 1
    say(f"{count} handoffs")
    check_equal((main_pid(), show("NRestarts")), (pid, "0"), "process and restarts")
    sender.close()


@test
def one_that_stands_still_is_ended_and_started_again():
    pid, mark, began = main_pid(), Journal(), time.monotonic()
    os.kill(pid, signal.SIGSTOP)
    wait_for(lambda: show("NRestarts") == "1" and show("ActiveState") == "active", "it is not started again")
    took = time.monotonic() - began
    say(f"{took:.1f} s after it was stopped another one is ready")
    check(main_pid() != pid, "it is the same process")
    mark.expect("Watchdog timeout")
    mark.expect("Failed with result 'watchdog'")
    exchange = Exchange(Sender())
    check_equal(exchange.error, 0, "handoff to the next one")
    check(exchange.finish(), "its response did not arrive whole")
    expect(handoffs=1, ended_fin=1)


main()
