/* SPDX-License-Identifier: MIT */
/*
 * The response that a server promises and a client checks byte for byte. Its body is a pattern
 * without a short period, begun at another place for each connection, so that bytes of the wrong
 * offset or of another connection's response are found out.
 */
#ifndef LINGERBENCH_RESPONSE_H
#define LINGERBENCH_RESPONSE_H

#include <stddef.h>
#include <stdint.h>

struct response {
	size_t body_bytes;
	uint64_t variants;
	unsigned char *pattern;
};

enum { RESPONSE_MAX_VARIANTS = 65521 };

/*
 * With so many bodies that differ; connections whose numbers leave the same rest get the same one. 0 or
 * -ENOMEM.
 */
int response_make(struct response *ret, size_t body_bytes, uint64_t variants, uint64_t seed);
void response_free(struct response *response);

/* The body of the connection with that number: response->body_bytes bytes, valid as long as
 * response. */
const unsigned char *response_body(const struct response *response, uint64_t connection);

#endif
