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
	void *context;
	bool wrong;
};

bool inifile_complain(struct inifile_place place, const char *format, ...)
{
	char text[512];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	if (place.line)
		log_error("%s:%d: %s", place.file, place.line, text);
	else
		log_error("%s: %s", place.file, text);
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
	inifile_complain(reading->place, "longer than %d bytes", size - 2);
	while ((c = fgetc(reading->stream)) != EOF && c != '\n')
		;
	strcpy(buffer, "\n");
	return buffer;
}

static int take_key(void *context, const char *section, const char *key, const char *value)
{
	struct reading *reading = context;

	if (!reading->on_key(reading->context, reading->place, section, key, value))
		reading->wrong = true;
	return 1; /* inih takes 0 for an error and remembers the first line only */
}

int inifile_read(const char *path, inifile_key_fn *on_key, void *context)
{
	struct reading reading = { .place = { .file = path },
				   .on_key = on_key,
				   .context = context };
	int bad_line, error = 0;

	reading.stream = fopen(path, "re");
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
