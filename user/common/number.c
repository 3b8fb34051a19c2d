/* SPDX-License-Identifier: MIT */
#include "common/number.h"

#include <errno.h>
#include <stdlib.h>

static int is_digit(char c)
{
	return c >= '0' && c <= '9';
}

int number_parse(const char *text, uint64_t least, uint64_t most, uint64_t *ret)
{
	unsigned long long value;
	char *end;

	if (!is_digit(text[0]))
		return -EINVAL;
	errno = 0;
	value = strtoull(text, &end, 10);
	if (*end)
		return -EINVAL;
	if (errno == ERANGE || value < least || value > most)
		return -ERANGE;
	*ret = value;
	return 0;
}

int number_parse_seconds(const char *text, double most_s, uint64_t *ret_ns)
{
	double value;
	char *end;

	/* strtod() also takes blanks, signs, "inf", "nan" and hexadecimal: none of them is meant.
	 */
	for (const char *c = text; *c; c++)
		if (!is_digit(*c) && *c != '.')
			return -EINVAL;
	value = strtod(text, &end);
	if (end == text || *end)
		return -EINVAL;
	if (value > most_s)
		return -ERANGE;
	*ret_ns = (uint64_t)(value * 1e9 + 0.5);
	return 0;
}
