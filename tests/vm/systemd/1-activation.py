#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The socket is there after the boot, as its unit says, and the first handoff starts the service."""
import grp
import os
import socket
import stat

from guest import *

NOBODY = 65534


@test
def after_the_boot_the_socket_is_there_and_the_service_is_not():
    there = os.stat(SOCKET)
    check_equal(stat.filemode(there.st_mode), "srw-rw----", "its mode")
    check_equal((there.st_uid, grp.getgrgid(there.st_gid).gr_name), (0, "lingerd"), "its owner")
    folder = os.stat(os.path.dirname(SOCKET))
    check_equal(stat.filemode(folder.st_mode), "drwxr-xr-x", "the folder's mode")
    check_equal(show("ActiveState", SOCKET_UNIT), "active", "the socket's state")
    check_equal(show("ActiveState"), "inactive", "the service's state")


def try_to_connect():
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as fd:
        try:
            fd.connect(SOCKET)
            return 0
        except PermissionError:
            return 1


@test
def who_is_not_in_the_group_does_not_get_in():
    check_equal(as_user(NOBODY, [], try_to_connect), 1, "connecting")
    check_equal(show("ActiveState"), "inactive", "the service's state")


@test
def a_handoff_of_one_in_the_group_starts_it_and_is_lingered():
    def serve():
        exchange = Exchange(Sender())
        return 2 if exchange.error else 0 if exchange.finish() else 1

    mark = Journal()
    check_equal(as_user(NOBODY, [grp.getgrnam("lingerd").gr_gid], serve), 0, "the response")
    wait_for(lambda: show("ActiveState") == "active", "the service does not run")
    expect(handoffs=1, ended_fin=1, lingers=0, drained_bytes=1000)
    check(mark.find("version .* takes connections on /run/lingerd/lingerd.sock"), "nothing in the journal")
    check_equal(as_user(NOBODY, [], try_to_connect), 1, "connecting while it runs")


main()
