/* SPDX-License-Identifier: MIT */
#include "tests/support/lingerd.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "liblinger/linger.h"
#include "liblinger/protocol.h"
#include "lingerctl/ask.h"

enum { WORDS_MAX = 32, PATIENCE_S = 30 };

static const char *const no_words[] = { NULL };

bool built_sanitized(void)
{
	return strstr(built(""), "sanitized");
}

static bool answers(void *context)
{
	const struct lingerd *daemon = context;
	char text[4096];

	return !ask(daemon->socket, LINGER_MESSAGE_STATUS, text, sizeof(text));
}

static void show(const char *path)
{
	char line[1024];
	FILE *file = fopen(path, "r");

	while (file && fgets(line, sizeof(line), file))
		print_message("# %s", line);
	if (file)
		fclose(file);
}

static bool answers_or_has_ended(void *context)
{
	const struct lingerd *daemon = context;
	siginfo_t ended = { 0 };

	return answers(context) ||
	       waitid(P_PID, (id_t)daemon->process.pid, &ended, WEXITED | WNOHANG | WNOWAIT) ||
	       ended.si_pid;
}

/* Asks over a connection of its own until that is the only one: what is open then is known. */
static int count_idle_fds(const struct lingerd *daemon)
{
	const struct linger_message question = {
		.magic = LINGER_PROTOCOL_MAGIC,
		.version = LINGER_PROTOCOL_VERSION,
		.size = sizeof(question),
		.type = LINGER_MESSAGE_STATUS,
	};
	int sender = sender_connect(daemon);
	char text[4096] = "";
	int count;

	while (!strstr(text, "\nsenders 1\n")) {
		ssize_t length;

		sender_send(sender, &question, sizeof(question), NULL, 0);
		length = recv(sender, text, sizeof(text) - 1, 0);
		assert_true(length > 0);
		text[length] = '\0';
	}
	count = process_fd_count(daemon->process.pid) - 1;
	close(sender);
	return count;
}

static void start_in_folder(struct lingerd *daemon, const char *const wrapper[],
			    const char *const options[])
{
	const char *argv[WORDS_MAX + 4];
	size_t words = 0;

	for (; *wrapper; wrapper++)
		argv[words++] = *wrapper;
	argv[words++] = built("lingerd");
	argv[words++] = "--socket";
	argv[words++] = daemon->socket;
	for (; *options; options++)
		argv[words++] = *options;
	assert_true(words < WORDS_MAX);
	argv[words] = NULL;
	process_start(&daemon->process, daemon->folder, "lingerd", (char *const *)argv);
	if (!wait_until(answers_or_has_ended, daemon, PATIENCE_S) || !answers(daemon)) {
		show(daemon->process.err);
		fail_msg("lingerd does not answer");
	}
	daemon->idle_fds = count_idle_fds(daemon);
}

void lingerd_start_under(struct lingerd *daemon, const char *const wrapper[],
			 const char *const options[])
{
	make_folder(daemon->folder);
	snprintf(daemon->socket, sizeof(daemon->socket), "%s/s", daemon->folder);
	start_in_folder(daemon, wrapper, options);
}

void lingerd_start(struct lingerd *daemon, const char *const options[])
{
	lingerd_start_under(daemon, no_words, options);
}

void lingerd_restart(struct lingerd *daemon, const char *const options[])
{
	start_in_folder(daemon, no_words, options);
}

void lingerd_take_over(struct lingerd *daemon, const char *name, const char *const options[])
{
	const char *argv[WORDS_MAX] = { built("lingerd"), "--take-over", "--socket",
					daemon->socket };
	struct process old = daemon->process;

	for (int i = 0; options[i]; i++)
		argv[4 + i] = options[i];
	process_start(&daemon->process, daemon->folder, name, (char *const *)argv);
	assert_int_equal(process_wait(&old, PATIENCE_S), 0);
	assert_true(file_contains(old.err, "another lingerd has taken over"));
}

void lingerd_stop(struct lingerd *daemon)
{
	int status = process_end(&daemon->process, SIGTERM, PATIENCE_S);

	if (status)
		show(daemon->process.err);
	assert_int_equal(status, 0);
	remove_folder(daemon->folder);
}

uint64_t lingerd_counter(const struct lingerd *daemon, const char *name)
{
	char text[4096] = "\n";
	char line[64];
	const char *found;

	assert_int_equal(ask(daemon->socket, LINGER_MESSAGE_STATUS, text + 1, sizeof(text) - 1), 0);
	snprintf(line, sizeof(line), "\n%s ", name);
	found = strstr(text, line);
	assert_non_null(found);
	return strtoull(found + strlen(line), NULL, 10);
}

struct expectation {
	const struct lingerd *daemon;
	const char *name;
	uint64_t value;
};

static bool counter_is_there(void *context)
{
	const struct expectation *expectation = context;

	return lingerd_counter(expectation->daemon, expectation->name) == expectation->value;
}

void lingerd_expect(const struct lingerd *daemon, const char *name, uint64_t value)
{
	struct expectation expectation = { daemon, name, value };

	if (!wait_until(counter_is_there, &expectation, PATIENCE_S))
		fail_msg("%s is %lu, not %lu", name, (unsigned long)lingerd_counter(daemon, name),
			 (unsigned long)value);
}

static bool fds_are_idle(void *context)
{
	const struct lingerd *daemon = context;

	return process_fd_count(daemon->process.pid) == daemon->idle_fds;
}

void lingerd_expect_idle_fds(const struct lingerd *daemon)
{
	if (!wait_until(fds_are_idle, (void *)daemon, PATIENCE_S))
		fail_msg("the daemon has %d fds, not %d", process_fd_count(daemon->process.pid),
			 daemon->idle_fds);
}

struct linger_client *lingerd_open_client(const struct lingerd *daemon)
{
	struct linger_client *client;

	assert_int_equal(linger_client_open(&client, daemon->socket), 0);
	return client;
}

struct tcp_pair lingerd_hand_over(struct linger_client *client)
{
	struct tcp_pair pair = tcp_pair_open();
	int error;

	while ((error = linger_handoff(client, pair.server)) == -EAGAIN)
		usleep(1000);
	assert_int_equal(error, 0);
	close(pair.server);
	return pair;
}

int sender_connect(const struct lingerd *daemon)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int sender = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	assert_true(sender >= 0);
	assert_true(strlen(daemon->socket) < sizeof(address.sun_path));
	strcpy(address.sun_path, daemon->socket);
	assert_int_equal(connect(sender, (struct sockaddr *)&address, sizeof(address)), 0);
	return sender;
}

void sender_send(int sender, const void *bytes, size_t length, const int *fds, size_t fd_count)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(64 * sizeof(int))];
	} control = { .header = { .cmsg_level = SOL_SOCKET,
				  .cmsg_type = SCM_RIGHTS,
				  .cmsg_len = CMSG_LEN(fd_count * sizeof(int)) } };
	struct iovec data = { .iov_base = (void *)bytes, .iov_len = length };
	struct msghdr datagram = { .msg_iov = &data, .msg_iovlen = 1 };

	assert_true(fd_count <= 64);
	if (fd_count) {
		memcpy(CMSG_DATA(&control.header), fds, fd_count * sizeof(int));
		datagram.msg_control = &control;
		datagram.msg_controllen = CMSG_SPACE(fd_count * sizeof(int));
	}
	assert_int_equal(sendmsg(sender, &datagram, MSG_NOSIGNAL), (ssize_t)length);
}
