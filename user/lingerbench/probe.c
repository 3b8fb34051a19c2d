/* SPDX-License-Identifier: MIT */
#include "lingerbench/probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"

/* A server that lingers by itself waits up to 2 s for each byte more. */
enum { FIRST_POKE_MS = 500, POKE_MS = 2500 };

static bool ask(struct probe *probe, const char *dotted, uint16_t port)
{
	static const char request[] = "GET /0 HTTP/1.0\r\n\r\n";
	const struct sockaddr_in address = { .sin_family = AF_INET,
					     .sin_port = htons(port),
					     .sin_addr.s_addr = inet_addr(dotted) };

	*probe = (struct probe){ .fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) };
	if (probe->fd < 0)
		return false;
	if (!connect(probe->fd, (const struct sockaddr *)&address, sizeof(address)) &&
	    send(probe->fd, request, strlen(request), MSG_NOSIGNAL) > 0)
		return true;
	probe_close(probe);
	return false;
}

/* Any byte is an answer: also of a server that would have liked to speak TLS. */
bool probe_step(struct probe *probe, const char *address, uint16_t port)
{
	char bytes[4096];
	ssize_t count;

	if (probe->fd < 0 && !ask(probe, address, port))
		return false;
	while ((count = recv(probe->fd, bytes, sizeof(bytes), MSG_DONTWAIT)) > 0)
		probe->answered = true;
	if (count < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	/* After a reset, too, nobody has it; the end alone leaves that open. */
	if (count < 0 || !probe->answered)
		probe_close(probe);
	return probe->answered;
}

bool probe_is_gone(struct probe *probe, uint64_t now_ns)
{
	int error = 0;
	socklen_t length = sizeof(error);

	if (probe->fd < 0)
		return true;
	if (!probe->poke_ns)
		probe->poke_ns = now_ns + FIRST_POKE_MS * NS_PER_MS;
	if (now_ns >= probe->poke_ns) {
		probe->poke_ns = now_ns + POKE_MS * NS_PER_MS;
		if (send(probe->fd, "", 1, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 && errno != EAGAIN)
			return true;
	}
	return getsockopt(probe->fd, SOL_SOCKET, SO_ERROR, &error, &length) || error;
}

void probe_close(struct probe *probe)
{
	if (probe->fd >= 0)
		close(probe->fd);
	probe->fd = -1;
}
