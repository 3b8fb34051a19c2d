/* SPDX-License-Identifier: MIT */
/* Programs under test, started and ended for real. Calls fail the test (cmocka) on errors of their
 * own. */
#ifndef TEST_PROCESS_H
#define TEST_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct process {
	pid_t pid;
	char out[256]; /* files that take its stdout and stderr */
	char err[256];
};

/* The path of a built artefact: $BUILD/name, made absolute. Static storage, overwritten by the next
 * call. */
const char *built(const char *name);

/* A fresh folder below $TMPDIR; remove_folder() takes it away with all in it. */
void make_folder(char path[256]);
void remove_folder(const char *path);

/* Starts argv[0]; its output goes to files name.out and name.err in the folder. */
void process_start(struct process *process, const char *folder, const char *name,
		   char *const argv[]);
/* Waits up to seconds; returns the exit status, 128 + signal, or -1 when it still runs. */
int process_wait(struct process *process, unsigned int seconds);
/* Sends the signal, then waits as process_wait(). */
int process_end(struct process *process, int signal, unsigned int seconds);
/* Open descriptors of a process. */
int process_fd_count(pid_t pid);
/* Whether the file has the text in it. */
bool file_contains(const char *path, const char *text);

/* Polls a condition every millisecond until it holds or seconds have passed; the last answer. */
bool wait_until(bool (*condition)(void *), void *context, unsigned int seconds);

#endif
