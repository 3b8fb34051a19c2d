/* SPDX-License-Identifier: MIT */
#include "common/options.h"

#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/log.h"

static bool is_in(char letter, const char *word)
{
	return word && word[0] == '-' && word[1] != '-' && strchr(word, letter);
}

/* optind is behind its word only once all letters of that are read. A long option that takes no value is in optopt, too. */
static bool is_letter(int option, char *const argv[])
{
	return option == '?' && optopt &&
	       (is_in((char)optopt, argv[optind - 1]) || is_in((char)optopt, argv[optind]));
}

void options_explain_mistake(int option, char *const argv[], char text[OPTIONS_MISTAKE_SIZE])
{
	const char *word = argv[optind - 1];

	if (is_letter(option, argv))
		snprintf(text, OPTIONS_MISTAKE_SIZE, "there is no option '-%c'", optopt);
	else if (option == ':')
		snprintf(text, OPTIONS_MISTAKE_SIZE, "option '%.64s' needs a value", word);
	else
		snprintf(text, OPTIONS_MISTAKE_SIZE, "there is no option '%.64s'", word);
}

void options_say_mistake(int option, char *const argv[])
{
	char text[OPTIONS_MISTAKE_SIZE];

	options_explain_mistake(option, argv, text);
	log_error("%s; --help lists the options", text);
}
