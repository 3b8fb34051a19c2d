/* SPDX-License-Identifier: MIT */
#include "metrics/target.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#include "common/number.h"

struct complaint {
	char *text;
	size_t size;
};

__attribute__((format(printf, 2, 3))) static int complain(struct complaint complaint,
							  const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(complaint.text, complaint.size, format, arguments);
	va_end(arguments);
	return -EINVAL;
}

static int parse_unix(struct metrics_target *target, const char *path, struct complaint complaint)
{
	struct sockaddr_un *address = (struct sockaddr_un *)&target->address;

	if (!*path || strlen(path) >= sizeof(address->sun_path))
		return complain(complaint, "the path of a Unix socket has 1 to %zu bytes",
				sizeof(address->sun_path) - 1);
	address->sun_family = AF_UNIX;
	strcpy(address->sun_path, path);
	target->kind = METRICS_TO_SOCKET;
	target->path = path;
	target->address_size = sizeof(*address);
	return 0;
}

/* Splits "127.0.0.1:9100" or "[::1]:9100". */
static int split(const char *text, char *host, size_t host_size, bool *ret_is_ipv6,
		 uint64_t *ret_port)
{
	const char *colon = strrchr(text, ':');
	const char *first = text, *end = colon;

	if (!colon || number_parse(colon + 1, 0, UINT16_MAX, ret_port))
		return -EINVAL;
	*ret_is_ipv6 = *text == '[';
	if (*ret_is_ipv6) {
		if (colon - text < 2 || colon[-1] != ']')
			return -EINVAL;
		first = text + 1;
		end = colon - 1;
	}
	if ((size_t)(end - first) >= host_size)
		return -EINVAL;
	memcpy(host, first, (size_t)(end - first));
	host[end - first] = '\0';
	return 0;
}

/* Fills *target. 1: it is a loopback address; 0: another one; -EINVAL: none. */
static int parse_address(struct metrics_target *target, const char *host, bool is_ipv6,
			 uint16_t port)
{
	struct sockaddr_in *ipv4 = (struct sockaddr_in *)&target->address;
	struct sockaddr_in6 *ipv6 = (struct sockaddr_in6 *)&target->address;

	if (!is_ipv6) {
		if (inet_pton(AF_INET, host, &ipv4->sin_addr) != 1)
			return -EINVAL;
		ipv4->sin_family = AF_INET;
		ipv4->sin_port = htons(port);
		target->address_size = sizeof(*ipv4);
		return ntohl(ipv4->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
	}
	if (inet_pton(AF_INET6, host, &ipv6->sin6_addr) != 1)
		return -EINVAL;
	ipv6->sin6_family = AF_INET6;
	ipv6->sin6_port = htons(port);
	target->address_size = sizeof(*ipv6);
	return IN6_IS_ADDR_LOOPBACK(&ipv6->sin6_addr);
}

int metrics_target_parse(struct metrics_target *ret, const char *text, unsigned int allow,
			 char *error, size_t error_size)
{
	const struct complaint complaint = { error, error_size };
	struct metrics_target target = { .kind = METRICS_TO_SOCKET };
	char host[INET6_ADDRSTRLEN];
	uint64_t port;
	bool is_ipv6;
	int result;

	if (!strncmp(text, "unix:", 5)) {
		result = parse_unix(&target, text + 5, complaint);
		if (result)
			return result;
	} else if (allow & METRICS_ALLOW_FILE && !strncmp(text, "file:", 5)) {
		target.kind = METRICS_TO_FILE;
		target.path = text + 5;
		if (!*target.path)
			return complain(complaint, "file: without a path");
	} else {
		if (split(text, host, sizeof(host), &is_ipv6, &port))
			return complain(complaint,
					"not unix:PATH, %sADDRESS:PORT or [ADDRESS]:PORT",
					allow & METRICS_ALLOW_FILE ? "file:PATH, " : "");
		result = parse_address(&target, host, is_ipv6, (uint16_t)port);
		if (result < 0)
			return complain(complaint, "\"%s\" is not a numeric address", host);
		if (!result && !(allow & METRICS_ALLOW_REMOTE))
			return complain(complaint, "%s can be reached by others", host);
	}
	*ret = target;
	return 0;
}
