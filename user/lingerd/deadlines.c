/* SPDX-License-Identifier: MIT */
#include "lingerd/deadlines.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

enum { WORDS = DEADLINES_SLOTS / 64 };

struct deadline {
	uint64_t tick : 48; /* at whose beginning it is due */
	uint64_t slot : 16; /* + 1; 0: no member */
};

int deadlines_init(struct deadlines *deadlines, uint32_t size)
{
	*deadlines = (struct deadlines){ .size = size };
	deadlines->links = calloc(size, sizeof(*deadlines->links));
	deadlines->members = calloc(size, sizeof(*deadlines->members));
	if (!deadlines->links || !deadlines->members) {
		deadlines_free(deadlines);
		return -ENOMEM;
	}
	for (int i = 0; i < DEADLINES_SLOTS; i++)
		deadlines->slots[i] = (struct queue){ .links = deadlines->links, .size = size };
	return 0;
}

void deadlines_free(struct deadlines *deadlines)
{
	free(deadlines->links);
	free(deadlines->members);
	*deadlines = (struct deadlines){ 0 };
}

bool deadlines_has(const struct deadlines *deadlines, uint32_t index)
{
	return index < deadlines->size && deadlines->members[index].slot;
}

static void put(struct deadlines *deadlines, uint32_t index, uint64_t tick)
{
	uint64_t in_reach = tick;
	uint32_t slot;

	if (in_reach < deadlines->turn)
		in_reach = deadlines->turn;
	if (in_reach > deadlines->turn + DEADLINES_SLOTS - 1)
		in_reach = deadlines->turn + DEADLINES_SLOTS - 1;
	slot = (uint32_t)(in_reach % DEADLINES_SLOTS);
	deadlines->members[index] = (struct deadline){ .tick = tick, .slot = slot + 1 };
	deadlines->occupied[slot / 64] |= 1ULL << slot % 64;
	queue_add(&deadlines->slots[slot], index);
}

void deadlines_add(struct deadlines *deadlines, uint32_t index, uint64_t now_ns, uint64_t at_ns)
{
	uint64_t tick = at_ns / DEADLINES_TICK_NS + (at_ns % DEADLINES_TICK_NS != 0);

	assert(index < deadlines->size && !deadlines_has(deadlines, index));
	/* Nobody has turned an empty wheel. */
	if (!deadlines->count && deadlines->turn < now_ns / DEADLINES_TICK_NS)
		deadlines->turn = now_ns / DEADLINES_TICK_NS;
	put(deadlines, index, tick);
	deadlines->count++;
}

void deadlines_remove(struct deadlines *deadlines, uint32_t index)
{
	uint32_t slot;

	assert(deadlines_has(deadlines, index));
	slot = (uint32_t)deadlines->members[index].slot - 1;
	deadlines->members[index].slot = 0;
	queue_remove(&deadlines->slots[slot], index);
	if (!deadlines->slots[slot].first)
		deadlines->occupied[slot / 64] &= ~(1ULL << slot % 64);
	deadlines->count--;
}

void deadlines_move(struct deadlines *deadlines, uint32_t index, uint64_t now_ns, uint64_t at_ns)
{
	deadlines_remove(deadlines, index);
	deadlines_add(deadlines, index, now_ns, at_ns);
}

bool deadlines_take_due(struct deadlines *deadlines, uint64_t now_ns, uint32_t *ret_index)
{
	uint64_t now_tick = now_ns / DEADLINES_TICK_NS;

	while (deadlines->count && deadlines->turn <= now_tick) {
		uint32_t slot = (uint32_t)(deadlines->turn % DEADLINES_SLOTS);
		uint64_t tick;
		uint32_t index;

		if (!queue_first(&deadlines->slots[slot], &index)) {
			deadlines->turn++;
			continue;
		}
		tick = deadlines->members[index].tick;
		deadlines_remove(deadlines, index);
		if (tick <= deadlines->turn) {
			*ret_index = index;
			return true;
		}
		put(deadlines, index, tick); /* further ahead, so never into this slot */
		deadlines->count++;
	}
	return false;
}

/* How far from the slot whose turn it is the first one with members is; there must be one. */
static uint32_t distance(const struct deadlines *deadlines)
{
	uint32_t begin = (uint32_t)(deadlines->turn % DEADLINES_SLOTS);
	uint64_t word = deadlines->occupied[begin / 64] & ~0ULL << begin % 64;
	uint32_t at = begin / 64;

	/* Its own word is the first and the last: what lies before begin comes at the very end. */
	for (int i = 0; !word && i < WORDS; i++) {
		at = (at + 1) % WORDS;
		word = deadlines->occupied[at];
	}
	return (at * 64 + (uint32_t)__builtin_ctzll(word) - begin) % DEADLINES_SLOTS;
}

uint64_t deadlines_next_ns(const struct deadlines *deadlines)
{
	if (!deadlines->count)
		return UINT64_MAX;
	return (deadlines->turn + distance(deadlines)) * DEADLINES_TICK_NS;
}
