/* SPDX-License-Identifier: MIT */
#include "common/printable.h"

#include <stdint.h>
#include <string.h>

/* The length of the printable character at `text`, or 0. */
static size_t character(const unsigned char *text, size_t length)
{
	/* By their length: the smallest code point, so that there is one form of each. */
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t size = text[0] < 0xc0   ? 0
		      : text[0] < 0xe0 ? 2
		      : text[0] < 0xf0 ? 3
		      : text[0] < 0xf8 ? 4
				       : 0;
	uint32_t code;

	if (text[0] < 0x80)
		return text[0] >= 0x20 && text[0] != 0x7f;
	if (!size || size > length)
		return 0;
	code = text[0] & (0x7fU >> size);
	for (size_t i = 1; i < size; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (text[i] & 0x3fU);
	}
	if (code < least[size] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
		return 0;
	return code < 0xa0 ? 0 : size; /* up to 0x9f: the other control characters */
}

void printable_copy(char *to, size_t size, const char *from, size_t from_size)
{
	size_t length = strnlen(from, from_size);
	size_t done = 0;

	if (length > size - 1)
		length = size - 1;
	while (done < length) {
		size_t whole = character((const unsigned char *)from + done, length - done);

		if (whole)
			memcpy(to + done, from + done, whole);
		else
			to[done] = '?';
		done += whole ? whole : 1;
	}
	to[done] = '\0';
}

bool printable_is_utf8(const char *text)
{
	size_t length = strlen(text);

	for (size_t done = 0; done < length;) {
		size_t size =
			(unsigned char)text[done] < 0x80
				? 1
				: character((const unsigned char *)text + done, length - done);

		if (!size)
			return false;
		done += size;
	}
	return true;
}
