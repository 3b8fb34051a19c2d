/* SPDX-License-Identifier: MIT */
#include "lingerd/settings.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "common/inifile.h"

struct reading {
	struct problem *problem; /* that of the first line */
	int problem_line;	 /* 0: there is none */
	struct settings staged;
	bool seen[SETTING_COUNT];
};

static void keep_first(void *context, int line, const char *complaint)
{
	struct reading *reading = context;

	if (reading->problem_line && reading->problem_line <= line)
		return;
	reading->problem_line = line;
	problem_say(reading->problem, "%s", complaint);
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

static bool take_value(void *context, struct inifile_place place, const char *section,
		       const char *name, const char *value)
{
	struct reading *reading = context;
	struct problem problem;
	enum setting setting;

	if (strcmp(section, "lingerd"))
		return inifile_complain(place, "'%.64s' is not in section [lingerd]", name);
	if (find_setting(name, &setting))
		return inifile_complain(place, "there is no setting '%.64s'", name);
	/* libinih takes an indented line for a second value of the key before. */
	if (reading->seen[setting])
		return inifile_complain(place, "'%s' has been set before (or the line is indented)",
					name);
	reading->seen[setting] = true;
	if (settings_set(&reading->staged, setting, value, &problem))
		return inifile_complain(place, "%s", problem.text);
	return true;
}

int settings_read_file(struct settings *settings, const char *path, struct problem *problem)
{
	struct reading reading = { .problem = problem, .staged = *settings };
	int error;

	error = inifile_read((struct inifile_place){ .file = path,
						     .report = keep_first,
						     .context = &reading },
			     take_value);
	if (error && error != -EINVAL)
		problem_say(problem, "%s: cannot be read: %s", path, strerror(-error));
	if (!error)
		*settings = reading.staged;
	return error;
}
