/* SPDX-License-Identifier: MIT */
#include "common/quantity.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/number.h"

struct suffix {
	const char *text;
	uint64_t factor;
};

/* A number that ends in one of the suffixes; the first that fits is taken. */
static int parse_scaled(const char *text, const struct suffix *suffixes, uint64_t least,
			uint64_t most, uint64_t *ret)
{
	char digits[24];
	uint64_t value;
	int error;

	for (; suffixes->text; suffixes++) {
		size_t length = strlen(text), tail = strlen(suffixes->text);

		if (length < tail || strcmp(text + length - tail, suffixes->text))
			continue;
		if (length - tail >= sizeof(digits))
			return -ERANGE;
		snprintf(digits, sizeof(digits), "%.*s", (int)(length - tail), text);
		error = number_parse(digits, 0, UINT64_MAX / suffixes->factor, &value);
		if (error)
			return error;
		if (value * suffixes->factor < least || value * suffixes->factor > most)
			return -ERANGE;
		*ret = value * suffixes->factor;
		return 0;
	}
	return -EINVAL;
}

int quantity_parse_bytes(const char *text, uint64_t least, uint64_t most, uint64_t *ret)
{
	static const struct suffix suffixes[] = {
		{ "k", 1 << 10 }, { "m", 1 << 20 }, { "g", 1 << 30 }, { "", 1 }, { NULL, 0 }
	};

	return parse_scaled(text, suffixes, least, most, ret);
}

int quantity_parse_time(const char *text, uint64_t least_ms, uint64_t most_ms, uint64_t *ret_ns)
{
	static const struct suffix suffixes[] = {
		{ "us", NS_PER_US }, { "ms", NS_PER_MS }, { "s", NS_PER_S }, { NULL, 0 }
	};

	return parse_scaled(text, suffixes, least_ms * NS_PER_MS, most_ms * NS_PER_MS, ret_ns);
}
