/* SPDX-License-Identifier: MIT */
#include "liblinger/linger.h"
#include "liblinger/protocol.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/*
 * Room for the handoffs that one thread may have on the way to the daemon, in bytes of socket
 * buffer (some 350 each). A daemon that hangs swallows that many connections before
 * linger_handoff() says -EAGAIN, so it is small; a daemon that rests for some milliseconds between
 * rounds must find all of them room, so it is not tiny.
 */
enum { SEND_BUFFER_BYTES = 16 * 1024, THREADS_MAX = 64 };

enum {
	RETRY_AFTER_MS = 10,
	/* The daemon does not want us: that changes when somebody changes its settings. */
	RETRY_WHEN_TURNED_AWAY_MS = 10000,
};

struct linger_client {
	struct sockaddr_un address;
	int send_buffer;
	int daemon_half_closes;
	pthread_mutex_t lock; /* guards all below */
	int connection;	      /* -1: none */
	uint64_t cookie;      /* of the connection's socket, 0: the kernel does not tell */
	int connect_error;    /* of the last attempt, negative errno, 0: none failed */
	struct timespec retry_at;
	struct linger_client *next; /* in all_clients */
};

/*
 * After fork() the child must not share the parent's connection (the daemon would take both for one
 * sender), and must not find a lock held by a thread that exists in the parent only. So every
 * client is known here.
 */
static pthread_mutex_t all_clients_lock = PTHREAD_MUTEX_INITIALIZER;
static struct linger_client *all_clients;
static pthread_once_t fork_handlers_once = PTHREAD_ONCE_INIT;
static int fork_handlers_error;

static void before_fork(void)
{
	pthread_mutex_lock(&all_clients_lock);
	for (struct linger_client *client = all_clients; client; client = client->next)
		pthread_mutex_lock(&client->lock);
}

static void after_fork_in_parent(void)
{
	for (struct linger_client *client = all_clients; client; client = client->next)
		pthread_mutex_unlock(&client->lock);
	pthread_mutex_unlock(&all_clients_lock);
}

static uint64_t socket_cookie(int fd)
{
	socklen_t length = sizeof(uint64_t);
	uint64_t cookie;

	return getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &length) ? 0 : cookie;
}

/*
 * A server that closes all descriptors it does not know, as it does to become a daemon, closes
 * ours, too, and the number may be somebody else's by now: he must get neither our message nor our
 * close(). Without a cookie nothing tells him from us; so such a connection ends with the handoff
 * that made it, and in between there is none.
 */
static int is_ours(const struct linger_client *client)
{
	return client->connection >= 0 &&
	       (!client->cookie || socket_cookie(client->connection) == client->cookie);
}

static void disconnect(struct linger_client *client)
{
	if (is_ours(client))
		close(client->connection);
	client->connection = -1;
}

static void after_fork_in_child(void)
{
	int cancel_state;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE,
			       &cancel_state); /* close() could be the end */
	for (struct linger_client *client = all_clients; client; client = client->next) {
		disconnect(client);
		pthread_mutex_unlock(&client->lock);
	}
	pthread_mutex_unlock(&all_clients_lock);
	pthread_setcancelstate(cancel_state, NULL);
}

/* A thread that is cancelled in a call that blocks nothing would take the lock along. */
static int lock_client(struct linger_client *client)
{
	int cancel_state;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_state);
	pthread_mutex_lock(&client->lock);
	return cancel_state;
}

static void unlock_client(struct linger_client *client, int cancel_state)
{
	pthread_mutex_unlock(&client->lock);
	pthread_setcancelstate(cancel_state, NULL);
}

static void install_fork_handlers(void)
{
	fork_handlers_error =
		-pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
}

/* What the caller knows of a structure of options, as far as we do; its first member is its size. */
static int read_sized(void *ret, size_t known, const void *options)
{
	const char *bytes = options;
	size_t size;

	if (!options)
		return 0;
	memcpy(&size, options, sizeof(size));
	if (size < known)
		return -EINVAL; /* this is the first version */
	for (size_t i = known; i < size; i++)
		if (bytes[i])
			return -E2BIG;
	memcpy(ret, options, known);
	return 0;
}

int linger_client_open_with(struct linger_client **ret, const char *socket_path,
			    const struct linger_client_options *options)
{
	struct linger_client_options known = LINGER_CLIENT_OPTIONS_INIT;
	int error = read_sized(&known, sizeof(known), options);
	struct linger_client *client;

	if (error)
		return error;
	if (!ret || !socket_path || !*socket_path)
		return -EINVAL;
	if (strlen(socket_path) >= sizeof(client->address.sun_path))
		return -ENAMETOOLONG;
	pthread_once(&fork_handlers_once, install_fork_handlers);
	if (fork_handlers_error)
		return fork_handlers_error;
	client = calloc(1, sizeof(*client));
	if (!client)
		return -ENOMEM;
	client->address.sun_family = AF_UNIX;
	memcpy(client->address.sun_path, socket_path, strlen(socket_path) + 1);
	pthread_mutex_init(&client->lock, NULL);
	client->connection = -1;
	if (known.threads > THREADS_MAX)
		known.threads = THREADS_MAX;
	client->daemon_half_closes = known.daemon_half_closes == 1;
	client->send_buffer = SEND_BUFFER_BYTES * (int)(known.threads ? known.threads : 1);

	pthread_mutex_lock(&all_clients_lock);
	client->next = all_clients;
	all_clients = client;
	pthread_mutex_unlock(&all_clients_lock);
	*ret = client;
	return 0;
}

int linger_client_open(struct linger_client **ret, const char *socket_path)
{
	return linger_client_open_with(ret, socket_path, NULL);
}

void linger_client_close(struct linger_client *client)
{
	int cancel_state;

	if (!client)
		return;
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_state);
	pthread_mutex_lock(&all_clients_lock);
	for (struct linger_client **link = &all_clients; *link; link = &(*link)->next) {
		if (*link == client) {
			*link = client->next;
			break;
		}
	}
	/* No fork in between: the child would have the connection, and not know it. */
	disconnect(client);
	pthread_mutex_unlock(&all_clients_lock);
	pthread_setcancelstate(cancel_state, NULL);
	pthread_mutex_destroy(&client->lock);
	free(client);
}

static int must_wait(const struct linger_client *client, struct timespec now)
{
	return client->connect_error &&
	       (now.tv_sec < client->retry_at.tv_sec ||
		(now.tv_sec == client->retry_at.tv_sec && now.tv_nsec < client->retry_at.tv_nsec));
}

static int open_connection(const struct sockaddr_un *address, int send_buffer)
{
	int error;
	int connection = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (connection < 0)
		return -errno;
	setsockopt(connection, SOL_SOCKET, SO_SNDBUF, &send_buffer, sizeof(send_buffer));
	if (!connect(connection, (const struct sockaddr *)address, sizeof(*address)))
		return connection;
	error = -errno; /* EAGAIN: the daemon's backlog is full */
	close(connection);
	return error;
}

static int fail_for(struct linger_client *client, int error, struct timespec now, long ms)
{
	client->connect_error = error;
	now.tv_sec += ms / 1000;
	now.tv_nsec += ms % 1000 * 1000000L;
	if (now.tv_nsec >= 1000000000L) {
		now.tv_sec++;
		now.tv_nsec -= 1000000000L;
	}
	client->retry_at = now;
	return error;
}

static int ensure_connection(struct linger_client *client)
{
	struct timespec now;
	int connection;

	if (is_ours(client))
		return 0;
	client->connection = -1;
	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	if (must_wait(client, now))
		return client->connect_error;
	connection = open_connection(&client->address, client->send_buffer);
	if (connection < 0)
		return fail_for(client, connection, now, RETRY_AFTER_MS);
	client->connect_error = 0;
	client->connection = connection;
	client->cookie = socket_cookie(connection);
	return 0;
}

static int send_fd(const struct linger_client *client, int fd, const struct linger_options *options)
{
	int asks = options->idle_timeout_ms || options->total_timeout_ms;
	struct linger_handoff_message message = {
		.head = {
			.magic = LINGER_PROTOCOL_MAGIC,
			.version = LINGER_PROTOCOL_VERSION,
			.size = asks ? sizeof(message) : sizeof(message.head),
			.type = LINGER_MESSAGE_HANDOFF,
			.flags = client->daemon_half_closes ? 0 : LINGER_HALF_CLOSED,
		},
		.idle_timeout_ms = options->idle_timeout_ms,
		.total_timeout_ms = options->total_timeout_ms,
	};
	struct iovec bytes = { .iov_base = &message, .iov_len = message.head.size };
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { .header = { .cmsg_level = SOL_SOCKET,
				  .cmsg_type = SCM_RIGHTS,
				  .cmsg_len = CMSG_LEN(sizeof(int)) } };
	struct msghdr datagram = {
		.msg_iov = &bytes,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control.space),
	};

	memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	while (sendmsg(client->connection, &datagram, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		if (errno != EINTR)
			return -errno;
	return 0;
}

/* The daemon went away while we were connected; nothing of a message that fails so has reached it.
 */
static int daemon_is_gone(int error)
{
	return error == -EPIPE || error == -ECONNRESET || error == -ENOTCONN ||
	       error == -ECONNREFUSED;
}

/* Of a connection that takes no more: whether the daemon has said that this process may not. */
static int turned_away(const struct linger_client *client)
{
	char text[sizeof(LINGER_TURNED_AWAY) - 1];
	ssize_t length;

	do
		length = recv(client->connection, text, sizeof(text), MSG_DONTWAIT);
	while (length < 0 && (errno == EINTR || errno == ECONNRESET));
	return length == sizeof(text) && !memcmp(text, LINGER_TURNED_AWAY, sizeof(text));
}

static int reconnect(struct linger_client *client)
{
	int unwanted = turned_away(client);
	struct timespec now;

	disconnect(client);
	if (!unwanted)
		return ensure_connection(client);
	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return fail_for(client, -EACCES, now, RETRY_WHEN_TURNED_AWAY_MS);
}

static int handoff_locked(struct linger_client *client, int fd,
			  const struct linger_options *options)
{
	int error = ensure_connection(client);

	if (error)
		return error;
	if (!client->daemon_half_closes && shutdown(fd, SHUT_WR))
		return -errno;
	error = send_fd(client, fd, options);
	if (!daemon_is_gone(error))
		return error;
	error = reconnect(client);
	return error ? error : send_fd(client, fd, options);
}

int linger_handoff_with(struct linger_client *client, int fd, const struct linger_options *options)
{
	struct linger_options known = LINGER_OPTIONS_INIT;
	int error = read_sized(&known, sizeof(known), options);
	int cancel_state;

	if (error)
		return error;
	cancel_state = lock_client(client);
	error = handoff_locked(client, fd, &known);
	if (!client->cookie)
		disconnect(client);
	unlock_client(client, cancel_state);
	return error;
}

int linger_handoff(struct linger_client *client, int fd)
{
	return linger_handoff_with(client, fd, NULL);
}
