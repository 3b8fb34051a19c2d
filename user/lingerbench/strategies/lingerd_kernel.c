/* SPDX-License-Identifier: MIT */
#include "lingerbench/strategy.h"

#include "liblinger/linger.h"

static struct linger_client *client; /* one a worker process */

static int prepare(const struct strategy_settings *settings)
{
	struct linger_client_options options = LINGER_CLIENT_OPTIONS_INIT;

	options.daemon_half_closes = 1; /* the kernel takes only what neither side has closed */
	return linger_client_open_with(&client, settings->lingerd_socket, &options);
}

static int finish(int fd, const struct strategy_settings *settings)
{
	return strategy_hand_over(client, fd, settings);
}

const struct strategy strategy_lingerd_kernel = {
	.name = "lingerd_kernel",
	.summary = "handed to a lingerd for which the kernel drains",
	.needs_lingerd = true,
	.drains_in_kernel = true,
	.prepare = prepare,
	.finish = finish,
};
