/* SPDX-License-Identifier: MIT */
/*
 * The configuration file. libinih reads it, with three habits that are mended here: as Debian
 * builds it, it does not say on which line a value stands, so the lines are counted as they are
 * read; it cuts lines at 200 bytes and hands out the cut value, so a line that long is an error;
 * it takes an indented line for a second value of the key before, so a key given twice is one, too.
 */
#include "lingerd/settings.h"

#include <errno.h>
#include <ini.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

struct reading {
	FILE *file;
	const char *path;
	int line;
	int bad_line; /* the first one that a problem was found on, 0: none */
	struct problem *problem;
	struct settings staged;
	bool seen[SETTING_COUNT];
};

/* Of all problems the first one is told. */
static void blame(struct reading *reading, const char *text)
{
	if (reading->bad_line)
		return;
	reading->bad_line = reading->line;
	problem_say(reading->problem, "%s:%d: %s", reading->path, reading->line, text);
}

static char *next_line(char *buffer, int size, void *stream)
{
	struct reading *reading = stream;
	char *line = fgets(buffer, size, reading->file);

	if (!line)
		return NULL;
	reading->line++;
	if (!strchr(line, '\n') && !feof(reading->file))
		blame(reading, "the line is too long, or holds a zero byte");
	return line;
}

static int find_setting(const char *name, enum setting *ret)
{
	for (int i = 0; i < SETTING_COUNT; i++) {
		if (!strcmp(name, setting_names[i])) {
			*ret = (enum setting)i;
			return 0;
		}
	}
	return -ENOENT;
}

static int take_value(struct reading *reading, const char *section, const char *name,
		      const char *value, struct problem *problem)
{
	enum setting setting;

	if (strcmp(section, "lingerd") != 0) {
		problem_say(problem, "'%.64s' is not in section [lingerd]", name);
		return -EINVAL;
	}
	if (find_setting(name, &setting)) {
		problem_say(problem, "there is no setting '%.64s'", name);
		return -EINVAL;
	}
	if (reading->seen[setting]) {
		problem_say(problem, "'%s' has been set before (or the line is indented)", name);
		return -EINVAL;
	}
	reading->seen[setting] = true;
	return settings_set(&reading->staged, setting, value, problem);
}

static int handle_value(void *context, const char *section, const char *name, const char *value)
{
	struct reading *reading = context;
	struct problem problem = { "" };

	if (!take_value(reading, section, name, value, &problem))
		return 1;
	blame(reading, problem.text);
	return 0;
}

static int read_open_file(struct reading *reading)
{
	int line = ini_parse_stream(next_line, reading, handle_value, reading);

	if (line < 0) {
		problem_say(reading->problem, "%s: out of memory", reading->path);
		return -ENOMEM;
	}
	if (ferror(reading->file)) {
		problem_say(reading->problem, "%s: cannot be read: %m", reading->path);
		return -EIO;
	}
	/* What libinih itself could not read as a section or as name = value. */
	if (line > 0 && (!reading->bad_line || line < reading->bad_line)) {
		reading->bad_line = line;
		problem_say(reading->problem, "%s:%d: neither '[section]' nor 'name = value'",
			    reading->path, line);
	}
	return reading->bad_line ? -EINVAL : 0;
}

int settings_read_file(struct settings *settings, const char *path, struct problem *problem)
{
	struct reading reading = { .path = path, .problem = problem, .staged = *settings };
	int error;

	reading.file = fopen(path, "re");
	if (!reading.file) {
		error = -errno;
		problem_say(problem, "%s: cannot be opened: %s", path, strerror(-error));
		return error;
	}
	error = read_open_file(&reading);
	fclose(reading.file);
	if (!error)
		*settings = reading.staged;
	return error;
}
