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
#include "lingerd/calls.h"
#include "lingerd/shortage.h"
#include "lingerd/socket_io.h"

enum {
	/* Larger than any message: later revisions may append fields. */
	DATAGRAM_MAX = 512,
	/*
	 * One is right. But those that are not received the kernel closes in our name, and waits as
	 * long as their SO_LINGER says; so all of them are (SCM_MAX_FD of unix(7)).
	 */
	FDS_MAX = MESSAGE_FDS_MAX,
};

/* One that has been received. Its fds stand in its control data. */
struct datagram {
	char bytes[DATAGRAM_MAX];
	struct iovec vector;
	size_t length;
	int flags;
	int fds[FDS_MAX];
	int fd_count;
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(FDS_MAX * sizeof(int))];
	} control;
};

/* A batch, with the headers that the kernel is given for it. */
static struct datagram datagrams[MESSAGE_BATCH];
static struct mmsghdr headers[MESSAGE_BATCH];

static void set_up_headers(void)
{
	if (headers[0].msg_hdr.msg_iov)
		return;
	for (int i = 0; i < MESSAGE_BATCH; i++) {
		datagrams[i].vector = (struct iovec){ .iov_base = datagrams[i].bytes,
						      .iov_len = sizeof(datagrams[i].bytes) };
		headers[i].msg_hdr = (struct msghdr){
			.msg_iov = &datagrams[i].vector,
			.msg_iovlen = 1,
			.msg_control = &datagrams[i].control,
			.msg_controllen = sizeof(datagrams[i].control.space),
		};
	}
}

static void collect_fds(struct datagram *datagram, struct msghdr *header)
{
	datagram->fd_count = 0;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c; c = CMSG_NXTHDR(header, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		datagram->fd_count = (int)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
		memcpy(datagram->fds, CMSG_DATA(c), (size_t)datagram->fd_count * sizeof(int));
	}
}

/* What the kernel has said of one in its header, which is as it was before then. */
static void read_header(struct datagram *datagram, struct mmsghdr *header)
{
	datagram->length = header->msg_len;
	datagram->flags = header->msg_hdr.msg_flags;
	collect_fds(datagram, &header->msg_hdr);
	header->msg_hdr.msg_controllen = sizeof(datagram->control.space);
}

/*
 * A sender that closes with an answer of ours unread makes the kernel say ECONNRESET, once, and
 * before what it had sent: that is still in the queue.
 */
static bool comes_before_the_queue(int error)
{
	return error == EINTR || error == ECONNRESET;
}

/* How many have been received, or a negative errno. */
static int receive(int sender, int most)
{
	int count;

	set_up_headers();
	do
		count = recvmmsg(sender, headers, (unsigned int)most,
				 MSG_DONTWAIT | MSG_CMSG_CLOEXEC, NULL);
	while (count < 0 && comes_before_the_queue(errno));
	if (count < 0)
		return -errno;
	for (int i = 0; i < count; i++)
		read_header(&datagrams[i], &headers[i]);
	return count;
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
	switch (linger_message_parse(datagram->bytes, datagram->length, ret)) {
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

static enum message_kind kind_of_error(int error)
{
	if (error == -EAGAIN)
		return MESSAGE_NONE;
	return is_shortage(error) ? MESSAGE_LATER : MESSAGE_END;
}

static bool is_empty(const struct datagram *datagram)
{
	return datagram->length == 0 && datagram->fd_count == 0;
}

/* At the end of the connection the kernel fills the rest of a batch with what looks like empty datagrams. */
static bool all_are_empty(const struct datagram *first, int count)
{
	for (int i = 0; i < count; i++)
		if (!is_empty(&first[i]))
			return false;
	return true;
}

/* *ret_said is only set where its bytes are good. */
static enum message_kind judge(const struct datagram *datagram, struct linger_message *ret_said)
{
	enum message_kind kind;

	if (is_empty(datagram))
		return MESSAGE_BAD;
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
	return MESSAGE_HANDOFF; /* if its fd is right */
}

static struct handoff handoff_of(const struct datagram *datagram)
{
	struct linger_handoff_message said;

	linger_message_parse_handoff(datagram->bytes, datagram->length, &said);
	return (struct handoff){
		.half_closed = said.head.flags & LINGER_HALF_CLOSED,
		.idle_timeout_ms = said.idle_timeout_ms,
		.total_timeout_ms = said.total_timeout_ms,
	};
}

static struct message message_of(const struct datagram *datagram)
{
	struct message message = { .fd = -1 };
	struct linger_message said = { .type = 0 };

	message.kind = judge(datagram, &said);
	message.command = (enum linger_message_type)said.type;
	if (message.kind == MESSAGE_HANDOFF) {
		message.fd = datagram->fds[0];
		message.handoff = handoff_of(datagram);
		return message;
	}
	for (int i = 0; i < datagram->fd_count; i++)
		socket_refuse(datagram->fds[i]);
	return message;
}

static bool is_tcp(ssize_t protocol)
{
	return protocol == IPPROTO_TCP || protocol == IPPROTO_MPTCP;
}

/* Handoffs of what is no TCP socket are none. */
static void check_protocols(struct message *messages, int count)
{
	struct call calls[MESSAGE_BATCH];
	struct message *asked[MESSAGE_BATCH];
	int asked_count = 0;

	for (int i = 0; i < count; i++) {
		if (messages[i].kind != MESSAGE_HANDOFF)
			continue;
		asked[asked_count] = &messages[i];
		calls[asked_count++] = (struct call){ .kind = CALL_PROTOCOL, .fd = messages[i].fd };
	}
	calls_make(calls, asked_count);
	for (int i = 0; i < asked_count; i++) {
		if (is_tcp(calls[i].result))
			continue;
		socket_refuse(asked[i]->fd);
		*asked[i] = (struct message){ .kind = MESSAGE_NOT_TCP, .fd = -1 };
	}
}

int message_receive_batch(int sender, struct message *ret, int most)
{
	int count = receive(sender, most);

	if (count < 0) {
		ret[0] = (struct message){ .kind = kind_of_error(count), .fd = -1 };
		return 1;
	}
	for (int i = 0; i < count; i++) {
		if (all_are_empty(&datagrams[i], count - i) && at_end(sender)) {
			ret[i] = (struct message){ .kind = MESSAGE_END, .fd = -1 };
			count = i + 1;
			break;
		}
		ret[i] = message_of(&datagrams[i]);
	}
	check_protocols(ret, count);
	return count;
}

struct message message_receive(int sender)
{
	struct message message;

	message_receive_batch(sender, &message, 1);
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
