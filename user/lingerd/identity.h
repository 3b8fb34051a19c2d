/* SPDX-License-Identifier: MIT */
/*
 * Whom the daemon runs as, when root starts it without a service manager that sees to it ("user"). Root only makes the
 * folder of the socket; the socket and all other files are made, and removed at the end, as that user.
 */
#ifndef LINGERD_IDENTITY_H
#define LINGERD_IDENTITY_H

#include "lingerd/settings.h"

/*
 * Makes the socket's folder if it is missing and directly in /run, which is empty after each boot; then becomes the
 * user, for good, with its own group and that of the socket and no other. Without "user" it stays who it is.
 * 0, or a negative errno with *problem said.
 */
int identity_take(const struct settings *settings, struct problem *problem);

#endif
