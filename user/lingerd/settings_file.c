/* SPDX-License-Identifier: MIT */
#include "lingerd/settings.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "common/inifile.h"
#include "lingerd/access.h"

struct reading {
	struct problem *problem; /* that of the first line */
	int problem_line;	 /* 0: there is none */
	bool has_more;
	struct settings staged;
	bool seen[SETTING_COUNT];
};

static void keep_first(void *context, int line, const char *complaint)
{
	struct reading *reading = context;

	reading->has_more = reading->problem_line;
	if (reading->problem_line && reading->problem_line <= line)
		return;
	reading->problem_line = line;
	problem_say(reading->problem, "%s", complaint);
}

static void say_more(struct problem *problem)
{
	const struct problem first = *problem;

	problem_say(problem, "%.460s (the first of several such lines)", first.text);
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

/* Where the settings of this user go; NULL, and a complaint, if there is no such user or no place. */
static struct user_settings *find_user(struct inifile_place place, struct settings *settings,
				       const char *name)
{
	uid_t uid;

	if (access_find_user(name, &uid)) {
		inifile_complain(place, "there is no user '%.64s' on this system", name);
		return NULL;
	}
	for (uint32_t i = 0; i < settings->user_count; i++)
		if (settings->users[i].uid == uid)
			return &settings->users[i];
	if (settings->user_count == USER_SETTINGS_MAX) {
		inifile_complain(place, "more than %d users have a section", USER_SETTINGS_MAX);
		return NULL;
	}
	settings->users[settings->user_count] = (struct user_settings){ .uid = uid };
	return &settings->users[settings->user_count++];
}

static bool take_value_of_user(struct reading *reading, struct inifile_place place,
			       const char *user_name, enum setting setting, const char *value)
{
	struct user_settings *user;
	struct problem problem;

	if (!setting_is_of_users(setting))
		return inifile_complain(place, "'%s' is for all users: it belongs into [lingerd]",
					setting_names[setting]);
	user = find_user(place, &reading->staged, user_name);
	if (!user)
		return false;
	if (user->given & 1U << setting)
		return inifile_complain(place, "'%s' has been set before (or the line is indented)",
					setting_names[setting]);
	user->given |= 1U << setting;
	if (settings_set_policy(&user->policy, setting, value, &problem))
		return inifile_complain(place, "%s", problem.text);
	return true;
}

static bool take_value(void *context, struct inifile_place place, const char *section,
		       const char *name, const char *value)
{
	static const char of_user[] = "user ";
	struct reading *reading = context;
	struct problem problem;
	enum setting setting;

	if (strcmp(section, "lingerd") != 0 && strncmp(section, of_user, strlen(of_user)) != 0)
		return inifile_complain(place, "'%.64s' is neither in [lingerd] nor in [user NAME]",
					name);
	if (find_setting(name, &setting))
		return inifile_complain(place, "there is no setting '%.64s'", name);
	if (strcmp(section, "lingerd") != 0)
		return take_value_of_user(reading, place, section + strlen(of_user), setting,
					  value);
	/* libinih takes an indented line for a second value of the key before. */
	if (reading->seen[setting])
		return inifile_complain(place, "'%s' has been set before (or the line is indented)",
					name);
	reading->seen[setting] = true;
	if (setting == SETTING_METRICS)
		reading->staged.metrics_line = place.line;
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
	else if (reading.has_more)
		say_more(problem);
	if (!error)
		*settings = reading.staged;
	return error;
}
