/* SPDX-License-Identifier: MIT */
/* The options that say which connections are meant. */
#ifndef LINGERTRACE_FILTER_OPTIONS_H
#define LINGERTRACE_FILTER_OPTIONS_H

#include "lingertrace/trace_options.h"

/* Each takes the option's argument. 0, or -EINVAL, and the message is out. */
int filter_options_port(struct trace_options *options, const char *text);
int filter_options_family(struct trace_options *options, const char *text);
int filter_options_netns(struct trace_options *options, const char *text);
int filter_options_cgroup(struct trace_options *options, const char *text);
int filter_options_pid(struct trace_options *options, const char *text);
int filter_options_comm(struct trace_options *options, const char *text);

#endif
