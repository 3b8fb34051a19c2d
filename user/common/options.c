/* SPDX-License-Identifier: MIT */
#include "common/options.h"

#include <getopt.h>

#include "common/log.h"

void options_say_mistake(int option, char *const argv[])
{
	const char *text = argv[optind - 1];

	if (option == ':')
		log_error("option '%.64s' needs a value; --help lists the options", text);
	else
		log_error("there is no option '%.64s'; --help lists the options", text);
}
