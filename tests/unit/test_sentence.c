/* SPDX-License-Identifier: MIT */
/* Verdicts added up, and in words. */
#include "lingertrace/sentence.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "tests/unit/crafted.h"

static struct tallies tallies;

static int set_up(void **state)
{
	(void)state;
	memset(&tallies, 0, sizeof(tallies));
	return 0;
}

static const char *printed(bool partial)
{
	static char text[8192];
	FILE *out;

	memset(text, 0, sizeof(text));
	out = fmemopen(text, sizeof(text), "w");
	assert_non_null(out);
	sentences_print(&tallies, partial, out);
	fclose(out);
	return text;
}

/* Closed with unread data. */
static struct close_record unread(const char *comm, uint64_t unread_bytes, uint64_t unacked_bytes)
{
	struct close_record record = unknown_record;

	record.end = CLOSE_END_RESET_SENT;
	record.flags = CLOSE_CALLED | CLOSE_RESET_SENT;
	record.unread_bytes = unread_bytes;
	record.unacked_bytes = unacked_bytes;
	record.closer.pid = *comm ? 1 : 0;
	strncpy(record.closer.comm, comm, sizeof(record.closer.comm) - 1);
	return record;
}

static void add(const struct close_record *record, unsigned int times)
{
	while (times--)
		tallies_add(&tallies, record);
}

static void nothing_was_at_risk(void **state)
{
	(void)state;
	assert_string_equal(printed(false), "no response was at risk\n");
	assert_string_equal(printed(true),
			    "no response was at risk, as far as was seen: not all was\n");
	add(&unknown_record, 5);
	assert_string_equal(printed(false), "no response was at risk\n");
}

static void the_most_come_first_and_notices_last(void **state)
{
	struct close_record php = unread("php-fpm", 4000, 0);
	struct close_record cut = unread("nginx", 1, 2500000);
	struct close_record nobody = unread("", 10, CLOSE_TRACE_UNKNOWN);
	struct close_record blocked = unknown_record;

	(void)state;
	blocked.end = CLOSE_END_FIN;
	blocked.close_call_ns = 3 * 1000000000ULL;
	blocked.closer = (struct close_caller){ 1, 1, "httpd" };
	add(&nobody, 1);
	add(&blocked, 400);
	add(&cut, 2);
	add(&php, 312);
	assert_string_equal(
		printed(true),
		"312 responses at risk: closed with 1.2 MB unread data by php-fpm (RST sent); "
		"half-close and drain, or hand to lingerd\n"
		"2 responses probably cut off: closed with 2 bytes unread data by nginx while 5.0 "
		"MB were not acknowledged (RST sent); half-close and drain, or hand to lingerd\n"
		"1 response at risk: closed with 10 bytes unread data by an unknown process (RST "
		"sent); half-close and drain, or hand to lingerd\n"
		"close() blocked httpd 400 times for 100 ms or more, up to 3.0 s (SO_LINGER); hand "
		"to lingerd instead\n");
}

static void many_names_share_an_entry(void **state)
{
	const struct tally *sorted[TALLY_MOST];
	uint64_t sum = 0;
	size_t count;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		char comm[16];
		struct close_record record;

		snprintf(comm, sizeof(comm), "worker-%d", i);
		record = unread(comm, 1, 0);
		add(&record, 1);
	}
	count = tallies_sort(&tallies, sorted);
	assert_int_equal(count, TALLY_COMMS + 1);
	assert_string_equal(sorted[0]->comm, TALLY_OTHERS);
	for (size_t i = 0; i < count; i++)
		sum += sorted[i]->count;
	assert_int_equal(sum, 1000);
}

static void names_cannot_write_to_the_terminal(void **state)
{
	struct close_record record = unread("\033[2J\n", 1, 0);

	(void)state;
	add(&record, 1);
	assert_non_null(strstr(printed(false), " by ?[2J? (RST sent)"));
}

/* With the largest numbers and the longest name, too. */
static void each_verdict_has_a_whole_sentence(void **state)
{
	char text[SENTENCE_SIZE];

	(void)state;
	for (unsigned int verdict = 0; verdict < VERDICT_FINE; verdict++) {
		struct tally tally = { .verdict = (enum verdict)verdict,
				       .comm = "123456789012345",
				       .count = UINT64_MAX,
				       .unread_bytes = UINT64_MAX,
				       .unacked_bytes = UINT64_MAX,
				       .longest_ns = UINT64_MAX - 1 };

		sentence_of(text, &tally);
		assert_true(strlen(text) < sizeof(text) - 1);
		assert_non_null(strchr(text, ';'));
		tally.count = 1;
		sentence_of(text, &tally);
		assert_null(strstr(text, "responses"));
		assert_null(strstr(text, "connections"));
	}
}

static void quantities(void **state)
{
	char text[UNITS_SIZE];

	(void)state;
	assert_string_equal(units_bytes(text, 0), "0 bytes");
	assert_string_equal(units_bytes(text, 1), "1 byte");
	assert_string_equal(units_bytes(text, 999), "999 bytes");
	assert_string_equal(units_bytes(text, 1000), "1.0 kB");
	assert_string_equal(units_bytes(text, 99949), "99.9 kB");
	assert_string_equal(units_bytes(text, 99950), "100 kB");
	assert_string_equal(units_bytes(text, 999499), "999 kB");
	assert_string_equal(units_bytes(text, 999500), "1.0 MB");
	assert_string_equal(units_duration(text, 0), "0.0 us");
	assert_string_equal(units_duration(text, 1500), "1.5 us");
	assert_string_equal(units_duration(text, 999499), "999 us");
	assert_string_equal(units_duration(text, 999500), "1.0 ms");
	assert_string_equal(units_duration(text, 999500000), "1.0 s");
	assert_string_equal(units_duration(text, 60100000000), "60.1 s");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(nothing_was_at_risk, set_up),
		cmocka_unit_test_setup(the_most_come_first_and_notices_last, set_up),
		cmocka_unit_test_setup(many_names_share_an_entry, set_up),
		cmocka_unit_test_setup(names_cannot_write_to_the_terminal, set_up),
		cmocka_unit_test(each_verdict_has_a_whole_sentence),
		cmocka_unit_test(quantities),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
