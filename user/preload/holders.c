/* SPDX-License-Identifier: MIT */
#include "preload/holders.h"

#include <stdatomic.h>
#include <stddef.h>
#include <sys/mman.h>

enum { SLOTS = 1 << HOLDERS_FREE_BIT };

/*
 * A ticket is a generation and the index of a slot, a slot its generation and the holders, 0: free.
 * Whoever takes a slot gives it the next generation, so that older tickets do not fit any more.
 */
struct memory {
	_Atomic uint32_t next;
	_Atomic uint32_t oldest; /* to be given up; right once all are taken */
	_Atomic uint64_t slots[SLOTS];
};

static struct memory *_Atomic memory;

static uint32_t generation_of(uint64_t value)
{
	return (uint32_t)(value >> 32);
}

static uint32_t holders_of(uint64_t slot)
{
	return (uint32_t)slot;
}

static uint64_t pair_of(uint32_t generation, uint32_t low)
{
	return (uint64_t)generation << 32 | low;
}

/* Zero pages until they are used. Threads may be here at once. */
static struct memory *map_once(void)
{
	struct memory *mapped = atomic_load(&memory), *fresh;

	if (mapped)
		return mapped;
	fresh = mmap(NULL, sizeof(*fresh), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		     0);
	if (fresh == MAP_FAILED)
		return NULL;
	if (atomic_compare_exchange_strong(&memory, &mapped, fresh))
		return fresh;
	munmap(fresh, sizeof(*fresh));
	return mapped;
}

/* *ret_slot: what was in it. Whoever is faster has changed that. */
static uint32_t choose_slot(struct memory *shared, uint64_t *ret_slot)
{
	uint32_t first = atomic_load(&shared->next), index;

	for (uint32_t i = 0; i < SLOTS; i++) {
		index = (first + i) % SLOTS;
		*ret_slot = atomic_load(&shared->slots[index]);
		if (!holders_of(*ret_slot)) {
			atomic_store(&shared->next, index + 1);
			return index;
		}
	}
	index = atomic_fetch_add(&shared->oldest, 1) % SLOTS;
	*ret_slot = atomic_load(&shared->slots[index]);
	return index;
}

holders_ticket holders_start(void)
{
	struct memory *shared = map_once();

	while (shared) {
		uint64_t slot;
		uint32_t index = choose_slot(shared, &slot);
		uint32_t generation = generation_of(slot) + 1;

		if (!generation)
			generation = 1;
		if (atomic_compare_exchange_strong(&shared->slots[index], &slot,
						   pair_of(generation, 1)))
			return pair_of(generation, index);
	}
	return 0;
}

/* The holders afterwards; 0 as well if the count is unknown: see ret_known. */
static uint32_t change(holders_ticket ticket, uint32_t by, bool *ret_known)
{
	_Atomic uint64_t *slot = &atomic_load(&memory)->slots[(uint32_t)ticket];
	uint64_t value = atomic_load(slot);

	do {
		*ret_known = generation_of(value) == generation_of(ticket) && holders_of(value);
		if (!*ret_known)
			return 0;
	} while (!atomic_compare_exchange_weak(slot, &value,
					       pair_of(generation_of(value),
						       holders_of(value) + by)));
	return holders_of(value) + by;
}

bool holders_raise(holders_ticket ticket)
{
	bool known;

	change(ticket, 1, &known);
	return known;
}

bool holders_lower(holders_ticket ticket)
{
	bool known;

	return !change(ticket, UINT32_MAX, &known) && known;
}
