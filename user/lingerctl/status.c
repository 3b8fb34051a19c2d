/* SPDX-License-Identifier: MIT */
#include "lingerctl/status.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdint.h>
#include <string.h>

#include "common/number.h"

/* The next "name value" of *rest, which moves on. 1, 0 at the end, or -EPROTO. */
static int next_counter(char **rest, const char **ret_name, uint64_t *ret_value)
{
	char *line = strsep(rest, "\n");
	char *blank;

	if (!line || (!*line && !*rest))
		return 0;
	blank = strchr(line, ' ');
	if (!blank || blank == line || number_parse(blank + 1, 0, UINT64_MAX, ret_value))
		return -EPROTO;
	*blank = '\0';
	*ret_name = line;
	return 1;
}

const char *answer_error(char *text)
{
	static const char error[] = "error: ";

	if (strncmp(text, error, sizeof(error) - 1) != 0)
		return NULL;
	text[strcspn(text, "\n")] = '\0';
	return text + sizeof(error) - 1;
}

int status_print_table(FILE *out, char *text)
{
	const char *name;
	uint64_t value;
	int more;

	while ((more = next_counter(&text, &name, &value)) > 0) {
		const char *meaning = counters_meaning(name);

		fprintf(out, "%-22s %14" PRIu64 "  %s\n", name, value, meaning ? meaning : "");
	}
	return more;
}

int status_print_json(FILE *out, char *text)
{
	json_t *object = json_object();
	const char *name;
	uint64_t value;
	int more;

	while ((more = next_counter(&text, &name, &value)) > 0) {
		if (json_object_set_new(object, name, json_integer((json_int_t)value))) {
			more = -ENOMEM;
			break;
		}
	}
	if (!more) {
		json_dumpf(object, out, JSON_INDENT(2));
		fputc('\n', out);
	}
	json_decref(object);
	return more;
}

int status_read(char *text, struct counters *ret)
{
	struct counters counters = { 0 };
	const char *name;
	uint64_t value;
	int more;

	while ((more = next_counter(&text, &name, &value)) > 0)
		counters_set(&counters, name, value);
	if (!more)
		*ret = counters;
	return more;
}

int answer_print_json(FILE *out, bool ok, const char *message)
{
	/* Text that is no UTF-8 has no place in JSON; an answer may name a file of such a name. */
	json_t *object = json_pack("{s:b, s:s}", "ok", (int)ok, "message", message);

	if (!object)
		object = json_pack("{s:b, s:s}", "ok", (int)ok, "message", "(not printable)");
	if (!object)
		return -ENOMEM;
	json_dumpf(object, out, 0);
	fputc('\n', out);
	json_decref(object);
	return 0;
}
