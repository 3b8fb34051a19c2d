/* SPDX-License-Identifier: MIT */
#include "common/clock.h"
#include "lingerd/engine_parts.h"

uint64_t linger_engine_oldest_ns(const struct linger_engine *engine)
{
	uint32_t fd;

	return queue_first(&engine->ages, &fd) ? engine->lingers[fd].taken_ns : UINT64_MAX;
}

bool linger_engine_release(struct linger_engine *engine, int *ret_fd, struct linger_record *ret)
{
	const struct lingering *linger;
	uint32_t fd;

	if (!queue_first(&engine->ages, &fd))
		return false;
	engine_count_in_kernel(engine, (int)fd, LINGER_OPEN);
	linger = &engine->lingers[fd];
	*ret_fd = (int)fd;
	*ret = (struct linger_record){
		.taken_ns = linger->taken_ns,
		.drained = linger->drained,
		.moved_ms = linger->moved_ms,
		.idle_timeout_ms = linger->idle_timeout_ms,
		.total_timeout_ms = linger->total_timeout_ms,
		.unsent = linger->unsent,
		.in_kernel = linger->in_kernel,
		.received = linger->received,
		.uid = engine->users->list[linger->user].uid,
		.user = linger->user,
	};
	deadlines_remove(&engine->deadlines, fd);
	engine_forget(engine, (int)fd);
	engine->io->unwatch(engine->io_context, (int)fd);
	return true;
}

void linger_engine_adopt(struct linger_engine *engine, int fd, const struct linger_record *record)
{
	uint64_t now = engine_now_ns(engine);
	uint64_t taken = record->taken_ns < now ? record->taken_ns : now;
	uint64_t longest_ms = (now - taken + NS_PER_MS - 1) / NS_PER_MS;
	uint32_t client;

	if ((uint32_t)fd >= engine->deadlines.size) {
		engine_close(engine, fd, (uint16_t)record->user, LINGER_ERROR, now - taken);
		return;
	}
	engine_client_has_room(engine, fd, record->user, &client);
	engine->lingers[fd] = (struct lingering){
		.taken_ns = taken,
		.drained = record->drained,
		.moved_ms = record->moved_ms < longest_ms ? record->moved_ms : (uint32_t)longest_ms,
		.idle_timeout_ms = record->idle_timeout_ms,
		.total_timeout_ms = record->total_timeout_ms,
		.unsent = record->unsent,
		.in_kernel = record->in_kernel != 0,
		.received = record->received,
		.client = client,
		.user = (uint16_t)record->user,
	};
	engine_watch(engine, fd);
	engine_begin(engine, fd, now);
}
