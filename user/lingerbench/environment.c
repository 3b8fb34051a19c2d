/* SPDX-License-Identifier: MIT */
#include "lingerbench/environment.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

static void set_text(json_t *object, const char *key, const char *text)
{
	json_object_set_new(object, key, json_string(text));
}

/* The first line of a file without its newline; NULL: cannot be read. */
static char *first_line(const char *path, char *line, int size)
{
	FILE *file = fopen(path, "re");
	char *got = file ? fgets(line, size, file) : NULL;

	if (got)
		line[strcspn(line, "\n")] = '\0';
	if (file)
		fclose(file);
	return got;
}

/* The value of the first "key : value" line. */
static void set_from_file(json_t *object, const char *name, const char *path, const char *key)
{
	char line[512];
	FILE *file = fopen(path, "re");

	while (file && fgets(line, sizeof(line), file)) {
		char *colon = strchr(line, ':');

		if (strncmp(line, key, strlen(key)) || !colon)
			continue;
		line[strcspn(line, "\n")] = '\0';
		colon++;
		set_text(object, name, colon + strspn(colon, " \t"));
		break;
	}
	if (file)
		fclose(file);
}

static void set_sysctls(json_t *object, const char *pattern)
{
	static const char prefix[] = "/proc/sys/";
	glob_t found;
	char line[512];

	if (glob(pattern, 0, NULL, &found))
		return;
	for (size_t i = 0; i < found.gl_pathc; i++) {
		char name[128];

		if (access(found.gl_pathv[i], R_OK) ||
		    !first_line(found.gl_pathv[i], line, sizeof(line)))
			continue;
		snprintf(name, sizeof(name), "%s", found.gl_pathv[i] + strlen(prefix));
		for (char *c = name; *c; c++)
			if (*c == '/')
				*c = '.';
		if (strstr(name, "key")) /* secrets such as tcp_fastopen_key */
			continue;
		set_text(object, name, line);
	}
	globfree(&found);
}

json_t *environment_describe(void)
{
	json_t *object = json_object(), *sysctls = json_object();
	struct utsname name;
	struct rlimit files;

	if (!object || !sysctls) {
		json_decref(object);
		json_decref(sysctls);
		return NULL;
	}
	if (!uname(&name)) {
		set_text(object, "kernel", name.release);
		set_text(object, "kernel_version", name.version);
		set_text(object, "machine", name.machine);
	}
	set_from_file(object, "cpu", "/proc/cpuinfo", "model name");
	json_object_set_new(object, "cpus", json_integer(sysconf(_SC_NPROCESSORS_ONLN)));
	set_from_file(object, "memory", "/proc/meminfo", "MemTotal");
	if (!getrlimit(RLIMIT_NOFILE, &files))
		json_object_set_new(object, "rlimit_nofile",
				    json_integer((json_int_t)files.rlim_cur));
	set_sysctls(sysctls, "/proc/sys/net/ipv4/tcp_*");
	set_sysctls(sysctls, "/proc/sys/net/ipv4/ip_local_port_range");
	set_sysctls(sysctls, "/proc/sys/net/core/*");
	json_object_set_new(object, "sysctl", sysctls);
	return object;
}

/* Pairs of lines: "Tcp: Name Name ..." and "Tcp: 1 2 ..." */
static void add_counters(json_t *object, const char *path, const char *wanted)
{
	static char names[16384], values[16384];
	FILE *file = fopen(path, "re");

	while (file && fgets(names, sizeof(names), file) && fgets(values, sizeof(values), file)) {
		char *name_rest = NULL, *value_rest = NULL;
		char *group = strtok_r(names, ": \n", &name_rest);

		if (!group || strcmp(group, wanted) || !strtok_r(values, ": \n", &value_rest))
			continue;
		for (;;) {
			char *name = strtok_r(NULL, " \n", &name_rest);
			char *value = strtok_r(NULL, " \n", &value_rest);
			char full[128];

			if (!name || !value)
				break;
			snprintf(full, sizeof(full), "%s%s", wanted, name);
			json_object_set_new(object, full, json_integer(strtoll(value, NULL, 10)));
		}
	}
	if (file)
		fclose(file);
}

static void set_ms(json_t *object, const char *name, double ms)
{
	json_object_set_new(object, name, json_integer((json_int_t)ms));
}

static double used_ms(int who)
{
	struct rusage usage = { 0 };

	getrusage(who, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e3 +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e3;
}

/*
 * What all CPUs did, and what of it was the lab's (with all of its processes that have ended): how busy others kept the machine is
 * the first thing to ask of two runs that differ.
 */
static void add_cpu_times(json_t *object)
{
	unsigned long long user, nice, system, idle, iowait, irq, softirq, steal;
	double tick_ms = 1e3 / (double)sysconf(_SC_CLK_TCK);
	FILE *file = fopen("/proc/stat", "re");

	if (file && fscanf(file, "cpu %llu %llu %llu %llu %llu %llu %llu %llu", &user, &nice,
			   &system, &idle, &iowait, &irq, &softirq, &steal) == 8) {
		set_ms(object, "CpuTasksMs", (double)(user + nice + system) * tick_ms);
		set_ms(object, "CpuIdleMs", (double)(idle + iowait) * tick_ms);
		set_ms(object, "CpuInterruptsMs", (double)(irq + softirq) * tick_ms);
		set_ms(object, "CpuStealMs", (double)steal * tick_ms);
		set_ms(object, "CpuLabMs", used_ms(RUSAGE_SELF) + used_ms(RUSAGE_CHILDREN));
	}
	if (file)
		fclose(file);
}

json_t *environment_counters(void)
{
	json_t *object = json_object();

	add_cpu_times(object);

	add_counters(object, "/proc/net/snmp", "Tcp");
	add_counters(object, "/proc/net/netstat", "TcpExt");
	return object;
}

json_t *environment_counters_grown(const json_t *before, json_t *after)
{
	json_t *grown = json_object(), *value;
	const char *key;

	json_object_foreach (after, key, value) {
		json_int_t difference = json_integer_value(value) -
					json_integer_value(json_object_get(before, key));

		if (difference)
			json_object_set_new(grown, key, json_integer(difference));
	}
	return grown;
}
