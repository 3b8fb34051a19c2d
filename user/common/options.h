/* SPDX-License-Identifier: MIT */
/* What getopt_long(3) does not know, said as every other mistake: in one line, with the way out. */
#ifndef COMMON_OPTIONS_H
#define COMMON_OPTIONS_H

enum { OPTIONS_MISTAKE_SIZE = 128 };

/* To be used with opterr == 0 and ':' in front of the short options. option: what getopt_long() has just returned, ':' or '?'. */
void options_explain_mistake(int option, char *const argv[], char text[OPTIONS_MISTAKE_SIZE]);
/* Says it through log.h. */
void options_say_mistake(int option, char *const argv[]);

#endif
