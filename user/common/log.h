/* SPDX-License-Identifier: MIT */
/*
 * Messages for people, one line each: "program: text" on stderr, and in the system's log if that was asked for.
 *
 * A program waits for who reads its stderr, unless it says that it never does; the system's log is never waited for. A line
 * that is not taken then is lost, and the next one that gets through says how many were. (A file on a disk that hangs is
 * waited for.)
 */
#ifndef COMMON_LOG_H
#define COMMON_LOG_H

/* Sets the name that begins each line. The string is kept, not copied. */
void log_open(const char *program);

/*
 * For daemons, who have more to do: rather lose a line than wait for a pipe, a socket or a terminal that is full. May hold
 * a descriptor open for that; who changes or closes descriptors calls it again then.
 */
void log_never_wait(void);

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
