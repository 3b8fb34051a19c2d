/* SPDX-License-Identifier: MIT */
#ifndef TRACER_RING_PAGES_H
#define TRACER_RING_PAGES_H

struct close_trace;

/*
 * Goes over the whole ring buffer once, before anything is attached that writes to it. In a guest whose page tables
 * the hypervisor keeps, the first use of a page costs 11 us (Linux 6.18, PVM), and it is a close() of somebody that
 * would pay it. 0 or a negative errno.
 */
int ring_pages_touch(const struct close_trace *skeleton);

#endif
