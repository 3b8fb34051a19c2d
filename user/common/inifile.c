/* SPDX-License-Identifier: MIT */
#include "common/inifile.h"

#include <errno.h>
#include <ini.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/log.h"

struct reading {
	struct inifile_place place;
	FILE *stream;
	inifile_key_fn *on_key;
	bool wrong;
};

bool inifile_complain(struct inifile_place place, const char *format, ...)
{
	char text[384], complaint[512];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	if (place.line)
		snprintf(complaint, sizeof(complaint), "%s:%d: %s", place.file, place.line, text);
	else
		snprintf(complaint, sizeof(complaint), "%s: %s", place.file, text);
	if (place.report)
		place.report(place.context, place.line, complaint);
	else
		log_error("%s", complaint);
	return false;
}

static bool line_is_cut(const char *line, FILE *stream)
{
	size_t length = strlen(line);

	return length && line[length - 1] != '\n' && !feof(stream);
}

/* inih asks for one line at a time here, with the buffer it has for one. */
static char *read_line(char *buffer, int size, void *stream)
{
	struct reading *reading = stream;
	int c;

	if (!fgets(buffer, size, reading->stream))
		return NULL;
	reading->place.line++;
	if (!line_is_cut(buffer, reading->stream))
		return buffer;
	reading->wrong = true;
	inifile_complain(reading->place, "the line has more than %d bytes, or a zero byte",
			 size - 2);
	while ((c = fgetc(reading->stream)) != EOF && c != '\n')
		;
	strcpy(buffer, "\n");
	return buffer;
}

static int take_key(void *context, const char *section, const char *key, const char *value)
{
	struct reading *reading = context;

	if (!reading->on_key(reading->place.context, reading->place, section, key, value))
		reading->wrong = true;
	return 1; /* inih takes 0 for an error and remembers the first line only */
}

int inifile_read(struct inifile_place place, inifile_key_fn *on_key)
{
	struct reading reading = { .place = place, .on_key = on_key };
	int bad_line, error = 0;

	reading.stream = fopen(place.file, "re");
	if (!reading.stream)
		return -errno;
	errno = 0;
	bad_line = ini_parse_stream(read_line, &reading, take_key, &reading);
	if (ferror(reading.stream)) {
		error = errno ? -errno : -EIO; /* a folder, say */
	} else if (bad_line > 0) {
		reading.place.line = bad_line;
		inifile_complain(reading.place, "neither a [section] nor \"key = value\"");
		reading.wrong = true;
	}
	fclose(reading.stream);
	if (error)
		return error;
	return reading.wrong ? -EINVAL : 0;
}
