/* SPDX-License-Identifier: MIT */
#include "tests/support/netns.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static const char own[] = "/proc/thread-self/ns/net";

int netns_enter_new(void)
{
	struct ifreq loopback = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
	int former = open(own, O_RDONLY | O_CLOEXEC);
	int fd;

	assert_true(former >= 0);
	assert_int_equal(unshare(CLONE_NEWNET), 0);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(ioctl(fd, SIOCSIFFLAGS, &loopback), 0);
	close(fd);
	return former;
}

void netns_leave(int former)
{
	assert_int_equal(setns(former, CLONE_NEWNET), 0);
	close(former);
}

uint32_t netns_inode(void)
{
	struct stat namespace;

	assert_int_equal(stat(own, &namespace), 0);
	return (uint32_t) namespace.st_ino;
}
