/* SPDX-License-Identifier: MIT */
#include "lingertrace/json_end.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>

#include "lingertrace/sentence.h"
#include "tracer/close_end.h"

static json_t *ends(const struct totals *totals)
{
	json_t *object = json_object();

	for (unsigned int end = 0; end < TOTALS_ENDS; end++) {
		const char *name = close_end_name(end);

		json_object_set_new(object, name ? name : "unknown",
				    json_integer((json_int_t)totals->ends[end]));
	}
	return object;
}

static json_t *verdicts(const struct tallies *tallies)
{
	const struct tally *sorted[TALLY_MOST];
	size_t count = tallies_sort(tallies, sorted);
	json_t *array = json_array();
	char text[SENTENCE_SIZE];

	for (size_t i = 0; i < count; i++) {
		const struct tally *tally = sorted[i];

		sentence_of(text, tally);
		json_array_append_new(array,
				      json_pack("{s:s, s:b, s:s?, s:I, s:I, s:I, s:s}", "verdict",
						verdict_name(tally->verdict), "at_risk",
						verdict_is_risk(tally->verdict), "comm",
						tally->comm[0] ? tally->comm : NULL, "connections",
						(json_int_t)tally->count, "unread_bytes",
						(json_int_t)tally->unread_bytes, "unacked_bytes",
						(json_int_t)tally->unacked_bytes, "text", text));
	}
	return array;
}

static json_t *count_or_null(uint64_t count)
{
	return count == CLOSE_TRACE_UNKNOWN ? json_null() : json_integer((json_int_t)count);
}

int json_end_write(struct rowfile *file, const struct totals *totals, const struct tallies *tallies,
		   const struct tracer_counts *counts)
{
	json_t *object =
		json_pack("{s:{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:I, s:o, s:o}}",
			  "trace", "rows", (json_int_t)totals->rows, "followed",
			  (json_int_t)counts->followed, "filtered", (json_int_t)counts->filtered,
			  "ring_full", (json_int_t)counts->ring_full, "table_full",
			  (json_int_t)counts->map_full, "missed_events",
			  (json_int_t)counts->missed_events, "incomplete",
			  (json_int_t)totals->incomplete, "seeded", (json_int_t)totals->seeded,
			  "stray_resets", count_or_null(counts->stray_resets), "at_risk",
			  (json_int_t)totals->at_risk, "ends", ends(totals), "verdicts",
			  verdicts(tallies));
	char *line = object ? json_dumps(object, JSON_COMPACT) : NULL;

	json_decref(object);
	if (!line)
		return -ENOMEM;
	rowfile_text(file, line);
	free(line);
	return rowfile_end_row(file);
}
