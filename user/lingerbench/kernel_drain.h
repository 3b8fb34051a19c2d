/* SPDX-License-Identifier: MIT */
/* The table of lingerd-drain(8) for a lingerd that the lab starts. */
#ifndef LINGERBENCH_KERNEL_DRAIN_H
#define LINGERBENCH_KERNEL_DRAIN_H

#include <limits.h>

/*
 * To be called in the process that is to become lingerd, as root: has lingerd-drain load a table in that folder, in a
 * mount namespace of this process, so that it goes with it. *ret: its path. 0 or a negative errno that has been logged.
 * Waits for that.
 */
int kernel_drain_load(const char *folder, char ret[PATH_MAX]);

#endif
