/* SPDX-License-Identifier: MIT */
/* Closed loop, one thread, edge-triggered: when a conversation is over, the next one takes its
 * slot. */
#include "lingerbench/client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "lingerbench/conversation.h"

enum { EVENTS = 64 };

struct slot {
	struct conversation conversation; /* its fd is -1: the slot is free */
	bool connected;
};

struct client {
	const struct client_plan *plan;
	int epoll;
	uint64_t begun; /* conversations */
	uint64_t open;
	uint64_t earliest_ns; /* nobody is to be woken before */
	struct slot *slots;
	unsigned char *buffer;
};

/* After anything happened to a conversation: is it over, when does it have to be woken? */
static void take_stock(struct client *client, const struct slot *slot)
{
	const struct conversation *conversation = &slot->conversation;

	if (conversation->fd < 0) {
		client->open--;
		return;
	}
	if (conversation->wake_ns < client->earliest_ns)
		client->earliest_ns = conversation->wake_ns;
	if (conversation->deadline_ns < client->earliest_ns)
		client->earliest_ns = conversation->deadline_ns;
}

static uint16_t local_port(int fd)
{
	struct sockaddr_in address = { 0 };
	socklen_t length = sizeof(address);

	getsockname(fd, (struct sockaddr *)&address, &length);
	return ntohs(address.sin_port);
}

/* At the first event: did connect() succeed? */
static void check_connected(struct slot *slot)
{
	struct conversation *conversation = &slot->conversation;
	socklen_t length = sizeof(int);
	int error = 0;

	getsockopt(conversation->fd, SOL_SOCKET, SO_ERROR, &error, &length);
	if (error) {
		conversation_fail(conversation, OUTCOME_FAILED, -error);
		return;
	}
	slot->connected = true;
	conversation->row->port = local_port(conversation->fd);
}

static void handle_event(struct client *client, struct slot *slot)
{
	/* A slot is filled anew only in begin_some(), after all events of the round. */
	if (slot->conversation.fd < 0)
		return;
	if (!slot->connected)
		check_connected(slot);
	conversation_go_on(&slot->conversation);
	take_stock(client, slot);
}

static int begin(struct client *client, struct slot *slot)
{
	const struct client_plan *plan = client->plan;
	const struct sockaddr_in server = { .sin_family = AF_INET,
					    .sin_port = htons(plan->server_port),
					    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct epoll_event event = { .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
				     .data.ptr = slot };
	uint64_t number = client->begun++;
	struct client_row *row = &plan->rows->client[number];
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	*row = (struct client_row){ .started_ns = clock_now_ns() };
	*slot = (struct slot){ .conversation = { .fd = fd,
						 .number = number,
						 .peer = plan->peer,
						 .response = plan->response,
						 .buffer = client->buffer,
						 .row = row,
						 .wake_ns = CONVERSATION_NEVER,
						 .deadline_ns =
							 row->started_ns + plan->timeout_ns } };
	client->open++;
	if (epoll_ctl(client->epoll, EPOLL_CTL_ADD, fd, &event))
		return -errno;
	if (connect(fd, (const struct sockaddr *)&server, sizeof(server)) && errno != EINPROGRESS)
		conversation_fail(&slot->conversation, OUTCOME_FAILED, -errno);
	take_stock(client, slot);
	return 0;
}

static int begin_some(struct client *client)
{
	for (uint64_t i = 0; i < client->plan->at_once; i++) {
		struct slot *slot = &client->slots[i];

		while (slot->conversation.fd < 0 && client->begun < client->plan->connections) {
			int error = begin(client, slot);

			if (error)
				return error;
		}
	}
	return 0;
}

/* Wakes those whose pause or time is over, and learns when the next one is due. */
static void look_at_clock(struct client *client)
{
	uint64_t now = clock_now_ns();

	if (now < client->earliest_ns)
		return;
	client->earliest_ns = CONVERSATION_NEVER;
	for (uint64_t i = 0; i < client->plan->at_once; i++) {
		struct conversation *conversation = &client->slots[i].conversation;

		if (conversation->fd < 0)
			continue;
		if (now >= conversation->deadline_ns)
			conversation_fail(conversation, OUTCOME_TIMEOUT, -ETIMEDOUT);
		else if (now >= conversation->wake_ns)
			conversation_go_on(conversation);
		take_stock(client, &client->slots[i]);
	}
}

static int wait_for_events(struct client *client)
{
	struct epoll_event events[EVENTS];
	struct timespec timeout = { .tv_sec = 3600 };
	uint64_t now = clock_now_ns();
	int count;

	if (client->earliest_ns != CONVERSATION_NEVER) {
		uint64_t left = client->earliest_ns > now ? client->earliest_ns - now : 0;

		timeout.tv_sec = (time_t)(left / NS_PER_S);
		timeout.tv_nsec = (long)(left % NS_PER_S);
	}
	count = epoll_pwait2(client->epoll, events, EVENTS, &timeout, NULL);
	if (count < 0)
		return errno == EINTR ? 0 : -errno;
	for (int i = 0; i < count; i++)
		handle_event(client, events[i].data.ptr);
	return 0;
}

static int run(struct client *client)
{
	for (;;) {
		int error = 0;

		if (client->open < client->plan->at_once &&
		    client->begun < client->plan->connections)
			error = begin_some(client);
		if (!error && !client->open)
			return 0;
		if (!error)
			error = wait_for_events(client);
		if (error)
			return error;
		look_at_clock(client);
	}
}

int client_run(const struct client_plan *plan)
{
	struct client client = { .plan = plan, .earliest_ns = CONVERSATION_NEVER };
	int error;

	client.epoll = epoll_create1(EPOLL_CLOEXEC);
	client.slots = calloc(plan->at_once, sizeof(*client.slots));
	client.buffer = malloc(CONVERSATION_BUFFER_BYTES);
	if (client.epoll < 0 || !client.slots || !client.buffer) {
		error = client.epoll < 0 ? -errno : -ENOMEM;
	} else {
		for (uint64_t i = 0; i < plan->at_once; i++)
			client.slots[i].conversation.fd = -1;
		error = run(&client);
	}
	free(client.buffer);
	free(client.slots);
	if (client.epoll >= 0)
		close(client.epoll);
	return error;
}
