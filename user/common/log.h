/* SPDX-License-Identifier: MIT */
/*
 * Messages for people, one line each: "program: text" on stderr, and in the system's log if that was asked for.
 *
 * None of these calls waits for a reader. A line that a full pipe or a hanging log daemon does not take is lost, and the
 * next one that gets through says how many were. (A file on a disk that hangs is waited for.)
 */
#ifndef COMMON_LOG_H
#define COMMON_LOG_H

/* Sets the name that begins each line. The string is kept, not copied. */
void log_open(const char *program);

/*
 * From now on lines go to the system's log, too (syslog(3), facility daemon). 0, or the negative errno of not reaching it;
 * it is tried again with each line.
 */
int log_to_syslog(void);
/* From now on they go nowhere else. */
void log_leave_stderr(void);

__attribute__((format(printf, 1, 2))) void log_error(const char *format, ...);
__attribute__((format(printf, 1, 2))) void log_warning(const char *format, ...);
__attribute__((format(printf, 1, 2))) void log_info(const char *format, ...);

#endif
