/* SPDX-License-Identifier: MIT */
/*
 * Any datagram, with any kind of descriptors: message_receive() must not crash, and what it does not give to its
 * caller must be closed. The first byte of an input says what comes along, the rest is the datagram.
 */
#include "lingerd/message.h"
#include "tests/fuzz/fuzz.h"

enum { FDS_MAX = 3 };

static int make_fd(uint8_t kind)
{
	if (kind & 1)
		return socket(AF_INET, SOCK_STREAM, 0);
	return kind & 2 ? socket(AF_INET, SOCK_DGRAM, 0) : open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void send_input(int to, uint8_t along, const uint8_t *data, size_t size)
{
	size_t count = along & 3;
	int fds[FDS_MAX];

	for (size_t i = 0; i < count; i++)
		fds[i] = make_fd((uint8_t)(along >> (2 + 2 * i)));
	send_with_fds(to, data, size, fds, count);
	for (size_t i = 0; i < count; i++)
		close(fds[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int open_before = count_fds(), ends[2];
	struct message message;

	if (!size)
		return 0;
	FUZZ_CHECK(!socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends));
	send_input(ends[0], data[0], data + 1, size - 1);
	message_look_ahead(ends[1]);
	do {
		message = message_receive(ends[1]);
		FUZZ_CHECK((message.kind == MESSAGE_HANDOFF) == (message.fd >= 0));
		if (message.fd >= 0)
			close(message.fd);
	} while (message.kind != MESSAGE_NONE && message.kind != MESSAGE_END);
	close(ends[0]);
	close(ends[1]);
	FUZZ_CHECK(count_fds() == open_before);
	return 0;
}
