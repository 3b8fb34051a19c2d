/* SPDX-License-Identifier: MIT */
/*
 * Closed loop, one thread, edge-triggered: a step tries its I/O when it is entered and at every
 * event, and is left alone when it would block.
 */
#include "lingerbench/client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"

enum { HEAD_BYTES = 1024, RECEIVE_BYTES = 256 * 1024, EVENTS = 64 };
#define NEVER UINT64_MAX

struct connection {
	int fd; /* -1: slot is free */
	bool connected;
	bool step_begun;
	bool head_done;
	size_t step;
	size_t head_bytes;
	uint64_t number;
	uint64_t step_sent;   /* bytes of the step under way */
	uint64_t wake_ns;     /* NEVER, or the end of a pause */
	uint64_t deadline_ns; /* NEVER once EOF came: the rest is the script's own time */
	struct client_row *row;
	char head[HEAD_BYTES + 1];
};

struct client {
	const struct client_plan *plan;
	int epoll;
	uint64_t begun; /* connections */
	uint64_t open;
	uint64_t earliest_ns; /* no connection wakes before */
	struct connection *slots;
	unsigned char *buffer;
};

enum progress { DONE, BLOCKED };

static const struct peer_step *current_step(const struct client *client,
					    const struct connection *connection)
{
	return &client->plan->peer->steps[connection->step];
}

static void wake_at(struct client *client, struct connection *connection, uint64_t when)
{
	connection->wake_ns = when;
	if (when < client->earliest_ns)
		client->earliest_ns = when;
}

static enum progress pause_until_over(struct client *client, struct connection *connection,
				      uint64_t length_ns)
{
	if (!connection->step_begun)
		wake_at(client, connection, clock_now_ns() + length_ns);
	connection->step_begun = true;
	if (clock_now_ns() < connection->wake_ns)
		return BLOCKED;
	connection->wake_ns = NEVER;
	return DONE;
}

/* Sends what is left of a step of total bytes; a send that fails ends the step, as it ends a real
 * upload. */
static enum progress send_bytes(struct connection *connection, const void *bytes, uint64_t total)
{
	while (connection->step_sent < total) {
		ssize_t n = send(connection->fd, (const char *)bytes + connection->step_sent,
				 total - connection->step_sent, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0 && errno == EAGAIN)
			return BLOCKED;
		if (n < 0) {
			connection->row->send_error = -errno;
			return DONE;
		}
		connection->step_sent += (uint64_t)n;
	}
	return DONE;
}

static enum progress send_request(struct connection *connection, const struct peer_step *step)
{
	char head[160];
	int length = snprintf(head, sizeof(head), "%s /%llu HTTP/1.1\r\nHost: lingerbench\r\n",
			      step->kind == PEER_POST ? "POST" : "GET",
			      (unsigned long long)connection->number);

	if (step->kind == PEER_POST)
		length += snprintf(head + length, sizeof(head) - length, "Content-Length: %llu\r\n",
				   (unsigned long long)step->bytes);
	length += snprintf(head + length, sizeof(head) - length, "Connection: close\r\n\r\n");
	return send_bytes(connection, head, (uint64_t)length);
}

/* Pieces with pauses between them; step_sent counts the bytes of all. */
static enum progress upload(struct client *client, struct connection *connection,
			    const struct peer_step *step)
{
	const unsigned char *body = response_body(client->plan->response, 0);
	uint64_t total = step->bytes * step->count;

	while (connection->step_sent < total && !connection->row->send_error) {
		uint64_t piece_end = (connection->step_sent / step->bytes + 1) * step->bytes;
		uint64_t left = piece_end - connection->step_sent;
		ssize_t n;

		if (connection->wake_ns != NEVER && clock_now_ns() < connection->wake_ns)
			return BLOCKED;
		connection->wake_ns = NEVER;
		if (left > client->plan->response->body_bytes)
			left = client->plan->response->body_bytes;
		n = send(connection->fd, body, left, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0 && errno == EAGAIN)
			return BLOCKED;
		if (n < 0) {
			connection->row->send_error = -errno;
			break;
		}
		connection->step_sent += (uint64_t)n;
		if (connection->step_sent == piece_end && connection->step_sent < total)
			wake_at(client, connection, clock_now_ns() + step->pause_ns);
	}
	connection->wake_ns = NEVER;
	return DONE;
}

/* Looks for the end of the head; returns how many of the bytes belonged to it. */
static size_t take_head(struct connection *connection, const unsigned char *bytes, size_t length)
{
	size_t before = connection->head_bytes;
	size_t room = HEAD_BYTES - before;
	size_t taken = length < room ? length : room;
	char *end, *field;

	memcpy(connection->head + before, bytes, taken);
	connection->head_bytes += taken;
	connection->head[connection->head_bytes] = '\0';
	end = strstr(connection->head, "\r\n\r\n");
	if (!end) {
		if (connection->head_bytes == HEAD_BYTES)
			connection->row->outcome = OUTCOME_CORRUPT;
		return taken;
	}
	connection->head_done = true;
	field = strcasestr(connection->head, "\r\nContent-Length: ");
	if (field && field < end)
		connection->row->promised_bytes =
			strtoull(field + strlen("\r\nContent-Length: "), NULL, 10);
	return (size_t)(end + 4 - connection->head) - before;
}

static void take_body(const struct response *response, struct connection *connection,
		      const unsigned char *bytes, size_t length)
{
	struct client_row *row = connection->row;

	if (row->promised_bytes != response->body_bytes ||
	    row->received_bytes + length > row->promised_bytes ||
	    memcmp(bytes, response_body(response, connection->number) + row->received_bytes,
		   length))
		row->outcome = OUTCOME_CORRUPT;
	row->received_bytes += length;
}

static void take_bytes(struct client *client, struct connection *connection, size_t length)
{
	const unsigned char *bytes = client->buffer;
	struct client_row *row = connection->row;
	size_t taken = 0;

	row->last_byte_ns = clock_now_ns();
	if (!row->first_byte_ns)
		row->first_byte_ns = row->last_byte_ns;
	if (!connection->head_done)
		taken = take_head(connection, bytes, length);
	if (connection->head_done && taken < length)
		take_body(client->plan->response, connection, bytes + taken, length - taken);
}

/* EOF (error 0) or an error: what did the client get? */
static void judge(struct connection *connection, int error)
{
	struct client_row *row = connection->row;
	bool whole = connection->head_done && row->received_bytes == row->promised_bytes;

	row->eof_ns = clock_now_ns();
	row->error = error;
	connection->deadline_ns = NEVER;
	if (row->outcome == OUTCOME_CORRUPT)
		return;
	if (whole)
		row->outcome = error ? OUTCOME_COMPLETE_RESET : OUTCOME_COMPLETE_FIN;
	else
		row->outcome = error ? OUTCOME_TRUNCATED_RESET : OUTCOME_TRUNCATED_FIN;
}

static enum progress receive(struct client *client, struct connection *connection)
{
	for (;;) {
		ssize_t n = recv(connection->fd, client->buffer, RECEIVE_BYTES, MSG_DONTWAIT);

		if (n < 0 && errno == EAGAIN)
			return BLOCKED;
		if (n <= 0) {
			judge(connection, n < 0 ? -errno : 0);
			return DONE;
		}
		take_bytes(client, connection, (size_t)n);
	}
}

static void end(struct client *client, struct connection *connection, bool reset)
{
	const struct linger no_linger = { .l_onoff = 1, .l_linger = 0 };

	if (reset)
		setsockopt(connection->fd, SOL_SOCKET, SO_LINGER, &no_linger, sizeof(no_linger));
	close(connection->fd);
	connection->fd = -1;
	connection->row->ended_ns = clock_now_ns();
	client->open--;
}

static enum progress run_step(struct client *client, struct connection *connection)
{
	const struct peer_step *step = current_step(client, connection);

	switch (step->kind) {
	case PEER_GET:
	case PEER_POST:
		return send_request(connection, step);
	case PEER_UPLOAD:
		return upload(client, connection, step);
	case PEER_RECEIVE:
		return receive(client, connection);
	case PEER_PAUSE:
		return pause_until_over(client, connection, step->pause_ns);
	case PEER_HALF_CLOSE:
		shutdown(connection->fd, SHUT_WR);
		return DONE;
	case PEER_CLOSE:
	case PEER_RESET:
		end(client, connection, step->kind == PEER_RESET);
		return DONE;
	}
	return DONE;
}

static void run_steps(struct client *client, struct connection *connection)
{
	while (connection->fd >= 0 && run_step(client, connection) == DONE) {
		connection->step++;
		connection->step_begun = false;
		connection->step_sent = 0;
	}
}

static void fail(struct client *client, struct connection *connection, enum outcome outcome,
		 int error)
{
	connection->row->outcome = outcome;
	connection->row->error = error;
	end(client, connection, false);
}

static uint16_t local_port(int fd)
{
	struct sockaddr_in address = { 0 };
	socklen_t length = sizeof(address);

	getsockname(fd, (struct sockaddr *)&address, &length);
	return ntohs(address.sin_port);
}

/* After the first writable event: did connect() succeed? */
static bool check_connected(struct client *client, struct connection *connection)
{
	int error = 0;
	socklen_t length = sizeof(error);

	if (connection->connected)
		return true;
	getsockopt(connection->fd, SOL_SOCKET, SO_ERROR, &error, &length);
	if (error) {
		fail(client, connection, OUTCOME_FAILED, -error);
		return false;
	}
	connection->connected = true;
	connection->row->port = local_port(connection->fd);
	return true;
}

static int begin(struct client *client, struct connection *connection)
{
	const struct sockaddr_in server = { .sin_family = AF_INET,
					    .sin_port = htons(client->plan->server_port),
					    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct epoll_event event = { .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
				     .data.ptr = connection };
	uint64_t number = client->begun++;
	struct client_row *row = &client->plan->rows->client[number];

	*row = (struct client_row){ .started_ns = clock_now_ns() };
	*connection =
		(struct connection){ .number = number,
				     .wake_ns = NEVER,
				     .deadline_ns = row->started_ns + client->plan->timeout_ns,
				     .row = row };
	connection->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (connection->fd < 0)
		return -errno;
	client->open++;
	if (connection->deadline_ns < client->earliest_ns)
		client->earliest_ns = connection->deadline_ns;
	if (epoll_ctl(client->epoll, EPOLL_CTL_ADD, connection->fd, &event))
		return -errno;
	if (connect(connection->fd, (const struct sockaddr *)&server, sizeof(server)) &&
	    errno != EINPROGRESS)
		fail(client, connection, OUTCOME_FAILED, -errno);
	return 0;
}

/* Wakes those whose pause or time is over, and learns when the next one is due. */
static void look_at_clock(struct client *client)
{
	uint64_t now = clock_now_ns();

	if (now < client->earliest_ns)
		return;
	client->earliest_ns = NEVER;
	for (uint64_t i = 0; i < client->plan->at_once; i++) {
		struct connection *connection = &client->slots[i];

		if (connection->fd < 0)
			continue;
		if (now >= connection->deadline_ns)
			fail(client, connection, OUTCOME_TIMEOUT, -ETIMEDOUT);
		else if (now >= connection->wake_ns)
			run_steps(client, connection);
		if (connection->fd < 0)
			continue;
		if (connection->wake_ns < client->earliest_ns)
			client->earliest_ns = connection->wake_ns;
		if (connection->deadline_ns < client->earliest_ns)
			client->earliest_ns = connection->deadline_ns;
	}
}

static int wait_for_events(struct client *client)
{
	struct epoll_event events[EVENTS];
	struct timespec timeout = { .tv_sec = 3600 };
	uint64_t now = clock_now_ns();
	int count;

	if (client->earliest_ns != NEVER) {
		uint64_t left = client->earliest_ns > now ? client->earliest_ns - now : 0;

		timeout.tv_sec = (time_t)(left / NS_PER_S);
		timeout.tv_nsec = (long)(left % NS_PER_S);
	}
	count = epoll_pwait2(client->epoll, events, EVENTS, &timeout, NULL);
	if (count < 0)
		return errno == EINTR ? 0 : -errno;
	for (int i = 0; i < count; i++) {
		struct connection *connection = events[i].data.ptr;

		/* A slot is filled anew only in begin_some(), after all events of the round. */
		if (connection->fd >= 0 && check_connected(client, connection))
			run_steps(client, connection);
	}
	return 0;
}

static int begin_some(struct client *client)
{
	for (uint64_t i = 0; i < client->plan->at_once; i++) {
		struct connection *connection = &client->slots[i];

		while (connection->fd < 0 && client->begun < client->plan->connections) {
			int error = begin(client, connection);

			if (error)
				return error;
		}
	}
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
	struct client client = { .plan = plan, .earliest_ns = NEVER };
	int error;

	client.epoll = epoll_create1(EPOLL_CLOEXEC);
	client.slots = calloc(plan->at_once, sizeof(*client.slots));
	client.buffer = malloc(RECEIVE_BYTES);
	if (client.epoll < 0 || !client.slots || !client.buffer) {
		error = client.epoll < 0 ? -errno : -ENOMEM;
	} else {
		for (uint64_t i = 0; i < plan->at_once; i++)
			client.slots[i].fd = -1;
		error = run(&client);
	}
	free(client.buffer);
	free(client.slots);
	if (client.epoll >= 0)
		close(client.epoll);
	return error;
}
