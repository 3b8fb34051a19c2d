/* SPDX-License-Identifier: MIT */
#include "lingerbench/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* mkdir -p. *ret_found is the length of the part of the path that was there already, also after an error. */
static int make_folders(const char *path, size_t *ret_found)
{
	const size_t length = strlen(path);
	char prefix[PATH_MAX];

	*ret_found = 0;
	for (size_t end = 1; end <= length; end++) {
		if ((end < length && path[end] != '/') || path[end - 1] == '/')
			continue;
		snprintf(prefix, sizeof(prefix), "%.*s", (int)end, path);
		if (!mkdir(prefix, 0755))
			continue;
		if (errno != EEXIST)
			return -errno;
		*ret_found = end;
	}
	return 0;
}

/* Of the name without "-NUMBER.partial"; results_folder_begin() sees to it. */
enum { BASE_MAX = PATH_MAX - 32 };

static void name_folder(struct results_folder *folder, const char *base, int number)
{
	char suffix[16] = "";

	if (number > 1)
		snprintf(suffix, sizeof(suffix), "-%d", number);
	snprintf(folder->path, sizeof(folder->path), "%.*s%s", BASE_MAX, base, suffix);
	snprintf(folder->partial, sizeof(folder->partial), "%.*s%s.partial", BASE_MAX, base,
		 suffix);
}

/* A folder that nobody has, not even a run that began in the same second. */
static int claim_folder(struct results_folder *folder, const char *base)
{
	for (int number = 1; number < 1000; number++) {
		name_folder(folder, base, number);
		if (!access(folder->path, F_OK))
			continue;
		if (!mkdir(folder->partial, 0755))
			return 0;
		if (errno != EEXIST)
			return -errno;
	}
	return -EEXIST;
}

/* Those of the folders on the path of a file that were made, if they are empty. */
static void remove_above(const char *path, size_t found)
{
	char above[PATH_MAX];
	char *slash;

	snprintf(above, sizeof(above), "%s", path);
	while ((slash = strrchr(above, '/')) && (size_t)(slash - above) > found) {
		*slash = '\0';
		rmdir(above);
	}
}

int results_folder_begin(struct results_folder *ret, const char *out, const char *scenario,
			 const char *commit)
{
	char moment[32], above[PATH_MAX], base[PATH_MAX];
	time_t now = time(NULL);
	int error;

	if (strlen(out) + strlen(scenario) + strlen(commit) + 64 > PATH_MAX)
		return -ENAMETOOLONG;
	strftime(moment, sizeof(moment), "%Y%m%dT%H%M%SZ", gmtime(&now));
	snprintf(above, sizeof(above), "%s/%s", out, scenario);
	snprintf(base, sizeof(base), "%s/%s/%s-%s", out, scenario, moment, commit);
	snprintf(ret->latest, sizeof(ret->latest), "%s/latest", out);
	error = make_folders(above, &ret->found);
	if (!error)
		error = claim_folder(ret, base);
	if (error)
		remove_above(base, ret->found);
	return error;
}

/* A link is replaced, never missing in between. */
int results_folder_point_latest(const struct results_folder *folder)
{
	char fresh[PATH_MAX + 16];
	size_t above = strlen(folder->latest) - strlen("latest");

	snprintf(fresh, sizeof(fresh), "%s.%d", folder->latest, (int)getpid());
	unlink(fresh);
	if (symlink(folder->path + above, fresh))
		return -errno;
	if (rename(fresh, folder->latest)) {
		int error = -errno;

		unlink(fresh);
		return error;
	}
	return 0;
}

int results_folder_finish(const struct results_folder *folder)
{
	return rename(folder->partial, folder->path) ? -errno : 0;
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *walk)
{
	(void)status;
	(void)type;
	(void)walk;
	remove(path);
	return 0;
}

void results_folder_abandon(const struct results_folder *folder)
{
	nftw(folder->partial, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
	remove_above(folder->path, folder->found);
}

int scratch_folder_make(char path[PATH_MAX], bool for_all)
{
	const char *parent = getenv("TMPDIR");

	snprintf(path, PATH_MAX, "%s/lingerbench-XXXXXX", parent ? parent : "/tmp");
	if (!mkdtemp(path))
		return -errno;
	return for_all && chmod(path, 0755) ? -errno : 0;
}

void folder_remove(const char *path)
{
	nftw(path, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

int folder_give_away(const char *path, uid_t uid, gid_t gid)
{
	char *const paths[] = { (char *)path, NULL };
	FTS *walk = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	int error = walk ? 0 : -errno;
	FTSENT *entry;

	while (!error && (entry = fts_read(walk)))
		if (entry->fts_info != FTS_DP && lchown(entry->fts_path, uid, gid))
			error = -errno;
	if (walk)
		fts_close(walk);
	return error;
}

static int copy(int from, int to)
{
	ssize_t n;

	while ((n = sendfile(to, from, NULL, 1 << 20)) > 0)
		;
	return n < 0 ? -errno : 0;
}

int folder_take_copy(const char *folder, const char *file)
{
	int from = open(file, O_RDONLY | O_CLOEXEC), to, error;
	char path[PATH_MAX];

	if (from < 0)
		return -errno;
	snprintf(path, sizeof(path), "%s%s", folder, strrchr(file, '/'));
	to = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	error = to < 0 ? -errno : copy(from, to);
	close(from);
	if (to >= 0 && close(to) && !error)
		error = -errno;
	return error;
}
