/* SPDX-License-Identifier: MIT */
/* Datagrams from anybody: what is none of ours must be told apart, and nothing read beyond it. */
#include "liblinger/protocol.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdlib.h>

static const struct linger_message good = {
	.magic = LINGER_PROTOCOL_MAGIC,
	.version = LINGER_PROTOCOL_VERSION,
	.size = sizeof(good),
	.type = LINGER_MESSAGE_HANDOFF,
	.flags = LINGER_HALF_CLOSED,
};

/* On the heap and no byte longer, so that valgrind and AddressSanitizer see a read beyond. */
static int parse_exact(const void *bytes, size_t length, struct linger_message *ret)
{
	char *copy = malloc(length ? length : 1);
	int error;

	assert_non_null(copy);
	memcpy(copy, bytes, length);
	error = linger_message_parse(copy, length, ret);
	free(copy);
	return error;
}

static void good_messages_are_read(void **state)
{
	struct linger_message message = { 0 };
	char longer[64] = { 0 };

	(void)state;
	assert_int_equal(parse_exact(&good, sizeof(good), &message), 0);
	assert_memory_equal(&message, &good, sizeof(good));
	/* a later revision appends fields */
	memcpy(longer, &good, sizeof(good));
	((struct linger_message *)longer)->size = sizeof(longer);
	assert_int_equal(parse_exact(longer, sizeof(longer), &message), 0);
}

static void each_kind_of_bad_message_has_its_error(void **state)
{
	struct linger_message message, before;

	(void)state;
	memset(&before, 0x5a, sizeof(before));
	message = before;
	for (size_t length = 0; length < sizeof(good); length++)
		assert_int_equal(parse_exact(&good, length, &message), -EBADMSG);
#define EXPECT(field, value, error)                                                                \
	do {                                                                                       \
		struct linger_message bad = good;                                                  \
		bad.field = value;                                                                 \
		assert_int_equal(parse_exact(&bad, sizeof(bad), &message), error);                 \
	} while (0)
	EXPECT(magic, 0, -EBADMSG);
	EXPECT(version, 0, -EPROTONOSUPPORT);
	EXPECT(version, LINGER_PROTOCOL_VERSION + 1, -EPROTONOSUPPORT);
	EXPECT(size, 0, -EBADMSG);
	EXPECT(size, sizeof(good) + 1, -EBADMSG);
	EXPECT(type, 0, -ENOMSG);
	EXPECT(type, 999, -ENOMSG);
#undef EXPECT
	assert_memory_equal(&message, &before, sizeof(before));
}

static void timeouts_are_read_as_far_as_they_are_there(void **state)
{
	const struct linger_handoff_message whole = { .head = good,
						      .idle_timeout_ms = 0x01020304,
						      .total_timeout_ms = 0x05060708 };
	struct linger_handoff_message read;

	(void)state;
	for (size_t length = sizeof(good); length <= sizeof(whole) + 8; length++) {
		char *copy = calloc(1, length);

		assert_non_null(copy);
		memcpy(copy, &whole, length < sizeof(whole) ? length : sizeof(whole));
		linger_message_parse_handoff(copy, length, &read);
		free(copy);
		assert_memory_equal(&read.head, &good, sizeof(good));
		assert_int_equal(read.idle_timeout_ms, length >= 20 ? 0x01020304 : 0);
		assert_int_equal(read.total_timeout_ms, length >= 24 ? 0x05060708 : 0);
	}
}

static void garbage_never_passes_for_a_message(void **state)
{
	unsigned char bytes[64];
	struct linger_message message;

	(void)state;
	srandom(5);
	for (int round = 0; round < 100000; round++) {
		size_t length = (size_t)random() % sizeof(bytes);

		for (size_t i = 0; i < length; i++)
			bytes[i] = (unsigned char)random();
		assert_int_not_equal(parse_exact(bytes, length, &message), 0);
	}
}

static void mutated_messages_pass_only_where_it_does_not_matter(void **state)
{
	(void)state;
	srandom(6);
	for (int round = 0; round < 100000; round++) {
		struct linger_message mutated = good, message;
		size_t at = (size_t)random() % sizeof(mutated);
		int error;

		((unsigned char *)&mutated)[at] ^= (unsigned char)(1 + random() % 255);
		error = parse_exact(&mutated, sizeof(mutated), &message);
		if (at >= offsetof(struct linger_message, flags))
			assert_int_equal(error, 0);
		else if (mutated.type >= LINGER_MESSAGE_STATUS &&
			 mutated.type <= LINGER_MESSAGE_TAKE_OVER)
			assert_int_equal(error, 0);
		else
			assert_int_not_equal(error, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_messages_are_read),
		cmocka_unit_test(each_kind_of_bad_message_has_its_error),
		cmocka_unit_test(timeouts_are_read_as_far_as_they_are_there),
		cmocka_unit_test(garbage_never_passes_for_a_message),
		cmocka_unit_test(mutated_messages_pass_only_where_it_does_not_matter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
