#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What the daemon tells systemd: that it is ready, what it does, and that it has read its settings again."""
import os

from guest import *


@test
def it_is_active_when_it_is_ready_and_not_before():
    as_shipped()
    drop_in("[Service]\nExecStart=\nExecStart=/bin/sh -c 'sleep 8; exec /usr/sbin/lingerd --fd-store on'\n")
    systemctl("start", "--no-block", SERVICE)
    wait_for(main_pid, "it is not started")
    pid = main_pid()
    while os.readlink(f"/proc/{pid}/exe") != "/usr/sbin/lingerd":
        check_equal(show("ActiveState"), "activating", "its state before it is ready")
    wait_for(lambda: show("ActiveState") == "active", "it is never active")
    check_equal(main_pid(), pid, "the main process")
    expect(lingers=0)


@test
def start_waits_until_it_is_ready():
    as_shipped()
    systemctl("start", SERVICE)
    check_equal(show("ActiveState"), "active", "its state")
    check_equal(os.readlink(f"/proc/{main_pid()}/exe"), "/usr/sbin/lingerd", "the main process")


def status_line(lingers, handoffs):
    wanted = f"{lingers} connections linger (of 65536), {handoffs} taken over since the start"
    wait_for(lambda: show("StatusText") == wanted, f"the status line is not '{wanted}'", 30)


@test
def the_status_line_follows_what_lingers():
    as_shipped("[lingerd]\nidle-timeout = 300\ntotal-timeout = 300\n")
    systemctl("start", SERVICE)
    held = Held()
    held.hold(3, Sender())
    status_line(3, 3)
    held.hold(2, Sender())
    status_line(5, 5)
    held.close()
    status_line(0, 5)


@test
def reload_applies_a_good_file_to_what_lingers_already():
    as_shipped("[lingerd]\nidle-timeout = 300\ntotal-timeout = 300\n")
    systemctl("start", SERVICE)
    pid = main_pid()
    held = Held()
    held.hold(2, Sender())
    expect(lingers=2)
    mark = Journal()
    configure("[lingerd]\nidle-timeout = 1\ntotal-timeout = 7\n")
    systemctl("reload", SERVICE)
    mark.expect("settings read again: idle timeout 1 s, total 7 s")
    expect(lingers=0, ended_idle=2)
    check_equal((show("ActiveState"), main_pid()), ("active", pid), "state and process")
    held.close()


@test
def reload_of_a_file_with_a_mistake_fails_and_changes_nothing():
    as_shipped("[lingerd]\nidle-timeout = 300\ntotal-timeout = 300\n")
    systemctl("start", SERVICE)
    pid = main_pid()
    held = Held()
    held.hold(2, Sender())
    expect(lingers=2)
    mark = Journal()
    configure("[lingerd]\nidle-timeout = 1\ntotal-timeout = seven\n")
    systemctl("reload", SERVICE, fails=True)
    mark.expect("/etc/lingerd/lingerd.conf:3: total-timeout: 'seven'")
    check_equal((show("ActiveState"), main_pid()), ("active", pid), "state and process")
    check(not mark.find("settings read again"), "it has read its settings again")
    time.sleep(3)
    expect(lingers=2, ended_idle=0)
    configure("[lingerd]\nidle-timeout = 2\n")
    systemctl("reload", SERVICE)
    expect(lingers=0, ended_idle=2)
    held.close()


@test
def a_drain_may_take_longer_than_a_stop():
    as_shipped("[lingerd]\nidle-timeout = 300\ntotal-timeout = 300\n")
    drop_in("[Service]\nTimeoutStopSec=3\n")
    systemctl("start", SERVICE)
    pid = main_pid()
    held = Held()
    held.hold(2, Sender())
    expect(lingers=2)
    run("lingerctl", "drain")
    time.sleep(8)
    check_equal((show("ActiveState"), main_pid()), ("active", pid), "state and process")
    check_equal(held.reset(), [], "who has been reset")
    held.close()
    wait_for(lambda: show("ActiveState") == "inactive", "it does not end when nothing lingers", 30)
    check_equal(show("Result"), "success", "how it has ended")


@test
def a_start_with_a_mistake_fails_and_says_where():
    as_shipped("[lingerd]\ncolour = blue\n")
    mark = Journal()
    systemctl("start", SERVICE, fails=True)
    mark.expect("/etc/lingerd/lingerd.conf:2: there is no setting 'colour'")
    configure("[lingerd]\n")
    systemctl("stop", SERVICE)
    systemctl("reset-failed")
    systemctl("start", SOCKET_UNIT, SERVICE)
    check_equal(show("ActiveState"), "active", "its state")


main()
