/* SPDX-License-Identifier: MIT */
#include "lingerbench/conversation.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"

enum progress { DONE, BLOCKED };

static enum progress pause_until_over(struct conversation *conversation, uint64_t length_ns)
{
	if (!conversation->step_begun)
		conversation->wake_ns = clock_now_ns() + length_ns;
	conversation->step_begun = true;
	if (clock_now_ns() < conversation->wake_ns)
		return BLOCKED;
	conversation->wake_ns = CONVERSATION_NEVER;
	return DONE;
}

/* Sends what is left of a step of total bytes; a send that fails ends the step, as it ends a real
 * upload. */
static enum progress send_bytes(struct conversation *conversation, const void *bytes,
				uint64_t total)
{
	while (conversation->step_sent < total) {
		ssize_t n = transport_send(&conversation->transport,
					   (const char *)bytes + conversation->step_sent,
					   total - conversation->step_sent);

		if (n == -EAGAIN)
			return BLOCKED;
		if (n < 0) {
			conversation->row->send_error = (int32_t)n;
			return DONE;
		}
		conversation->step_sent += (uint64_t)n;
	}
	return DONE;
}

static enum progress send_request(struct conversation *conversation, const struct peer_step *step)
{
	char head[160];
	int length = snprintf(head, sizeof(head), "%s%llu HTTP/1.1\r\nHost: lingerbench\r\n",
			      step->kind == PEER_POST ? "POST /refused-" : "GET /",
			      (unsigned long long)(conversation->number %
						   conversation->response->variants));

	if (step->kind == PEER_POST)
		length += snprintf(head + length, sizeof(head) - length, "Content-Length: %llu\r\n",
				   (unsigned long long)step->bytes);
	length += snprintf(head + length, sizeof(head) - length, "Connection: close\r\n\r\n");
	return send_bytes(conversation, head, (uint64_t)length);
}

/* Pieces with pauses between them; step_sent counts the bytes of all. */
static enum progress upload(struct conversation *conversation, const struct peer_step *step)
{
	const unsigned char *body = response_body(conversation->response, 0);
	uint64_t total = step->bytes * step->count;

	while (conversation->step_sent < total && !conversation->row->send_error) {
		uint64_t piece_end = (conversation->step_sent / step->bytes + 1) * step->bytes;
		uint64_t left = piece_end - conversation->step_sent;
		ssize_t n;

		if (conversation->wake_ns != CONVERSATION_NEVER &&
		    clock_now_ns() < conversation->wake_ns)
			return BLOCKED;
		conversation->wake_ns = CONVERSATION_NEVER;
		if (left > conversation->response->body_bytes)
			left = conversation->response->body_bytes;
		n = transport_send(&conversation->transport, body, left);
		if (n == -EAGAIN)
			return BLOCKED;
		if (n < 0) {
			conversation->row->send_error = (int32_t)n;
			break;
		}
		conversation->step_sent += (uint64_t)n;
		if (conversation->step_sent == piece_end && conversation->step_sent < total)
			conversation->wake_ns = clock_now_ns() + step->pause_ns;
	}
	conversation->wake_ns = CONVERSATION_NEVER;
	return DONE;
}

/* Looks for the end of the head; returns how many of the bytes belonged to it. */
static size_t take_head(struct conversation *conversation, const unsigned char *bytes,
			size_t length)
{
	size_t before = conversation->head_bytes;
	size_t room = CONVERSATION_HEAD_BYTES - before;
	size_t taken = length < room ? length : room;
	char *end, *field;

	memcpy(conversation->head + before, bytes, taken);
	conversation->head_bytes += taken;
	conversation->head[conversation->head_bytes] = '\0';
	end = strstr(conversation->head, "\r\n\r\n");
	if (!end) {
		if (conversation->head_bytes == CONVERSATION_HEAD_BYTES)
			conversation->row->outcome = OUTCOME_CORRUPT;
		return taken;
	}
	conversation->head_done = true;
	field = strcasestr(conversation->head, "\r\nContent-Length: ");
	if (field && field < end)
		conversation->row->promised_bytes =
			strtoull(field + strlen("\r\nContent-Length: "), NULL, 10);
	return (size_t)(end + 4 - conversation->head) - before;
}

static void take_body(const struct response *response, struct conversation *conversation,
		      const unsigned char *bytes, size_t length)
{
	struct client_row *row = conversation->row;

	if (row->promised_bytes != response->body_bytes ||
	    row->received_bytes + length > row->promised_bytes ||
	    memcmp(bytes, response_body(response, conversation->number) + row->received_bytes,
		   length))
		row->outcome = OUTCOME_CORRUPT;
	row->received_bytes += length;
}

static void take_bytes(struct conversation *conversation, size_t length)
{
	const unsigned char *bytes = conversation->buffer;
	struct client_row *row = conversation->row;
	size_t taken = 0;

	row->last_byte_ns = clock_now_ns();
	if (!row->first_byte_ns)
		row->first_byte_ns = row->last_byte_ns;
	if (!conversation->head_done)
		taken = take_head(conversation, bytes, length);
	if (conversation->head_done && taken < length)
		take_body(conversation->response, conversation, bytes + taken, length - taken);
}

/* EOF (error 0) or an error: what did the client get? */
static void judge(struct conversation *conversation, int error)
{
	struct client_row *row = conversation->row;
	bool whole = conversation->head_done && row->received_bytes == row->promised_bytes;

	row->eof_ns = clock_now_ns();
	row->error = error;
	conversation->deadline_ns = CONVERSATION_NEVER;
	if (row->outcome == OUTCOME_CORRUPT)
		return;
	if (whole)
		row->outcome = error ? OUTCOME_COMPLETE_RESET : OUTCOME_COMPLETE_FIN;
	else
		row->outcome = error ? OUTCOME_TRUNCATED_RESET : OUTCOME_TRUNCATED_FIN;
}

static enum progress receive(struct conversation *conversation)
{
	for (;;) {
		ssize_t n = transport_receive(&conversation->transport, conversation->buffer,
					      CONVERSATION_BUFFER_BYTES);

		if (n == -EAGAIN)
			return BLOCKED;
		if (n <= 0) {
			judge(conversation, (int)n);
			return DONE;
		}
		take_bytes(conversation, (size_t)n);
	}
}

static void end(struct conversation *conversation, bool reset)
{
	transport_close(&conversation->transport, reset);
	conversation->row->ended_ns = clock_now_ns();
}

void conversation_fail(struct conversation *conversation, enum outcome outcome, int error)
{
	if (conversation->row->outcome != OUTCOME_CORRUPT)
		conversation->row->outcome = outcome;
	conversation->row->error = error;
	end(conversation, false);
}

static enum progress run_step(struct conversation *conversation, const struct peer_step *step)
{
	switch (step->kind) {
	case PEER_GET:
	case PEER_POST:
		return send_request(conversation, step);
	case PEER_UPLOAD:
		return upload(conversation, step);
	case PEER_RECEIVE:
		return receive(conversation);
	case PEER_PAUSE:
		return pause_until_over(conversation, step->pause_ns);
	case PEER_HALF_CLOSE:
		shutdown(conversation->transport.fd, SHUT_WR);
		return DONE;
	case PEER_CLOSE:
	case PEER_RESET:
		end(conversation, step->kind == PEER_RESET);
		return DONE;
	}
	return DONE;
}

void conversation_go_on(struct conversation *conversation)
{
	while (conversation->transport.fd >= 0 &&
	       run_step(conversation, &conversation->peer->steps[conversation->step]) == DONE) {
		conversation->step++;
		conversation->step_begun = false;
		conversation->step_sent = 0;
	}
}
