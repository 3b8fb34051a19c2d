/* SPDX-License-Identifier: MIT */
/* A section in mod_status: what has been handed over since the server was started, and what not. */
#include "apache-shim/mod_lingerd.h"

#include <http_protocol.h>
#include <mod_status.h>

static const struct {
	const char *key;
	const char *meaning;
} fallbacks[] = {
#define FALLBACK_ROW(name, key, meaning) { key, meaning },
	FALLBACKS(FALLBACK_ROW)
#undef FALLBACK_ROW
};

/*
 * away without an open breaker: nobody has tried since the pause was over, or the daemon is there
 * and takes nothing.
 */
static const char *state_of(const struct daemon_status *status)
{
	if (status->breaker_open)
		return "open";
	return status->away ? "half-open" : "closed";
}

static void put_lines(request_rec *r, const struct daemon_status *status)
{
	ap_rprintf(r,
		   "LingerdSocket: %s\nLingerdBreaker: %s\nLingerdHandoffs: %" APR_UINT64_T_FMT
		   "\n",
		   status->path, state_of(status), status->handoffs);
	for (int i = 0; i < FALLBACK_COUNT; i++)
		ap_rprintf(r, "LingerdFallback%s: %" APR_UINT64_T_FMT "\n", fallbacks[i].key,
			   status->fallbacks[i]);
}

static void put_html(request_rec *r, const struct daemon_status *status)
{
	ap_rprintf(r,
		   "<hr />\n<h2>lingerd at %s</h2>\n<dl>\n<dt>Breaker: %s</dt>\n"
		   "<dt>Connections handed over: %" APR_UINT64_T_FMT "</dt>\n",
		   ap_escape_html(r->pool, status->path), state_of(status), status->handoffs);
	for (int i = 0; i < FALLBACK_COUNT; i++)
		ap_rprintf(r, "<dt>Lingered natively, %s: %" APR_UINT64_T_FMT "</dt>\n",
			   fallbacks[i].meaning, status->fallbacks[i]);
	ap_rputs("</dl>\n", r);
}

int lingerd_status(request_rec *r, int flags)
{
	for (int i = 0; i < daemons_count(); i++) {
		struct daemon_status status;

		daemons_status(i, &status);
		if (flags & AP_STATUS_SHORT)
			put_lines(r, &status);
		else
			put_html(r, &status);
	}
	return OK;
}
