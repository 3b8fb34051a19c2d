/* SPDX-License-Identifier: MIT */
#include "lingerd/succession.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/log.h"
#include "lingerd/batch.h"
#include "lingerd/shortage.h"

/* So many at a time: the next process takes a batch when it has room for all of it. */
enum { BATCH_FILLED = 32 };

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
	if (succession->count + succession->kept_free >= SUCCESSION_QUEUES_MAX)
		return -ENOBUFS;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends))
		return -errno;
	succession->queues[succession->count++] = ends[0];
	succession->writer = ends[1];
	succession->writing = true;
	return 0;
}

/* Whoever ends cannot come back to it: a shortage is waited out. */
static int send_patiently(int queue, const struct batch *batch)
{
	int waits = 0;
	int error;

	do
		error = batch_send(queue, batch);
	while (wait_out_shortage(error, &waits));
	return error;
}

/* Into the queue that is being filled, or else into a new one. */
static int put(struct succession *succession, const struct batch *batch)
{
	int error = succession->writing ? send_patiently(succession->writer, batch) : -EAGAIN;

	if (error != -EAGAIN)
		return error;
	error = open_queue(succession);
	return error ? error : send_patiently(succession->writer, batch);
}

static uint16_t least(uint64_t a, uint16_t b)
{
	return a < b ? (uint16_t)a : b;
}

int succession_fill(struct succession *succession, struct linger_engine *engine, uint64_t most,
		    struct counters *counters)
{
	struct batch batch;
	int error;

	for (;; most -= batch.header.count) {
		batch_collect(&batch, engine, least(most, BATCH_FILLED));
		if (!batch.header.count)
			return 0;
		error = put(succession, &batch);
		if (error)
			break;
		counters->passed_on += batch.header.count;
		batch_close(&batch); /* the queue has its own */
	}
	batch_return(&batch, engine);
	return error;
}

void succession_close(struct succession *succession)
{
	succession_seal(succession);
	for (uint32_t i = 0; i < succession->count; i++)
		close(succession->queues[i]);
	succession->count = 0;
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
		int more = batch_receive(succession->queues[0], &batch);

		if (more < 0)
			log_error("what another process left cannot be read: it is closed");
		if (more <= 0) {
			drop_first(succession);
			continue;
		}
		batch_adopt(&batch, engine, users, settings);
		counters->restored += batch.header.count;
		count += batch.header.count;
	}
	return count;
}

bool succession_is_foreign(const struct succession *succession)
{
	for (uint32_t i = 0; i < succession->count; i++)
		if (batch_is_foreign(succession->queues[i]))
			return true;
	return false;
}

void succession_cut(struct succession *succession, struct counters *counters)
{
	struct batch batch;

	while (succession->count) {
		if (batch_receive(succession->queues[0], &batch) <= 0) {
			drop_first(succession);
			continue;
		}
		batch_close(&batch);
		counters->ended_shutdown += batch.header.count;
		counters->restored += batch.header.count;
	}
}
