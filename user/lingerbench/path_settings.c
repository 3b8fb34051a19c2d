/* SPDX-License-Identifier: MIT */
#include "lingerbench/path_settings.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/quantity.h"

enum { TIME_MAX_MS = 10000 };

bool path_settings_impair(const struct path_settings *settings)
{
	return settings->delay_ns || settings->jitter_ns || settings->loss_percent > 0 ||
	       settings->reorder_percent > 0;
}

bool path_settings_are_apart(const struct path_settings *settings)
{
	return settings->kind != PATH_LOOPBACK || settings->sysctl_count;
}

static bool take_kind(struct path_settings *settings, struct inifile_place place, const char *value)
{
	if (!strcmp(value, "loopback"))
		settings->kind = PATH_LOOPBACK;
	else if (!strcmp(value, "veth"))
		settings->kind = PATH_VETH;
	else
		return inifile_complain(place, "kind = %s: expected loopback or veth", value);
	return true;
}

static bool take_time(uint64_t *ret, struct inifile_place place, const char *key, const char *value)
{
	if (!quantity_parse_time(value, 0, TIME_MAX_MS, ret))
		return true;
	return inifile_complain(place, "%s = %s: expected a time up to %d ms, as 20ms", key, value,
				TIME_MAX_MS);
}

static bool take_percent(double *ret, struct inifile_place place, const char *key,
			 const char *value)
{
	char *end;
	double percent = strtod(value, &end);

	if (end == value || strcmp(end, "%") != 0 || !(percent >= 0 && percent <= 100))
		return inifile_complain(place,
					"%s = %s: expected a share of packets, as 1%% or 0.5%%",
					key, value);
	*ret = percent;
	return true;
}

/* The last one counts, where one stands twice. */
static bool take_sysctl(struct path_settings *settings, struct inifile_place place,
			const char *name, const char *value)
{
	struct path_sysctl *sysctl = settings->sysctls;
	struct path_sysctl *end = sysctl + settings->sysctl_count;

	if (strncmp(name, "net.", 4) != 0 || strpbrk(name, "/ ") ||
	    strlen(name) >= sizeof(sysctl->name))
		return inifile_complain(place,
					"%s: expected a setting of a network namespace, as "
					"net.ipv4.tcp_fin_timeout",
					name);
	if (!*value || strlen(value) >= sizeof(sysctl->value))
		return inifile_complain(place, "%s: its value has 1 to %zu bytes", name,
					sizeof(sysctl->value) - 1);
	while (sysctl < end && strcmp(sysctl->name, name) != 0)
		sysctl++;
	if (sysctl == settings->sysctls + PATH_MAX_SYSCTLS)
		return inifile_complain(place, "more than %d settings", PATH_MAX_SYSCTLS);
	settings->sysctl_count += sysctl == end;
	strcpy(sysctl->name, name);
	strcpy(sysctl->value, value);
	sysctl->line = place.line;
	return true;
}

bool path_settings_take(struct path_settings *settings, struct inifile_place place,
			const char *section, const char *key, const char *value)
{
	if (!strcmp(section, "sysctl"))
		return take_sysctl(settings, place, key, value);
	if (!strcmp(key, "kind"))
		return take_kind(settings, place, value);
	if (!strcmp(key, "delay"))
		return take_time(&settings->delay_ns, place, key, value);
	if (!strcmp(key, "jitter"))
		return take_time(&settings->jitter_ns, place, key, value);
	if (!strcmp(key, "loss"))
		return take_percent(&settings->loss_percent, place, key, value);
	if (!strcmp(key, "reorder"))
		return take_percent(&settings->reorder_percent, place, key, value);
	return inifile_complain(place, "unknown key \"%s\" in [path]", key);
}

bool path_settings_check(const struct path_settings *settings, struct inifile_place place)
{
	if (settings->kind == PATH_LOOPBACK && path_settings_impair(settings))
		return inifile_complain(place, "[path] delay, jitter, loss and reorder are of a "
					       "link: they "
					       "take kind = veth");
	if (settings->jitter_ns > settings->delay_ns)
		return inifile_complain(place, "[path] jitter is more than the delay");
	if (settings->reorder_percent > 0 && !settings->delay_ns)
		return inifile_complain(place,
					"[path] reorder takes a delay, which the packets that "
					"overtake others do not have");
	return true;
}

void path_settings_describe(const struct path_settings *settings, char *ret, size_t size)
{
	size_t length;

	snprintf(ret, size, "%s", settings->kind == PATH_VETH ? "veth" : "loopback");
	if (!path_settings_impair(settings))
		return;
	length = strlen(ret);
	snprintf(ret + length, size - length,
		 ", each way %g ms +- %g ms, %g %% lost, %g %% reordered",
		 (double)settings->delay_ns / NS_PER_MS, (double)settings->jitter_ns / NS_PER_MS,
		 settings->loss_percent, settings->reorder_percent);
}
