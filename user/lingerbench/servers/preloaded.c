/* SPDX-License-Identifier: MIT */
#include "lingerbench/servers/preloaded.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "lingerbench/pages.h"

static const struct strategy plain = {
	.name = "close",
	.summary = "the server's own close() and nothing else",
};

static const struct strategy lingerd = {
	.name = "lingerd",
	.summary = "handed to lingerd by liblinger-preload.so",
	.needs_lingerd = true,
};

const struct strategy *const preloaded_strategies[] = { &plain, &lingerd, NULL };

int preloaded_configure(const struct program_setup *setup)
{
	return program_write(
		setup, "app.py",
		"import re\n"
		"pages = [open(f'%s/" PAGES_FOLDER "/{n}', 'rb').read() for n in range(%d)]\n"
		"\n"
		"def application(environ, start_response):\n"
		"    page = pages[int(re.search('[0-9]+$', environ['PATH_INFO'])[0])]\n"
		"    refused = environ['REQUEST_METHOD'] == 'POST'\n"
		"    start_response('413 Content Too Large' if refused else '200 OK',\n"
		"                   [('Content-Length', str(len(page)))])\n"
		"    return [page]\n",
		setup->folder, (int)PAGES);
}

void preloaded_set_environment(const struct program_setup *setup)
{
	char path[PATH_MAX];

	if (!setup->strategy->needs_lingerd)
		return;
	snprintf(path, sizeof(path), "%s/" PRELOADED_PLUGIN, setup->folder);
	setenv("LD_PRELOAD", path, 1);
	setenv("LINGER_SOCKET", setup->lingerd_socket, 1);
}
