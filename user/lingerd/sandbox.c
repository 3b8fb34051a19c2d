/* SPDX-License-Identifier: MIT */
#include "lingerd/sandbox.h"

#include <asm/ioctls.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <linux/sockios.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#define UNDER_ASAN true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define UNDER_ASAN true
#endif
#endif
#ifndef UNDER_ASAN
#define UNDER_ASAN false
#endif

/* By their names: not every architecture has all of them. */
static const char *const allowed[] = {
	/* senders, scrapers */
	"accept4", "accept", "recvmmsg", "recvmmsg_time64", "getsockname", "fcntl", "fcntl64",
	/* the service manager's barrier */
	"pipe2",
	/* the file, and users and groups by their names: files, modules, a local service */
	"fstat", "fstat64", "stat", "stat64", "lstat", "lstat64", "newfstatat", "fstatat64",
	"statx", "lseek", "_llseek", "pread64", "access", "faccessat", "faccessat2", "readlink",
	"readlinkat", "connect", "uname",
	/* the end: socket and lock are taken away */
	"unlink", "unlinkat",
	/* what the C library does by itself */
	"dup2", "dup3", "getrandom", "sysinfo", "sigaltstack", "getuid", "geteuid", "getgid",
	"getegid", NULL
};

/* All that a shelf needs, and the front needs as well. */
static const char *const allowed_in_shelves[] = {
	/* the loop */
	"epoll_wait", "epoll_pwait", "epoll_ctl", "nanosleep", "clock_nanosleep", "clock_gettime",
	"gettimeofday", "time", "restart_syscall", "rt_sigreturn",
	/* connections, and what brings them */
	"recvmsg", "recvfrom", "recv", "sendmsg", "sendto", "send", "close", "shutdown",
	"setsockopt", "getsockopt", "getpeername",
	/* the log, and signals as descriptors */
	"read", "write", "writev", "poll", "ppoll",
	/* memory, and what the C library does by itself */
	"brk", "munmap", "mremap", "madvise", "futex", "rt_sigprocmask", "rt_sigaction", "getpid",
	"gettid", "sched_yield", "exit", "exit_group", NULL
};

enum { COMPARISONS_MAX = 2 };

/* Allowed with these arguments. */
struct narrow {
	const char *call;
	uint32_t count;
	struct scmp_arg_cmp arguments[COMPARISONS_MAX];
};

static struct scmp_arg_cmp equal(unsigned int argument, uint64_t value)
{
	return (struct scmp_arg_cmp){ .arg = argument, .op = SCMP_CMP_EQ, .datum_a = value };
}

static struct scmp_arg_cmp masked(unsigned int argument, uint64_t mask, uint64_t value)
{
	return (struct scmp_arg_cmp){
		.arg = argument, .op = SCMP_CMP_MASKED_EQ, .datum_a = mask, .datum_b = value
	};
}

static int allow(scmp_filter_ctx filter, const struct narrow *rule)
{
	int call = seccomp_syscall_resolve_name(rule->call);
	int error;

	if (call == __NR_SCMP_ERROR)
		return 0;
	error = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, call, rule->count, rule->arguments);
	/* -EDOM: a call of other architectures */
	return error == -EDOM ? 0 : error;
}

static int allow_all(scmp_filter_ctx filter, const char *const calls[])
{
	int error = 0;

	for (; !error && *calls; calls++)
		error = allow(filter, &(struct narrow){ .call = *calls });
	return error;
}

static int allow_in_shelves(scmp_filter_ctx filter)
{
	const struct narrow rules[] = {
		/* Queues for the next process. */
		{ "socketpair", 1, { equal(0, AF_UNIX) } },
		{ "ioctl", 1, { equal(1, SIOCOUTQ) } },
		{ "ioctl", 1, { equal(1, FIONREAD) } },
		/* Memory is not executed. */
		{ "mmap", 1, { masked(2, PROT_EXEC, 0) } },
		{ "mprotect", 1, { masked(2, PROT_EXEC, 0) } },
		/* abort() */
		{ "tgkill", 1, { equal(0, (uint64_t)getpid()) } },
		{ "prctl", 1, { equal(0, PR_GET_SECCOMP) } },
	};
	int error = allow_all(filter, allowed_in_shelves);

	for (size_t i = 0; !error && i < sizeof(rules) / sizeof(rules[0]); i++)
		error = allow(filter, &rules[i]);
	return error;
}

static int allow_in_front(scmp_filter_ctx filter)
{
	const uint64_t writes = O_ACCMODE | O_CREAT | O_TRUNC;
	const struct narrow rules[] = {
		/* Files are only read. */
		{ "openat", 1, { masked(2, writes, O_RDONLY) } },
		{ "open", 1, { masked(1, writes, O_RDONLY) } },
		/* To the service manager, and to who knows users. */
		{ "socket", 1, { equal(0, AF_UNIX) } },
		{ "ioctl", 1, { equal(1, TCGETS) } },
		/* Memory is written or executed: modules that look up users are loaded at need. */
		{ "mmap", 1, { masked(2, PROT_WRITE | PROT_EXEC, PROT_EXEC) } },
		/* Limits are asked for, not set. */
		{ "prlimit64", 2, { equal(0, 0), equal(2, 0) } },
		{ "getrlimit", 0, { { 0 } } },
	};
	int error = allow_all(filter, allowed);

	for (size_t i = 0; !error && i < sizeof(rules) / sizeof(rules[0]); i++)
		error = allow(filter, &rules[i]);
	return error;
}

/* Who asked to take over and went away has had the endpoint closed: it is opened anew. */
static int allow_endpoint(scmp_filter_ctx filter, const char *place)
{
	static const char *const calls[] = { "bind", "listen", "umask", "epoll_create1",
					     "eventfd2" };
	const struct narrow families[] = { { "socket", 1, { equal(0, AF_INET) } },
					   { "socket", 1, { equal(0, AF_INET6) } } };
	int error = 0;

	for (size_t i = 0; !error && i < sizeof(calls) / sizeof(calls[0]); i++)
		error = allow(filter, &(struct narrow){ .call = calls[i] });
	for (size_t i = 0; !error && i < 2 && strncmp(place, "unix:", 5) != 0; i++)
		error = allow(filter, &families[i]);
	return error;
}

/* Who takes over puts it in its place last; at the end it is put aside and looked at. */
static int allow_pidfile(scmp_filter_ctx filter)
{
	static const char *const calls[] = { "rename", "renameat", "renameat2" };
	int error = 0;

	for (size_t i = 0; !error && i < sizeof(calls) / sizeof(calls[0]); i++)
		error = allow(filter, &(struct narrow){ .call = calls[i] });
	return error;
}

/* Nothing but to put into a table. */
static int allow_drain(scmp_filter_ctx filter)
{
	return allow(filter, &(struct narrow){ "bpf", 1, { equal(0, BPF_MAP_UPDATE_ELEM) } });
}

/* What the front needs beyond the shelves' calls. */
static int allow_as_set(scmp_filter_ctx filter, const struct settings *settings)
{
	int error = allow_in_front(filter);

	if (!error && *settings->metrics)
		error = allow_endpoint(filter, settings->metrics);
	if (!error && *settings->pid_file)
		error = allow_pidfile(filter);
	/* The ring is set up by now, and restricted itself. */
	if (!error && settings->io_uring)
		error = allow(filter, &(struct narrow){ "io_uring_enter", 0, { { 0 } } });
	if (!error && settings->drain_in_kernel)
		error = allow_drain(filter);
	return error;
}

static int load_filter(const struct settings *settings, enum sandbox_role role)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int error;

	if (!filter)
		return -ENOMEM;
	error = allow_in_shelves(filter);
	if (!error && role == SANDBOX_FRONT)
		error = allow_as_set(filter, settings);
	/* What the kernel is too old for is no reason to go without a filter. */
	seccomp_attr_set(filter, SCMP_FLTATR_CTL_LOG, 1);
	seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (!error)
		error = seccomp_load(filter);
	seccomp_release(filter);
	return error;
}

static int get_capabilities(bool *ret_any)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { { 0 } };

	if (syscall(SYS_capget, &header, data))
		return -errno;
	*ret_any = false;
	for (int i = 0; i < _LINUX_CAPABILITY_U32S_3; i++)
		*ret_any |= data[i].effective || data[i].permitted || data[i].inheritable;
	return 0;
}

/* Ambient ones go with those that are permitted. */
static int drop_capabilities(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	const struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { { 0 } };
	bool any = true;
	int error = get_capabilities(&any);

	/* capset() may be forbidden where there is nothing to drop: under a filter of the service manager. */
	if (error || !any)
		return error;
	if (syscall(SYS_capset, &header, none))
		return -errno;
	error = get_capabilities(&any);
	return !error && any ? -EPERM : error;
}

static int forbid_new_privileges(void)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -errno;
	return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? 0 : -EPERM;
}

/* A filter is there, and it is not one that lets everything through: without it, this is EFAULT. */
static int check_filter(void)
{
	if (prctl(PR_GET_SECCOMP, 0, 0, 0, 0) != SECCOMP_MODE_FILTER)
		return -EPERM;
	if (syscall(SYS_execve, NULL, NULL, NULL) != -1 || errno != EPERM)
		return -EPERM;
	return 0;
}

static int fail(struct problem *problem, const char *what, int error)
{
	problem_say(problem,
		    "sandbox: cannot %s: %s; \"sandbox = off\" does without all of it, if that is "
		    "meant",
		    what, strerror(-error));
	return error;
}

int sandbox_enter(const struct settings *settings, enum sandbox_role role, struct problem *problem)
{
	int error = drop_capabilities();

	if (error)
		return fail(problem, "drop capabilities", error);
	error = forbid_new_privileges();
	if (error)
		return fail(problem, "forbid new privileges", error);
	if (UNDER_ASAN)
		return 0;
	error = load_filter(settings, role);
	if (!error)
		error = check_filter();
	return error ? fail(problem, "filter system calls", error) : 0;
}
