/* SPDX-License-Identifier: MIT */
#include "lingerbench/program.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"

#define PROGRAM(name) &program_##name,
const struct program *const programs[] = {
#include "lingerbench/servers/list.def"
	NULL
};
#undef PROGRAM

bool program_is_builtin(const struct program *program)
{
	return !program->execute;
}

const char *program_label(const struct program *program)
{
	return program_is_builtin(program) ? "prefork" : program->name;
}

const struct program *program_find(const char *name)
{
	for (size_t i = 0; programs[i]; i++)
		if (!strcmp(programs[i]->name, name) || !strcmp(program_label(programs[i]), name))
			return programs[i];
	return NULL;
}

const struct strategy *program_find_strategy(const struct program *program, const char *name)
{
	for (size_t i = 0; program->strategies[i]; i++)
		if (!strcmp(program->strategies[i]->name, name))
			return program->strategies[i];
	return NULL;
}

int program_check_installed(const struct program *program)
{
	for (const char *const *file = program->files; file && *file; file++) {
		if (!access(*file, R_OK))
			continue;
		log_error("%s is not installed: there is no %s; apt-get install %s", program->name,
			  *file, program->packages);
		return -ENOENT;
	}
	return 0;
}

int program_write(const struct program_setup *setup, const char *name, const char *format, ...)
{
	char path[PATH_MAX];
	va_list arguments;
	int error = 0;
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", setup->folder, name);
	file = fopen(path, "we");
	if (!file)
		return -errno;
	va_start(arguments, format);
	if (vfprintf(file, format, arguments) < 0)
		error = -EIO;
	va_end(arguments);
	if (fclose(file) && !error)
		error = -errno;
	return error;
}
