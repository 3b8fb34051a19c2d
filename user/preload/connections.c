/* SPDX-License-Identifier: MIT */
#include "preload/connections.h"
#include "preload/debug.h"
#include "preload/holders.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

enum { FDS_MAX = 65536 }; /* higher numbers are closed as without us */

/* What holds a connection. Greater values: processes, as many as that ticket counts. */
enum { NOT_OURS, SOLE, LEFT_ALONE };

struct entry {
	_Atomic uint64_t cookie;
	_Atomic uint64_t holders;
	_Atomic uint64_t raised;  /* which count was raised last, and by which fork() */
	_Atomic uint32_t watched; /* by so many epoll sets, or fewer */
};

/* Zero pages until they are used. */
static struct entry entries[FDS_MAX];
static _Atomic int entries_end;
static _Atomic uint32_t forks;
static _Atomic pid_t owner;

/*
 * A child of vfork() works in our memory, but its descriptors are its own. One of _Fork() or clone()
 * has memory of its own, but nothing here was told of it.
 */
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

void connections_start(void)
{
	atomic_store(&owner, getpid());
}

void connections_add(int fd)
{
	int error = errno;
	int end = atomic_load(&entries_end);
	uint64_t cookie;

	if (fd >= FDS_MAX)
		debug_tell(DEBUG_HIGH_NUMBER);
	if (fd < 0 || fd >= FDS_MAX || !is_owner())
		return;
	cookie = is_tcp(fd) ? cookie_of(fd) : 0;
	debug_tell(cookie ? DEBUG_ACCEPTED : DEBUG_NOT_TCP);
	atomic_store(&entries[fd].cookie, cookie);
	atomic_store(&entries[fd].watched, 0);
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

void connections_leave_inherited_alone(void)
{
	int error = errno;

	for (int fd = 0; fd < atomic_load(&entries_end); fd++) {
		int flags = entry_of(fd) ? fcntl(fd, F_GETFD) : -1;

		if (flags >= 0 && !(flags & FD_CLOEXEC))
			connections_leave_alone(fd);
	}
	errno = error;
}

void connections_before_exec(void)
{
	if (!is_owner())
		connections_leave_inherited_alone();
}

void connections_watch(int fd)
{
	struct entry *entry = entry_of(fd);

	if (entry)
		atomic_fetch_add(&entry->watched, 1);
}

void connections_unwatch(int fd)
{
	struct entry *entry = entry_of(fd);
	uint32_t sets = entry ? atomic_load(&entry->watched) : 0;

	while (sets && !atomic_compare_exchange_weak(&entry->watched, &sets, sets - 1))
		;
}

bool connections_remove(int fd)
{
	struct entry *entry = entry_of(fd);
	int error = errno;
	uint64_t holders;
	bool same, last;

	if (!entry || !is_owner())
		return false;
	same = cookie_of(fd) == atomic_load(&entry->cookie);
	errno = error;
	holders = atomic_exchange(&entry->holders, NOT_OURS);
	if (atomic_load(&entry->watched)) {
		debug_tell(DEBUG_WATCHED);
		return false; /* and so it stays for the other holders: they have the same sets */
	}
	last = holders > LEFT_ALONE ? holders_lower(holders) : holders == SOLE;
	if (!last)
		debug_tell(holders > LEFT_ALONE ? DEBUG_HELD : DEBUG_SHARED);
	return last && same;
}

static void start_counting(struct entry *entry)
{
	holders_ticket ticket = holders_start();
	uint64_t sole = SOLE;

	/* Fails when another thread closes it just now. */
	if (!atomic_compare_exchange_strong(&entry->holders, &sole, ticket ? ticket : LEFT_ALONE) &&
	    ticket)
		holders_lower(ticket);
}

/* One word, so that nobody sees the fork() of one thread with the count of another. */
static uint64_t mark_of(holders_ticket ticket, uint32_t fork_number)
{
	return ticket | (uint64_t)(fork_number << HOLDERS_FREE_BIT);
}

static void share(struct entry *entry, uint32_t fork_number)
{
	uint64_t holders;

	if (atomic_load(&entry->holders) == SOLE)
		start_counting(entry);
	holders = atomic_load(&entry->holders);
	if (holders <= LEFT_ALONE)
		return;
	if (holders_raise(holders))
		atomic_store(&entry->raised, mark_of(holders, fork_number));
	else
		atomic_compare_exchange_strong(&entry->holders, &holders, LEFT_ALONE);
}

uint32_t connections_before_fork(void)
{
	uint32_t fork_number = atomic_fetch_add(&forks, 1);
	int end = atomic_load(&entries_end);
	int error = errno;

	for (int fd = 0; fd < end; fd++) {
		struct entry *entry = entry_of(fd);

		if (!entry)
			continue;
		if (cookie_of(fd) != atomic_load(&entry->cookie))
			atomic_store(&entry->holders, NOT_OURS);
		else
			share(entry, fork_number);
	}
	errno = error;
	return fork_number;
}

/*
 * Another thread may have closed a connection meanwhile, and the number is another one's; or its
 * fork() has raised the count after us. Then the mark is not ours, and the count stays too high.
 */
void connections_fork_failed(uint32_t fork_number)
{
	for (int fd = 0; fd < atomic_load(&entries_end); fd++) {
		struct entry *entry = entry_of(fd);
		uint64_t holders = entry ? atomic_load(&entry->holders) : NOT_OURS;
		uint64_t mark = mark_of(holders, fork_number);

		if (holders > LEFT_ALONE &&
		    atomic_compare_exchange_strong(&entry->raised, &mark, 0))
			holders_lower(holders);
	}
}

/* What a thread of the parent accepted after the counting is the parent's alone. */
void connections_after_fork(void)
{
	connections_start();
	for (int fd = 0; fd < atomic_load(&entries_end); fd++) {
		struct entry *entry = entry_of(fd);

		if (entry && atomic_load(&entry->holders) == SOLE)
			atomic_store(&entry->holders, NOT_OURS);
	}
}
