/* SPDX-License-Identifier: MIT */
/*
 * What a real server serves: page N, "/0" to "/7", is the body that the client expects of every connection
 * whose number leaves that rest.
 */
#ifndef LINGERBENCH_PAGES_H
#define LINGERBENCH_PAGES_H

#include "lingerbench/response.h"

enum { PAGES = 8 };

#define PAGES_FOLDER "pages"

/* Writes them to folder/pages/. 0 or a negative errno. */
int pages_write(const char *folder, const struct response *response);

#endif
