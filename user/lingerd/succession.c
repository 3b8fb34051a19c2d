/* SPDX-License-Identifier: MIT */
#include "lingerd/succession.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/log.h"
#include "lingerd/shortage.h"
#include "lingerd/socket_io.h"
#include "lingerd/users.h"

enum {
	/* "LINH", and what follows: records of struct linger_record. */
	MAGIC = 0x484e494c,
	VERSION = 2,
	/* unix(7): SCM_MAX_FD is 253; a message must also fit into a small buffer of the system. */
	BATCH = 128,
	/* So many at a time: the next process takes a batch when it has room for all of it. */
	BATCH_FILLED = 32,
};

struct header {
	uint32_t magic;
	uint16_t version;
	uint16_t count; /* of records, and of descriptors */
};

struct batch {
	struct header header;
	struct linger_record records[BATCH];
	int fds[BATCH]; /* not part of the bytes */
};

_Static_assert(sizeof(struct linger_record) == 48, "two processes must agree");

union control {
	struct cmsghdr header;
	char space[CMSG_SPACE(BATCH * sizeof(int))];
};

static size_t bytes_of(uint16_t count)
{
	return offsetof(struct batch, records) + count * sizeof(struct linger_record);
}

static int send_batch(int queue, const struct batch *batch)
{
	uint16_t count = batch->header.count;
	union control control;
	struct iovec bytes = { .iov_base = (void *)batch, .iov_len = bytes_of(count) };
	struct msghdr message = {
		.msg_iov = &bytes,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = CMSG_SPACE(count * sizeof(int)),
	};
	struct cmsghdr *header;
	int waits = 0;
	int error;

	memset(&control, 0, sizeof(control));
	header = CMSG_FIRSTHDR(&message);
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(count * sizeof(int));
	memcpy(CMSG_DATA(header), batch->fds, count * sizeof(int));
	do
		error = sendmsg(queue, &message, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno : 0;
	while (error == -EINTR || wait_out_shortage(error, &waits));
	return error;
}

void succession_seal(struct succession *succession)
{
	if (succession->writing)
		close(succession->writer);
	succession->writing = false;
}

/* Closes the writing end of the queue before, which is full. */
static int open_queue(struct succession *succession)
{
	int ends[2];

	succession_seal(succession);
	if (succession->count == SUCCESSION_QUEUES_MAX)
		return -ENOBUFS;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends))
		return -errno;
	succession->queues[succession->count++] = ends[0];
	succession->writer = ends[1];
	succession->writing = true;
	return 0;
}

/* Into the queue that is being filled, or else into a new one. */
static int put(struct succession *succession, const struct batch *batch)
{
	int error = succession->writing ? send_batch(succession->writer, batch) : -EAGAIN;

	if (error != -EAGAIN)
		return error;
	error = open_queue(succession);
	return error ? error : send_batch(succession->writer, batch);
}

static void collect(struct linger_engine *engine, struct batch *ret)
{
	uint16_t count = 0;

	while (count < BATCH_FILLED &&
	       linger_engine_release(engine, &ret->fds[count], &ret->records[count]))
		count++;
	ret->header = (struct header){ .magic = MAGIC, .version = VERSION, .count = count };
}

int succession_fill(struct succession *succession, struct linger_engine *engine,
		    struct counters *counters)
{
	struct batch batch;
	int error;

	for (;;) {
		collect(engine, &batch);
		if (!batch.header.count)
			return 0;
		error = put(succession, &batch);
		if (error)
			break;
		counters->passed_on += batch.header.count;
		for (uint16_t i = 0; i < batch.header.count; i++)
			close(batch.fds[i]); /* the queue has its own */
	}
	for (uint16_t i = 0; i < batch.header.count; i++)
		linger_engine_adopt(engine, batch.fds[i], &batch.records[i]);
	return error;
}

void succession_close(struct succession *succession)
{
	succession_seal(succession);
	for (uint32_t i = 0; i < succession->count; i++)
		close(succession->queues[i]);
	succession->count = 0;
}

/* 1: a batch, whose fds are the caller's. 0: there are no more. -EPROTO: what came is no batch. */
static int receive_batch(int queue, struct batch *ret)
{
	union control control;
	struct iovec bytes = { .iov_base = ret, .iov_len = bytes_of(BATCH) };
	struct msghdr message = {
		.msg_iov = &bytes,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	uint16_t fd_count = 0;
	int waits = 0;
	ssize_t length;

	do
		length = recvmsg(queue, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	while (length < 0 && (errno == EINTR || wait_out_shortage(-errno, &waits)));
	if (length < 0)
		return 0;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		fd_count = (uint16_t)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
		memcpy(ret->fds, CMSG_DATA(c), fd_count * sizeof(int));
	}
	/* A datagram without bytes may bring descriptors all the same. */
	if (length == 0 && fd_count == 0)
		return 0;
	if ((size_t)length >= sizeof(ret->header) && ret->header.magic == MAGIC &&
	    ret->header.version == VERSION && ret->header.count <= BATCH &&
	    (size_t)length == bytes_of(ret->header.count) && fd_count <= ret->header.count) {
		/* Fewer, at the fd limit: the kernel hands over the first ones and closes the rest. */
		ret->header.count = fd_count;
		return 1;
	}
	for (uint16_t i = 0; i < fd_count; i++)
		socket_refuse(ret->fds[i]);
	return -EPROTO;
}

/* How many descriptors the next batch brings; 0: there is none, or it is none. Receives nothing. */
static uint16_t batch_ahead(int queue)
{
	struct header header;
	int waits = 0;
	ssize_t length;

	do
		length = recv(queue, &header, sizeof(header), MSG_PEEK | MSG_DONTWAIT);
	while (length < 0 && (errno == EINTR || wait_out_shortage(-errno, &waits)));
	return length == sizeof(header) && header.count <= BATCH ? header.count : 0;
}

/* The queue in front has nothing more. */
static void drop_first(struct succession *succession)
{
	close(succession->queues[0]);
	succession->count--;
	memmove(succession->queues, succession->queues + 1,
		succession->count * sizeof(succession->queues[0]));
}

/* A batch is received as a whole or not at all. One that is too large for us alone would wait for ever. */
static bool has_room(const struct counters *counters, const struct limits *limits, uint16_t ahead)
{
	return !counters->lingers || counters->lingers + ahead <= limits->connections;
}

uint32_t succession_take(struct succession *succession, struct linger_engine *engine,
			 struct users *users, const struct settings *settings,
			 const struct limits *limits, struct counters *counters)
{
	struct batch batch;
	uint32_t count = 0;

	while (succession->count &&
	       has_room(counters, limits, batch_ahead(succession->queues[0]))) {
		int more = receive_batch(succession->queues[0], &batch);

		if (more < 0)
			log_error("what another process left cannot be read: it is closed");
		if (more <= 0) {
			drop_first(succession);
			continue;
		}
		for (uint16_t i = 0; i < batch.header.count; i++) {
			batch.records[i].user = users_find(users, settings, batch.records[i].uid);
			linger_engine_adopt(engine, batch.fds[i], &batch.records[i]);
		}
		counters->restored += batch.header.count;
		count += batch.header.count;
	}
	return count;
}

void succession_cut(struct succession *succession, struct counters *counters)
{
	struct batch batch;

	while (succession->count) {
		if (receive_batch(succession->queues[0], &batch) <= 0) {
			drop_first(succession);
			continue;
		}
		for (uint16_t i = 0; i < batch.header.count; i++) {
			close(batch.fds[i]);
			linger_end_count(counters, LINGER_SHUTDOWN);
		}
		counters->restored += batch.header.count;
	}
}
