/* SPDX-License-Identifier: MIT */
/* Network namespaces of a test's own. Calls fail the test (cmocka) on errors; they need root. */
#ifndef TEST_NETNS_H
#define TEST_NETNS_H

#include <stdint.h>

/* The calling thread is in a new one, with its loopback device up. Returns what netns_leave() takes. */
int netns_enter_new(void);
/* Back to the one before; sockets that were made in between stay in theirs, and keep it. */
void netns_leave(int former);
/* The inode of the one that the thread is in. */
uint32_t netns_inode(void);

#endif
