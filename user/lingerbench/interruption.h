/* SPDX-License-Identifier: MIT */
/* Ctrl-C, and its like: the lab ends in order, whatever it is at. */
#ifndef LINGERBENCH_INTERRUPTION_H
#define LINGERBENCH_INTERRUPTION_H

#include <stdbool.h>

/*
 * From now on SIGINT, SIGTERM and SIGHUP end nothing by themselves: they interrupt calls that block, and set what is returned.
 * It is never freed. Where nohup(1) has SIGHUP ignored, that stays so. SIGPIPE is ignored: who writes is told by EPIPE.
 */
const volatile bool *interruption_catch(void);

#endif
