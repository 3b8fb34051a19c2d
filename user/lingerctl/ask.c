/* SPDX-License-Identifier: MIT */
#include "lingerctl/ask.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

static const struct timeval patience = { .tv_sec = 5 };

static int time_is_up(int error)
{
	return error == -EAGAIN ? -ETIMEDOUT : error;
}

static int ask_connected(int fd, enum linger_message_type type, char *text, size_t size)
{
	const struct linger_message question = {
		.magic = LINGER_PROTOCOL_MAGIC,
		.version = LINGER_PROTOCOL_VERSION,
		.size = sizeof(question),
		.type = (uint16_t)type,
	};
	ssize_t length = -1;
	int tries = 0;

	/* Who is turned away has been answered before the question. */
	if (send(fd, &question, sizeof(question), MSG_NOSIGNAL) < 0 && errno != EPIPE &&
	    errno != ECONNRESET)
		return time_is_up(-errno);
	do
		length = recv(fd, text, size - 1, 0);
	while (length < 0 && errno == ECONNRESET && !tries++);
	if (length < 0)
		return time_is_up(-errno);
	if (length == 0)
		return -EPROTO; /* hung up */
	text[length] = '\0';
	return 0;
}

int ask(const char *socket_path, enum linger_message_type type, char *text, size_t size)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int error = 0;
	int fd;

	if (strlen(socket_path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, socket_path, strlen(socket_path));
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)))
		error = time_is_up(-errno);
	if (!error)
		error = ask_connected(fd, type, text, size);
	close(fd);
	return error;
}
