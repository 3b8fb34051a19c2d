/* SPDX-License-Identifier: MIT */
#include "lingerd/access.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/number.h"

/* A sender with more supplementary groups is not found by them. */
enum { PEER_GROUPS_MAX = 256 };

/* -1 is what chown(2) takes for "none". */
static const uint64_t MOST_ID = UINT32_MAX - 1;

int access_find_user(const char *name, uid_t *ret)
{
	const struct passwd *entry;
	uint64_t number;

	if (!number_parse(name, 0, MOST_ID, &number)) {
		*ret = (uid_t)number;
		return 0;
	}
	entry = getpwnam(name);
	if (!entry)
		return -ENOENT;
	*ret = entry->pw_uid;
	return 0;
}

int access_find_group(const char *name, gid_t *ret)
{
	const struct group *entry;
	uint64_t number;

	if (!number_parse(name, 0, MOST_ID, &number)) {
		*ret = (gid_t)number;
		return 0;
	}
	entry = getgrnam(name);
	if (!entry)
		return -ENOENT;
	*ret = entry->gr_gid;
	return 0;
}

int access_find_account(const char *name, uid_t *ret_user, gid_t *ret_group)
{
	const struct passwd *entry;
	uid_t user;

	if (access_find_user(name, &user))
		return -ENOENT;
	entry = getpwuid(user);
	if (!entry)
		return -ENOENT;
	*ret_user = entry->pw_uid;
	*ret_group = entry->pw_gid;
	return 0;
}

int access_peer(int sender, struct peer_process *ret)
{
	struct ucred credentials;
	socklen_t length = sizeof(credentials);

	if (getsockopt(sender, SOL_SOCKET, SO_PEERCRED, &credentials, &length))
		return -errno;
	*ret = (struct peer_process){
		.pid = credentials.pid,
		.uid = credentials.uid,
		.gid = credentials.gid,
	};
	return 0;
}

static bool has_group(const struct access *access, gid_t group)
{
	for (uint32_t i = 0; i < access->group_count; i++)
		if (access->groups[i] == group)
			return true;
	return false;
}

static bool has_supplementary_group(const struct access *access, int sender)
{
	gid_t groups[PEER_GROUPS_MAX];
	socklen_t length = sizeof(groups);

	/* With more of them it fails with ERANGE: unknown is not allowed. */
	if (getsockopt(sender, SOL_SOCKET, SO_PEERGROUPS, groups, &length))
		return false;
	for (size_t i = 0; i < length / sizeof(*groups); i++)
		if (has_group(access, groups[i]))
			return true;
	return false;
}

bool access_allows(const struct access *access, int sender, const struct peer_process *peer)
{
	if (!access->user_count && !access->group_count)
		return true;
	if (access_commands(peer))
		return true;
	for (uint32_t i = 0; i < access->user_count; i++)
		if (access->users[i] == peer->uid)
			return true;
	return access->group_count &&
	       (has_group(access, peer->gid) || has_supplementary_group(access, sender));
}

bool access_commands(const struct peer_process *peer)
{
	return peer->uid == 0 || peer->uid == geteuid();
}
