/* SPDX-License-Identifier: MIT */
#include "lingerbench/json_text.h"

#include <stdlib.h>
#include <string.h>

#include "common/printable.h"

json_t *json_text(const char *text)
{
	size_t length = strlen(text);
	json_t *value;
	char *copy;

	if (printable_is_utf8(text))
		return json_string(text);
	copy = malloc(length + 1);
	if (!copy)
		return NULL;
	printable_copy(copy, length + 1, text, length);
	value = json_string(copy);
	free(copy);
	return value;
}
