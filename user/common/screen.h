/* SPDX-License-Identifier: MIT */
/* A terminal whose screen is drawn anew again and again; or, when it is none, text one after the other. */
#ifndef COMMON_SCREEN_H
#define COMMON_SCREEN_H

#include <stdbool.h>
#include <stdio.h>

struct screen {
	FILE *out;
	bool is_terminal;
	bool is_taken; /* the other screen of the terminal is shown */
};

void screen_open(struct screen *screen, FILE *out);

/* How many lines it has now; 0: it is no terminal, or does not say. */
unsigned int screen_lines(const struct screen *screen);

/*
 * Shows the text. On a terminal it takes the other screen, so that what was there before is there again after
 * screen_close(), and replaces what it has shown, cut to its size; otherwise an empty line follows. 0, or the
 * negative errno of writing.
 */
int screen_show(struct screen *screen, const char *text);

void screen_close(struct screen *screen);

#endif
