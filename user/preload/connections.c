/* SPDX-License-Identifier: MIT */
#include "preload/connections.h"

#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	FDS_MAX = 65536,   /* higher numbers are closed as without us */
	COUNTS_MAX = 4096, /* connections that are open in several processes at once */
};

/* What holds a connection. Other values: counted at counts[value - COUNTED]. */
enum { NOT_OURS, SOLE, LEFT_ALONE, COUNTED };

struct entry {
	_Atomic uint64_t cookie;
	_Atomic uint32_t holders;
};

/* Both are zero pages until they are used. */
static struct entry entries[FDS_MAX];
static _Atomic int entries_end;
/* Shared with all descendants once there was a fork() with connections open; 0: this one is free.
 */
static _Atomic uint32_t *counts;
static _Atomic pid_t owner;

/* A child of vfork() works in our memory, but its descriptors are its own. */
static bool is_owner(void)
{
	return getpid() == atomic_load(&owner);
}

static struct entry *entry_of(int fd)
{
	if (fd < 0 || fd >= atomic_load(&entries_end))
		return NULL;
	return atomic_load(&entries[fd].holders) == NOT_OURS ? NULL : &entries[fd];
}

static uint64_t cookie_of(int fd)
{
	socklen_t length = sizeof(uint64_t);
	uint64_t cookie;

	return getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &length) ? 0 : cookie;
}

static bool is_tcp(int fd)
{
	socklen_t length = sizeof(int);
	int protocol;

	return !getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &length) &&
	       protocol == IPPROTO_TCP;
}

void connections_add(int fd)
{
	int error = errno;
	int end = atomic_load(&entries_end);
	uint64_t cookie;

	if (fd < 0 || fd >= FDS_MAX || !is_owner())
		return;
	cookie = is_tcp(fd) ? cookie_of(fd) : 0;
	atomic_store(&entries[fd].cookie, cookie);
	atomic_store(&entries[fd].holders, cookie ? SOLE : NOT_OURS);
	while (end <= fd && !atomic_compare_exchange_weak(&entries_end, &end, fd + 1))
		;
	errno = error;
}

void connections_leave_alone(int fd)
{
	struct entry *entry = entry_of(fd);

	if (entry)
		atomic_store(&entry->holders, LEFT_ALONE);
}

void connections_leave_all_alone(void)
{
	for (int fd = 0; fd < atomic_load(&entries_end); fd++)
		connections_leave_alone(fd);
}

bool connections_remove(int fd)
{
	struct entry *entry = entry_of(fd);
	int error = errno;
	uint32_t holders;
	bool same;

	if (!entry || !is_owner())
		return false;
	same = cookie_of(fd) == atomic_load(&entry->cookie);
	errno = error;
	holders = atomic_exchange(&entry->holders, NOT_OURS);
	if (holders >= COUNTED)
		return atomic_fetch_sub(&counts[holders - COUNTED], 1) == 1 && same;
	return holders == SOLE && same;
}

/* The index of a count that was free and is now 1, or COUNTS_MAX. */
static uint32_t take_count(void)
{
	static _Atomic uint32_t next;

	for (uint32_t tried = 0; tried < COUNTS_MAX; tried++) {
		uint32_t i = atomic_fetch_add(&next, 1) % COUNTS_MAX;
		uint32_t none = 0;

		if (atomic_compare_exchange_strong(&counts[i], &none, 1))
			return i;
	}
	return COUNTS_MAX;
}

static void start_counting(struct entry *entry)
{
	uint32_t i = take_count();
	uint32_t counted = i < COUNTS_MAX ? COUNTED + i : LEFT_ALONE;
	uint32_t sole = SOLE;

	/* Fails when another thread closes it just now. */
	if (!atomic_compare_exchange_strong(&entry->holders, &sole, counted) && i < COUNTS_MAX)
		atomic_store(&counts[i], 0);
}

static void share(struct entry *entry)
{
	uint32_t holders;

	if (atomic_load(&entry->holders) == SOLE)
		start_counting(entry);
	holders = atomic_load(&entry->holders);
	if (holders >= COUNTED)
		atomic_fetch_add(&counts[holders - COUNTED], 1);
}

static bool map_counts(void)
{
	void *memory;

	if (counts)
		return true;
	memory = mmap(NULL, COUNTS_MAX * sizeof(*counts), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		return false;
	counts = memory;
	return true;
}

static void before_fork(void)
{
	int end = atomic_load(&entries_end);

	for (int fd = 0; fd < end; fd++) {
		struct entry *entry = entry_of(fd);

		if (!entry)
			continue;
		if (cookie_of(fd) != atomic_load(&entry->cookie))
			atomic_store(&entry->holders, NOT_OURS);
		else if (map_counts())
			share(entry);
		else
			connections_leave_alone(fd);
	}
}

/* What a thread of the parent accepted after the counting is the parent's alone. */
static void after_fork_in_child(void)
{
	atomic_store(&owner, getpid());
	for (int fd = 0; fd < atomic_load(&entries_end); fd++) {
		struct entry *entry = entry_of(fd);

		if (entry && atomic_load(&entry->holders) == SOLE)
			atomic_store(&entry->holders, NOT_OURS);
	}
}

int connections_prepare(void)
{
	atomic_store(&owner, getpid());
	return -pthread_atfork(before_fork, NULL, after_fork_in_child);
}
