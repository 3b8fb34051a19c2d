/* SPDX-License-Identifier: MIT */
/* Connections by client: counted under the right address, and forgotten with the last one. */
#include "lingerd/clients.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <stdio.h>

enum { SIZE = 64 };

static int open_clients(void **state)
{
	*state = clients_new(SIZE, false);
	return *state ? 0 : -1;
}

static int close_clients(void **state)
{
	clients_free(*state);
	return 0;
}

static struct sockaddr_storage ip(const char *text)
{
	struct sockaddr_storage address = { .ss_family = strchr(text, ':') ? AF_INET6 : AF_INET };
	void *bytes = address.ss_family == AF_INET6
			      ? (void *)&((struct sockaddr_in6 *)&address)->sin6_addr
			      : (void *)&((struct sockaddr_in *)&address)->sin_addr;

	assert_int_equal(inet_pton(address.ss_family, text, bytes), 1);
	return address;
}

static uint32_t add(struct clients *clients, const char *text, uint32_t count)
{
	struct sockaddr_storage address = ip(text);
	uint32_t counted = 0;
	uint32_t handle = clients_add(clients, &address, &counted);

	assert_true(handle);
	assert_int_equal(counted, count);
	return handle;
}

static void a_client_is_its_ipv4_address_or_the_network_of_its_ipv6_address(void **state)
{
	struct clients *clients = *state;

	add(clients, "192.0.2.1", 1);
	add(clients, "192.0.2.1", 2);
	add(clients, "192.0.2.2", 1);
	add(clients, "::ffff:192.0.2.1", 3);
	add(clients, "2001:db8:1:2::1", 1);
	add(clients, "2001:db8:1:2:ffff::9", 2);
	add(clients, "2001:db8:1:3::1", 1);
	/* Bytes alike, in families that are not. */
	add(clients, "32.1.13.184", 1);
	add(clients, "2001:db8::1", 1);
}

static void a_client_is_forgotten_with_its_last_connection(void **state)
{
	struct clients *clients = *state;
	uint32_t first = add(clients, "192.0.2.1", 1);
	uint32_t second = add(clients, "192.0.2.1", 2);

	clients_remove(clients, first);
	clients_remove(clients, second);
	add(clients, "192.0.2.1", 1);
	clients_remove(clients, 0);
}

static void what_is_no_ip_address_is_not_counted(void **state)
{
	const struct sockaddr_storage address = { .ss_family = AF_UNIX };
	uint32_t count;

	assert_int_equal(clients_add(*state, &address, &count), 0);
}

static void a_full_table_counts_no_more_and_recovers(void **state)
{
	struct clients *clients = *state;
	uint32_t handles[SIZE], count;
	struct sockaddr_storage address;
	char text[32];

	for (int i = 0; i < SIZE; i++) {
		snprintf(text, sizeof(text), "10.0.0.%d", i);
		handles[i] = add(clients, text, 1);
	}
	address = ip("10.0.1.1");
	assert_int_equal(clients_add(clients, &address, &count), 0);
	add(clients, "10.0.0.5", 2);
	clients_remove(clients, handles[9]);
	add(clients, "10.0.1.1", 1);
}

static void a_random_run_agrees_with_a_plain_count(void **state)
{
	struct clients *clients = *state;
	uint32_t counts[40] = { 0 }, handles[400];
	int owners[400], open = 0;

	srandom(5);
	for (int step = 0; step < 200000; step++) {
		char text[32];
		int who = (int)(random() % 40);

		if (open < 400 && random() % 2) {
			snprintf(text, sizeof(text), "10.%d.0.1", who);
			handles[open] = add(clients, text, ++counts[who]);
			owners[open++] = who;
		} else if (open) {
			int at = (int)(random() % open);

			clients_remove(clients, handles[at]);
			counts[owners[at]]--;
			handles[at] = handles[--open];
			owners[at] = owners[open];
		}
	}
}

#define CLIENTS_TEST(test) cmocka_unit_test_setup_teardown(test, open_clients, close_clients)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CLIENTS_TEST(a_client_is_its_ipv4_address_or_the_network_of_its_ipv6_address),
		CLIENTS_TEST(a_client_is_forgotten_with_its_last_connection),
		CLIENTS_TEST(what_is_no_ip_address_is_not_counted),
		CLIENTS_TEST(a_full_table_counts_no_more_and_recovers),
		CLIENTS_TEST(a_random_run_agrees_with_a_plain_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
