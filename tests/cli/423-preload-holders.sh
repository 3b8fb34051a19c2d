#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The preload library where connections are open in several processes: children that end without closing, and those
# that were made otherwise than by fork().
# shellcheck source=tests/cli/preload.common
. tests/cli/preload.common

cat >"$work/holders.py" <<'PY'
import ctypes, os, signal, subprocess, time
from preload_pairs import accepted, answered, ended, eof, run

libc = ctypes.PyDLL(None)


def time_of_fork(kill):
    """400 connections are left to a child that ends without closing them. CPU time of the fork() itself."""
    pairs = [accepted() for _ in range(400)]
    began = time.thread_time()
    child = os.fork()
    if not child:
        if kill:
            signal.pause()
        os._exit(0)
    took = time.thread_time() - began
    if kill:
        os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    for fd, client in pairs:
        os.close(fd)
        client.close()
    return took


def children_end_without_closing():
    """However many were left so, fork() costs the same, and the last holder still hands off."""
    first = [time_of_fork(i % 2) for i in range(10)]
    later = [time_of_fork(i % 2) for i in range(12)]
    fd, client = accepted()
    child = os.fork()
    if not child:
        os.close(fd)
        os._exit(0)
    os.waitpid(child, 0)
    assert not eof(client)
    os.write(fd, b"answer")
    assert answered(client, b"answer")
    os.close(fd)
    assert eof(client, 10)
    assert min(later) < 8 * min(first), (first, later)


def more_than_can_be_counted():
    """A connection whose count had to be given up is closed as ever, by whoever is last."""
    fd, client = accepted()
    wait, go = os.pipe()
    child = os.fork()
    if not child:
        os.read(wait, 1)
        os.write(fd, b"answer")
        os.close(fd)
        os._exit(0)
    for _ in range(22):
        time_of_fork(False)
    os.close(fd)
    assert not eof(client)
    os.write(go, b"x")
    assert answered(client, b"answer")
    assert eof(client, 10)
    os.waitpid(child, 0)


def inherited():
    """A connection that children get, and a command by which one answers after a while."""
    fd, client = accepted()
    os.set_inheritable(fd, True)
    return fd, client, f"sleep 0.5; echo answer >&{fd}"


def child_answers(fd, client):
    os.close(fd)
    assert not eof(client)
    assert answered(client, b"answer\n")


def system():
    fd, client, command = inherited()
    os.system(f"({command}) &")
    child_answers(fd, client)
    assert eof(client, 10)


def popen():
    fd, client, command = inherited()
    libc.popen.restype = ctypes.c_void_p
    stream = libc.popen(command.encode(), b"r")
    child_answers(fd, client)
    assert libc.pclose(ctypes.c_void_p(stream)) == 0
    assert eof(client, 10)


def vfork():
    """subprocess takes vfork() where it can."""
    fd, client, command = inherited()
    child = subprocess.Popen(["sh", "-c", command], pass_fds=[fd])
    child_answers(fd, client)
    assert child.wait() == 0
    assert eof(client, 10)


def bare_fork():
    fd, client = accepted()
    child = libc._Fork()
    if not child:
        time.sleep(0.5)
        os.write(fd, b"answer\n")
        os.close(fd)
        os._exit(0)
    child_answers(fd, client)
    assert ended(child)
    assert eof(client, 10)


def children_that_get_nothing():
    """What is close-on-exec is none of theirs."""
    fd, client = accepted()
    os.system("true")
    libc.popen.restype = ctypes.c_void_p
    libc.pclose(ctypes.c_void_p(libc.popen(b"true", b"r")))
    subprocess.run(["true"], close_fds=False)
    os.close(fd)
    assert eof(client, 10)


run(globals())
PY

cat >"$work/made.c" <<'C'
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include "preload_pair.h"

static void execute(const char *how, char *command)
{
	char *argv[] = { "sh", "-c", command, NULL };

	if (!strcmp(how, "execl"))
		execl("/bin/sh", "sh", "-c", command, NULL);
	else if (!strcmp(how, "execlp"))
		execlp("sh", "sh", "-c", command, NULL);
	else if (!strcmp(how, "execle"))
		execle("/bin/sh", "sh", "-c", command, NULL, environ);
	else if (!strcmp(how, "execv"))
		execv("/bin/sh", argv);
	else if (!strcmp(how, "execvp"))
		execvp("sh", argv);
	else if (!strcmp(how, "execve"))
		execve("/bin/sh", argv, environ);
	else if (!strcmp(how, "execvpe"))
		execvpe("sh", argv, environ);
	else if (!strcmp(how, "execveat"))
		execveat(AT_FDCWD, "/bin/sh", argv, environ, 0);
	else if (!strcmp(how, "fexecve"))
		fexecve(open("/bin/sh", O_RDONLY | O_CLOEXEC), argv, environ);
	_exit(9);
}

/* A child of clone() is not seen, but must not hand off by itself what its parent has; nor may its own child. */
static void clone_and_fork(struct pair pair)
{
	int status = 0;

	if (syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0)) {
		wait(&status);
		if (status || write(pair.server, "answer\n", 7) != 7)
			_exit(5);
		return;
	}
	if (fork())
		wait(&status);
	close(pair.server);
	_exit(status != 0);
}

int main(int argc, char **argv)
{
	struct pair pair = open_pair();
	char answer[16], command[64];
	int status = 0;

	snprintf(command, sizeof(command), "sleep 0.2; echo answer >&%d", pair.server);
	if (!strcmp(argv[1], "clone"))
		clone_and_fork(pair);
	else if (!vfork())
		execute(argv[1], command);
	else
		close(pair.server);
	if (read(pair.client, answer, sizeof(answer)) != 7)
		return 3;
	wait(&status);
	return status ? 4 : 0;
}
C
compile made

# A fork() that fails has no child: this process stays the only holder, or as many hold on as before.
cat >"$work/failed_fork.c" <<'C'
#include <errno.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include "preload_pair.h"

int main(void)
{
	struct pair mine = open_pair(), shared = open_pair();
	int go[2];
	pid_t child;

	if (!geteuid() && setresuid(65534, 65534, 65534))
		return 3;
	if (pipe(go))
		return 3;
	child = fork();
	if (!child) {
		close(mine.server);
		if (read(go[0], &(char){ 0 }, 1) == 1)
			close(shared.server);
		_exit(0);
	}
	setrlimit(RLIMIT_NPROC, &(struct rlimit){ 0, 0 });
	for (int i = 0; i < 3; i++)
		if (fork() != -1 || errno != EAGAIN)
			return 4;
	close(shared.server); /* not yet: the child holds it */
	if (recv(shared.client, &(char){ 0 }, 1, MSG_DONTWAIT) != -1)
		return 5;
	if (write(go[1], "x", 1) != 1 || read(shared.client, &(char){ 0 }, 1))
		return 6;
	waitpid(child, NULL, 0);
	close(mine.server);
	return 0;
}
C
compile failed_fork

start_lingerd
holders failed_fork 2
holders children_end_without_closing 1
holders children_that_get_nothing 1
none more_than_can_be_counted system popen vfork bare_fork
handoffs=$(counter handoffs)
for how in execl execlp execle execv execvp execve execvpe execveat fexecve clone; do
    holders made 0 $how
done
counts handoffs "$handoffs" || fail "one of those was handed off"
exit 0
