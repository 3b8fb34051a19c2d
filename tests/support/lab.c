/* SPDX-License-Identifier: MIT */
#include "tests/support/lab.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <dirent.h>
#include <limits.h>
#include <liburing.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_SETTINGS = 24 };

void lab_start(struct lab *lab, const char *const settings[])
{
	const char *argv[2 * MAX_SETTINGS + 8];
	char scratch[sizeof("TMPDIR=") + sizeof(lab->folder)];
	size_t count = 0;

	make_folder(lab->folder);
	snprintf(scratch, sizeof(scratch), "TMPDIR=%s", lab->folder);
	argv[count++] = "/usr/bin/env";
	argv[count++] = scratch;
	argv[count++] = built("lingerbench");
	argv[count++] = "run";
	argv[count++] = "quick";
	argv[count++] = "--out";
	argv[count++] = lab->folder;
	for (size_t i = 0; settings[i]; i++) {
		assert_true(i < MAX_SETTINGS);
		argv[count++] = "--set";
		argv[count++] = settings[i];
	}
	argv[count] = NULL;
	process_start(&lab->process, lab->folder, "lab", (char *const *)argv);
}

void lab_clean_up(struct lab *lab)
{
	if (lab->process.pid > 0)
		process_end(&lab->process, SIGKILL, 5);
	remove_folder(lab->folder);
}

const char *lab_result(const struct lab *lab, const char *file)
{
	static char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/latest/%s", lab->folder, file);
	return path;
}

double lab_figure(const struct lab *lab, const char *strategy, const char *peer, const char *column)
{
	struct csvtable summary;
	double value = 0;
	int found = 0;

	assert_int_equal(csvtable_read(&summary, lab_result(lab, "summary.csv")), 0);
	for (size_t row = 0; row < summary.row_count; row++) {
		if (strcmp(csvtable_text(&summary, row, "strategy"), strategy) ||
		    strcmp(csvtable_text(&summary, row, "peer"), peer))
			continue;
		found++;
		if (!csvtable_number(&summary, row, column, &value))
			fail_msg("%s of %s under %s is \"%s\"", column, strategy, peer,
				 csvtable_text(&summary, row, column));
	}
	csvtable_free(&summary);
	assert_int_equal(found, 1);
	return value;
}

bool lab_has_io_uring(void)
{
	struct io_uring ring;

	if (io_uring_queue_init(1, &ring, IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN))
		return false;
	io_uring_queue_exit(&ring);
	return true;
}

/* Name and parent of a process; false: it is gone. */
static bool look_up(pid_t pid, char name[64], pid_t *parent)
{
	char path[64], line[512];
	char *open, *close;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	file = fopen(path, "r");
	if (!file)
		return false;
	if (!fgets(line, sizeof(line), file))
		*line = '\0';
	fclose(file);
	open = strchr(line, '(');
	close = strrchr(line, ')');
	if (!open || !close || close[2] == 'Z')
		return false;
	snprintf(name, 64, "%.*s", (int)(close - open - 1), open + 1);
	*parent = (pid_t)strtol(close + 4, NULL, 10);
	return true;
}

static bool descends_from(pid_t pid, pid_t ancestor)
{
	char name[64];

	while (pid > 1 && look_up(pid, name, &pid))
		if (pid == ancestor)
			return true;
	return false;
}

static int walk_descendants(pid_t ancestor, const char *wanted, pid_t *ret)
{
	DIR *folder = opendir("/proc");
	char name[64];
	int count = 0;
	pid_t parent;

	assert_non_null(folder);
	for (struct dirent *entry; (entry = readdir(folder));) {
		pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);

		if (pid <= 0 || !descends_from(pid, ancestor) || !look_up(pid, name, &parent))
			continue;
		if (wanted && strcmp(name, wanted))
			continue;
		count++;
		*ret = pid;
	}
	closedir(folder);
	return count;
}

pid_t find_descendant(pid_t ancestor, const char *name)
{
	pid_t found = 0;

	return walk_descendants(ancestor, name, &found) ? found : 0;
}

int count_descendants(pid_t ancestor)
{
	pid_t found;

	return walk_descendants(ancestor, NULL, &found);
}
