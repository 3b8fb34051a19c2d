/* SPDX-License-Identifier: MIT */
#include "tracer/close_events.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "close_trace.skel.h"

/* A tracefs of our own that nobody sees, since it is not mounted everywhere. */
static int open_unmounted_tracefs(void)
{
	int context = fsopen("tracefs", FSOPEN_CLOEXEC);
	int root = -1;

	if (context < 0)
		return -1;
	if (!fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		root = fsmount(context, FSMOUNT_CLOEXEC, 0);
	close(context);
	return root;
}

static int open_tracefs(void)
{
	int root = open("/sys/kernel/tracing", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (root >= 0 && !faccessat(root, "events", F_OK, 0))
		return root;
	if (root >= 0)
		close(root);
	return open_unmounted_tracefs();
}

static int event_number(const char *name, unsigned long long *ret)
{
	int root = open_tracefs();
	char path[80], text[24] = { 0 };
	ssize_t length;
	int fd;

	if (root < 0)
		return -errno;
	snprintf(path, sizeof(path), "events/syscalls/%s/id", name);
	fd = openat(root, path, O_RDONLY | O_CLOEXEC);
	close(root);
	if (fd < 0)
		return -errno;
	length = read(fd, text, sizeof(text) - 1);
	close(fd);
	return length > 0 && sscanf(text, "%llu", ret) == 1 ? 0 : -EIO;
}

struct bpf_link *close_event_attach(const struct bpf_program *program, const char *name)
{
	struct perf_event_attr attributes = {
		.type = PERF_TYPE_TRACEPOINT,
		.size = sizeof(attributes),
	};
	unsigned long long number = 0;
	struct bpf_link *link;
	int result, fd;

	result = event_number(name, &number);
	if (result) {
		errno = -result;
		return NULL;
	}
	attributes.config = number;
	/* With a program, an event of any one CPU is one of all. */
	fd = (int)syscall(SYS_perf_event_open, &attributes, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
	if (fd < 0)
		return NULL;
	link = bpf_program__attach_perf_event(program, fd);
	if (!link) {
		result = errno;
		close(fd);
		errno = result;
	}
	return link;
}

static int attach_both(struct close_trace *skeleton)
{
	skeleton->links.event_close_enter =
		close_event_attach(skeleton->progs.event_close_enter, "sys_enter_close");
	if (!skeleton->links.event_close_enter)
		return -errno;
	skeleton->links.event_close_exit =
		close_event_attach(skeleton->progs.event_close_exit, "sys_exit_close");
	return skeleton->links.event_close_exit ? 0 : -errno;
}

int close_events_attach(struct close_trace *skeleton)
{
	int result = attach_both(skeleton);

	if (result)
		close_events_detach(skeleton);
	return result;
}

void close_events_detach(struct close_trace *skeleton)
{
	/* The one that notices what this one misses goes last. */
	bpf_link__destroy(skeleton->links.event_close_exit);
	skeleton->links.event_close_exit = NULL;
	bpf_link__destroy(skeleton->links.event_close_enter);
	skeleton->links.event_close_enter = NULL;
}
