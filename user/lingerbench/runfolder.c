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

static int read_run(struct runfolder *folder, const char *path)
{
	char file[PATH_MAX + 16];
	json_error_t why;

	snprintf(file, sizeof(file), "%s/run.json", folder->path);
	folder->run = json_load_file(file, 0, &why);
	if (json_is_object(folder->run))
		return check_schema(folder, path);
	if (!folder->run && json_error_code(&why) == json_error_cannot_open_file)
		log_error("%s has no run.json; expected the folder of a run, such as "
			  "results/latest",
			  path);
	else
		log_error("%s/run.json is damaged (%s); run the scenario again", path,
			  folder->run ? "no object" : why.text);
	return -EBADMSG;
}

static int read_blocks(struct runfolder *folder, const char *path)
{
	char file[PATH_MAX + 16];
	int error;

	snprintf(file, sizeof(file), "%s/blocks.csv", folder->path);
	error = csvtable_read(&folder->blocks, file);
	if (error == -EBADMSG)
		log_error("%s/blocks.csv is damaged: not all of its rows have as many fields as "
			  "its head; run the scenario again",
			  path);
	else if (error)
		log_error("cannot read %s/blocks.csv: %s; run the scenario again", path,
			  strerror(-error));
	return error;
}

int runfolder_open(struct runfolder *ret, const char *path)
{
	int error;

	*ret = (struct runfolder){ 0 };
	error = find(ret, path);
	if (!error)
		error = read_run(ret, path);
	if (!error)
		error = read_blocks(ret, path);
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
