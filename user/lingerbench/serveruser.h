/* SPDX-License-Identifier: MIT */
/* Whom real servers run as: where the lab is root www-data or, without it, nobody; else the lab's user. */
#ifndef LINGERBENCH_SERVERUSER_H
#define LINGERBENCH_SERVERUSER_H

#include <sys/types.h>

struct serveruser {
	uid_t uid;
	gid_t gid;
};

struct serveruser serveruser(void);

/* Makes the calling process theirs, for ever. 0 or a negative errno. */
int serveruser_become(void);

#endif
