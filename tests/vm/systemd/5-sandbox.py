#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The sandbox as shipped: what the running daemon cannot do, that it does its work there, and that systemd has no complaints."""
import os
import pwd

from guest import *

METRICS = "/run/lingerd/metrics.sock"
began = Journal()


def process_status(pid):
    with open(f"/proc/{pid}/status") as file:
        return dict(line.rstrip("\n").split(":\t", 1) for line in file)


def namespace(pid, kind):
    return os.readlink(f"/proc/{pid}/ns/{kind}")


@test
def it_is_nobody_and_may_do_nothing():
    as_shipped(f"[lingerd]\nmetrics = unix:{METRICS}\n")
    systemctl("daemon-reload")  # reads the units again: what systemd says of them is among what is looked at
    systemctl("start", SERVICE)
    status = process_status(main_pid())
    user = pwd.getpwnam("lingerd")
    check_equal(status["Uid"].split(), [str(user.pw_uid)] * 4, "its user")
    check_equal(status["Gid"].split(), [str(user.pw_gid)] * 4, "its group")
    for kind in "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb":
        check_equal(int(status[kind], 16), 0, kind)
    check_equal((status["NoNewPrivs"], status["Seccomp"]), ("1", "2"), "new privileges and filter")
    check(int(status["Seccomp_filters"]) >= 2, "there is but one filter")


@test
def it_sees_no_network_and_no_other_processes():
    pid = main_pid()
    for kind in "net", "ipc", "mnt":
        check(namespace(pid, kind) != namespace("self", kind), f"it is in the host's {kind} namespace")
    # Else every sender would be the same unknown user.
    check_equal(namespace(pid, "user"), namespace("self", "user"), "its user namespace")
    devices = run("nsenter", "-t", str(pid), "-n", "cat", "/proc/net/dev")
    check_equal(re.findall(r"^ *(\w+):", devices, re.M), ["lo"], "its network devices")
    with open(f"/proc/{pid}/mountinfo") as file:
        options = [line.split()[-1].split(",") for line in file if line.split()[4] == "/proc"][-1]
    check({"hidepid=invisible", "subset=pid"} <= set(options), f"its /proc has {options}")


def writable(pid, path):
    """Whether a process as it is, but without filters, could make a file there."""
    user = pwd.getpwnam("lingerd")
    script = f'f=$(mktemp -p "{path}" 2>/dev/null) && rm "$f" && echo yes || echo no'
    return run("nsenter", "-t", str(pid), "-m", "setpriv", "--reuid", str(user.pw_uid), "--regid", str(user.pw_gid),
               "--clear-groups", "--bounding-set=-all", "--inh-caps=-all", "sh", "-c", script).strip() == "yes"


@test
def it_can_write_to_the_folder_of_its_socket_alone():
    pid = main_pid()
    check(writable(pid, "/run/lingerd"), "it cannot write to /run/lingerd")
    for path in "/", "/etc", "/etc/lingerd", "/usr", "/usr/sbin", "/run", "/var", "/var/lib", "/dev", "/dev/shm", "/home", "/root":
        check(not writable(pid, path), f"it can write to {path}")
    with open(f"/proc/{pid}/mountinfo") as file:
        mounts = {line.split()[4]: line.split()[5].split(",") for line in file}
    for path in "/", "/sys/fs/cgroup":
        check("ro" in mounts[path], f"{path} can be written")
    check("rw" in mounts["/run/lingerd"], "/run/lingerd cannot be written")


@test
def systemd_finds_it_little_exposed_and_nothing_wrong_with_the_units():
    text = run("systemd-analyze", "security", "--no-pager", "--threshold=10", SERVICE)
    say(re.search(r"Overall exposure level.*", text).group(0))
    units = SERVICE, SOCKET_UNIT, "lingertrace.service"
    # man: is not there in this Debian.
    check_equal(run("systemd-analyze", "verify", "--man=no", *units), "", "what systemd-analyze verify says")


@test
def what_it_does_works_there():
    mark, sender = Journal(), Sender()
    check(all(Exchange(sender).finish() for _ in range(50)), "a response did not arrive whole")
    expect(handoffs=50, ended_fin=50)
    metrics = run("python3", "-c", f"""
import socket
fd = socket.socket(socket.AF_UNIX)
fd.connect("{METRICS}")
fd.sendall(b"GET /metrics HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n")
while piece := fd.recv(65536):
    print(piece.decode(), end="")
""")
    check(re.search(r"^lingerd_handoffs_total 50\r?$", metrics, re.M), f"metrics: {metrics[:300]}")
    systemctl("reload", SERVICE)
    mark.expect("settings read again")
    systemctl("restart", SERVICE)
    systemctl("stop", SERVICE)
    mark.expect("ended: ")
    check(not mark.find("not permitted|denied|cannot"), f"complaints: {mark.lines('-u', SERVICE)}")
    sender.close()


@test
def nothing_was_forbidden_and_systemd_complains_of_nothing():
    lines = began.lines()
    starts = sum(" takes connections on " in line for line in lines)
    check(starts >= 2, "the journal does not have the starts")
    # Each start tries its filter with an execve(), number 59: audit tells it, and the log of the kernel again.
    forbidden = [line for line in lines if re.match("SECCOMP auid|audit: type=1326", line)]
    check(len(forbidden) >= starts, "the journal does not have what filters forbid")
    check_equal([line for line in forbidden if " syscall=59 " not in line], [], "calls that a filter has forbidden")
    check(len(forbidden) <= 2 * starts, f"{len(forbidden)} forbidden execve() in {starts} starts")
    complaint = "linger.*(Unknown|gnoring|deprecated|unsafe|[Ff]ailed|not permitted|denied)"
    check_equal([line for line in lines if re.search(complaint, line)], [], "complaints")
    check_equal(systemctl("--failed", "--plain", "--no-legend").strip(), "", "failed units")


main()
