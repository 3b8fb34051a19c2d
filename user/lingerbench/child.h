/* SPDX-License-Identifier: MIT */
/* Processes of the lab: none outlives it, whatever ends it. */
#ifndef LINGERBENCH_CHILD_H
#define LINGERBENCH_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * fork(); the child is killed when the parent dies, has default signal handling, and leaves the
 * terminal's Ctrl-C to the parent. Answers as fork(2), with a negative errno for -1.
 */
pid_t child_fork(void);

/* Whether it has ended; it can still be waited for. */
bool child_has_ended(pid_t pid);

/* CPU time, user and system, that it has used since it began. 0, or a negative errno: it has ended.
 */
int child_cpu_ns(pid_t pid, uint64_t *ret);

/* Waits so long, then kills. The status as waitpid(2) tells it. */
int child_wait(pid_t pid, unsigned int seconds);

/* The file's first lines, on stderr. */
void child_show_log(const char *path);

/* The file's last line that is not empty, without its end; untouched where there is none. */
void child_last_line(const char *path, char *ret, size_t size);

#endif
