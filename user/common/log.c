/* SPDX-License-Identifier: MIT */
#include "common/log.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
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
static struct sink to_stderr = { .on = true, .write = write_stderr };
static struct sink to_syslog = { .write = syslog_socket_write };

void log_open(const char *program)
{
	program_name = program;
}

void log_never_wait(void)
{
	waits = false;
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

/* One write() a line, so that lines of several processes do not mix. */
static int write_stderr(int priority, const char *text, size_t length)
{
	/* A pipe has room for a line of LINE_SIZE when it says that there is room (PIPE_BUF); O_NONBLOCK would be others', too. */
	struct pollfd room = { .fd = STDERR_FILENO, .events = POLLOUT };
	const char *label = priority == LOG_WARNING ? "warning: " : "";
	char line[LINE_SIZE];
	int used = snprintf(line, sizeof(line), "%s: %s%.*s\n", program_name, label, (int)length,
			    text);

	if (used >= LINE_SIZE)
		line[(used = LINE_SIZE - 1)] = '\n';
	if (!waits && poll(&room, 1, 0) == 0)
		return -EAGAIN;
	return write(STDERR_FILENO, line, (size_t)used) < 0 ? -errno : 0;
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
