/* SPDX-License-Identifier: MIT */
/* Settings: what is bad is refused with file and line, and nothing is taken by halves. */
#include "lingerd/settings_file.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/clock.h"
#include "lingerd/limits.h"
#include "lingerd/options.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static char file_path[256];

static void write_file(const char *text)
{
	const char *folder = getenv("TMPDIR");
	FILE *file;
	int fd;

	snprintf(file_path, sizeof(file_path), "%s/settings-XXXXXX", folder ? folder : "/tmp");
	fd = mkstemp(file_path);
	assert_true(fd >= 0);
	file = fdopen(fd, "w");
	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
}

static int read_text(struct settings *settings, const char *text, struct problem *problem)
{
	int error;

	write_file(text);
	error = settings_read_file(settings, file_path, problem);
	unlink(file_path);
	return error;
}

static void a_file_sets_what_it_names_and_no_more(void **state)
{
	struct settings settings;
	struct problem problem = { "" };

	(void)state;
	settings_default(&settings);
	assert_int_equal(read_text(&settings,
				   "# lingerd\n[lingerd]\nidle-timeout = 0.5\n"
				   "socket = /tmp/x.sock ; where\nmax-connections=100\n",
				   &problem),
			 0);
	assert_int_equal(settings.policy.idle_ns, NS_PER_S / 2);
	assert_string_equal(settings.socket_path, "/tmp/x.sock");
	assert_int_equal(settings.max_connections, 100);
	assert_int_equal(settings.policy.total_ns, 30 * NS_PER_S);
	assert_int_equal(settings.socket_mode, 0660);
}

static void bad_files_are_refused_with_line_and_reason(void **state)
{
	static char long_line[400] = "[lingerd]\nsocket = /";
	static const struct {
		const char *text;
		const char *said;
	} cases[] = {
		{ "[lingerd]\nidle-timeout = 1\nidle = 3\n", ":3: there is no setting 'idle'" },
		{ "[lingerd]\nidle = 3\nx = 4\nidle-timeout = no\n",
		  ":2: there is no setting 'idle' (the first of several such lines)" },
		{ "[lingerd]\nidle-timeout = soon\n", ":2: idle-timeout: 'soon'" },
		{ "[lingerd]\nidle-timeout = -1\n", ":2: idle-timeout: '-1'" },
		{ "[lingerd]\nidle-timeout = 0\n", ":2: idle-timeout: '0'" },
		{ "[lingerd]\ntotal-timeout = 1e3\n", ":2: total-timeout: '1e3'" },
		{ "[lingerd]\ntotal-timeout =\n", ":2: total-timeout: ''" },
		{ "[lingerd]\nmax-connections = 0\n", ":2: max-connections: '0'" },
		{ "[lingerd]\nmax-connections = 99999999999999999999\n", ":2: max-connections" },
		{ "[lingerd]\nsocket-mode = 888\n", ":2: socket-mode: '888'" },
		{ "[lingerd]\nsocket-mode = 7777\n", ":2: socket-mode: '7777'" },
		{ "[lingerd]\nsocket =\n", ":2: socket: the path is empty" },
		{ "idle-timeout = 1\n", ":1: 'idle-timeout' is neither in [lingerd]" },
		{ "[other]\nidle-timeout = 1\n", ":2: 'idle-timeout' is neither in [lingerd]" },
		{ "[lingerd\nidle-timeout = 1\n", ":1: neither" },
		{ "[lingerd]\nnonsense\nidle = 3\n", ":2: neither" },
		{ "[lingerd]\nidle-timeout = 1\nidle-timeout = 2\n",
		  ":3: 'idle-timeout' has been" },
		{ "[lingerd]\nidle-timeout = 1\n  2\n", ":3: 'idle-timeout' has been" },
		{ "[lingerd]\nbyte-cap = 10 MB\n", ":2: byte-cap: '10 MB'" },
		{ "[lingerd]\nat-deadline = wait\n", ":2: at-deadline: 'wait'" },
		{ "[lingerd]\nat-deadline = fin-wait-2:0\n", ":2: at-deadline: 'fin-wait-2:0'" },
		{ "[lingerd]\nat-deadline = fin-wait-2:121\n", ":2: at-deadline" },
		{ "[lingerd]\nwhen-full = panic\n", ":2: when-full: 'panic'" },
		{ "[lingerd]\nmax-per-user = 0\n", ":2: max-per-user: '0'" },
		{ "[lingerd]\nmax-per-client = all\n", ":2: max-per-client: 'all'" },
		{ "[lingerd]\nallow-users = root, nobody-at-all\n",
		  ":2: allow-users: there is no 'nobody-at-all'" },
		{ "[lingerd]\nallow-groups = ,\n", ":2: allow-groups: names nobody" },
		{ "[user no-such-user]\nbyte-cap = 1k\n", ":2: there is no user 'no-such-user'" },
		{ "[user root]\nsocket = /x\n", ":2: 'socket' is for all users" },
		{ "[user 0]\nbyte-cap = 1k\n[user root]\nbyte-cap = 2k\n",
		  ":4: 'byte-cap' has been" },
		{ "[user root]\nidle-timeout = never\n", ":2: idle-timeout: 'never'" },
		{ "[lingerd]\nmetrics =\n", ":2: metrics: '': not unix:PATH" },
		{ "[lingerd]\nmetrics = localhost:9465\n", ":2: metrics: 'localhost:9465'" },
		{ "[lingerd]\nmetrics = unix:\n", ":2: metrics: 'unix:': the path" },
		{ "[lingerd]\nmetrics = file:/tmp/x\n", "lingerd writes no files" },
		{ "[lingerd]\nmetrics-remote = yes\n", ":2: metrics-remote: 'yes'" },
		{ "[lingerd]\nsummary-interval = often\n", ":2: summary-interval: 'often'" },
		{ "[lingerd]\nsocket-group = no-such-group\n", ":2: socket-group: there is no" },
		{ "[lingerd]\nlog = file\n", ":2: log: 'file' is neither stderr nor syslog" },
		{ "[lingerd]\nuser = no-such-user\n", ":2: user: there is no user" },
		{ "[lingerd]\nuser = 4000000\n", ":2: user: there is no user" },
		{ "[lingerd]\npid-file = here\n", ":2: pid-file: 'here'" },
		{ "[user root]\npid-file = none\n", ":2: 'pid-file' is for all users" },
		{ "[user root]\nmetrics = none\n", ":2: 'metrics' is for all users" },
		{ long_line, ":2: the line has more than 198 bytes" },
	};

	(void)state;
	memset(long_line + strlen(long_line), 'x', 300);
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct settings before, settings;
		struct problem problem = { "" };

		memset(&before, 0x5a, sizeof(before));
		before.user_count = 0; /* so many are looked through */
		settings = before;
		assert_int_equal(read_text(&settings, cases[i].text, &problem), -EINVAL);
		if (!strstr(problem.text, cases[i].said) ||
		    strncmp(problem.text, file_path, strlen(file_path)) != 0)
			fail_msg("'%s' does not say '%s'", problem.text, cases[i].said);
		assert_null(strchr(problem.text, '\n'));
		assert_memory_equal(&settings, &before, sizeof(before));
	}
}

static void users_have_what_is_theirs_and_else_what_all_have(void **state)
{
	struct options options = { .values = { [SETTING_TOTAL_TIMEOUT] = "20" } };
	struct linger_policy of_root, of_other;
	struct settings settings;
	struct problem problem = { "" };

	(void)state;
	write_file("[user root]\nidle-timeout = 7\nbyte-cap = 64k\nat-deadline = reset\n"
		   "[lingerd]\nidle-timeout = 3\nbyte-cap = 1g\nmax-per-user = 50\n"
		   "allow-users = root 12, 13\nat-deadline = fin-wait-2:5\n"
		   "[user root]\nmax-per-user = none\n");
	options.config_path = file_path;
	assert_int_equal(options_settings(&options, &settings, &problem), 0);
	unlink(file_path);
	settings_policy_of(&settings, 0, &of_root);
	settings_policy_of(&settings, 99, &of_other);
	assert_int_equal(of_root.idle_ns, 7 * NS_PER_S);
	assert_int_equal(of_other.idle_ns, 3 * NS_PER_S);
	assert_int_equal(of_root.total_ns, 20 * NS_PER_S);
	assert_int_equal(of_other.total_ns, 20 * NS_PER_S);
	assert_int_equal(of_root.byte_cap, 64 << 10);
	assert_int_equal(of_other.byte_cap, 1 << 30);
	assert_int_equal(of_root.give_up, GIVE_UP_RESET);
	assert_int_equal(of_other.give_up, GIVE_UP_FIN_WAIT_2);
	assert_int_equal(of_other.fin_wait_2_s, 5);
	assert_int_equal(of_root.max_per_user, POLICY_NO_LIMIT);
	assert_int_equal(of_other.max_per_user, 50);
	assert_int_equal(settings.access.user_count, 3);
	assert_int_equal(settings.access.users[2], 13);
}

static void a_path_may_be_as_long_as_the_kernel_takes_it(void **state)
{
	struct settings settings;
	struct problem problem = { "" };
	char path[SOCKET_PATH_SIZE + 1];

	(void)state;
	settings_default(&settings);
	memset(path, 'p', sizeof(path));
	path[SOCKET_PATH_SIZE] = '\0';
	assert_int_equal(settings_set(&settings, SETTING_SOCKET, path, &problem), -EINVAL);
	assert_non_null(strstr(problem.text, "108 bytes"));
	path[SOCKET_PATH_SIZE - 1] = '\0';
	assert_int_equal(settings_set(&settings, SETTING_SOCKET, path, &problem), 0);
	assert_string_equal(settings.socket_path, path);
}

static void files_that_cannot_be_read_are_named(void **state)
{
	struct settings settings;
	struct problem problem = { "" };

	(void)state;
	settings_default(&settings);
	assert_int_equal(settings_read_file(&settings, "/nonexistent/l.conf", &problem), -ENOENT);
	assert_non_null(strstr(problem.text, "/nonexistent/l.conf"));
	assert_true(settings_read_file(&settings, "/", &problem) < 0); /* a folder */
}

static void random_files_never_apply_by_halves(void **state)
{
	static const char *const pieces[] = { "[lingerd]", "\n",  "idle-timeout",  "=",	 "1",
					      " ",	   "max", "socket",	   ";",	 "]",
					      "#",	   ":",	  "total-timeout", "\t", "-" };

	(void)state;
	srandom(3);
	for (int round = 0; round < 2000; round++) {
		struct settings before, settings;
		struct problem problem = { "" };
		char text[512] = "";

		for (long n = random() % 24; n > 0; n--)
			strcat(text, pieces[(size_t)random() % COUNT(pieces)]);
		settings_default(&before);
		settings = before;
		if (read_text(&settings, text, &problem))
			assert_memory_equal(&settings, &before, sizeof(before));
		assert_true(settings.policy.idle_ns > 0 && settings.policy.total_ns > 0);
	}
}

static int parse(struct options *options, struct problem *problem, const char *first,
		 const char *second)
{
	char *argv[] = { (char *)"lingerd", (char *)first, (char *)second, NULL };

	return options_parse(options, second ? 3 : 2, argv, problem);
}

static void bad_options_are_refused(void **state)
{
	struct options options = { .check_config = true };
	struct problem problem = { "" };

	(void)state;
	assert_int_equal(parse(&options, &problem, "--nonsense", NULL), -EINVAL);
	assert_non_null(strstr(problem.text, "--nonsense"));
	assert_int_equal(parse(&options, &problem, "-x", NULL), -EINVAL);
	assert_int_equal(parse(&options, &problem, "--socket", NULL), -EINVAL);
	assert_non_null(strstr(problem.text, "needs a value"));
	assert_int_equal(parse(&options, &problem, "extra", NULL), -EINVAL);
	assert_int_equal(parse(&options, &problem, "--idle-timeout", "2s"), -EINVAL);
	assert_int_equal(parse(&options, &problem, "--max-connections", "-1"), -EINVAL);
	assert_true(options.check_config); /* untouched */
	assert_int_equal(parse(&options, &problem, "--idle-timeout", "3"), 0);
	assert_string_equal(options.values[SETTING_IDLE_TIMEOUT], "3");
}

static void the_command_line_goes_over_the_file(void **state)
{
	struct options options = { .values = { [SETTING_IDLE_TIMEOUT] = "7" } };
	struct settings settings;
	struct problem problem = { "" };

	(void)state;
	write_file("[lingerd]\nidle-timeout = 1\ntotal-timeout = 9\n");
	options.config_path = file_path;
	assert_int_equal(options_settings(&options, &settings, &problem), 0);
	unlink(file_path);
	assert_int_equal(settings.policy.idle_ns, 7 * NS_PER_S);
	assert_int_equal(settings.policy.total_ns, 9 * NS_PER_S);
}

static int read_options(const char *text, struct settings *settings, struct problem *problem)
{
	struct options options = { .config_path = file_path };
	int error;

	write_file(text);
	error = options_settings(&options, settings, problem);
	unlink(file_path);
	return error;
}

static void metrics_that_others_can_reach_must_be_allowed(void **state)
{
	static const char closed[] = "[lingerd]\nmetrics = 0.0.0.0:9466\n";
	static const char open[] = "[lingerd]\nmetrics = [::]:9466\nmetrics-remote = on\n";
	static const char local[] = "[lingerd]\nmetrics = 127.0.0.1:0\nsummary-interval = 0\n";
	struct settings settings;
	struct problem problem = { "" };

	(void)state;
	assert_int_equal(read_options(closed, &settings, &problem), -EINVAL);
	assert_non_null(strstr(problem.text, "0.0.0.0 can be reached by others"));
	assert_non_null(strstr(problem.text, "metrics-remote"));
	assert_int_equal(read_options(open, &settings, &problem), 0);
	assert_string_equal(settings.metrics, "[::]:9466");
	assert_int_equal(read_options(local, &settings, &problem), 0);
	assert_int_equal(settings.summary_ns, 0);
	assert_int_equal(read_options("[lingerd]\nmetrics = none\n", &settings, &problem), 0);
	assert_string_equal(settings.metrics, "");
	assert_int_equal(settings.summary_ns, 60 * NS_PER_S);
}

static void an_endpoint_takes_its_share_from_connections(void **state)
{
	const struct limits_needs without = { .connections = 1000 };
	const struct limits_needs with = { .connections = 1000, .endpoint = 19 };
	struct limits limits, less;

	(void)state;
	assert_int_equal(limits_share(500, 5, &without, &limits), 0);
	assert_int_equal(limits_share(500, 5, &with, &less), 0);
	assert_int_equal(less.reserve, limits.reserve + 19);
	assert_int_equal(less.connections, limits.connections - 19);
}

static void descriptors_are_never_promised_twice(void **state)
{
	const struct limits_needs needs = { .connections = 1000, .endpoint = 19 };
	struct limits limits = { .connections = 7 };

	(void)state;
	for (uint64_t nofile = 0; nofile < 3000; nofile++) {
		if (limits_share(nofile, 5, &needs, &limits)) {
			assert_int_equal(limits.connections, 7); /* too few: untouched */
			continue;
		}
		assert_true((uint64_t)limits.connections + limits.senders + limits.reserve <=
			    nofile);
		assert_in_range(limits.connections, 1, 1000);
		assert_true(limits.senders >= 1);
		limits.connections = 7;
	}
	assert_int_equal(limits_share(1 << 20, 5, &needs, &limits), 0);
	assert_int_equal(limits.connections, 1000);
	assert_int_equal(limits_share(16, 5, &needs, &limits), -EMFILE);
}

/* The packed file with the # taken away in front of each setting, but for those that have no value by default. */
static void the_packed_file_says_what_is_without_it(void **state)
{
	FILE *file = fopen("packaging/lingerd.conf", "r");
	struct settings settings = { 0 }, defaults;
	struct problem problem = { "" };
	char text[16384] = "", line[256];
	uint32_t named = 0;

	(void)state;
	assert_non_null(file);
	while (fgets(line, sizeof(line), file)) {
		bool is_setting = line[0] == '#' && line[1] != ' ' && strchr(line, '=');

		assert_true(strlen(text) + strlen(line) < sizeof(text));
		if (strncmp(line, "#allow-", 7) != 0)
			strcat(text, line + is_setting);
		for (int i = 0; is_setting && i < SETTING_COUNT; i++)
			if (!strncmp(line + 1, setting_names[i], strlen(setting_names[i])) &&
			    line[1 + strlen(setting_names[i])] == ' ')
				named |= 1U << i;
	}
	fclose(file);
	assert_int_equal(named, (1U << SETTING_COUNT) - 1);

	assert_int_equal(read_text(&settings, text, &problem), 0);
	settings_default(&defaults);
	assert_string_equal(settings.socket_path, defaults.socket_path);
	assert_int_equal(settings.socket_mode, defaults.socket_mode);
	assert_int_equal(settings.socket_group, defaults.socket_group);
	assert_int_equal(settings.max_connections, DEFAULT_MAX_CONNECTIONS);
	assert_int_equal(settings.when_full, defaults.when_full);
	assert_int_equal(settings.max_per_client, defaults.max_per_client);
	assert_int_equal(settings.stop_grace_ns, defaults.stop_grace_ns);
	assert_int_equal(settings.fd_store, defaults.fd_store);
	assert_string_equal(settings.metrics, defaults.metrics);
	assert_int_equal(settings.metrics_remote, defaults.metrics_remote);
	assert_int_equal(settings.summary_ns, defaults.summary_ns);
	assert_int_equal(settings.syslog, defaults.syslog);
	assert_int_equal(settings.user, defaults.user);
	assert_string_equal(settings.pid_file, defaults.pid_file);
	assert_int_equal(settings.sandbox, defaults.sandbox);
	assert_int_equal(settings.policy.idle_ns, defaults.policy.idle_ns);
	assert_int_equal(settings.policy.total_ns, defaults.policy.total_ns);
	assert_int_equal(settings.policy.byte_cap, defaults.policy.byte_cap);
	assert_int_equal(settings.policy.give_up, defaults.policy.give_up);
	assert_int_equal(settings.policy.max_per_user, defaults.policy.max_per_user);
}

/* As lingerd.service names it. */
static void a_file_with_a_dash_in_front_need_not_be_there(void **state)
{
	char dashed[sizeof(file_path) + 1];
	struct options options;
	struct settings settings;
	struct problem problem = { "" };

	(void)state;
	assert_int_equal(parse(&options, &problem, "--config", "/nowhere/lingerd.conf"), 0);
	assert_int_equal(options_settings(&options, &settings, &problem), -ENOENT);
	assert_int_equal(parse(&options, &problem, "--config", "-/nowhere/lingerd.conf"), 0);
	assert_int_equal(options_settings(&options, &settings, &problem), 0);
	assert_int_equal(settings.stop_grace_ns, 5 * NS_PER_S);

	write_file("[lingerd]\nstop-grace = soon\n");
	snprintf(dashed, sizeof(dashed), "-%s", file_path);
	assert_int_equal(parse(&options, &problem, "--config", dashed), 0);
	assert_int_equal(options_settings(&options, &settings, &problem), -EINVAL);
	unlink(file_path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_sets_what_it_names_and_no_more),
		cmocka_unit_test(bad_files_are_refused_with_line_and_reason),
		cmocka_unit_test(users_have_what_is_theirs_and_else_what_all_have),
		cmocka_unit_test(a_path_may_be_as_long_as_the_kernel_takes_it),
		cmocka_unit_test(files_that_cannot_be_read_are_named),
		cmocka_unit_test(random_files_never_apply_by_halves),
		cmocka_unit_test(bad_options_are_refused),
		cmocka_unit_test(the_command_line_goes_over_the_file),
		cmocka_unit_test(the_packed_file_says_what_is_without_it),
		cmocka_unit_test(a_file_with_a_dash_in_front_need_not_be_there),
		cmocka_unit_test(metrics_that_others_can_reach_must_be_allowed),
		cmocka_unit_test(an_endpoint_takes_its_share_from_connections),
		cmocka_unit_test(descriptors_are_never_promised_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
