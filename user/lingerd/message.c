/* SPDX-License-Identifier: MIT */
#include "lingerd/message.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "liblinger/protocol.h"
#include "lingerd/shortage.h"
#include "lingerd/socket_io.h"

enum {
	/* Larger than any message: later revisions may append fields. */
	DATAGRAM_MAX = 512,
	/*
	 * One is right. But those that are not received the kernel closes in our name, and waits as
	 * long as their SO_LINGER says; so all of them are (SCM_MAX_FD of unix(7)).
	 */
	FDS_MAX = 253,
};

struct datagram {
	char bytes[DATAGRAM_MAX];
	ssize_t length; /* or negative errno */
	int flags;
	int fds[FDS_MAX];
	int fd_count;
};

static void collect_fds(struct datagram *datagram, struct msghdr *header)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c; c = CMSG_NXTHDR(header, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		datagram->fd_count = (int)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
		memcpy(datagram->fds, CMSG_DATA(c), (size_t)datagram->fd_count * sizeof(int));
	}
}

/*
 * A sender that closes with an answer of ours unread makes the kernel say ECONNRESET, once, and
 * before what it had sent: that is still in the queue.
 */
static bool comes_before_the_queue(int error)
{
	return error == EINTR || error == ECONNRESET;
}

static void receive(int sender, struct datagram *ret)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(FDS_MAX * sizeof(int))];
	} control;
	struct iovec bytes = { .iov_base = ret->bytes, .iov_len = sizeof(ret->bytes) };
	struct msghdr header = {
		.msg_iov = &bytes,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control.space),
	};

	do
		ret->length = recvmsg(sender, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	while (ret->length < 0 && comes_before_the_queue(errno));
	if (ret->length < 0) {
		ret->length = -errno;
		ret->fd_count = 0;
		return;
	}
	ret->flags = header.msg_flags;
	ret->fd_count = 0;
	collect_fds(ret, &header);
}

static bool is_tcp(int fd)
{
	socklen_t length = sizeof(int);
	int protocol;

	return !getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &length) &&
	       (protocol == IPPROTO_TCP || protocol == IPPROTO_MPTCP);
}

static enum message_kind kind_of(uint16_t type)
{
	switch (type) {
	case LINGER_MESSAGE_HANDOFF:
		return MESSAGE_HANDOFF;
	case LINGER_MESSAGE_STATUS:
		return MESSAGE_STATUS;
	default:
		return MESSAGE_COMMAND;
	}
}

static enum message_kind judge_bytes(const struct datagram *datagram, struct linger_message *ret)
{
	if (datagram->flags & MSG_TRUNC)
		return MESSAGE_BAD;
	switch (linger_message_parse(datagram->bytes, (size_t)datagram->length, ret)) {
	case 0:
		return kind_of(ret->type);
	case -EPROTONOSUPPORT:
		return MESSAGE_VERSION;
	default:
		return MESSAGE_BAD;
	}
}

/*
 * After a read of nothing: the end of the connection, or a datagram without bytes? While the other
 * side can still send there is no end. Once it cannot, nothing is added to the queue, and what is
 * worth reading there has bytes.
 */
static bool at_end(int sender)
{
	struct pollfd look = { .fd = sender, .events = POLLRDHUP };
	int queued;

	if (poll(&look, 1, 0) == 0)
		return false;
	return ioctl(sender, FIONREAD, &queued) || queued == 0;
}

static enum message_kind kind_of_error(ssize_t error)
{
	if (error == -EAGAIN)
		return MESSAGE_NONE;
	return is_shortage(error) ? MESSAGE_LATER : MESSAGE_END;
}

/* *ret_said is only set where its bytes are good. */
static enum message_kind judge(int sender, const struct datagram *datagram,
			       struct linger_message *ret_said)
{
	enum message_kind kind;

	if (datagram->length < 0)
		return kind_of_error(datagram->length);
	if (datagram->length == 0 && datagram->fd_count == 0)
		return at_end(sender) ? MESSAGE_END : MESSAGE_BAD;
	kind = judge_bytes(datagram, ret_said);
	if (kind != MESSAGE_HANDOFF && kind != MESSAGE_STATUS && kind != MESSAGE_COMMAND)
		return kind;
	if (datagram->fd_count > 1)
		return MESSAGE_MANY_FDS;
	if (datagram->flags & MSG_CTRUNC)
		return MESSAGE_TRUNCATED;
	if (kind != MESSAGE_HANDOFF)
		return datagram->fd_count ? MESSAGE_BAD : kind;
	if (datagram->fd_count == 0)
		return MESSAGE_NO_FD;
	return is_tcp(datagram->fds[0]) ? MESSAGE_HANDOFF : MESSAGE_NOT_TCP;
}

static struct handoff handoff_of(const struct datagram *datagram)
{
	struct linger_handoff_message said;

	linger_message_parse_handoff(datagram->bytes, (size_t)datagram->length, &said);
	return (struct handoff){
		.half_closed = said.head.flags & LINGER_HALF_CLOSED,
		.idle_timeout_ms = said.idle_timeout_ms,
		.total_timeout_ms = said.total_timeout_ms,
	};
}

struct message message_receive(int sender)
{
	struct message message = { .fd = -1 };
	struct datagram datagram = { .fd_count = 0 };
	struct linger_message said = { .type = 0 };

	receive(sender, &datagram);
	message.kind = judge(sender, &datagram, &said);
	message.command = (enum linger_message_type)said.type;
	if (message.kind == MESSAGE_HANDOFF) {
		message.fd = datagram.fds[0];
		message.handoff = handoff_of(&datagram);
		return message;
	}
	for (int i = 0; i < datagram.fd_count; i++)
		socket_refuse(datagram.fds[i]);
	return message;
}

struct message message_receive_last(int sender, int *waits)
{
	struct message message;

	do
		message = message_receive(sender);
	while (message.kind == MESSAGE_LATER && wait_out_shortage(-ENOMEM, waits));
	return message;
}

enum message_ahead message_look_ahead(int sender)
{
	char byte;
	struct iovec bytes = { .iov_base = &byte, .iov_len = sizeof(byte) };
	struct msghdr header = { .msg_iov = &bytes, .msg_iovlen = 1 };

	ssize_t length;

	/* No room for control data: the kernel says that there would have been some. */
	do
		length = recvmsg(sender, &header, MSG_DONTWAIT | MSG_PEEK);
	while (length < 0 && comes_before_the_queue(errno));
	if (length < 0)
		return errno == EAGAIN ? AHEAD_NONE : AHEAD_WITHOUT_FDS;
	return header.msg_flags & MSG_CTRUNC ? AHEAD_WITH_FDS : AHEAD_WITHOUT_FDS;
}
