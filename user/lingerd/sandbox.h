/* SPDX-License-Identifier: MIT */
/*
 * What the process gives up once it has all that it needs: every capability, new privileges by exec, and the
 * system calls that a daemon does not make which only takes, reads and closes what is passed to it.
 *
 * A call that is not allowed fails with EPERM, and the kernel's audit log has it. It does not kill: thousands of
 * connections would pay for a library that looks up a user in a way that nobody has thought of, and who
 * has got hold of the process gains as little by an error.
 *
 * Under AddressSanitizer there is no filter, since the sanitizer needs calls of its own.
 */
#ifndef LINGERD_SANDBOX_H
#define LINGERD_SANDBOX_H

#include "lingerd/settings.h"

/* Whose process it is: a shelf (shelf.h) only reads and closes what one channel brings. */
enum sandbox_role { SANDBOX_FRONT, SANDBOX_SHELF };

/*
 * For this thread, and for good. With metrics their endpoint can be opened anew, as after a takeover that failed.
 * What has been given up is read back from the kernel. 0, or a negative errno with *problem said.
 */
int sandbox_enter(const struct settings *settings, enum sandbox_role role, struct problem *problem);

#endif
