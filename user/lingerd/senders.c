/* SPDX-License-Identifier: MIT */
#include "lingerd/senders.h"

#include <errno.h>
#include <stdlib.h>

int senders_init(struct senders *senders, uint32_t size)
{
	*senders = (struct senders){ .size = size };
	senders->list = calloc(size, sizeof(*senders->list));
	senders->active.size = senders->waiting.size = size;
	senders->active.links = calloc(size, sizeof(*senders->active.links));
	senders->waiting.links = calloc(size, sizeof(*senders->waiting.links));
	if (!senders->list || !senders->active.links || !senders->waiting.links) {
		senders_free(senders);
		return -ENOMEM;
	}
	for (int i = 0; i < USERS_MAX; i++)
		senders->waiting_by[i] = senders->waiting;
	return 0;
}

void senders_free(struct senders *senders)
{
	free(senders->active.links);
	free(senders->waiting.links);
	free(senders->list);
	*senders = (struct senders){ 0 };
}

bool senders_readable(const struct senders *senders, int fd)
{
	return (senders->list[fd].state & (SENDER_PRESENT | SENDER_PARKED)) == SENDER_PRESENT;
}

void senders_add(struct senders *senders, int fd, uint16_t user)
{
	senders->list[fd] = (struct sender){ .state = SENDER_PRESENT, .user = user };
	queue_add(&senders->active, (uint32_t)fd);
}

static void remove_from_active(struct senders *senders, int fd)
{
	if (queue_has(&senders->active, (uint32_t)fd))
		queue_remove(&senders->active, (uint32_t)fd);
}

static void remove_from_waiting(struct senders *senders, int fd)
{
	struct sender *sender = &senders->list[fd];

	if (sender->state & SENDER_WAITS_FOR_ROOM)
		queue_remove(&senders->waiting, (uint32_t)fd);
	if (sender->state & SENDER_WAITS_FOR_USER) {
		queue_remove(&senders->waiting_by[sender->user], (uint32_t)fd);
		senders->waiting_for_users--;
	}
	sender->state &= (uint8_t)~SENDER_PARKED;
}

void senders_remove(struct senders *senders, int fd)
{
	remove_from_active(senders, fd);
	remove_from_waiting(senders, fd);
	senders->list[fd].state = 0;
}

void senders_touch(struct senders *senders, int fd)
{
	if (queue_has(&senders->active, (uint32_t)fd))
		queue_move_to_end(&senders->active, (uint32_t)fd);
}

void senders_leave(struct senders *senders, int fd)
{
	remove_from_active(senders, fd);
	senders->list[fd].state |= SENDER_LEAVING;
}

void senders_park(struct senders *senders, int fd, enum sender_state reason)
{
	struct sender *sender = &senders->list[fd];

	remove_from_active(senders, fd);
	sender->state |= reason;
	if (reason == SENDER_WAITS_FOR_ROOM) {
		queue_add(&senders->waiting, (uint32_t)fd);
	} else {
		queue_add(&senders->waiting_by[sender->user], (uint32_t)fd);
		senders->waiting_for_users++;
	}
}

void senders_unpark(struct senders *senders, int fd)
{
	remove_from_waiting(senders, fd);
	if (!(senders->list[fd].state & SENDER_LEAVING))
		queue_add(&senders->active, (uint32_t)fd);
}

bool senders_silent(const struct senders *senders, uint32_t *ret_fd)
{
	return senders->active.first != senders->active.last &&
	       queue_first(&senders->active, ret_fd);
}
