/* SPDX-License-Identifier: MIT */
#include "metrics/publish.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/clock.h"

#define FILE_EVERY_NS (5 * NS_PER_S)

/* It is called a few times a second, and has answers to give then. */
enum { ROUNDS_PER_RUN = 16 };

struct metrics_publisher {
	struct metrics_http *http; /* NULL: a file */
	const char *path;
	char *new_path; /* where the file is written before it takes its name */
	struct metrics_text *text;
	metrics_write_fn *write;
	void *context;
	uint64_t written_at;
};

static int write_all(int fd, const char *bytes, size_t length)
{
	while (length) {
		ssize_t n = write(fd, bytes, length);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0) {
			bytes += n;
			length -= (size_t)n;
		}
	}
	return 0;
}

/* A file of our own, and for others to read; what has its name may be a link that somebody else has put there. */
static int create_file(const char *path)
{
	mode_t mask;
	int fd;

	if (unlink(path) && errno != ENOENT)
		return -errno;
	mask = umask(022);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	umask(mask);
	return fd < 0 ? -errno : fd;
}

static int replace_file(const struct metrics_publisher *publisher, const char *bytes, size_t length)
{
	int fd = create_file(publisher->new_path);
	int error;

	if (fd < 0)
		return fd;
	error = write_all(fd, bytes, length);
	if (close(fd) && !error)
		error = -errno;
	if (!error && rename(publisher->new_path, publisher->path))
		error = -errno;
	if (error)
		unlink(publisher->new_path);
	return error;
}

static enum metrics_form form_of(const char *path)
{
	size_t length = strlen(path);

	return length >= 5 && !strcmp(path + length - 5, ".prom") ? METRICS_PROMETHEUS
								  : METRICS_OPENMETRICS;
}

static int write_file(struct metrics_publisher *publisher)
{
	const char *bytes;
	size_t length;
	int error;

	publisher->written_at = clock_now_ns();
	metrics_text_begin(publisher->text, form_of(publisher->path));
	publisher->write(publisher->context, publisher->text);
	error = metrics_text_end(publisher->text, &bytes, &length);
	return error ? error : replace_file(publisher, bytes, length);
}

static int open_file(struct metrics_publisher *publisher, const char *path)
{
	publisher->path = path;
	publisher->text = metrics_text_new();
	if (!publisher->text || asprintf(&publisher->new_path, "%s.tmp", path) < 0) {
		publisher->new_path = NULL;
		return -ENOMEM;
	}
	return write_file(publisher);
}

int metrics_publisher_open(struct metrics_publisher **ret, const struct metrics_target *target,
			   metrics_write_fn *write, void *context, char *error, size_t error_size)
{
	struct metrics_publisher *publisher = calloc(1, sizeof(*publisher));
	int result;

	if (!publisher) {
		snprintf(error, error_size, "out of memory");
		return -ENOMEM;
	}
	publisher->write = write;
	publisher->context = context;
	if (target->kind == METRICS_TO_FILE) {
		result = open_file(publisher, target->path);
		if (result)
			snprintf(error, error_size, "cannot write %s: %s", target->path,
				 strerror(-result));
	} else {
		result = metrics_http_open(&publisher->http, target, write, context, error,
					   error_size);
	}
	if (result)
		metrics_publisher_close(publisher);
	else
		*ret = publisher;
	return result;
}

const char *metrics_publisher_place(const struct metrics_publisher *publisher)
{
	return publisher->http ? metrics_http_place(publisher->http) : publisher->path;
}

int metrics_publisher_run(struct metrics_publisher *publisher)
{
	if (publisher->http)
		metrics_http_serve(publisher->http, ROUNDS_PER_RUN);
	else if (clock_now_ns() - publisher->written_at >= FILE_EVERY_NS)
		return write_file(publisher);
	return 0;
}

int metrics_publisher_finish(struct metrics_publisher *publisher)
{
	return publisher->http ? 0 : write_file(publisher);
}

void metrics_publisher_close(struct metrics_publisher *publisher)
{
	if (!publisher)
		return;
	metrics_http_close(publisher->http);
	metrics_text_free(publisher->text);
	free(publisher->new_path);
	free(publisher);
}
