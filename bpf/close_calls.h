/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The calls of close() that are under way: who closes, and how long it blocks. They are seen in the system
 * call (tracepoints), or in tcp_close() (fentry), which the last close() alone reaches. Part of
 * close_trace.bpf.c.
 */
#ifndef CLOSE_CALLS_H
#define CLOSE_CALLS_H

#include "connections.h"

struct close_call {
	__u64 cookie;
	__u64 entered_ns;
	bool last;   /* known to be the last close() of the connection */
	bool joined; /* found to be: the call holds the connection */
};

/* By thread. When it is full, how long a call took stays unknown. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 8192);
	__type(key, __u32);
	__type(value, struct close_call);
} close_calls SEC(".maps");

/* Not returned: when the call did is not known. */
static void end_close_call(__u32 thread_id, bool returned)
{
	struct close_call *call = bpf_map_lookup_elem(&close_calls, &thread_id);
	struct connection *connection;
	struct close_call ended;

	if (!call)
		return;
	ended = *call;
	bpf_map_delete_elem(&close_calls, &thread_id);
	connection = ended.joined ? bpf_map_lookup_elem(&connections, &ended.cookie) : NULL;
	if (!connection)
		return;
	if (returned)
		connection->record.close_call_ns = bpf_ktime_get_ns() - ended.entered_ns;
	release(ended.cookie, connection);
}

static void begin_close_call(__u64 cookie, bool last)
{
	__u32 thread_id = bpf_get_current_pid_tgid();
	struct close_call call = { .cookie = cookie, .last = last };

	/* One whose return was missed must not return with this one. */
	end_close_call(thread_id, false);
	if (!cookie || !bpf_map_lookup_elem(&connections, &cookie))
		return;
	call.entered_ns = bpf_ktime_get_ns();
	bpf_map_update_elem(&close_calls, &thread_id, &call, BPF_ANY);
}

static int handle_close_exit(void)
{
	end_close_call(bpf_get_current_pid_tgid(), true);
	return 0;
}

static int handle_tcp_close(const struct sock *sk)
{
	begin_close_call(sk->__sk_common.skc_cookie.counter, true);
	return 0;
}

/* The cookie of the socket behind a descriptor of the current process, or 0. */
static __u64 cookie_of_descriptor(__u32 fd)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task_btf();
	struct fdtable *table = BPF_CORE_READ(task, files, fdt);
	struct socket *socket;
	struct file **slots, *file = NULL;

	if (fd >= BPF_CORE_READ(table, max_fds))
		return 0;
	slots = BPF_CORE_READ(table, fd);
	bpf_probe_read_kernel(&file, sizeof(file), slots + fd);
	if (!file || (BPF_CORE_READ(file, f_inode, i_mode) & S_IFMT) != S_IFSOCK)
		return 0;
	socket = BPF_CORE_READ(file, private_data);
	return BPF_CORE_READ(socket, sk, __sk_common.skc_cookie.counter);
}

static int handle_close_enter(struct pt_regs *regs)
{
	begin_close_call(cookie_of_descriptor(SYSCALL_ARGUMENT(regs)), false);
	return 0;
}

#endif
