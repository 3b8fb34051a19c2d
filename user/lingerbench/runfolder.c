/* SPDX-License-Identifier: MIT */
#include "lingerbench/runfolder.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "lingerbench/runinfo.h"

const char *runfolder_text(const struct runfolder *folder, const char *key)
{
	const char *text = json_string_value(json_object_get(folder->run, key));

	return text ? text : "";
}

static int find(struct runfolder *folder, const char *path)
{
	static const char partial[] = ".partial";
	size_t length;

	if (!realpath(path, folder->path)) {
		int error = -errno;

		log_error("cannot read %s: %s; expected the folder of a run, such as "
			  "results/latest",
			  path, strerror(-error));
		return error;
	}
	length = strlen(folder->path);
	if (length < strlen(partial) || strcmp(folder->path + length - strlen(partial), partial))
		return 0;
	log_error("%s is of a run that is under way or was killed, and no result; wait for its "
		  "end, or run the scenario again",
		  path);
	return -EINPROGRESS;
}

static int check_schema(const struct runfolder *folder, const char *path)
{
	const json_t *version = json_object_get(folder->run, "schema_version");
	json_int_t number = json_integer_value(version);

	if (number == RUNINFO_SCHEMA_VERSION)
		return 0;
	if (!json_is_integer(version))
		log_error("%s/run.json has no schema_version; expected what lingerbench has "
			  "written",
			  path);
	else if (number < RUNINFO_SCHEMA_VERSION)
		log_error("%s has schema version %d and no blocks to compare, version %d has them; "
			  "run the scenario again",
			  path, (int)number, RUNINFO_SCHEMA_VERSION);
	else
		log_error("%s has schema version %d, this lingerbench knows %d; compare with a "
			  "newer one, such as %s, which wrote it",
			  path, (int)number, RUNINFO_SCHEMA_VERSION,
			  runfolder_text(folder, "version"));
	return -EPROTONOSUPPORT;
}

int runfolder_run(json_t **ret, const char *path)
{
	char file[PATH_MAX + 16];
	json_error_t why;
	json_t *run;

	snprintf(file, sizeof(file), "%s/run.json", path);
	run = json_load_file(file, 0, &why);
	if (json_is_object(run)) {
		*ret = run;
		return 0;
	}
	if (!run && json_error_code(&why) == json_error_cannot_open_file)
		log_error("%s has no run.json; expected the folder of a run, such as "
			  "results/latest",
			  path);
	else
		log_error("%s/run.json is damaged (%s); run the scenario again", path,
			  run ? "no object" : why.text);
	json_decref(run);
	return -EBADMSG;
}

int runfolder_table(struct csvtable *ret, const char *path, const char *name)
{
	char file[PATH_MAX + 32];
	int error;

	snprintf(file, sizeof(file), "%s/%s", path, name);
	error = csvtable_read(ret, file);
	if (error == -EBADMSG)
		log_error("%s/%s is damaged: not all of its rows have as many fields as its head, "
			  "or its end is missing; run the scenario again",
			  path, name);
	else if (error)
		log_error("cannot read %s/%s: %s; run the scenario again", path, name,
			  strerror(-error));
	return error;
}

int runfolder_open(struct runfolder *ret, const char *path)
{
	int error;

	*ret = (struct runfolder){ 0 };
	error = find(ret, path);
	if (!error)
		error = runfolder_run(&ret->run, path);
	if (!error)
		error = check_schema(ret, path);
	if (!error)
		error = runfolder_table(&ret->blocks, path, "blocks.csv");
	if (error)
		runfolder_close(ret);
	return error;
}

void runfolder_close(struct runfolder *folder)
{
	json_decref(folder->run);
	folder->run = NULL;
	csvtable_free(&folder->blocks);
}
