/* SPDX-License-Identifier: MIT */
/* The command line of lingertrace: each option has the effect that its name says, and no other. */
#include "lingertrace/trace_options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"

static struct trace_options options;

/* As getopt(3) wants it for another argv. */
static enum trace_options_result parse(const char *const words[])
{
	static char program[] = "lingertrace";
	char *argv[16] = { program };
	int argc = 1;

	for (; *words; words++)
		argv[argc++] = (char *)*words;
	optind = 0;
	return trace_options_parse(&options, argc, argv);
}

static bool parses(const char *first, const char *second)
{
	return parse((const char *const[]){ first, second, NULL }) == TRACE_OPTIONS_RUN;
}

static void none_is_a_trace_of_all_that_is_there(void **state)
{
	(void)state;
	assert_true(parses(NULL, NULL));
	assert_string_equal(options.csv, "-");
	assert_true(options.tracer.existing);
	assert_false(options.tracer.time_wait | options.tracer.no_close_calls |
		     options.tracer.all_close_calls | options.tracer.no_mini_sockets);
	assert_int_equal(options.tracer.filter.port_count, 0);
}

static void each_switch_is_its_own(void **state)
{
	static const struct {
		const char *name;
		size_t field;
	} switches[] = {
		{ "--time-wait", offsetof(struct tracer_options, time_wait) },
		{ "--no-mini-sockets", offsetof(struct tracer_options, no_mini_sockets) },
		{ "--no-close-calls", offsetof(struct tracer_options, no_close_calls) },
		{ "--all-close-calls", offsetof(struct tracer_options, all_close_calls) },
		{ "--new-only", offsetof(struct tracer_options, existing) },
	};
	struct tracer_options none;

	(void)state;
	assert_true(parses(NULL, NULL));
	none = options.tracer;
	for (size_t i = 0; i < sizeof(switches) / sizeof(switches[0]); i++) {
		bool *field = (bool *)((char *)&options.tracer + switches[i].field);

		assert_true(parses(switches[i].name, NULL));
		*field = !*field;
		assert_memory_equal(&options.tracer, &none, sizeof(none));
	}
}

static void values_arrive(void **state)
{
	static const char *const words[] = {
		"--port", "80", "--port", "443", "--family",	      "ipv6", "--duration", "1.5",
		"--pid",  "7",	"--top",  "3",	 "--max-connections", "100",  NULL
	};

	(void)state;
	assert_int_equal(parse(words), TRACE_OPTIONS_RUN);
	assert_int_equal(options.tracer.filter.port_count, 2);
	assert_int_equal(options.tracer.filter.ports[0], 80);
	assert_int_equal(options.tracer.filter.ports[1], 443);
	assert_int_equal(options.tracer.filter.family, AF_INET6);
	assert_int_equal(options.tracer.filter.pid, 7);
	assert_int_equal(options.tracer.connections, 100);
	assert_true(options.duration_ns == 3 * NS_PER_S / 2);
	assert_true(options.top_ns == 3 * NS_PER_S);
	assert_null(options.csv);
}

static void an_address_for_others_takes_a_word_of_its_own(void **state)
{
	static const char *const remote[] = { "--metrics", "192.0.2.1:9465", "--metrics-remote",
					      NULL };

	(void)state;
	assert_int_equal(parse(remote), TRACE_OPTIONS_RUN);
	assert_true(options.metrics_remote);
	assert_int_equal(parse((const char *const[]){ remote[0], remote[1], NULL }),
			 TRACE_OPTIONS_WRONG);
}

static void what_contradicts_itself_is_refused(void **state)
{
	static const char *const wrong[][2] = {
		{ "--no-close-calls", "--all-close-calls" },
		{ "--csv=-", "--json=-" },
		{ "--port=0", NULL },
		{ "--port=65536", NULL },
		{ "--duration=soon", NULL },
		{ "--hooks=kprobe", NULL },
		{ "stray", NULL },
		{ "--no-such", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		if (parses(wrong[i][0], wrong[i][1]))
			fail_msg("accepted: %s", wrong[i][0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(none_is_a_trace_of_all_that_is_there),
		cmocka_unit_test(each_switch_is_its_own),
		cmocka_unit_test(values_arrive),
		cmocka_unit_test(an_address_for_others_takes_a_word_of_its_own),
		cmocka_unit_test(what_contradicts_itself_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
