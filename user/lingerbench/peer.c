/* SPDX-License-Identifier: MIT */
#include "lingerbench/peer.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/number.h"
#include "common/quantity.h"

const struct peer_default peer_defaults[] = {
	{ "prompt", "get receive close", "reads to EOF, then closes" },
	{ "late", "get receive pause:200ms close", "closes 200 ms after EOF" },
	{ "uploader", "post:200k upload:40x5k/1ms receive close",
	  "still sends its body when the early answer comes (413)" },
	{ "pipeliner", "get get receive close", "has sent a second request already" },
	{ "half-closer", "get half-close receive close", "shuts its side down first" },
	{ "killer", "get receive reset", "resets instead of closing" },
	{ "silent", "get receive pause:5s close", "goes silent for 5 s after EOF" },
	{ "slow-reader", "window:16k get read:50x4k/20ms receive close",
	  "reads 4 KiB each 20 ms for a second, through a small window" },
	{ "trickler", "post:1k upload:20x1/1s receive close",
	  "sends a byte of its body each second, through the answer and on" },
	{ "vanished", "vanish get pause:5s reset",
	  "acknowledges nothing for 5 s, then is back and resets" },
	{ NULL, NULL, NULL },
};

static const struct {
	const char *name;
	bool takes_argument;
} step_forms[] = {
	[PEER_WINDOW] = { "window", true },  [PEER_GET] = { "get", false },
	[PEER_POST] = { "post", true },	     [PEER_UPLOAD] = { "upload", true },
	[PEER_READ] = { "read", true },	     [PEER_RECEIVE] = { "receive", false },
	[PEER_PAUSE] = { "pause", true },    [PEER_HALF_CLOSE] = { "half-close", false },
	[PEER_VANISH] = { "vanish", false }, [PEER_CLOSE] = { "close", false },
	[PEER_RESET] = { "reset", false },
};

__attribute__((format(printf, 3, 4))) static int complain(char *error, size_t error_size,
							  const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(error, error_size, format, arguments);
	va_end(arguments);
	return -EINVAL;
}

/* COUNTxBYTES/TIME */
static int parse_pieces(char *argument, struct peer_step *step)
{
	char *bytes = strchr(argument, 'x');
	char *pause = bytes ? strchr(bytes, '/') : NULL;

	if (!pause)
		return -EINVAL;
	*bytes++ = '\0';
	*pause++ = '\0';
	if (number_parse(argument, 1, 1000000, &step->count) ||
	    quantity_parse_bytes(bytes, 1, 1 << 20, &step->bytes) ||
	    quantity_parse_time(pause, 0, 60000, &step->pause_ns))
		return -EINVAL;
	return 0;
}

static int parse_argument(char *argument, struct peer_step *step)
{
	switch (step->kind) {
	case PEER_WINDOW:
		return quantity_parse_bytes(argument, 1, 1ULL << 30, &step->bytes);
	case PEER_POST:
		return quantity_parse_bytes(argument, 1, 1ULL << 40, &step->bytes);
	case PEER_UPLOAD:
	case PEER_READ:
		return parse_pieces(argument, step);
	case PEER_PAUSE:
		return quantity_parse_time(argument, 0, 3600000, &step->pause_ns);
	default:
		return -EINVAL;
	}
}

static int parse_step(const char *word, struct peer_step *ret, char *error, size_t error_size)
{
	char name[64];
	char *argument;

	snprintf(name, sizeof(name), "%s", word);
	argument = strchr(name, ':');
	if (argument)
		*argument++ = '\0';
	for (size_t i = 0; i < sizeof(step_forms) / sizeof(step_forms[0]); i++) {
		struct peer_step step = { .kind = (enum peer_step_kind)i };

		if (strcmp(name, step_forms[i].name))
			continue;
		if (step_forms[i].takes_argument != (argument != NULL) ||
		    (argument && parse_argument(argument, &step)))
			return complain(error, error_size,
					"step \"%s\": expected window:BYTES, get, post:BYTES, "
					"upload:COUNTxBYTES/TIME, read:COUNTxBYTES/TIME, receive, "
					"pause:TIME, half-close, vanish, close or reset",
					word);
		*ret = step;
		return 0;
	}
	return complain(error, error_size,
			"no step is called \"%s\"; lingerbench(1) has those there are", name);
}

static bool is_last_kind(enum peer_step_kind kind)
{
	return kind == PEER_CLOSE || kind == PEER_RESET;
}

static bool has_step(const struct peer *peer, enum peer_step_kind kind)
{
	for (size_t i = 0; i < peer->step_count; i++)
		if (peer->steps[i].kind == kind)
			return true;
	return false;
}

bool peer_looks_for_end(const struct peer *peer)
{
	return has_step(peer, PEER_RECEIVE);
}

/* Whether the step may stand behind those that are there. */
static int check_place(const struct peer *peer, const struct peer_step *step, const char *word,
		       char *error, size_t error_size)
{
	if (peer->step_count == PEER_MAX_STEPS)
		return complain(error, error_size, "more than %d steps", PEER_MAX_STEPS);
	if (peer->step_count && is_last_kind(peer->steps[peer->step_count - 1].kind))
		return complain(error, error_size, "\"%s\" after the connection's end", word);
	if (peer->step_count && step->kind == PEER_WINDOW)
		return complain(error, error_size, "\"%s\" is not the first step", word);
	if (step->kind == PEER_CLOSE && has_step(peer, PEER_VANISH))
		return complain(error, error_size, "after vanish a script ends with reset");
	return 0;
}

int peer_parse(const char *name, const char *script, struct peer *ret, char *error,
	       size_t error_size)
{
	struct peer peer = { 0 };
	char words[sizeof(peer.script)];
	char *rest = words;

	if (strlen(name) >= sizeof(peer.name) || strlen(script) >= sizeof(peer.script))
		return complain(error, error_size,
				"a peer's name has at most %zu bytes, its script %zu",
				sizeof(peer.name) - 1, sizeof(peer.script) - 1);
	strcpy(peer.name, name);
	strcpy(peer.script, script);
	strcpy(words, script);
	for (char *word; (word = strtok_r(NULL, " \t", &rest));) {
		struct peer_step step = { 0 };

		if (parse_step(word, &step, error, error_size) ||
		    check_place(&peer, &step, word, error, error_size))
			return -EINVAL;
		peer.steps[peer.step_count++] = step;
	}
	if (!peer.step_count || !is_last_kind(peer.steps[peer.step_count - 1].kind))
		return complain(error, error_size, "a script ends with close or reset");
	*ret = peer;
	return 0;
}
