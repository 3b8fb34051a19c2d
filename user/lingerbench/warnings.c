/* SPDX-License-Identifier: MIT */
#include "lingerbench/warnings.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/log.h"

void warnings_add(struct warnings *warnings, const char *format, ...)
{
	char text[WARNING_BYTES];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	if (warnings->count && warnings->count <= WARNINGS_MAX &&
	    !strcmp(text, warnings->texts[warnings->count - 1]))
		return; /* said just now */
	log_warning("%s", text);
	if (warnings->count < WARNINGS_MAX)
		snprintf(warnings->texts[warnings->count], WARNING_BYTES, "%s", text);
	warnings->count++;
}
