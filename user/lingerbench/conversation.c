/* SPDX-License-Identifier: MIT */
#include "lingerbench/conversation.h"

#include <errno.h>
#include <linux/filter.h>
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
	while (conversation->step_bytes < total) {
		ssize_t n = transport_send(&conversation->transport,
					   (const char *)bytes + conversation->step_bytes,
					   total - conversation->step_bytes);

		if (n == -EAGAIN)
			return BLOCKED;
		if (n < 0) {
			conversation->row->send_error = (int32_t)n;
			return DONE;
		}
		conversation->step_bytes += (uint64_t)n;
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

/* Of a step of pieces: what is left of the one under way, 0: nothing of all; or the pause before it. */
static enum progress begin_piece(struct conversation *conversation, const struct peer_step *step,
				 uint64_t *ret_left)
{
	if (conversation->wake_ns != CONVERSATION_NEVER && clock_now_ns() < conversation->wake_ns)
		return BLOCKED;
	conversation->wake_ns = CONVERSATION_NEVER;
	*ret_left = conversation->step_bytes < step->bytes * step->count
			    ? step->bytes - conversation->step_bytes % step->bytes
			    : 0;
	return DONE;
}

static void count_piece(struct conversation *conversation, const struct peer_step *step,
			uint64_t length)
{
	conversation->step_bytes += length;
	if (conversation->step_bytes % step->bytes == 0 &&
	    conversation->step_bytes < step->bytes * step->count)
		conversation->wake_ns = clock_now_ns() + step->pause_ns;
}

/* Pieces with pauses between them. */
static enum progress upload(struct conversation *conversation, const struct peer_step *step)
{
	const unsigned char *body = response_body(conversation->response, 0);
	uint64_t left;

	for (;;) {
		ssize_t n;

		if (begin_piece(conversation, step, &left) == BLOCKED)
			return BLOCKED;
		if (!left)
			return DONE;
		if (left > conversation->response->body_bytes)
			left = conversation->response->body_bytes;
		n = transport_send(&conversation->transport, body, left);
		if (n == -EAGAIN)
			return BLOCKED;
		if (n < 0) {
			conversation->row->send_error = (int32_t)n;
			return DONE;
		}
		count_piece(conversation, step, (uint64_t)n);
	}
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
	/* A head of something else, whose body nothing came of. */
	if (conversation->head_done && row->promised_bytes != conversation->response->body_bytes)
		row->outcome = OUTCOME_CORRUPT;
	if (row->outcome == OUTCOME_CORRUPT)
		return;
	if (whole)
		row->outcome = error ? OUTCOME_COMPLETE_RESET : OUTCOME_COMPLETE_FIN;
	else
		row->outcome = error ? OUTCOME_TRUNCATED_RESET : OUTCOME_TRUNCATED_FIN;
}

/* At most so many bytes, and at least one. DONE with *ret_length 0: that was the end, and is judged. */
static enum progress receive_some(struct conversation *conversation, uint64_t most,
				  uint64_t *ret_length)
{
	ssize_t n;

	*ret_length = 0;
	/* An earlier step has seen the end. */
	if (conversation->row->eof_ns)
		return DONE;
	if (most > CONVERSATION_BUFFER_BYTES)
		most = CONVERSATION_BUFFER_BYTES;
	n = transport_receive(&conversation->transport, conversation->buffer, most);
	if (n == -EAGAIN)
		return BLOCKED;
	if (n <= 0) {
		judge(conversation, (int)n);
		return DONE;
	}
	take_bytes(conversation, (size_t)n);
	*ret_length = (uint64_t)n;
	return DONE;
}

static enum progress receive(struct conversation *conversation)
{
	uint64_t length;

	do
		if (receive_some(conversation, UINT64_MAX, &length) == BLOCKED)
			return BLOCKED;
	while (length);
	return DONE;
}

/* Pieces with pauses between them. */
static enum progress read_slowly(struct conversation *conversation, const struct peer_step *step)
{
	uint64_t left, length;

	do {
		if (begin_piece(conversation, step, &left) == BLOCKED)
			return BLOCKED;
		if (!left)
			return DONE;
		if (receive_some(conversation, left, &length) == BLOCKED)
			return BLOCKED;
		count_piece(conversation, step, length);
	} while (length);
	conversation->wake_ns = CONVERSATION_NEVER;
	return DONE;
}

static void end(struct conversation *conversation, bool reset)
{
	/* The FIN of one that has vanished would be repeated for minutes, and tell that it is there. */
	transport_close(&conversation->transport, reset || conversation->vanished);
	conversation->row->ended_ns = clock_now_ns();
}

void conversation_fail(struct conversation *conversation, enum outcome outcome, int error)
{
	if (conversation->row->outcome != OUTCOME_CORRUPT)
		conversation->row->outcome = outcome;
	conversation->row->error = error;
	end(conversation, false);
}

static void vanish(struct conversation *conversation)
{
	struct sock_filter drop = BPF_STMT(BPF_RET | BPF_K, 0);
	const struct sock_fprog filter = { .len = 1, .filter = &drop };

	conversation->vanished = true;
	if (setsockopt(conversation->transport.fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter,
		       sizeof(filter)))
		conversation_fail(conversation, OUTCOME_FAILED, -errno);
}

static void set_window(const struct conversation *conversation, const struct peer_step *step)
{
	/* The kernel doubles it, since half of a buffer is for what it writes down of the packets. */
	int bytes = (int)step->bytes;

	setsockopt(conversation->transport.fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
}

static enum progress run_step(struct conversation *conversation, const struct peer_step *step)
{
	switch (step->kind) {
	case PEER_WINDOW:
		set_window(conversation, step);
		return DONE;
	case PEER_GET:
	case PEER_POST:
		return send_request(conversation, step);
	case PEER_UPLOAD:
		return upload(conversation, step);
	case PEER_READ:
		return read_slowly(conversation, step);
	case PEER_RECEIVE:
		return receive(conversation);
	case PEER_PAUSE:
		return pause_until_over(conversation, step->pause_ns);
	case PEER_HALF_CLOSE:
		shutdown(conversation->transport.fd, SHUT_WR);
		return DONE;
	case PEER_VANISH:
		vanish(conversation);
		return DONE;
	case PEER_CLOSE:
	case PEER_RESET:
		end(conversation, step->kind == PEER_RESET);
		return DONE;
	}
	return DONE;
}

void conversation_prepare(struct conversation *conversation)
{
	const struct peer_step *first = &conversation->peer->steps[conversation->step];

	if (first->kind == PEER_WINDOW) {
		run_step(conversation, first);
		conversation->step++;
	}
}

void conversation_go_on(struct conversation *conversation)
{
	while (conversation->transport.fd >= 0 &&
	       run_step(conversation, &conversation->peer->steps[conversation->step]) == DONE) {
		conversation->step++;
		conversation->step_begun = false;
		conversation->step_bytes = 0;
	}
}
