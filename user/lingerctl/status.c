/* SPDX-License-Identifier: MIT */
#include "lingerctl/status.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/number.h"
#include "liblinger/protocol.h"
#include "lingerd/counters.h"

static const struct timeval patience = { .tv_sec = 5 };

static int time_is_up(int error)
{
	return error == -EAGAIN ? -ETIMEDOUT : error;
}

static int ask_connected(int fd, char *text, size_t size)
{
	const struct linger_message question = {
		.magic = LINGER_PROTOCOL_MAGIC,
		.version = LINGER_PROTOCOL_VERSION,
		.size = sizeof(question),
		.type = LINGER_MESSAGE_STATUS,
	};
	ssize_t length;

	if (send(fd, &question, sizeof(question), MSG_NOSIGNAL) < 0)
		return time_is_up(-errno);
	length = recv(fd, text, size - 1, 0);
	if (length < 0)
		return time_is_up(-errno);
	if (length == 0)
		return -EPROTO; /* hung up */
	text[length] = '\0';
	return 0;
}

int status_ask(const char *socket_path, char *text, size_t size)
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
		error = ask_connected(fd, text, size);
	close(fd);
	return error;
}

/* The next "name value" of *rest, which moves on. 1, 0 at the end, or -EPROTO. */
static int next_counter(char **rest, const char **ret_name, uint64_t *ret_value)
{
	char *line = strsep(rest, "\n");
	char *blank;

	if (!line || (!*line && !*rest))
		return 0;
	blank = strchr(line, ' ');
	if (!blank || blank == line || number_parse(blank + 1, 0, UINT64_MAX, ret_value))
		return -EPROTO;
	*blank = '\0';
	*ret_name = line;
	return 1;
}

int status_print_table(FILE *out, char *text)
{
	const char *name;
	uint64_t value;
	int more;

	while ((more = next_counter(&text, &name, &value)) > 0) {
		const char *meaning = counters_meaning(name);

		fprintf(out, "%-22s %14" PRIu64 "  %s\n", name, value, meaning ? meaning : "");
	}
	return more;
}

int status_print_json(FILE *out, char *text)
{
	json_t *object = json_object();
	const char *name;
	uint64_t value;
	int more;

	while ((more = next_counter(&text, &name, &value)) > 0) {
		if (json_object_set_new(object, name, json_integer((json_int_t)value))) {
			more = -ENOMEM;
			break;
		}
	}
	if (!more) {
		json_dumpf(object, out, JSON_INDENT(2));
		fputc('\n', out);
	}
	json_decref(object);
	return more;
}
