/* SPDX-License-Identifier: MIT */
#include "tracer/places.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bpf/places.h"
#include "close_trace.skel.h"

/* The kernel keeps the values of an array 8 bytes apart. */
enum { ALIGNMENT = 8 };

static size_t stride_of(const struct bpf_map *map)
{
	return (bpf_map__value_size(map) + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static size_t whole_pages(size_t bytes)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	return (bytes + page - 1) / page * page;
}

/* NULL: errno says why. */
static void *map_array(const struct bpf_map *map)
{
	size_t size = whole_pages(stride_of(map) * bpf_map__max_entries(map));
	void *array = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(map), 0);

	return array == MAP_FAILED ? NULL : array;
}

int places_open(struct places *places, const struct close_trace *skeleton)
{
	*places = (struct places){
		.stride = stride_of(skeleton->maps.places),
		.count = bpf_map__max_entries(skeleton->maps.places),
	};
	places->array = map_array(skeleton->maps.places);
	if (places->array)
		places->ended = map_array(skeleton->maps.ended_places);
	return places->ended ? 0 : -errno;
}

static struct close_record *record_at(const struct places *places, uint64_t number)
{
	return (struct close_record *)(places->array + number * places->stride);
}

void places_consume(struct places *places, places_fn *on_record, void *context)
{
	for (int i = 0; i < PLACES; i++, places->turn++) {
		uint64_t *entry = &places->ended[places->turn % PLACES];
		uint64_t number = __atomic_load_n(entry, __ATOMIC_ACQUIRE);
		struct close_record *place, record;

		if (!number)
			return;
		*entry = 0;
		place = record_at(places, number - 1);
		if (!place_is_over(place->cookie)) /* taken with the rest */
			continue;
		/* The cookie is not put right in its place, where it would be found again. */
		record = *place;
		record.cookie ^= PLACE_ENDED;
		__atomic_store_n(&place->cookie, PLACE_FREE, __ATOMIC_RELEASE);
		on_record(context, &record);
	}
}

void places_take_rest(struct places *places, places_fn *on_ended, places_fn *on_open, void *context)
{
	for (uint32_t number = 0; number < places->count; number++) {
		struct close_record *place = record_at(places, number);
		/* Whoever is still about to pass it on finds that it is not there any more. */
		uint64_t cookie = __atomic_exchange_n(&place->cookie, PLACE_FREE, __ATOMIC_ACQ_REL);
		struct close_record record = *place;

		if (place_is_over(cookie)) {
			record.cookie = cookie ^ PLACE_ENDED;
			on_ended(context, &record);
		} else if (place_has_connection(cookie)) {
			record.cookie = cookie;
			on_open(context, &record);
		}
	}
}

void places_close(struct places *places)
{
	if (places->array)
		munmap(places->array, whole_pages(places->stride * places->count));
	if (places->ended)
		munmap(places->ended, whole_pages(sizeof(*places->ended) * PLACES));
	*places = (struct places){ 0 };
}
