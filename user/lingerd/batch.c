/* SPDX-License-Identifier: MIT */
#include "lingerd/batch.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lingerd/shortage.h"
#include "lingerd/socket_io.h"

_Static_assert(sizeof(struct linger_record) == 48, "two processes must agree");

union control {
	struct cmsghdr header;
	char space[CMSG_SPACE(BATCH_MAX * sizeof(int))];
};

static size_t bytes_of(uint16_t count)
{
	return offsetof(struct batch, records) + count * sizeof(struct linger_record);
}

void batch_collect(struct batch *ret, struct linger_engine *engine, uint16_t most)
{
	uint16_t count = 0;

	while (count < most &&
	       linger_engine_release(engine, &ret->fds[count], &ret->records[count]))
		count++;
	ret->header = (struct batch_header){
		.magic = BATCH_MAGIC,
		.version = BATCH_VERSION,
		.count = count,
	};
}

void batch_return(const struct batch *batch, struct linger_engine *engine)
{
	for (uint16_t i = 0; i < batch->header.count; i++)
		linger_engine_adopt(engine, batch->fds[i], &batch->records[i]);
}

void batch_close(const struct batch *batch)
{
	for (uint16_t i = 0; i < batch->header.count; i++)
		close(batch->fds[i]);
}

void batch_adopt(struct batch *batch, struct linger_engine *engine, struct users *users,
		 const struct settings *settings)
{
	for (uint16_t i = 0; i < batch->header.count; i++) {
		struct linger_record *record = &batch->records[i];

		record->user = users_find(users, settings, record->uid);
		linger_engine_adopt(engine, batch->fds[i], record);
	}
}

int batch_send(int socket, const struct batch *batch)
{
	uint16_t count = batch->header.count;
	union control control;
	struct iovec bytes = { .iov_base = (void *)batch, .iov_len = bytes_of(count) };
	struct msghdr message = {
		.msg_iov = &bytes,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = CMSG_SPACE(count * sizeof(int)),
	};
	struct cmsghdr *header;
	int error;

	memset(&control, 0, sizeof(control));
	header = CMSG_FIRSTHDR(&message);
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(count * sizeof(int));
	memcpy(CMSG_DATA(header), batch->fds, count * sizeof(int));
	do
		error = sendmsg(socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno : 0;
	while (error == -EINTR);
	return error;
}

int batch_receive(int socket, struct batch *ret)
{
	union control control;
	struct iovec bytes = { .iov_base = ret, .iov_len = bytes_of(BATCH_MAX) };
	struct msghdr message = {
		.msg_iov = &bytes,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	uint16_t fd_count = 0;
	int waits = 0;
	ssize_t length;

	do
		length = recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	while (length < 0 && (errno == EINTR || wait_out_shortage(-errno, &waits)));
	if (length < 0)
		return 0;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		fd_count = (uint16_t)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
		memcpy(ret->fds, CMSG_DATA(c), fd_count * sizeof(int));
	}
	/* A datagram without bytes may bring descriptors all the same. */
	if (length == 0 && fd_count == 0)
		return 0;
	if ((size_t)length >= sizeof(ret->header) && ret->header.magic == BATCH_MAGIC &&
	    ret->header.version == BATCH_VERSION && ret->header.count <= BATCH_MAX &&
	    (size_t)length == bytes_of(ret->header.count) && fd_count <= ret->header.count) {
		/* Fewer, at the fd limit: the kernel hands over the first ones and closes the rest. */
		ret->header.count = fd_count;
		return 1;
	}
	for (uint16_t i = 0; i < fd_count; i++)
		socket_refuse(ret->fds[i]);
	return -EPROTO;
}

static bool look_ahead(int socket, struct batch_header *ret)
{
	int waits = 0;
	ssize_t length;

	do
		length = recv(socket, ret, sizeof(*ret), MSG_PEEK | MSG_DONTWAIT);
	while (length < 0 && (errno == EINTR || wait_out_shortage(-errno, &waits)));
	return length == sizeof(*ret);
}

uint16_t batch_ahead(int socket)
{
	struct batch_header header;

	return look_ahead(socket, &header) && header.count <= BATCH_MAX ? header.count : 0;
}

bool batch_is_foreign(int socket)
{
	struct batch_header header;

	return look_ahead(socket, &header) &&
	       (header.magic != BATCH_MAGIC || header.version != BATCH_VERSION);
}
