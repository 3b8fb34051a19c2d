/* SPDX-License-Identifier: MIT */
#include "common/syslog_socket.h"

#include <errno.h>
#include <paths.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

enum { LINE_SIZE = 1280 };

static int log_socket = -1;

/* Some log daemons listen for streams; none of Debian's do, and a stream may break a line in two. */
int syslog_socket_open(void)
{
	const struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = _PATH_LOG };
	int error;

	if (log_socket >= 0)
		close(log_socket);
	log_socket = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (log_socket < 0)
		return -errno;
	if (!connect(log_socket, (const struct sockaddr *)&address, sizeof(address)))
		return 0;
	error = -errno;
	close(log_socket);
	log_socket = -1;
	return error;
}

static int send_line(const char *line, size_t length)
{
	if (log_socket < 0)
		return -ENOTCONN;
	return send(log_socket, line, length, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

int syslog_socket_write(int priority, const char *text, size_t length)
{
	time_t now = time(NULL);
	struct tm local = { 0 };
	char when[32] = "";
	char line[LINE_SIZE];
	int used, error;

	localtime_r(&now, &local);
	strftime(when, sizeof(when), "%h %e %T", &local);
	used = snprintf(line, sizeof(line), "<%d>%s %s[%d]: %.*s", LOG_DAEMON | priority, when,
			program_invocation_short_name, (int)getpid(), (int)length, text);
	if (used >= LINE_SIZE)
		used = LINE_SIZE - 1;
	error = send_line(line, (size_t)used);
	/* Neither a full queue nor a line too long gets better by connecting anew. */
	if (!error || error == -EAGAIN || error == -EMSGSIZE)
		return error;
	error = syslog_socket_open();
	return error ? error : send_line(line, (size_t)used);
}
