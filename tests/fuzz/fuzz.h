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

#endif
