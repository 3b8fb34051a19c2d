/* SPDX-License-Identifier: MIT */
/* epoll sets: a connection that is in one is not handed off. */
#include "preload/connections.h"
#include "preload/next.h"

/* Both counts are too high for a moment rather than too low. */
PUBLIC int epoll_ctl(int set, int operation, int fd, struct epoll_event *event)
{
	int result;

	if (operation == EPOLL_CTL_ADD)
		connections_watch(fd);
	result = next()->epoll_ctl(set, operation, fd, event);
	if (operation == EPOLL_CTL_ADD ? result != 0 : operation == EPOLL_CTL_DEL && result == 0)
		connections_unwatch(fd);
	return result;
}
