/* SPDX-License-Identifier: MIT */
#include "lingerbench/names.h"

#include <stdio.h>
#include <string.h>

static bool take_word(struct names *names, const char *kind, struct inifile_place place,
		      const char *word, size_t length)
{
	struct name name = { .place = place };

	if (length >= sizeof(name.text))
		return inifile_complain(place, "no %s is called \"%.*s\"", kind, (int)length, word);
	snprintf(name.text, sizeof(name.text), "%.*s", (int)length, word);
	for (size_t i = 0; i < names->count; i++)
		if (!strcmp(names->list[i].text, name.text))
			return inifile_complain(place, "%s %s stands here twice", kind, name.text);
	if (names->count == NAMES_MAX)
		return inifile_complain(place, "more than %d names", NAMES_MAX);
	names->list[names->count++] = name;
	return true;
}

bool names_take(struct names *names, const char *kind, struct inifile_place place,
		const char *value)
{
	static const char blank[] = " \t";
	bool right = true;

	names->place = place;
	for (value += strspn(value, blank); *value; value += strspn(value, blank)) {
		size_t length = strcspn(value, blank);

		right &= take_word(names, kind, place, value, length);
		value += length;
	}
	return right;
}
