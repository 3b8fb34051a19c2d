/* SPDX-License-Identifier: MIT */
/*
 * Who may hand over, besides the mode of the socket: users and groups that the operator names. The
 * kernel vouches for what a sender is (SO_PEERCRED, SO_PEERGROUPS: as it was when it connected).
 */
#ifndef LINGERD_ACCESS_H
#define LINGERD_ACCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { ACCESS_MAX = 32 };

/* All zero: everybody who can open the socket. */
struct access {
	uint32_t user_count;
	uint32_t group_count;
	uid_t users[ACCESS_MAX];
	gid_t groups[ACCESS_MAX];
};

/* The number of a user or a group, by its name or as digits. 0 or -ENOENT. May block in NSS. */
int access_find_user(const char *name, uid_t *ret);
int access_find_group(const char *name, gid_t *ret);
/* A user that the system knows, with its own group. Otherwise the same. */
int access_find_account(const char *name, uid_t *ret_user, gid_t *ret_group);

/* Who is on the other end of a sender's connection. */
struct peer_process {
	pid_t pid; /* 0: not known, or of another PID namespace */
	uid_t uid;
	gid_t gid;
};

/* 0 or a negative errno. */
int access_peer(int sender, struct peer_process *ret);

/*
 * Whether it may hand over, and ask. Root and the daemon's own user always may, or nobody could
 * ask a daemon that has been misconfigured.
 */
bool access_allows(const struct access *access, int sender, const struct peer_process *peer);

/* Whether it may give commands: root and the daemon's own user. */
bool access_commands(const struct peer_process *peer);

#endif
