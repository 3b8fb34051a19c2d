/* SPDX-License-Identifier: MIT */
#include "lingerd/identity.h"

#include <dirent.h>
#include <errno.h>
#include <grp.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char RUN[] = "/run/";

static bool is_empty(const char *folder)
{
	DIR *directory = opendir(folder);
	const struct dirent *entry;
	bool empty = directory;

	while (empty && (entry = readdir(directory)))
		empty = !strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..");
	if (directory)
		closedir(directory);
	return empty;
}

/* As root's lingerd makes it, and leaves it. What root has made in another way it has made on purpose. */
static bool is_left_by_root(const char *folder)
{
	struct stat there;

	return !lstat(folder, &there) && there.st_mode == (S_IFDIR | 0755) && there.st_uid == 0 &&
	       there.st_gid == 0 && is_empty(folder);
}

static int make_folder(const struct settings *settings, struct problem *problem)
{
	char folder[SOCKET_PATH_SIZE];
	size_t length = (size_t)(strrchr(settings->socket_path, '/') - settings->socket_path);
	mode_t mask;
	int error;

	memcpy(folder, settings->socket_path, length);
	folder[length] = '\0';
	/* Servers pass through it to the socket, however the daemon was started. */
	mask = umask(022);
	error = mkdir(folder, 0755) ? -errno : 0;
	umask(mask);
	if (error == -EEXIST && (settings->user == USER_UNCHANGED || !is_left_by_root(folder)))
		return 0;
	if (!error || error == -EEXIST) {
		if (settings->user == USER_UNCHANGED ||
		    !lchown(folder, settings->user, settings->user_group))
			return 0;
		error = -errno;
		rmdir(folder);
	}
	problem_say(problem, "cannot make the folder %s: %s", folder, strerror(-error));
	return error;
}

/* "/run/FOLDER/NAME" */
static bool is_in_run(const char *path)
{
	const char *folder = path + strlen(RUN);

	if (strncmp(path, RUN, strlen(RUN)) != 0 || !strchr(folder, '/') || *folder == '.')
		return false;
	return strchr(folder, '/') == strrchr(folder, '/') && *folder != '/';
}

static int become(const struct settings *settings)
{
	gid_t groups[] = { settings->user_group, settings->socket_group };
	size_t count = settings->socket_group == GROUP_UNCHANGED ? 1 : 2;

	if (setgroups(count, groups) ||
	    setresgid(settings->user_group, settings->user_group, settings->user_group) ||
	    setresuid(settings->user, settings->user, settings->user))
		return -errno;
	/* There is no way back. */
	return settings->user != 0 && !setuid(0) ? -EPERM : 0;
}

int identity_take(const struct settings *settings, struct problem *problem)
{
	int error = 0;

	if (geteuid() == 0 && is_in_run(settings->socket_path))
		error = make_folder(settings, problem);
	if (error || settings->user == USER_UNCHANGED || settings->user == geteuid())
		return error;
	if (geteuid() != 0) {
		problem_say(problem,
			    "user: only root can become another user; start lingerd as root, or as "
			    "that user and without the setting");
		return -EPERM;
	}
	error = become(settings);
	if (error)
		problem_say(problem, "user: cannot become that user: %s", strerror(-error));
	return error;
}
