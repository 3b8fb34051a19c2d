/* SPDX-License-Identifier: MIT */
#include "tracer/live_sockets.h"

#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/clock.h"

static int add(struct live_sockets *sockets, uint64_t cookie)
{
	if (sockets->count == sockets->size) {
		size_t size = sockets->size ? sockets->size * 2 : 1024;
		uint64_t *cookies = realloc(sockets->cookies, size * sizeof(*cookies));

		if (!cookies)
			return -ENOMEM;
		sockets->cookies = cookies;
		sockets->size = size;
	}
	sockets->cookies[sockets->count++] = cookie;
	return 0;
}

static int request(int netlink, uint8_t family)
{
	const struct {
		struct nlmsghdr header;
		struct inet_diag_req_v2 body;
	} message = {
		.header = { .nlmsg_len = sizeof(message),
			    .nlmsg_type = SOCK_DIAG_BY_FAMILY,
			    .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
		.body = { .sdiag_family = family,
			  .sdiag_protocol = IPPROTO_TCP,
			  .idiag_states = ~0U },
	};

	return send(netlink, &message, sizeof(message), 0) < 0 ? -errno : 0;
}

/* The sockets of one datagram. 1: it was the last one. */
static int take(struct live_sockets *sockets, const struct nlmsghdr *header, ssize_t length)
{
	for (; NLMSG_OK(header, length); header = NLMSG_NEXT(header, length)) {
		const struct inet_diag_msg *body = NLMSG_DATA(header);
		uint64_t cookie;

		if (header->nlmsg_type == NLMSG_DONE)
			return 1;
		if (header->nlmsg_type == NLMSG_ERROR)
			return ((const struct nlmsgerr *)NLMSG_DATA(header))->error;
		if (body->idiag_state == TCP_TIME_WAIT)
			continue;
		cookie = (uint64_t)body->id.idiag_cookie[1] << 32 | body->id.idiag_cookie[0];
		if (add(sockets, cookie))
			return -ENOMEM;
	}
	return 0;
}

static int dump(struct live_sockets *sockets, int netlink, uint8_t family)
{
	static _Alignas(struct nlmsghdr) char buffer[32 * 1024];
	int result = request(netlink, family);

	while (!result) {
		ssize_t length = recv(netlink, buffer, sizeof(buffer), 0);

		if (length < 0 && errno == EINTR)
			continue;
		result = length < 0 ? -errno
				    : take(sockets, (const struct nlmsghdr *)buffer, length);
	}
	return result < 0 ? result : 0;
}

static int compare(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

	return a < b ? -1 : a > b;
}

int live_sockets_read(struct live_sockets *ret)
{
	int netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	struct stat namespace;
	int error;

	*ret = (struct live_sockets){ .at_ns = clock_now_ns() };
	if (netlink < 0)
		return -errno;
	error = stat("/proc/self/ns/net", &namespace) ? -errno : 0;
	if (!error)
		error = dump(ret, netlink, AF_INET);
	if (!error)
		error = dump(ret, netlink, AF_INET6);
	close(netlink);
	if (error) {
		live_sockets_free(ret);
		return error;
	}
	ret->netns = (uint32_t) namespace.st_ino;
	if (ret->count)
		qsort(ret->cookies, ret->count, sizeof(*ret->cookies), compare);
	return 0;
}

bool live_sockets_have(const struct live_sockets *sockets, uint64_t cookie)
{
	return sockets->count &&
	       bsearch(&cookie, sockets->cookies, sockets->count, sizeof(cookie), compare);
}

void live_sockets_free(struct live_sockets *sockets)
{
	free(sockets->cookies);
	*sockets = (struct live_sockets){ 0 };
}
