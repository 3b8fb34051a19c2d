/* SPDX-License-Identifier: MIT */
/* The ends of a connection by their names in CSV files. */
#ifndef TRACER_CLOSE_END_H
#define TRACER_CLOSE_END_H

/* The name of an enum close_end; NULL when it is not known. */
const char *close_end_name(unsigned int end);

#endif
