/* SPDX-License-Identifier: MIT */
/*
 * One thread, edge-triggered. In a closed loop the next client begins when one has its response. Nothing
 * is done for a conversation but when something happened to it or its time has come, so that
 * thousands may pause at once.
 */
#include "lingerbench/client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "lingerbench/conversation.h"
#include "lingerbench/wakeups.h"

enum { EVENTS = 64 };

struct slot {
	struct conversation conversation; /* its fd is -1: the slot is free */
	bool connected;
	bool waits; /* for its response: it counts as one of plan->at_once */
};

struct client {
	const struct client_plan *plan;
	int epoll;
	SSL_CTX *tls; /* NULL: plain */
	struct arrivals arrivals;
	uint64_t came; /* of an open loop: those that were dropped, too */
	uint64_t began_ns;
	uint64_t wanted_cpu_before_ns;
	uint64_t measured_ns; /* the warm-up is over */
	uint64_t until_ns;    /* no conversation begins from then on */
	uint64_t waiting;     /* conversations that wait for their response */
	struct slot *slots;
	size_t slot_count;
	size_t *free_slots;
	size_t free_count;
	struct wakeups wakeups;
	unsigned char *buffer;
};

/* After anything happened to a conversation: is it over, when does it have to be woken? */
static void take_stock(struct client *client, struct slot *slot)
{
	const struct conversation *conversation = &slot->conversation;
	size_t number = (size_t)(slot - client->slots);
	bool over = conversation->transport.fd < 0;

	if (slot->waits && (over || conversation->row->eof_ns)) {
		slot->waits = false;
		client->waiting--;
	}
	if (over) {
		client->free_slots[client->free_count++] = number;
		wakeups_set(&client->wakeups, number, WAKEUP_NEVER);
	} else {
		uint64_t wake_ns = conversation->wake_ns, deadline_ns = conversation->deadline_ns;

		wakeups_set(&client->wakeups, number,
			    wake_ns < deadline_ns ? wake_ns : deadline_ns);
	}
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

	getsockopt(conversation->transport.fd, SOL_SOCKET, SO_ERROR, &error, &length);
	if (error) {
		conversation_fail(conversation, OUTCOME_FAILED, -error);
		return;
	}
	slot->connected = true;
	conversation->row->port = local_port(conversation->transport.fd);
}

static void handle_event(struct client *client, struct slot *slot)
{
	/* A slot is filled anew only in begin_some(), after all events of the round. */
	if (slot->conversation.transport.fd < 0)
		return;
	if (!slot->connected)
		check_connected(slot);
	conversation_go_on(&slot->conversation);
	take_stock(client, slot);
}

static enum phase phase_at(const struct client *client, uint64_t due_ns)
{
	return due_ns < client->measured_ns ? PHASE_WARM_UP : PHASE_MEASURED;
}

/* There has to be a place. due_ns 0: now. */
static int begin(struct client *client, uint64_t due_ns)
{
	const struct client_plan *plan = client->plan;
	struct slot *slot = &client->slots[client->free_slots[--client->free_count]];
	const struct sockaddr_in server = { .sin_family = AF_INET,
					    .sin_port = htons(plan->server_port),
					    .sin_addr.s_addr =
						    inet_addr(plan->path->server_address) };
	struct epoll_event event = { .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
				     .data.ptr = slot };
	uint64_t number = plan->rows->begun++;
	struct client_row *row = &plan->rows->client[number];
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	*row = (struct client_row){ .started_ns = clock_now_ns() };
	row->due_ns = due_ns ? due_ns : row->started_ns;
	row->phase = phase_at(client, row->due_ns);
	plan->rows->measured += row->phase == PHASE_MEASURED;
	*slot = (struct slot){ .conversation = { .transport.fd = fd,
						 .number = number,
						 .peer = plan->peer,
						 .response = plan->response,
						 .buffer = client->buffer,
						 .row = row,
						 .wake_ns = CONVERSATION_NEVER,
						 .deadline_ns =
							 row->started_ns + plan->timeout_ns },
			       .waits = true };
	client->waiting++;
	conversation_prepare(&slot->conversation);
	if (client->tls) {
		int error = transport_use_tls(&slot->conversation.transport, client->tls);

		if (error)
			return error;
	}
	if (epoll_ctl(client->epoll, EPOLL_CTL_ADD, fd, &event))
		return -errno;
	if (connect(fd, (const struct sockaddr *)&server, sizeof(server)) && errno != EINPROGRESS)
		conversation_fail(&slot->conversation, OUTCOME_FAILED, -errno);
	take_stock(client, slot);
	return 0;
}

static bool has_place(const struct client *client)
{
	return client->waiting < client->plan->at_once && client->free_count;
}

static int begin_closed(struct client *client)
{
	int error = 0;

	while (!error && has_place(client) &&
	       client->plan->rows->begun < client->plan->connections &&
	       clock_now_ns() < client->until_ns)
		error = begin(client, 0);
	return error;
}

/* UINT64_MAX: nobody comes any more. */
static uint64_t next_arrival_ns(const struct client *client)
{
	uint64_t due = arrivals_due_ns(&client->arrivals);

	return client->came < client->plan->connections && due < client->until_ns ? due
										  : UINT64_MAX;
}

static int arrive(struct client *client, uint64_t due_ns)
{
	struct trial_rows *rows = client->plan->rows;
	bool measured = phase_at(client, due_ns) == PHASE_MEASURED;

	client->came++;
	arrivals_pass(&client->arrivals);
	if (!has_place(client)) {
		rows->dropped += measured;
		return 0;
	}
	rows->late += measured && clock_now_ns() - due_ns > CLIENT_LATE_NS;
	return begin(client, due_ns);
}

/* What this process has run, and what it has waited for a CPU, since it began. 0: the kernel does not say. */
static uint64_t wanted_cpu_ns(void)
{
	FILE *file = fopen("/proc/self/schedstat", "re");
	unsigned long long ran, waited;
	int fields = file ? fscanf(file, "%llu %llu", &ran, &waited) : 0;

	if (file)
		fclose(file);
	return fields == 2 ? ran + waited : 0;
}

/* How busy the client process was as long as somebody came. */
static void note_load(struct client *client)
{
	struct trial_rows *rows = client->plan->rows;
	uint64_t next_ns;

	if (rows->came_for_ns || next_arrival_ns(client) != UINT64_MAX)
		return;
	next_ns = arrivals_due_ns(&client->arrivals);
	next_ns = next_ns < client->until_ns ? next_ns : client->until_ns;
	if (next_ns > client->measured_ns)
		rows->measured_for_ns = next_ns - client->measured_ns;
	rows->came_for_ns = clock_now_ns() - client->began_ns;
	rows->wanted_cpu_ns = wanted_cpu_ns() - client->wanted_cpu_before_ns;
}

/* All that are due: to come late is better than not to come, and is counted. */
static int begin_open(struct client *client)
{
	uint64_t now = clock_now_ns();
	uint64_t due = next_arrival_ns(client);
	int error = 0;

	while (!error && due <= now) {
		error = arrive(client, due);
		due = next_arrival_ns(client);
	}
	note_load(client);
	return error;
}

static bool is_open(const struct client *client)
{
	return client->plan->arrivals != ARRIVALS_CLOSED;
}

static int begin_some(struct client *client)
{
	return is_open(client) ? begin_open(client) : begin_closed(client);
}

static bool is_over(const struct client *client)
{
	return client->free_count == client->slot_count &&
	       (!is_open(client) || next_arrival_ns(client) == UINT64_MAX);
}

/* Wakes those whose pause or time is over. */
static void look_at_clock(struct client *client)
{
	uint64_t now = clock_now_ns();
	struct wakeup first;

	while ((first = wakeups_first(&client->wakeups)).at_ns <= now) {
		struct slot *slot = &client->slots[first.slot];

		if (now >= slot->conversation.deadline_ns)
			conversation_fail(&slot->conversation, OUTCOME_TIMEOUT, -ETIMEDOUT);
		else
			conversation_go_on(&slot->conversation);
		take_stock(client, slot);
	}
}

static int wait_for_events(struct client *client)
{
	struct epoll_event events[EVENTS];
	struct timespec timeout = { .tv_sec = 3600 };
	uint64_t now = clock_now_ns();
	uint64_t earliest = wakeups_first(&client->wakeups).at_ns;
	uint64_t arrival = is_open(client) ? next_arrival_ns(client) : UINT64_MAX;
	int count;

	earliest = arrival < earliest ? arrival : earliest;
	if (earliest != WAKEUP_NEVER) {
		uint64_t left = earliest > now ? earliest - now : 0;

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
		int error = begin_some(client);

		if (error)
			return error;
		if (is_over(client))
			return 0;
		error = wait_for_events(client);
		if (error)
			return error;
		look_at_clock(client);
	}
}

static int prepare(struct client *client)
{
	int error = wakeups_make(&client->wakeups, client->slot_count);

	if (error)
		return error;
	client->slots = calloc(client->slot_count, sizeof(*client->slots));
	client->free_slots = calloc(client->slot_count, sizeof(*client->free_slots));
	client->buffer = malloc(CONVERSATION_BUFFER_BYTES);
	if (!client->slots || !client->free_slots || !client->buffer)
		return -ENOMEM;
	for (size_t i = 0; i < client->slot_count; i++) {
		client->slots[i].conversation.transport.fd = -1;
		client->free_slots[client->free_count++] = client->slot_count - 1 - i;
	}
	if (client->plan->tls && !(client->tls = transport_context()))
		return -ENOMEM;
	client->epoll = epoll_create1(EPOLL_CLOEXEC);
	return client->epoll < 0 ? -errno : 0;
}

static void set_times(struct client *client)
{
	const struct client_plan *plan = client->plan;
	uint64_t now = clock_now_ns();

	client->began_ns = now;
	client->wanted_cpu_before_ns = wanted_cpu_ns();
	client->measured_ns = now + plan->warm_up_ns;
	client->until_ns = plan->duration_ns ? client->measured_ns + plan->duration_ns : UINT64_MAX;
	if (is_open(client))
		arrivals_begin(&client->arrivals, plan->arrivals, plan->per_s, plan->seed, now);
}

int client_run(const struct client_plan *plan)
{
	struct client client = { .plan = plan,
				 .epoll = -1,
				 .slot_count = plan->at_once + plan->held };
	int error = path_enter_as_client(plan->path);

	if (!error)
		error = prepare(&client);
	if (!error) {
		set_times(&client);
		error = run(&client);
	}
	SSL_CTX_free(client.tls);
	wakeups_free(&client.wakeups);
	free(client.buffer);
	free(client.free_slots);
	free(client.slots);
	if (client.epoll >= 0)
		close(client.epoll);
	return error;
}
