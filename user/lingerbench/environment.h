/* SPDX-License-Identifier: MIT */
/* The machine that a result belongs to, as JSON for run.json. What cannot be read is left out. */
#ifndef LINGERBENCH_ENVIRONMENT_H
#define LINGERBENCH_ENVIRONMENT_H

#include <jansson.h>

/* Kernel, CPU, memory, limits, net.ipv4.tcp_* and net.core.*: a new object, NULL without memory. */
json_t *environment_describe(void);

/* The kernel's TCP counters (as nstat shows them), and CPU times: {"TcpOutRsts": 12, "CpuIdleMs": 5000, ...}. */
json_t *environment_counters(void);

/* What grew: counters of after less those of before, zeros left out. */
json_t *environment_counters_grown(const json_t *before, json_t *after);

#endif
