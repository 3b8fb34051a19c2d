/* SPDX-License-Identifier: MIT */
/*
 * The way between clients and server. As a rule that is this machine's loopback. Where the scenario wants a link with
 * delay and loss, or other system settings, the lab moves to a network namespace of its own, which is gone when it
 * ends: nothing of this machine's network is touched. Over a link, clients have a namespace of theirs:
 *
 *	clients' namespace                     server's namespace: the lab itself, the server, lingerd
 *	  lb-client 192.0.2.2  ==== veth ====  lb-server 192.0.2.1
 *
 * Where the link delays and loses, each end does that to what it sends (netem), in packets as a network has them:
 * segmentation offload is off then. Both ends know each other's hardware address, so that no lost ARP costs a second.
 */
#ifndef LINGERBENCH_PATH_H
#define LINGERBENCH_PATH_H

#include "lingerbench/path_settings.h"

/* Debian's, that has the tools to make it. */
#define PATH_PACKAGE "iproute2"

struct path {
	char server_address[16]; /* dotted; for the server to listen on */
	int clients_netns;	 /* -1: that of the lab */
};

/*
 * Makes it, and moves this process where it is apart. Blocks for some tens of milliseconds. 0, or a negative errno that
 * has been logged with the way out; file is the scenario's, for that. The processes that are forked from now on are on
 * the server's side. *ret is to be closed in any case.
 */
int path_open(struct path *ret, const struct path_settings *settings, const char *file);
/* For a process that is to be on the clients' side. 0 or a negative errno. */
int path_enter_as_client(const struct path *path);
/* Closes what path_open() has opened; a path that is all zeroes but for clients_netns -1 is none. */
void path_close(struct path *path);

#endif
