/* SPDX-License-Identifier: MIT */
/* Where metrics go, as people write it. */
#include "metrics/target.c"

#include <setjmp.h>
#include <stddef.h>
#include <cmocka.h>

static struct metrics_target target;
static char error[256];

static int parse(const char *text, bool allow_remote)
{
	memset(&target, 0xff, sizeof(target));
	error[0] = '\0';
	return metrics_target_parse(&target, text,
				    METRICS_ALLOW_FILE | (allow_remote ? METRICS_ALLOW_REMOTE : 0),
				    error, sizeof(error));
}

static void files_and_unix_sockets(void **state)
{
	(void)state;
	assert_int_equal(parse("file:/var/lib/x.prom", false), 0);
	assert_int_equal(target.kind, METRICS_TO_FILE);
	assert_string_equal(target.path, "/var/lib/x.prom");
	assert_int_equal(parse("unix:/run/x", false), 0);
	assert_int_equal(target.kind, METRICS_TO_SOCKET);
	assert_string_equal(target.path, "/run/x");
	assert_int_equal(target.address.ss_family, AF_UNIX);
	assert_string_equal(((struct sockaddr_un *)&target.address)->sun_path, "/run/x");
}

static void addresses_with_ports(void **state)
{
	const struct sockaddr_in *ipv4 = (const struct sockaddr_in *)&target.address;
	const struct sockaddr_in6 *ipv6 = (const struct sockaddr_in6 *)&target.address;

	(void)state;
	assert_int_equal(parse("127.0.0.1:9100", false), 0);
	assert_int_equal(target.kind, METRICS_TO_SOCKET);
	assert_null(target.path);
	assert_int_equal(ipv4->sin_family, AF_INET);
	assert_int_equal(ipv4->sin_port, htons(9100));
	assert_int_equal(target.address_size, sizeof(*ipv4));
	assert_int_equal(parse("127.3.2.1:0", false), 0);
	assert_int_equal(ipv4->sin_port, 0);
	assert_int_equal(parse("[::1]:65535", false), 0);
	assert_int_equal(ipv6->sin6_family, AF_INET6);
	assert_int_equal(ipv6->sin6_port, htons(65535));
	assert_int_equal(target.address_size, sizeof(*ipv6));
}

static void remote_addresses_only_if_allowed(void **state)
{
	static const char *const texts[] = { "0.0.0.0:1", "192.0.2.1:9100", "[::]:9100",
					     "[2001:db8::1]:9100" };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_int_equal(parse(texts[i], false), -EINVAL);
		assert_non_null(strstr(error, "can be reached by others"));
		assert_int_equal(parse(texts[i], true), 0);
	}
}

static void what_means_nothing_is_refused(void **state)
{
	static const char *const texts[] = {
		"",
		"9100",
		":9100",
		"localhost:9100",
		"127.0.0.1",
		"127.0.0.1:",
		"127.0.0.1:65536",
		"127.0.0.1:x",
		"127.0.0.1:-1",
		"::1:9100",
		"[::1]",
		"[::1]9100",
		"[127.0.0.1]:1",
		"[]:1",
		"[:1",
		"]:1",
		"unix:",
		"file:",
		"/run/x",
		"256.0.0.1:1",
		"1111111111111111111111111111111111111111111111111111.1:1",
		"unix:/2345678901234567890123456789012345678901234567890123456789012345678901234567"
		"8901234567890123456789012345678",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_int_equal(parse(texts[i], true), -EINVAL);
		assert_true(error[0]);
		assert_int_equal(target.address_size, UINT32_MAX); /* untouched */
	}
}

static void files_only_if_allowed(void **state)
{
	(void)state;
	assert_int_equal(parse("nonsense", false), -EINVAL);
	assert_string_equal(error, "not unix:PATH, file:PATH, ADDRESS:PORT or [ADDRESS]:PORT");
	assert_int_equal(metrics_target_parse(&target, "file:/x", 0, error, sizeof(error)),
			 -EINVAL);
	assert_string_equal(error, "not unix:PATH, ADDRESS:PORT or [ADDRESS]:PORT");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_and_unix_sockets),
		cmocka_unit_test(files_only_if_allowed),
		cmocka_unit_test(addresses_with_ports),
		cmocka_unit_test(remote_addresses_only_if_allowed),
		cmocka_unit_test(what_means_nothing_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
