/* SPDX-License-Identifier: MIT */
/* A terminal whose screen is drawn anew again and again; or, when it is none, text one after the other. */
#ifndef LINGERTRACE_SCREEN_H
#define LINGERTRACE_SCREEN_H

#include <stdbool.h>
#include <stdio.h>

struct screen {
	FILE *out;
	bool is_terminal;
};

/* On a terminal, changes to its other screen, so that this one is there again after screen_close(). */
void screen_open(struct screen *screen, FILE *out);

/* How many lines it has now; 0: it is no terminal, or does not say. */
unsigned int screen_lines(const struct screen *screen);

/*
 * Shows the text. On a terminal it replaces what was there, cut to its size; otherwise an empty line follows.
 * 0, or the negative errno of writing.
 */
int screen_show(const struct screen *screen, const char *text);

void screen_close(const struct screen *screen);

#endif
