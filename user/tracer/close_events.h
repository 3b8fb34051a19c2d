/* SPDX-License-Identifier: MIT */
/* The tracepoints of close() itself, which the kernel numbers in tracefs and gives as events of perf. */
#ifndef TRACER_CLOSE_EVENTS_H
#define TRACER_CLOSE_EVENTS_H

struct bpf_link;
struct bpf_program;
struct close_trace;

/*
 * Attaches the programs of both to the skeleton's links. tracefs need not be mounted, if this process may do it.
 * Returns 0, or a negative errno with none of them attached.
 */
int close_events_attach(struct close_trace *skeleton);

/* Takes both off; nothing happens if they are not there. */
void close_events_detach(struct close_trace *skeleton);

/* One of them; NULL with errno set. name: "sys_enter_close" or "sys_exit_close". */
struct bpf_link *close_event_attach(const struct bpf_program *program, const char *name);

#endif
