/* SPDX-License-Identifier: MIT */
#include "lingerctl/live.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/screen.h"
#include "lingerctl/ask.h"
#include "lingerctl/live_text.h"
#include "lingerctl/status.h"

enum { LINES_PER_HEAD = 20, ANSWER_SIZE = 65536 };

struct live {
	const struct live_options *options;
	struct screen screen;
	sigset_t open; /* the signals that end us come through; else they are blocked */
	struct interval interval;
	uint64_t asked_ns;
	uint64_t shown;
};

static volatile sig_atomic_t end_wanted;

static void want_end(int signal)
{
	(void)signal;
	end_wanted = 1;
}

/* They come only where they interrupt what we wait for, so none is missed. */
static void catch_signals(struct live *live)
{
	static const int ending[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction action = { .sa_handler = want_end };
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(ending) / sizeof(ending[0]); i++) {
		sigaction(ending[i], &action, NULL);
		sigaddset(&set, ending[i]);
	}
	sigprocmask(SIG_BLOCK, &set, &live->open);
}

static int ask_counters(const struct live *live, struct counters *ret)
{
	char text[ANSWER_SIZE];
	sigset_t closed;
	int error;

	sigprocmask(SIG_SETMASK, &live->open, &closed);
	error = ask(live->options->socket_path, LINGER_MESSAGE_STATUS, text, sizeof(text));
	sigprocmask(SIG_SETMASK, &closed, NULL);
	if (error)
		return error;
	return answer_error(text) ? -EACCES : status_read(text, ret);
}

static void sleep_until(const struct live *live, uint64_t at_ns)
{
	uint64_t now = clock_now_ns();
	uint64_t left = at_ns > now ? at_ns - now : 0;
	const struct timespec time = { .tv_sec = (time_t)(left / NS_PER_S),
				       .tv_nsec = (long)(left % NS_PER_S) };

	ppoll(NULL, 0, &time, &live->open);
}

/* The next interval. 0 or the negative errno of asking, with nothing changed. */
static int look(struct live *live)
{
	struct interval *interval = &live->interval;
	struct counters now;
	int error = ask_counters(live, &now);

	if (error)
		return error;
	counters_since(&now, &interval->now, &interval->since);
	interval->now = now;
	interval->at = time(NULL);
	interval->passed_ns = clock_now_ns() - live->asked_ns;
	live->asked_ns += interval->passed_ns;
	return 0;
}

static int show_text(const struct live *live)
{
	if (live->options->json)
		return live_print_json(stdout, &live->interval);
	if (live->shown % LINES_PER_HEAD == 0)
		live_print_head(stdout);
	live_print_line(stdout, &live->interval);
	return 0;
}

/* error: of asking; 0: there is an interval to show. */
static int show_frame(struct live *live, int error)
{
	char *frame = NULL;
	size_t size;
	FILE *memory = open_memstream(&frame, &size);
	int result;

	if (!memory)
		return -errno;
	if (error)
		fprintf(memory, "no answer: %s\n%s\n", strerror(-error),
			live->options->socket_path);
	else
		live_print_table(memory, &live->interval, live->options->socket_path);
	result = fclose(memory) ? -ENOMEM : screen_show(&live->screen, frame);
	free(frame);
	return result;
}

static int show(struct live *live, int error)
{
	if (live->screen.is_terminal && !live->options->json)
		error = show_frame(live, error);
	else if (!error)
		error = show_text(live);
	else
		return error;
	if (!error && (fflush(stdout) || ferror(stdout)))
		error = errno ? -errno : -EIO;
	if (!error)
		return 0;
	log_error("cannot write to stdout: %s", strerror(-error));
	return LIVE_UNWRITABLE;
}

static int run(struct live *live)
{
	const struct live_options *options = live->options;
	uint64_t next = live->asked_ns;
	int error = 0;

	while (!end_wanted && !error && (!options->count || live->shown < options->count)) {
		uint64_t now = clock_now_ns();

		/* Without drift; but intervals that were slept through are not made up for. */
		next = next + options->interval_ns > now ? next + options->interval_ns
							 : now + options->interval_ns;
		sleep_until(live, next);
		if (end_wanted)
			break;
		error = look(live);
		if (end_wanted)
			return 0;
		error = show(live, error);
		live->shown++;
	}
	return error;
}

int live_run(const struct live_options *options)
{
	struct live live = { .options = options };
	int error;

	end_wanted = 0;
	screen_open(&live.screen, stdout);
	catch_signals(&live);
	live.asked_ns = clock_now_ns();
	error = ask_counters(&live, &live.interval.now);
	if (!error)
		error = run(&live);
	else if (end_wanted)
		error = 0;
	screen_close(&live.screen);
	sigprocmask(SIG_SETMASK, &live.open, NULL);
	return error;
}
