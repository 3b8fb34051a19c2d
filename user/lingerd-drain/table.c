/* SPDX-License-Identifier: MIT */
#include "lingerd-drain/table.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <linux/magic.h>
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

static int prepare_folder(const char *path)
{
	char folder[PATH_MAX];

	folder_of(path, folder);
	if (mkdir(folder, 0755) && errno != EEXIST) {
		log_error("cannot make the folder %s: %m", folder);
		return -errno;
	}
	if (is_bpf_file_system(folder))
		return 0;
	/* Everybody may look, and nobody but root change. The file has rights of its own. */
	if (mount("bpf", folder, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0755")) {
		log_error("cannot mount a BPF file system on %s: %m; it takes root", folder);
		return -errno;
	}
	return 0;
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
	log_error("cannot pin the table at %s: %s", path, strerror(-error));
	return error;
}

int table_load(const char *path, uid_t user, gid_t group)
{
	struct drain *skeleton;
	int map, error = prepare_folder(path);

	if (error)
		return error;
	libbpf_set_print(print_nothing);
	skeleton = drain__open_and_load();
	if (!skeleton)
		return explain(-errno);
	map = bpf_map__fd(skeleton->maps.connections);
	error = bpf_prog_attach(bpf_program__fd(skeleton->progs.drain), map,
				BPF_SK_SKB_STREAM_VERDICT, 0);
	error = error ? explain(error) : pin(map, path, user, group);
	drain__destroy(skeleton);
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
		log_error("cannot take %s away: %m", path);
		return -errno;
	}
	/* Only our own can be taken away so: it is a mount point, and empty. */
	if (!umount2(folder, UMOUNT_NOFOLLOW))
		rmdir(folder);
	return 0;
}
