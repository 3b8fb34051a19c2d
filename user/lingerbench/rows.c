/* SPDX-License-Identifier: MIT */
#include "lingerbench/rows.h"

#include <sys/mman.h>

const char *outcome_name(enum outcome outcome)
{
	static const char *const names[OUTCOME_COUNT] = {
		[OUTCOME_UNFINISHED] = "unfinished",
		[OUTCOME_COMPLETE_FIN] = "complete_fin",
		[OUTCOME_COMPLETE_RESET] = "complete_reset",
		[OUTCOME_TRUNCATED_FIN] = "truncated_fin",
		[OUTCOME_TRUNCATED_RESET] = "truncated_reset",
		[OUTCOME_TIMEOUT] = "timeout",
		[OUTCOME_CORRUPT] = "corrupt",
		[OUTCOME_FAILED] = "failed",
	};

	return names[outcome];
}

struct trial_rows *trial_rows_map(size_t capacity)
{
	size_t size = sizeof(struct trial_rows) +
		      capacity * (sizeof(struct client_row) + sizeof(struct server_row));
	struct trial_rows *rows =
		mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (rows == MAP_FAILED)
		return NULL;
	rows->size = size;
	rows->capacity = capacity;
	rows->client = (struct client_row *)(rows + 1);
	rows->server = (struct server_row *)(rows->client + capacity);
	return rows;
}

void trial_rows_unmap(struct trial_rows *rows)
{
	if (rows)
		munmap(rows, rows->size);
}

size_t trial_rows_answered(const struct trial_rows *rows)
{
	size_t count = 0;

	for (size_t i = 0; i < rows->begun; i++) {
		const struct client_row *row = &rows->client[i];

		count += row->first_byte_ns || row->eof_ns || row->ended_ns;
	}
	return count;
}

size_t trial_rows_server_count(const struct trial_rows *rows)
{
	size_t accepted = atomic_load(&rows->accepted);

	return accepted < rows->capacity ? accepted : rows->capacity;
}
