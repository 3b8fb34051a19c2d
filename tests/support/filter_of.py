#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""filter_of.py PID: takes the filter of system calls that a process runs under out of the kernel, puts it upon itself, and
prints for some calls, one "NAME RESULT" a line, what becomes of them there: ok, or the name of an error.

Exit status 77 where the kernel does not give the filter (it takes root, and CONFIG_CHECKPOINT_RESTORE).
"""
import ctypes
import errno
import fcntl
import mmap
import os
import socket
import sys
import termios

PTRACE_SEIZE, PTRACE_INTERRUPT, PTRACE_DETACH, PTRACE_SECCOMP_GET_FILTER = 0x4206, 0x4207, 17, 0x420C
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.restype = ctypes.c_long
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]


class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("instructions", ctypes.c_void_p)]


def ptrace(request, pid, address=None, data=None):
    result = libc.ptrace(request, pid, address, data)
    if result < 0:
        error = ctypes.get_errno()
        print(f"ptrace: {os.strerror(error)}", file=sys.stderr)
        sys.exit(77 if error in (errno.EPERM, errno.EACCES, errno.EIO, errno.EINVAL) else 1)
    return result


def filters_of(pid):
    ptrace(PTRACE_SEIZE, pid)
    ptrace(PTRACE_INTERRUPT, pid)
    os.waitpid(pid, 0x40000000)  # __WALL
    length = ptrace(PTRACE_SECCOMP_GET_FILTER, pid, 0)
    instructions = ctypes.create_string_buffer(length * 8)
    ptrace(PTRACE_SECCOMP_GET_FILTER, pid, 0, ctypes.addressof(instructions))
    ptrace(PTRACE_DETACH, pid)
    return length, instructions


def attempt(call):
    try:
        call()
        return "ok"
    except OSError as error:
        return errno.errorcode[error.errno]


def fork():
    if os.fork() == 0:
        os._exit(0)


READER, WRITER = socket.socketpair()

CALLS = {
    "execve": lambda: os.execv("/bin/true", ["true"]),
    "fork": fork,
    "socket-inet": lambda: socket.socket(socket.AF_INET),
    "socket-netlink": lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW),
    "open-to-write": lambda: os.open("/dev/null", os.O_WRONLY),
    "kill": lambda: os.kill(os.getppid(), 0),
    "chmod": lambda: os.chmod("/dev/null", 0o666),
    "write-and-execute": lambda: mmap.mmap(-1, 4096, prot=mmap.PROT_WRITE | mmap.PROT_EXEC),
    "bind": lambda: socket.socket(socket.AF_UNIX).bind(""),
    "affinity": lambda: os.sched_setaffinity(0, {0}),
    # What it needs
    "socket-unix": lambda: socket.socket(socket.AF_UNIX),
    "socketpair": socket.socketpair,
    "open-to-read": lambda: os.open("/dev/null", os.O_RDONLY),
    "unread": lambda: fcntl.ioctl(READER, termios.FIONREAD, bytes(4)),
}

def main():
    length, instructions = filters_of(int(sys.argv[1]))
    program = Program(length, ctypes.addressof(instructions))
    libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(program)):
        sys.exit("cannot put the filter upon this process")
    for name, call in CALLS.items():
        os.write(1, f"{name} {attempt(call)}\n".encode())
    os._exit(0)


main()
