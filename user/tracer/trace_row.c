/* SPDX-License-Identifier: MIT */
#include "tracer/trace_row.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

#include "common/printable.h"
#include "tracer/close_end.h"
#include "tracer/reset_reason.h"
#include "tracer/tcp_state.h"

struct row {
	const struct close_record *record;
	const struct trace_row_sink *sink;
	void *to;
};

static void put_text(const struct row *row, const char *name, const char *value)
{
	row->sink->text(row->to, name, value);
}

static void put_address(const struct row *row, const char *name, const __u8 *address)
{
	char text[INET6_ADDRSTRLEN];

	put_text(row, name, inet_ntop(row->record->family, address, text, sizeof(text)));
}

static void put_number(const struct row *row, const char *name, uint64_t value)
{
	if (value == CLOSE_TRACE_UNKNOWN)
		row->sink->unknown(row->to, name);
	else
		row->sink->number(row->to, name, value);
}

static void put_us(const struct row *row, const char *name, uint64_t ns)
{
	if (ns == CLOSE_TRACE_UNKNOWN)
		row->sink->unknown(row->to, name);
	else
		row->sink->thousandths(row->to, name, ns);
}

static void put_caller(const struct row *row, const char *const names[3],
		       const struct close_caller *caller)
{
	char comm[CLOSE_TRACE_COMM_SIZE + 1];

	printable_copy(comm, sizeof(comm), caller->comm, sizeof(caller->comm));
	put_number(row, names[0], caller->pid ? caller->pid : CLOSE_TRACE_UNKNOWN);
	put_number(row, names[1], caller->pid ? caller->tid : CLOSE_TRACE_UNKNOWN);
	put_text(row, names[2], caller->pid ? comm : NULL);
}

static const char *family_name(const struct close_record *record)
{
	static const __u8 mapped[12] = { [10] = 0xff, [11] = 0xff };

	if (record->family == AF_INET)
		return "ipv4";
	return memcmp(record->raddr, mapped, sizeof(mapped)) ? "ipv6" : "ipv4_mapped";
}

/* NULL: not known. */
static const char *side_name(const struct close_record *record)
{
	if (record->flags & CLOSE_ACCEPTED)
		return "accepted";
	return record->flags & CLOSE_CONNECTED ? "connected" : NULL;
}

/* NULL: not known. */
static const char *reset_name(const struct close_record *record)
{
	/* With both, the kernel only acted as if it had received one. */
	if (record->flags & CLOSE_RESET_SENT)
		return "sent";
	if (record->flags & CLOSE_RESET_RECEIVED)
		return "received";
	return record->end == CLOSE_END_UNKNOWN || record->flags & CLOSE_INCOMPLETE ? NULL : "none";
}

static void put_times(const struct row *row)
{
	const struct close_record *record = row->record;

	put_us(row, "close_call_us", record->close_call_ns);
	put_us(row, "fin_wait_1_us", record->fin_wait_1_ns);
	put_us(row, "fin_wait_2_us", record->fin_wait_2_ns);
	put_us(row, "orphan_us", record->orphan_ns);
	put_us(row, "mini_socket_us", record->mini_socket_ns);
	put_us(row, "closing_us", record->closing_ns);
	put_us(row, "close_wait_us", record->close_wait_ns);
	put_us(row, "last_ack_us", record->last_ack_ns);
	put_us(row, "time_wait_us", record->time_wait_ns);
}

static void put_end(const struct row *row)
{
	const struct close_record *record = row->record;
	bool is_open = record->end == CLOSE_END_OPEN;

	put_text(row, "end", close_end_name(record->end));
	put_text(row, "rst", reset_name(record));
	put_text(row, "rst_reason",
		 record->flags & CLOSE_RESET_SENT ? reset_reason_name(record->reset_reason) : NULL);
	put_text(row, "state", is_open ? tcp_state_name(record->state) : NULL);
	put_number(row, "seeded", !!(record->flags & CLOSE_SEEDED));
	put_number(row, "incomplete", !!(record->flags & CLOSE_INCOMPLETE));
}

void trace_row_write(const struct close_record *record, const struct trace_row_sink *sink, void *to)
{
	static const char *const half_closer[] = { "half_closer_pid", "half_closer_tid",
						   "half_closer_comm" };
	static const char *const closer[] = { "closer_pid", "closer_tid", "closer_comm" };
	const struct row row = { record, sink, to };

	put_address(&row, "laddr", record->laddr);
	put_number(&row, "lport", record->lport);
	put_address(&row, "raddr", record->raddr);
	put_number(&row, "rport", record->rport);
	put_text(&row, "family", family_name(record));
	put_number(&row, "netns", record->netns);
	put_text(&row, "side", side_name(record));
	put_caller(&row, half_closer, &record->half_closer);
	put_caller(&row, closer, &record->closer);
	put_times(&row);
	put_number(&row, "unread_bytes", record->unread_bytes);
	put_number(&row, "unacked_bytes", record->unacked_bytes);
	put_number(&row, "drained_bytes", record->drained_bytes);
	put_end(&row);
	put_number(&row, "cookie", record->cookie);
	put_number(&row, "established_ns", record->established_ns);
	put_number(&row, "half_closed_ns", record->half_closed_ns);
	put_number(&row, "closed_ns", record->closed_ns);
	put_number(&row, "ended_ns", record->ended_ns);
	put_number(&row, "state_since_ns",
		   record->end == CLOSE_END_OPEN ? record->state_since_ns : CLOSE_TRACE_UNKNOWN);
}
