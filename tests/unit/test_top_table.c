/* SPDX-License-Identifier: MIT */
/* The live table: sorted, within 80 columns and the lines of the screen, whatever the numbers are. */
#include "lingertrace/top_table.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

enum { GROUPS = 20 };

static struct top_group groups[GROUPS];
static char text[16384];

static char *printed(size_t count, unsigned int lines)
{
	FILE *out;

	memset(text, 0, sizeof(text));
	out = fmemopen(text, sizeof(text), "w");
	assert_non_null(out);
	top_table_print(out, groups, count, 2 * NS_PER_S, lines);
	fclose(out);
	return text;
}

static void fill(void)
{
	memset(groups, 0, sizeof(groups));
	for (unsigned int i = 0; i < GROUPS; i++) {
		snprintf(groups[i].key.comm, sizeof(groups[i].key.comm), "server-%u", i);
		groups[i].key.port = (uint16_t)(8000 + i);
		groups[i].connections = groups[i].ends[CLOSE_END_FIN] = 100 + i;
	}
	groups[3].at_risk = 1;
}

static void groups_at_risk_and_busy_ones_come_first(void **state)
{
	char *line;

	(void)state;
	fill();
	line = strchr(strchr(printed(GROUPS, 0), '\n') + 1, '\n') + 1;
	assert_memory_equal(line,
			    "server-3          8003    51.5   103     0     0     0     0     "
			    "1      -      -\n",
			    80);
	assert_non_null(strstr(line, "\nserver-19         8019    59.5   119 "));
	assert_non_null(strstr(line,
			       "\nall                       1095  2190     0     0     0     0 "
			       "    1      -      -\n"));
}

static void a_small_screen_has_the_first_groups(void **state)
{
	(void)state;
	fill();
	assert_non_null(strstr(printed(GROUPS, 14), "\n(14 more)\nall "));
	assert_null(strstr(printed(GROUPS, 0), "more)"));
	assert_null(strstr(printed(GROUPS, 200), "more)"));
	assert_non_null(strstr(printed(GROUPS, 2), "\n(17 more)\nall "));
}

static void no_line_is_wider_than_80_columns(void **state)
{
	struct histogram *histogram = calloc(1, sizeof(*histogram));
	struct top_group *group = &groups[0];

	(void)state;
	assert_non_null(histogram);
	memset(groups, 0, sizeof(groups));
	strcpy(group->key.comm, "123456789012345");
	group->key.port = 65535;
	group->key.is_remote = true;
	group->connections = group->at_risk = 99999999;
	for (unsigned int end = 0; end < TOTALS_ENDS; end++)
		group->ends[end] = 99999999;
	histogram_add(histogram, 99949999);
	group->fin_wait_2 = histogram;
	printed(1, 0);
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		assert_true(strlen(line) <= 80);
	free(histogram);
}

static void counts_are_short(void **state)
{
	char cell[UNITS_SIZE];

	(void)state;
	assert_string_equal(units_count(cell, 99999), "99999");
	assert_string_equal(units_count(cell, 100000), "100k");
	assert_string_equal(units_count(cell, 9999999), "9999k");
	assert_string_equal(units_count(cell, 10000000), "10M");
	assert_string_equal(units_count(cell, UINT64_MAX), "18E");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(groups_at_risk_and_busy_ones_come_first),
		cmocka_unit_test(a_small_screen_has_the_first_groups),
		cmocka_unit_test(no_line_is_wider_than_80_columns),
		cmocka_unit_test(counts_are_short),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
