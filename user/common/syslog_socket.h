/* SPDX-License-Identifier: MIT */
/*
 * The system's log, by its socket /dev/log (RFC 3164, as syslog(3) writes it). Not syslog(3) itself: that waits for a
 * log daemon that hangs, and who waits for the log does not do its work.
 */
#ifndef COMMON_SYSLOG_SOCKET_H
#define COMMON_SYSLOG_SOCKET_H

#include <stddef.h>

/* Connects. 0 or a negative errno. The descriptor, close-on-exec, is this module's for good. Does not block. */
int syslog_socket_open(void);

/*
 * Sends one line, of facility daemon, with the program's name and its PID. Connects anew if the log daemon was
 * restarted. 0, or a negative errno (-EAGAIN: it does not read) with the line lost. Does not block.
 */
int syslog_socket_write(int priority, const char *text, size_t length);

#endif
