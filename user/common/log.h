/* SPDX-License-Identifier: MIT */
/* Messages for people: one line each on stderr, "program: text". */
#ifndef COMMON_LOG_H
#define COMMON_LOG_H

/* Sets the name that begins each line. The string is kept, not copied. */
void log_open(const char *program);

__attribute__((format(printf, 1, 2))) void log_error(const char *format, ...);
__attribute__((format(printf, 1, 2))) void log_warning(const char *format, ...);
__attribute__((format(printf, 1, 2))) void log_info(const char *format, ...);

#endif
