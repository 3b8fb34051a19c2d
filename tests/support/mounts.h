/* SPDX-License-Identifier: MIT */
/* Mounts of a test's own. Calls fail the test (cmocka) on errors; they need root. */
#ifndef TEST_MOUNTS_H
#define TEST_MOUNTS_H

/* What the process and its children mount from now on nobody else sees, and it is gone when they have ended, however that was. */
void mounts_enter_new(void);

#endif
