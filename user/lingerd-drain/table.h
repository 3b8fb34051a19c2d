/* SPDX-License-Identifier: MIT */
/*
 * The program of bpf/drain.bpf.c and its table, in the kernel, kept there by a file of a BPF file system (bpf(2)): it
 * lives for as long as that file or a lingerd that has opened it.
 */
#ifndef LINGERD_DRAIN_TABLE_H
#define LINGERD_DRAIN_TABLE_H

#include <sys/types.h>

/*
 * Loads the program, and pins its table at path for this user and group, in place of one that is there: a lingerd that
 * has that keeps it. The folder is made, or is empty and ours, and becomes a BPF file system, unless it is in one. 0, or a negative errno that
 * has been logged.
 */
int table_load(const char *path, uid_t user, gid_t group);

/* Takes the file away, and the file system if it is ours and there is nothing else in it. 0, or a negative errno that has been logged. */
int table_unload(const char *path);

#endif
