/* SPDX-License-Identifier: MIT */
#include "lingerbench/strategy.h"

#include <unistd.h>

static int finish(int fd, const struct strategy_settings *settings)
{
	(void)settings;
	close(fd);
	return 0;
}

const struct strategy strategy_close = {
	.name = "close",
	.summary = "close() and nothing else",
	.finish = finish,
};
