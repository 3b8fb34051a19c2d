/* SPDX-License-Identifier: MIT */
#include "tracer/trace_csv.h"

#include <arpa/inet.h>
#include <sys/socket.h>

#include "common/clock.h"
#include "tracer/close_end.h"

int trace_csv_header(struct csv *csv)
{
	static const char *const columns[] = {
		"laddr",	"lport",	 "raddr",	   "rport",	    "closer_pid",
		"closer_comm",	"close_call_us", "fin_wait_1_us",  "fin_wait_2_us", "orphan_us",
		"time_wait_us", "unread_bytes",	 "unacked_bytes",  "end",	    "family",
		"netns",	"cookie",	 "established_ns", "closed_ns",	    "ended_ns",
	};

	for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++)
		csv_text(csv, columns[i]);
	return csv_end_row(csv);
}

static void put_address(struct csv *csv, const struct close_record *record, const void *address)
{
	char text[INET6_ADDRSTRLEN];

	csv_text(csv, inet_ntop(record->family, address, text, sizeof(text)));
}

static void put_number(struct csv *csv, uint64_t value)
{
	if (value == CLOSE_TRACE_UNKNOWN)
		csv_unknown(csv);
	else
		csv_number(csv, value);
}

static void put_us(struct csv *csv, uint64_t ns)
{
	if (ns == CLOSE_TRACE_UNKNOWN)
		csv_unknown(csv);
	else
		csv_decimal(csv, (double)ns / NS_PER_US, 3);
}

static void put_closer(struct csv *csv, const struct close_record *record)
{
	if (!(record->flags & CLOSE_CALLED)) {
		csv_unknown(csv);
		csv_unknown(csv);
		return;
	}
	csv_number(csv, record->closer.pid);
	csv_text(csv, record->closer.comm);
}

int trace_csv_row(struct csv *csv, const struct close_record *record)
{
	put_address(csv, record, record->laddr);
	csv_number(csv, record->lport);
	put_address(csv, record, record->raddr);
	csv_number(csv, record->rport);
	put_closer(csv, record);
	put_us(csv, record->close_call_ns);
	put_us(csv, record->fin_wait_1_ns);
	put_us(csv, record->fin_wait_2_ns);
	put_us(csv, record->orphan_ns);
	put_us(csv, record->time_wait_ns);
	put_number(csv, record->unread_bytes);
	put_number(csv, record->unacked_bytes);
	csv_text(csv, close_end_name(record->end));
	csv_text(csv, record->family == AF_INET ? "ipv4" : "ipv6");
	csv_number(csv, record->netns);
	csv_number(csv, record->cookie);
	put_number(csv, record->established_ns);
	put_number(csv, record->closed_ns);
	put_number(csv, record->ended_ns);
	return csv_end_row(csv);
}
