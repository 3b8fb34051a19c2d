/* SPDX-License-Identifier: MIT */
#include "metrics/http.h"

#include <errno.h>
#include <microhttpd.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "metrics/listen.h"

enum { PATIENCE_S = 5, WAIT_MOST_MS = 1000 };

#define TYPE_PLAIN	 "text/plain; charset=utf-8"
#define TYPE_PROMETHEUS	 "text/plain; version=0.0.4; charset=utf-8"
#define TYPE_OPENMETRICS "application/openmetrics-text; version=1.0.0; charset=utf-8"

struct metrics_http {
	struct MHD_Daemon *daemon;
	struct metrics_listener listener;
	struct metrics_text *text;
	metrics_write_fn *write;
	void *context;
	int fd;		 /* epoll's, the daemon's */
	bool has_closed; /* clients, in the last round */
};

static enum MHD_Result answer(struct MHD_Connection *connection, unsigned int status,
			      const char *type, const char *body, size_t length)
{
	struct MHD_Response *response =
		MHD_create_response_from_buffer(length, (void *)(uintptr_t)body,
						MHD_RESPMEM_MUST_COPY);
	enum MHD_Result result;

	if (!response)
		return MHD_NO;
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
	result = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result answer_line(struct MHD_Connection *connection, unsigned int status,
				   const char *line)
{
	return answer(connection, status, TYPE_PLAIN, line, strlen(line));
}

/* OpenMetrics, but for those who name plain text and not OpenMetrics. */
static enum metrics_form wanted_form(struct MHD_Connection *connection)
{
	const char *accept =
		MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_ACCEPT);

	if (accept && strstr(accept, "text/plain") && !strstr(accept, "openmetrics"))
		return METRICS_PROMETHEUS;
	return METRICS_OPENMETRICS;
}

static enum MHD_Result answer_metrics(struct metrics_http *http, struct MHD_Connection *connection)
{
	enum metrics_form form = wanted_form(connection);
	const char *body;
	size_t length;

	metrics_text_begin(http->text, form);
	http->write(http->context, http->text);
	if (metrics_text_end(http->text, &body, &length))
		return answer_line(connection, MHD_HTTP_INTERNAL_SERVER_ERROR, "out of memory\n");
	return answer(connection, MHD_HTTP_OK,
		      form == METRICS_OPENMETRICS ? TYPE_OPENMETRICS : TYPE_PROMETHEUS, body,
		      length);
}

static enum MHD_Result handle_request(void *context, struct MHD_Connection *connection,
				      const char *url, const char *method, const char *version,
				      const char *upload, size_t *upload_size, void **state)
{
	static int seen;

	(void)version;
	(void)upload;
	(void)upload_size;
	/* Before a body is read, which nobody wants. */
	if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
		return answer_line(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "only GET\n");
	/* An answer at the first call, of the header alone, would end the connection. */
	if (!*state) {
		*state = &seen;
		return MHD_YES;
	}
	if (!strcmp(url, "/metrics"))
		return answer_metrics(context, connection);
	if (!strcmp(url, "/"))
		return answer_line(connection, MHD_HTTP_OK, "The metrics are at /metrics\n");
	return answer_line(connection, MHD_HTTP_NOT_FOUND,
			   "Not here; the metrics are at /metrics\n");
}

/* libmicrohttpd would write to stderr whatever clients do wrong. */
static void log_nothing(void *context, const char *format, va_list arguments)
{
	(void)context;
	(void)format;
	(void)arguments;
}

static int start_daemon(struct metrics_http *http)
{
	const union MHD_DaemonInfo *info;

	http->daemon =
		MHD_start_daemon(MHD_USE_EPOLL | MHD_USE_ERROR_LOG, 0, NULL, NULL, handle_request,
				 http, MHD_OPTION_EXTERNAL_LOGGER, log_nothing, NULL,
				 MHD_OPTION_LISTEN_SOCKET, http->listener.fd,
				 MHD_OPTION_CONNECTION_LIMIT, (unsigned int)METRICS_HTTP_CLIENTS,
				 MHD_OPTION_CONNECTION_TIMEOUT, (unsigned int)PATIENCE_S,
				 MHD_OPTION_END);
	if (!http->daemon)
		return -ENOMEM;
	info = MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	http->fd = info ? info->epoll_fd : -1;
	return 0;
}

int metrics_http_open(struct metrics_http **ret, const struct metrics_target *target,
		      metrics_write_fn *write, void *context, char *error, size_t error_size)
{
	struct metrics_http *http = calloc(1, sizeof(*http));
	int result = -ENOMEM;

	if (!http)
		goto fail;
	http->write = write;
	http->context = context;
	http->text = metrics_text_new();
	if (!http->text)
		goto fail;
	result = metrics_listen(&http->listener, target, error, error_size);
	if (result) {
		error_size = 0; /* it has been said */
		goto fail;
	}
	result = start_daemon(http);
	if (result) {
		metrics_listener_unlink(&http->listener);
		close(http->listener.fd);
		goto fail;
	}
	*ret = http;
	return 0;
fail:
	if (error_size)
		snprintf(error, error_size, "cannot serve HTTP: %s", strerror(-result));
	if (http)
		metrics_text_free(http->text);
	free(http);
	return result;
}

const char *metrics_http_place(const struct metrics_http *http)
{
	return http->listener.place;
}

int metrics_http_fd(const struct metrics_http *http)
{
	return http->fd;
}

static unsigned int count_clients(const struct metrics_http *http)
{
	const union MHD_DaemonInfo *info =
		MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_CURRENT_CONNECTIONS);

	return info ? info->num_connections : 0;
}

void metrics_http_serve(struct metrics_http *http, unsigned int rounds)
{
	struct pollfd ready = { .fd = http->fd, .events = POLLIN };

	do {
		unsigned int clients = count_clients(http);

		MHD_run(http->daemon);
		http->has_closed = count_clients(http) < clients;
	} while (--rounds && poll(&ready, 1, 0) > 0);
}

int metrics_http_wait_ms(const struct metrics_http *http)
{
	MHD_UNSIGNED_LONG_LONG ms;

	/* Full, it does not look at its listener, and finds in the next round only that it has room again. */
	if (http->has_closed)
		return 0;
	if (MHD_get_timeout(http->daemon, &ms) != MHD_YES)
		return -1;
	return ms < WAIT_MOST_MS ? (int)ms : WAIT_MOST_MS;
}

void metrics_http_close(struct metrics_http *http)
{
	if (!http)
		return;
	metrics_listener_unlink(&http->listener);
	MHD_stop_daemon(http->daemon); /* closes the socket, too */
	metrics_text_free(http->text);
	free(http);
}
