/* SPDX-License-Identifier: MIT */
#include "lingerd/channel.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lingerd/batch.h"
#include "lingerd/shortage.h"

union control {
	struct cmsghdr header;
	char space[CMSG_SPACE(SUCCESSION_QUEUES_MAX * sizeof(int))];
};

static size_t bytes_of(uint32_t kind)
{
	return kind == CHANNEL_RELOAD ? sizeof(struct channel_command)
				      : offsetof(struct channel_command, settings);
}

int channel_tell(int channel, const struct channel_command *command)
{
	size_t length = bytes_of(command->kind);

	return send(channel, command, length, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno : 0;
}

enum channel_ahead channel_look_ahead(int channel)
{
	ssize_t length;
	uint32_t first;

	do
		length = recv(channel, &first, sizeof(first), MSG_PEEK | MSG_DONTWAIT);
	while (length < 0 && errno == EINTR);
	if (length == 0 || (length < 0 && errno == ECONNRESET))
		return CHANNEL_HUNG_UP;
	if (length < 0)
		return CHANNEL_NOTHING;
	return first == BATCH_MAGIC ? CHANNEL_BATCH : CHANNEL_COMMAND;
}

int channel_hear(int channel, struct channel_command *ret)
{
	ssize_t length = recv(channel, ret, sizeof(*ret), MSG_DONTWAIT);

	if (length < 0)
		return -errno;
	if ((size_t)length < sizeof(ret->kind) || (size_t)length != bytes_of(ret->kind))
		return -EPROTO;
	return 0;
}

int channel_answer(int channel, const struct channel_answer *answer,
		   const struct succession *queues)
{
	uint32_t count = queues ? queues->count : 0;
	union control control;
	struct iovec bytes = { .iov_base = (void *)answer, .iov_len = sizeof(*answer) };
	struct msghdr message = { .msg_iov = &bytes, .msg_iovlen = 1 };
	struct cmsghdr *header;

	if (count) {
		memset(&control, 0, sizeof(control));
		message.msg_control = &control;
		message.msg_controllen = CMSG_SPACE(count * sizeof(int));
		header = CMSG_FIRSTHDR(&message);
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(count * sizeof(int));
		memcpy(CMSG_DATA(header), queues->queues, count * sizeof(int));
	}
	return sendmsg(channel, &message, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno : 0;
}

int channel_get_answer(int channel, struct channel_answer *ret, struct succession *ret_queues)
{
	union control control;
	struct iovec bytes = { .iov_base = ret, .iov_len = sizeof(*ret) };
	struct msghdr message = {
		.msg_iov = &bytes,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	const struct cmsghdr *header;
	ssize_t length = recvmsg(channel, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	*ret_queues = (struct succession){ 0 };
	if (length < 0)
		return errno == EINTR || is_shortage(-errno) ? -EAGAIN : -errno;
	header = CMSG_FIRSTHDR(&message);
	if (length && header && header->cmsg_level == SOL_SOCKET &&
	    header->cmsg_type == SCM_RIGHTS) {
		ret_queues->count = (uint32_t)((header->cmsg_len - CMSG_LEN(0)) / sizeof(int));
		memcpy(ret_queues->queues, CMSG_DATA(header), ret_queues->count * sizeof(int));
	}
	return length == sizeof(*ret) ? 0 : -EPIPE;
}
