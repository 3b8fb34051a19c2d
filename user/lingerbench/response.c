/* SPDX-License-Identifier: MIT */
#include "lingerbench/response.h"

#include <errno.h>
#include <stdlib.h>

#include "lingerbench/random.h"

/* Primes: the starts of the first PERIOD connections all differ. */
enum { PERIOD = RESPONSE_MAX_VARIANTS, STRIDE = 7919 };

int response_make(struct response *ret, size_t body_bytes, uint64_t variants, uint64_t seed)
{
	size_t size = body_bytes + PERIOD;
	unsigned char *pattern = malloc(size);

	if (!pattern)
		return -ENOMEM;
	for (size_t i = 0; i < size; i++)
		pattern[i] = i < PERIOD ? (unsigned char)random_next(&seed) : pattern[i - PERIOD];
	*ret = (struct response){ .body_bytes = body_bytes,
				  .variants = variants,
				  .pattern = pattern };
	return 0;
}

void response_free(struct response *response)
{
	free(response->pattern);
	response->pattern = NULL;
}

const unsigned char *response_body(const struct response *response, uint64_t connection)
{
	return response->pattern + connection % response->variants * STRIDE % PERIOD;
}
