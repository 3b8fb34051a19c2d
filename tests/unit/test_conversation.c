/* SPDX-License-Identifier: MIT */
/* What a client calls a whole response. */
#include "lingerbench/conversation.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static enum outcome judged(const char *head, uint64_t body_bytes, int error)
{
	struct response response = { .body_bytes = body_bytes };
	struct client_row row = { 0 };
	struct conversation conversation = { .response = &response, .row = &row };

	take_head(&conversation, (const unsigned char *)head, strlen(head));
	judge(&conversation, error);
	return row.outcome;
}

static void a_head_without_its_body_is_not_whole(void **state)
{
	(void)state;
	assert_int_equal(judged("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", 5, -ECONNRESET),
			 OUTCOME_TRUNCATED_RESET);
	assert_int_equal(judged("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n", 5, 0),
			 OUTCOME_TRUNCATED_FIN);
	assert_int_equal(judged("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 0, 0),
			 OUTCOME_COMPLETE_FIN);
}

/* An error page whose length nobody says, and whose body an RST took away. */
static void nor_is_that_of_another_response(void **state)
{
	(void)state;
	assert_int_equal(judged("HTTP/1.1 500 Internal Server Error\r\n\r\n", 5, -ECONNRESET),
			 OUTCOME_CORRUPT);
	assert_int_equal(judged("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n", 5, 0),
			 OUTCOME_CORRUPT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_head_without_its_body_is_not_whole),
		cmocka_unit_test(nor_is_that_of_another_response),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
