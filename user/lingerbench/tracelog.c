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

void tracelog_sort(struct tracelog *log)
{
	if (log->count)
		qsort(log->records, log->count, sizeof(*log->records), compare_cookies);
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
	*log = (struct tracelog){ 0 };
}
