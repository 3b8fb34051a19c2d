/* SPDX-License-Identifier: MIT */
/* [faults] of a scenario: when something happens to lingerd, see fault.h. */
#ifndef LINGERBENCH_FAULT_SETTINGS_H
#define LINGERBENCH_FAULT_SETTINGS_H

#include <stdint.h>

struct fault_settings {
	uint64_t at_ns; /* from when the clients come */
	uint64_t for_ns;
};

#endif
