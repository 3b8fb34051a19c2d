/* SPDX-License-Identifier: MIT */
/*
 * What the fuzz targets share. A target is a program of libFuzzer: LLVMFuzzerTestOneInput() gets one input, and
 * a crash, a sanitizer's report or a broken FUZZ_CHECK() is a finding. corpus/NAME/ holds the seeds of NAME.c.
 */
#ifndef TEST_FUZZ_H
#define TEST_FUZZ_H

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUZZ_CHECK(condition)                                                                      \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "%s:%d: not true: %s (errno %d)\n", __FILE__, __LINE__,    \
				#condition, errno);                                                \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

enum { FUZZ_FDS = 128 };

/* The same before and after an input if everything that was opened has been closed. */
static inline int count_fds(void)
{
	int count = 0;

	for (int fd = 0; fd < FUZZ_FDS; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

enum { FUZZ_FDS_MAX = 16 };

/* One datagram with descriptors, which stay the caller's. */
static inline void send_with_fds(int to, const uint8_t *data, size_t size, const int *fds,
				 size_t count)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(FUZZ_FDS_MAX * sizeof(int))];
	} control = { .header = { .cmsg_level = SOL_SOCKET,
				  .cmsg_type = SCM_RIGHTS,
				  .cmsg_len = CMSG_LEN(count * sizeof(int)) } };
	struct iovec bytes = { .iov_base = (void *)data, .iov_len = size };
	struct msghdr header = { .msg_iov = &bytes, .msg_iovlen = 1 };

	if (count) {
		memcpy(CMSG_DATA(&control.header), fds, count * sizeof(int));
		header.msg_control = &control;
		header.msg_controllen = CMSG_SPACE(count * sizeof(int));
	}
	sendmsg(to, &header, MSG_DONTWAIT | MSG_NOSIGNAL);
}

#endif
