/* SPDX-License-Identifier: MIT */
#include "lingerbench/strategy.h"

#include <unistd.h>

#include "liblinger/linger.h"

static struct linger_client *client; /* one a worker process */

static int prepare(const struct strategy_settings *settings)
{
	return linger_client_open(&client, settings->lingerd_socket);
}

int strategy_hand_over(struct linger_client *to, int fd, const struct strategy_settings *settings)
{
	int error = linger_handoff(to, fd);

	if (error)
		strategy_linger_natively(fd, settings);
	else
		close(fd);
	return error;
}

static int finish(int fd, const struct strategy_settings *settings)
{
	return strategy_hand_over(client, fd, settings);
}

const struct strategy strategy_lingerd = {
	.name = "lingerd",
	.summary = "handed to lingerd; natively lingered where that fails",
	.needs_lingerd = true,
	.prepare = prepare,
	.finish = finish,
};
