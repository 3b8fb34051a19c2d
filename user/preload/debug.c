/* SPDX-License-Identifier: MIT */
#include "preload/debug.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ERRORS_END = 256 }; /* greater than every errno */

struct line {
	char text[512];
	size_t length;
};

static atomic_bool enabled;

/* Written when the library is loaded, then only read. */
static dev_t stderr_device;
static ino_t stderr_inode;

static atomic_bool told[DEBUG_EVENTS_END], failures_told[ERRORS_END];

#define DEBUG_TEXT(name, text) [DEBUG_##name] = (text),
static const char *const texts[] = { DEBUG_EVENTS(DEBUG_TEXT) };
#undef DEBUG_TEXT

/* What is too long is cut; there is always room for the newline. printf() may allocate. */
static void add(struct line *line, const char *text)
{
	size_t length = strnlen(text, sizeof(line->text) - 1 - line->length);

	memcpy(line->text + line->length, text, length);
	line->length += length;
}

static void add_number(struct line *line, unsigned int number)
{
	char digits[11] = "";
	char *first = digits + sizeof(digits) - 1;

	do
		*--first = (char)('0' + number % 10);
	while (number /= 10);
	add(line, first);
}

static void begin(struct line *ret)
{
	ret->length = 0;
	add(ret, "liblinger-preload[");
	add_number(ret, (unsigned int)getpid());
	add(ret, "]: ");
}

static bool is_still_stderr(void)
{
	struct stat now;

	return !fstat(STDERR_FILENO, &now) && now.st_dev == stderr_device &&
	       now.st_ino == stderr_inode;
}

/* Nobody reads a pipe any more: that is an error here, and no SIGPIPE. */
static bool has_room(void)
{
	struct pollfd wanted = { .fd = STDERR_FILENO, .events = POLLOUT };

	return poll(&wanted, 1, 0) == 1 && wanted.revents == POLLOUT;
}

/* Both are points where a thread may be cancelled, and close() has not closed anything yet. */
static void end(struct line *line)
{
	int error = errno;
	int cancel_state;

	line->text[line->length++] = '\n';
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_state);
	if (is_still_stderr() && has_room() && write(STDERR_FILENO, line->text, line->length) < 0)
		atomic_store(&enabled, false);
	pthread_setcancelstate(cancel_state, NULL);
	errno = error;
}

static void tell_of_start(const char *socket_path, int error)
{
	struct line line;

	begin(&line);
	add(&line, "loaded into ");
	add(&line, program_invocation_short_name);
	if (!socket_path) {
		add(&line, ", and does nothing: LINGER_SOCKET is not set");
	} else {
		add(&line, error ? ", and does nothing: LINGER_SOCKET=" : ", LINGER_SOCKET=");
		add(&line, socket_path);
	}
	if (error) {
		add(&line, ": ");
		add(&line, strerrordesc_np(-error));
	}
	end(&line);
}

void debug_start(const char *socket_path, int error)
{
	const char *wanted = secure_getenv("LINGER_PRELOAD_DEBUG");
	struct stat now;

	if (!wanted || !*wanted || !strcmp(wanted, "0") || fstat(STDERR_FILENO, &now))
		return;
	stderr_device = now.st_dev;
	stderr_inode = now.st_ino;
	atomic_store(&enabled, true);
	tell_of_start(socket_path, error);
}

void debug_tell(enum debug_event event)
{
	struct line line;

	if (!atomic_load(&enabled) || atomic_exchange(&told[event], true))
		return;
	begin(&line);
	add(&line, texts[event]);
	end(&line);
}

void debug_tell_failure(int error)
{
	struct line line;
	const char *text;

	if (!atomic_load(&enabled) || error <= -ERRORS_END || error >= 0 ||
	    atomic_exchange(&failures_told[-error], true))
		return;
	text = strerrordesc_np(-error);
	begin(&line);
	add(&line, "cannot hand a connection over: ");
	add(&line, text ? text : "unknown error");
	end(&line);
}
