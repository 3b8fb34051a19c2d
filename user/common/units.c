/* SPDX-License-Identifier: MIT */
#include "common/units.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>

/* value is below 1000, or there is no larger unit. */
static const char *with_unit(char *text, double value, const char *unit)
{
	snprintf(text, UNITS_SIZE, "%.*f %s", value < 99.95 ? 1 : 0, value, unit);
	return text;
}

const char *units_bytes(char text[UNITS_SIZE], uint64_t bytes)
{
	static const char *const units[] = { "kB", "MB", "GB", "TB" };
	double value = (double)bytes / 1e3;
	size_t unit = 0;

	if (bytes < 1000) {
		snprintf(text, UNITS_SIZE, "%" PRIu64 " byte%s", bytes, bytes == 1 ? "" : "s");
		return text;
	}
	for (; value >= 999.5 && unit + 1 < sizeof(units) / sizeof(units[0]); unit++)
		value /= 1e3;
	return with_unit(text, value, units[unit]);
}

const char *units_duration(char text[UNITS_SIZE], uint64_t ns)
{
	if (ns < 999500)
		return with_unit(text, (double)ns / 1e3, "us");
	if (ns < 999500000)
		return with_unit(text, (double)ns / 1e6, "ms");
	return with_unit(text, (double)ns / 1e9, "s");
}

const char *units_count(char text[UNITS_SIZE], uint64_t count)
{
	static const char units[] = "kMGTPE";
	unsigned int unit = 0;

	if (count < 100000) {
		snprintf(text, UNITS_SIZE, "%" PRIu64, count);
		return text;
	}
	for (count /= 1000; count >= 10000; count /= 1000)
		unit++;
	snprintf(text, UNITS_SIZE, "%" PRIu64 "%c", count, units[unit]);
	return text;
}

const char *units_rate(char text[UNITS_SIZE], double per_s)
{
	if (per_s >= 999.95)
		return units_count(text, (uint64_t)(per_s + 0.5));
	snprintf(text, UNITS_SIZE, "%.1f", per_s);
	return text;
}

const char *units_plural(uint64_t count)
{
	return count == 1 ? "" : "s";
}
