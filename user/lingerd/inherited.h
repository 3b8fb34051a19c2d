/* SPDX-License-Identifier: MIT */
/* What a starting daemon got from the service manager, or from the daemon that it takes over from. */
#ifndef LINGERD_INHERITED_H
#define LINGERD_INHERITED_H

#include <stdint.h>

#include "lingerd/succession.h"

struct inherited {
	int listener; /* -1: none, it opens its own */
	int lock;     /* of the listener's path; -1: none, the service manager owns the path */
	int giver; /* who goes on with all of it unless we say that we do (takeover.h); -1: nobody */
	struct succession left;
};

#endif
