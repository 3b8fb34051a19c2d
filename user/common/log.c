/* SPDX-License-Identifier: MIT */
#include "common/log.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include "common/syslog_socket.h"

enum { LINE_SIZE = 1024 };

struct sink {
	bool on;
	int (*write)(int priority, const char *text, size_t length);
	unsigned long lost; /* since the last line that got through */
};

static int write_stderr(int priority, const char *text, size_t length);

static const char *program_name = "lingerd";
static bool waits = true;
static int own_stderr =
	-1; /* what stderr leads to, opened by us: O_NONBLOCK is then nobody else's */
static bool is_socket;
static bool torn; /* the last line got through in part */
static struct sink to_stderr = { .on = true, .write = write_stderr };
static struct sink to_syslog = { .write = syslog_socket_write };

void log_open(const char *program)
{
	program_name = program;
}

/* A terminal says that there is room when there is some, not when there is enough; a pipe's room may be taken by others. */
void log_never_wait(void)
{
	struct stat there;
	bool known = !fstat(STDERR_FILENO, &there);

	waits = false;
	torn = false;
	if (own_stderr >= 0)
		close(own_stderr);
	own_stderr = -1;
	is_socket = known && S_ISSOCK(there.st_mode);
	if (known && (S_ISFIFO(there.st_mode) || isatty(STDERR_FILENO)))
		own_stderr = open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

int log_to_syslog(void)
{
	to_syslog.on = true;
	return syslog_socket_open();
}

void log_leave_stderr(void)
{
	to_stderr.on = false;
}

/* Without waiting. */
static ssize_t write_if_room(const char *line, size_t length)
{
	/* Of what we may not open: a pipe that says that there is room has it for a line of LINE_SIZE (PIPE_BUF). */
	struct pollfd room = { .fd = STDERR_FILENO, .events = POLLOUT };

	if (own_stderr >= 0)
		return write(own_stderr, line, length);
	if (is_socket)
		return send(STDERR_FILENO, line, length, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (poll(&room, 1, 0) == 0) {
		errno = EAGAIN;
		return -1;
	}
	return write(STDERR_FILENO, line, length);
}

/* One write() a line, so that lines of several processes do not mix. */
static int write_stderr(int priority, const char *text, size_t length)
{
	const char *label = priority == LOG_WARNING ? "warning: " : "";
	char line[LINE_SIZE];
	int used = snprintf(line, sizeof(line), "%s%s: %s%.*s\n", torn ? "\n" : "", program_name,
			    label, (int)length, text);
	ssize_t written;

	if (used >= LINE_SIZE)
		line[(used = LINE_SIZE - 1)] = '\n';
	written = waits ? write(STDERR_FILENO, line, (size_t)used)
			: write_if_room(line, (size_t)used);
	if (written < 0)
		return -errno;
	torn = written < used;
	return torn ? -EAGAIN : 0;
}

static void write_to(struct sink *sink, int priority, const char *text)
{
	char lost[64];

	if (!sink->on)
		return;
	if (sink->lost) {
		int length = snprintf(lost, sizeof(lost),
				      "%lu lines before this one are lost: nobody took them",
				      sink->lost);

		if (sink->write(LOG_WARNING, lost, (size_t)length)) {
			sink->lost++;
			return;
		}
		sink->lost = 0;
	}
	if (sink->write(priority, text, strlen(text)))
		sink->lost++;
}

static void say(int priority, const char *format, va_list arguments)
{
	char text[LINE_SIZE];

	vsnprintf(text, sizeof(text), format, arguments);
	write_to(&to_stderr, priority, text);
	write_to(&to_syslog, priority, text);
}

void log_error(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say(LOG_ERR, format, arguments);
	va_end(arguments);
}

void log_warning(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say(LOG_WARNING, format, arguments);
	va_end(arguments);
}

void log_info(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say(LOG_INFO, format, arguments);
	va_end(arguments);
}
