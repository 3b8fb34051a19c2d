#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""under_filter.py UNIT PROGRAM [ARGUMENT]...: runs the program as a unit of systemd lets it call the kernel.

The unit's SystemCallFilter=, expanded by systemd-analyze, becomes a filter of the process; what it does not allow fails with EPERM.
So does socket() of families that RestrictAddressFamilies= does not name.
"""
import errno
import os
import re
import socket
import subprocess
import sys

import seccomp


def settings(unit, key):
    for line in open(unit):
        if line.startswith(key + "="):
            yield line.split("=", 1)[1].split()


def expand(name, known={}):
    """The calls of a group, and of groups in it."""
    if not name.startswith("@"):
        return {name}
    if name not in known:
        text = subprocess.run(["systemd-analyze", "syscall-filter", name], check=True, capture_output=True, text=True).stdout
        members = re.findall(r"^ +([@a-z_0-9-]+)$", text, re.M)
        known[name] = set().union(*map(expand, members))
    return known[name]


def main():
    unit, command = sys.argv[1], sys.argv[2:]
    allowed = set()
    for words in settings(unit, "SystemCallFilter"):
        if words[0].startswith("~"):
            words[0] = words[0][1:]
            allowed -= set().union(*map(expand, words))
        else:
            allowed |= set().union(*map(expand, words))
    # systemd adds these itself: it has to start the program.
    allowed |= expand("@default")
    families = [getattr(socket, name) for words in settings(unit, "RestrictAddressFamilies") for name in words]
    assert allowed and families, "the unit has no filter"

    rules = seccomp.SyscallFilter(seccomp.ERRNO(errno.EPERM))
    for call in sorted(allowed - {"socket"}):
        try:
            rules.add_rule(seccomp.ALLOW, call)
        except RuntimeError:
            pass  # not of this architecture, or younger than the library
    for family in families:
        rules.add_rule(seccomp.ALLOW, "socket", seccomp.Arg(0, seccomp.EQ, family))
    rules.load()
    os.execv(command[0], command)


main()
