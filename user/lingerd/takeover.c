/* SPDX-License-Identifier: MIT */
#include "lingerd/takeover.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "liblinger/protocol.h"
#include "lingerd/shortage.h"

enum {
	OWN_FDS = 3, /* listener, lock, where to confirm */
	FDS_MAX = OWN_FDS + SUCCESSION_QUEUES_MAX,
	ANSWER_SIZE = 600,
};

static const char GRANTED[] = "ok: it is yours\n";
static const char CONFIRMED = 'y';
static const struct timeval PATIENCE = { .tv_sec = 10 };

union control {
	struct cmsghdr header;
	char space[CMSG_SPACE(FDS_MAX * sizeof(int))];
};

static int send_all(int asker, const struct inherited *legacy, int giver)
{
	size_t count = OWN_FDS + legacy->left.count;
	union control control;
	struct iovec bytes = { .iov_base = (void *)GRANTED, .iov_len = strlen(GRANTED) };
	struct msghdr message = {
		.msg_iov = &bytes,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = CMSG_SPACE(count * sizeof(int)),
	};
	int fds[FDS_MAX] = { legacy->listener, legacy->lock, giver };
	struct cmsghdr *header;

	memcpy(fds + OWN_FDS, legacy->left.queues, legacy->left.count * sizeof(int));
	memset(&control, 0, sizeof(control));
	header = CMSG_FIRSTHDR(&message);
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(count * sizeof(int));
	memcpy(CMSG_DATA(header), fds, count * sizeof(int));
	return sendmsg(asker, &message, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* A pair of its own: the connection on which it was asked is shut down as every sender's. */
int takeover_answer(int asker, const struct inherited *legacy, int *ret_confirmation)
{
	int ends[2];
	int error;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
		return -errno;
	error = send_all(asker, legacy, ends[1]);
	close(ends[1]);
	if (error)
		close(ends[0]);
	else
		*ret_confirmation = ends[0];
	return error;
}

bool takeover_confirmed(int confirmation)
{
	struct pollfd word = { .fd = confirmation, .events = POLLIN };
	char said = '\0';
	int waits = 0;
	ssize_t length;

	poll(&word, 1, (int)PATIENCE.tv_sec * 1000);
	/* From here on it cannot confirm any more; what it has said before is still there. */
	shutdown(confirmation, SHUT_RD);
	do
		length = recv(confirmation, &said, 1, MSG_DONTWAIT);
	while (length < 0 && (errno == EINTR || wait_out_shortage(-errno, &waits)));
	close(confirmation);
	return length == 1 && said == CONFIRMED;
}

int takeover_confirm(struct inherited *inherited, struct problem *problem)
{
	int waits = 0;
	int error;

	do
		error = send(inherited->giver, &CONFIRMED, 1, MSG_DONTWAIT | MSG_NOSIGNAL) < 0
				? -errno
				: 0;
	while (error == -EINTR || wait_out_shortage(error, &waits));
	if (error) {
		problem_say(problem,
			    "the lingerd that runs has not waited for this one, and goes on: %s",
			    strerror(-error));
		return error;
	}
	close(inherited->giver);
	inherited->giver = -1;
	return 0;
}

void takeover_decline(struct inherited *inherited)
{
	succession_close(&inherited->left);
	if (inherited->giver >= 0)
		close(inherited->giver);
	inherited->giver = -1;
}

static void keep_fds(struct inherited *ret, const int *fds, size_t count)
{
	ret->listener = fds[0];
	ret->lock = fds[1];
	ret->giver = fds[2];
	ret->left.count = (uint32_t)(count - OWN_FDS);
	memcpy(ret->left.queues, fds + OWN_FDS, (count - OWN_FDS) * sizeof(int));
}

/* The answer: granted with our own descriptors at least, or "error: ..." with none. */
static int receive_answer(int fd, struct inherited *ret, char text[ANSWER_SIZE])
{
	union control control;
	struct iovec bytes = { .iov_base = text, .iov_len = ANSWER_SIZE - 1 };
	struct msghdr message = {
		.msg_iov = &bytes,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	const struct cmsghdr *header;
	ssize_t length = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
	int fds[FDS_MAX];
	size_t count = 0;

	if (length < 0)
		return errno == EAGAIN ? -ETIMEDOUT : -errno;
	text[length] = '\0';
	text[strcspn(text, "\n")] = '\0';
	header = CMSG_FIRSTHDR(&message);
	if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS) {
		count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		memcpy(fds, CMSG_DATA(header), count * sizeof(int));
	}
	if (!strncmp(text, "ok: ", 4) && count >= OWN_FDS && !(message.msg_flags & MSG_CTRUNC)) {
		keep_fds(ret, fds, count);
		return 0;
	}
	for (size_t i = 0; i < count; i++)
		close(fds[i]);
	return -EPROTO;
}

static int ask_connected(int fd, struct inherited *ret, char text[ANSWER_SIZE])
{
	const struct linger_message question = {
		.magic = LINGER_PROTOCOL_MAGIC,
		.version = LINGER_PROTOCOL_VERSION,
		.size = sizeof(question),
		.type = LINGER_MESSAGE_TAKE_OVER,
	};

	if (send(fd, &question, sizeof(question), MSG_NOSIGNAL) < 0)
		return errno == EAGAIN ? -ETIMEDOUT : -errno;
	return receive_answer(fd, ret, text);
}

int takeover_ask(struct inherited *ret, const char *socket_path, struct problem *problem)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	char text[ANSWER_SIZE] = "";
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	int error = 0;

	*ret = (struct inherited){ .listener = -1, .lock = -1, .giver = -1 };
	if (fd < 0) {
		error = -errno;
		problem_say(problem, "cannot take over: %s", strerror(-error));
		return error;
	}
	memcpy(address.sun_path, socket_path, strlen(socket_path));
	/* connect() waits, too, where the other one hangs and its backlog is full. */
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &PATIENCE, sizeof(PATIENCE));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &PATIENCE, sizeof(PATIENCE));
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)))
		error = errno == EAGAIN ? -ETIMEDOUT : -errno;
	if (error == -ENOENT || error == -ECONNREFUSED) {
		close(fd);
		return 0;
	}
	if (!error)
		error = ask_connected(fd, ret, text);
	close(fd);
	if (error)
		problem_say(problem, "the lingerd on %s does not hand over: %s", socket_path,
			    !strncmp(text, "error: ", 7) ? text + 7 : strerror(-error));
	return error;
}
