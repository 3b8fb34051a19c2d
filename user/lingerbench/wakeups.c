/* SPDX-License-Identifier: MIT */
#include "lingerbench/wakeups.h"

#include <errno.h>
#include <stdlib.h>

int wakeups_make(struct wakeups *ret, size_t slots)
{
	struct wakeups wakeups = { .heap = calloc(slots + 1, sizeof(*wakeups.heap)),
				   .places = calloc(slots + 1, sizeof(*wakeups.places)) };

	if (!wakeups.heap || !wakeups.places) {
		wakeups_free(&wakeups);
		return -ENOMEM;
	}
	*ret = wakeups;
	return 0;
}

void wakeups_free(struct wakeups *wakeups)
{
	free(wakeups->heap);
	free(wakeups->places);
	*wakeups = (struct wakeups){ 0 };
}

/* Places count from 1: the children of a place are its double and the one after that. */
static void put(struct wakeups *wakeups, size_t place, struct wakeup wakeup)
{
	wakeups->heap[place - 1] = wakeup;
	wakeups->places[wakeup.slot] = place;
}

static void settle(struct wakeups *wakeups, size_t place, struct wakeup wakeup)
{
	const struct wakeup *heap = wakeups->heap;

	while (place > 1 && heap[place / 2 - 1].at_ns > wakeup.at_ns) {
		put(wakeups, place, heap[place / 2 - 1]);
		place /= 2;
	}
	for (size_t child; (child = place * 2) <= wakeups->count; place = child) {
		if (child < wakeups->count && heap[child].at_ns < heap[child - 1].at_ns)
			child++;
		if (heap[child - 1].at_ns >= wakeup.at_ns)
			break;
		put(wakeups, place, heap[child - 1]);
	}
	put(wakeups, place, wakeup);
}

void wakeups_set(struct wakeups *wakeups, size_t slot, uint64_t at_ns)
{
	size_t place = wakeups->places[slot];
	struct wakeup last;

	if (at_ns != WAKEUP_NEVER) {
		if (!place)
			place = ++wakeups->count;
		settle(wakeups, place, (struct wakeup){ at_ns, slot });
		return;
	}
	if (!place)
		return;
	wakeups->places[slot] = 0;
	last = wakeups->heap[--wakeups->count];
	if (last.slot != slot)
		settle(wakeups, place, last);
}

struct wakeup wakeups_first(const struct wakeups *wakeups)
{
	if (!wakeups->count)
		return (struct wakeup){ .at_ns = WAKEUP_NEVER };
	return wakeups->heap[0];
}
