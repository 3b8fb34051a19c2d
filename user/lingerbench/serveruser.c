/* SPDX-License-Identifier: MIT */
#include "lingerbench/serveruser.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <unistd.h>

struct serveruser serveruser(void)
{
	const struct passwd *entry = NULL;

	if (geteuid() == 0)
		entry = getpwnam("www-data");
	if (geteuid() == 0 && !entry)
		entry = getpwnam("nobody");
	if (!entry)
		return (struct serveruser){ geteuid(), getegid() };
	return (struct serveruser){ entry->pw_uid, entry->pw_gid };
}

int serveruser_become(void)
{
	struct serveruser user = serveruser();

	if (geteuid() == user.uid)
		return 0;
	if (setgroups(0, NULL) || setresgid(user.gid, user.gid, user.gid) ||
	    setresuid(user.uid, user.uid, user.uid))
		return -errno;
	return getuid() == user.uid ? 0 : -EPERM;
}
