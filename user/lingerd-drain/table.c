/* SPDX-License-Identifier: MIT */
#include "lingerd-drain/table.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <linux/magic.h>
#include <mntent.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "common/log.h"
#include "drain.skel.h"

static int print_nothing(enum libbpf_print_level level, const char *format, va_list arguments)
{
	(void)level;
	(void)format;
	(void)arguments;
	return 0;
}

/* What %m does not say. */
static const char *way_out(int error)
{
	return (error == EACCES || error == EPERM) && geteuid() ? "; it takes root" : "";
}

static void folder_of(const char *path, char ret[PATH_MAX])
{
	char copy[PATH_MAX];

	snprintf(copy, sizeof(copy), "%s", path);
	snprintf(ret, PATH_MAX, "%s", dirname(copy));
}

static bool is_bpf_file_system(const char *folder)
{
	struct statfs about;

	return !statfs(folder, &about) && about.f_type == BPF_FS_MAGIC;
}

/* Our own mounts have this source, by which they are known again. */
#define SOURCE "lingerd-drain"

/* Whether what is mounted at this very folder is ours. */
static bool is_our_mount(const char *folder)
{
	FILE *mounts = setmntent("/proc/self/mounts", "re");
	const struct mntent *entry;
	bool ours = false;

	if (!mounts)
		return false;
	while ((entry = getmntent(mounts)))
		if (!strcmp(entry->mnt_dir, folder))
			ours = !strcmp(entry->mnt_type, "bpf") &&
			       !strcmp(entry->mnt_fsname, SOURCE);
	endmntent(mounts);
	return ours;
}

/* But for what the kernel puts into each BPF file system. */
static bool is_empty(const char *folder)
{
	DIR *entries = opendir(folder);
	bool empty = entries != NULL;

	if (!entries)
		return false;
	for (const struct dirent *entry; (entry = readdir(entries));)
		empty &= entry->d_name[0] == '.' || !strcmp(entry->d_name, "maps.debug") ||
			 !strcmp(entry->d_name, "progs.debug");
	closedir(entries);
	return empty;
}

/* Takes our file system away, unless there is something else in it. */
static void leave_folder(const char *folder)
{
	if (is_our_mount(folder) && is_empty(folder) && !umount2(folder, UMOUNT_NOFOLLOW))
		rmdir(folder);
}

/* A folder that is somebody else's would be hidden by what is mounted on it. */
static int mount_on(const char *folder)
{
	struct stat about;

	if (lstat(folder, &about) || !S_ISDIR(about.st_mode) || about.st_uid != geteuid() ||
	    !is_empty(folder)) {
		log_error("%s is no BPF file system, and no empty folder of ours to make it one; "
			  "choose another with --table",
			  folder);
		return -ENOTEMPTY;
	}
	/* Everybody may look, and nobody but root change. The file has rights of its own. */
	if (mount(SOURCE, folder, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0755")) {
		int error = errno;

		log_error("cannot mount a BPF file system on %s: %s%s", folder, strerror(error),
			  way_out(error));
		return -error;
	}
	return 0;
}

static int prepare_folder(const char *folder)
{
	bool made = !mkdir(folder, 0755);
	int error;

	if (!made && errno != EEXIST) {
		error = errno;
		log_error("cannot make the folder %s: %s%s", folder, strerror(error),
			  way_out(error));
		return -error;
	}
	error = is_bpf_file_system(folder) ? 0 : mount_on(folder);
	if (error && made)
		rmdir(folder);
	return error;
}

static int explain(int error)
{
	if (error == -EPERM)
		log_error("not allowed to load BPF programs; run as root");
	else
		log_error("this kernel does not take the program: %s; it needs Linux 5.15 or "
			  "later with CONFIG_BPF_STREAM_PARSER",
			  strerror(-error));
	return error;
}

/* Beside the place first: who opens it meets the old one or the new one. */
static int pin(int map, const char *path, uid_t user, gid_t group)
{
	char beside[PATH_MAX + 8];
	int error;

	snprintf(beside, sizeof(beside), "%s_new", path);
	unlink(beside);
	error = bpf_obj_pin(map, beside);
	if (!error && (chown(beside, user, group) || chmod(beside, 0600) || rename(beside, path)))
		error = -errno;
	if (!error)
		return 0;
	unlink(beside);
	log_error("cannot pin the table at %s: %s%s", path, strerror(-error), way_out(-error));
	return error;
}

static int load_into(const char *path, uid_t user, gid_t group)
{
	struct drain *skeleton = drain__open_and_load();
	int map, error;

	if (!skeleton)
		return explain(-errno);
	map = bpf_map__fd(skeleton->maps.connections);
	error = bpf_prog_attach(bpf_program__fd(skeleton->progs.drain), map,
				BPF_SK_SKB_STREAM_VERDICT, 0);
	error = error ? explain(error) : pin(map, path, user, group);
	drain__destroy(skeleton);
	return error;
}

int table_load(const char *path, uid_t user, gid_t group)
{
	char folder[PATH_MAX];
	int error;

	folder_of(path, folder);
	error = prepare_folder(folder);
	if (error)
		return error;
	libbpf_set_print(print_nothing);
	error = load_into(path, user, group);
	if (error)
		leave_folder(folder);
	return error;
}

int table_unload(const char *path)
{
	char folder[PATH_MAX];

	folder_of(path, folder);
	if (!is_bpf_file_system(folder)) {
		log_error("%s is not there: no drain is loaded", path);
		return -ENOENT;
	}
	if (unlink(path)) {
		int error = errno;

		log_error("cannot take %s away: %s%s", path, strerror(error), way_out(error));
		return -error;
	}
	leave_folder(folder);
	return 0;
}
