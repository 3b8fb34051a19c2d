/* SPDX-License-Identifier: MIT */
#include "lingerbench/tracelog.h"

#include <stdlib.h>

void tracelog_add(void *context, const struct close_record *record)
{
	struct tracelog *log = context;

	if (log->count == log->size) {
		size_t size = log->size ? log->size * 2 : 1024;
		struct close_record *records = realloc(log->records, size * sizeof(*records));

		if (!records) {
			log->out_of_memory = true;
			return;
		}
		log->records = records;
		log->size = size;
	}
	log->records[log->count++] = *record;
}

static int compare_cookies(const void *left, const void *right)
{
	const struct close_record *a = left, *b = right;

	return a->cookie < b->cookie ? -1 : a->cookie > b->cookie;
}

static int compare_port(const struct close_record *record, uint16_t port, uint64_t established_ns)
{
	if (record->rport != port)
		return record->rport < port ? -1 : 1;
	return record->established_ns < established_ns ? -1
						       : record->established_ns > established_ns;
}

static int compare_ports(const void *left, const void *right)
{
	const struct close_record *const *a = left, *const *b = right;

	return compare_port(*a, (*b)->rport, (*b)->established_ns);
}

void tracelog_sort(struct tracelog *log)
{
	if (!log->count)
		return;
	qsort(log->records, log->count, sizeof(*log->records), compare_cookies);
	free(log->by_port);
	log->by_port = calloc(log->count, sizeof(const struct close_record *));
	if (!log->by_port) {
		log->out_of_memory = true;
		return;
	}
	for (size_t i = 0; i < log->count; i++)
		log->by_port[i] = &log->records[i];
	qsort(log->by_port, log->count, sizeof(const struct close_record *), compare_ports);
}

const struct close_record *tracelog_find_port(const struct tracelog *log, uint16_t port,
					      uint64_t from_ns)
{
	size_t low = 0, high = log->by_port ? log->count : 0, end = high;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare_port(log->by_port[middle], port, from_ns) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low < end && log->by_port[low]->rport == port ? log->by_port[low] : NULL;
}

const struct close_record *tracelog_find(const struct tracelog *log, uint64_t cookie)
{
	struct close_record wanted = { .cookie = cookie };

	if (!log->count || !cookie)
		return NULL;
	return bsearch(&wanted, log->records, log->count, sizeof(*log->records), compare_cookies);
}

void tracelog_free(struct tracelog *log)
{
	free(log->records);
	free(log->by_port);
	*log = (struct tracelog){ 0 };
}
