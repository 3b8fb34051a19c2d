/* SPDX-License-Identifier: MIT */
#include "tests/support/capture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BUFFER_BYTES = 64 * 1024 * 1024, SNAP_BYTES = 256 };

struct segment {
	uint64_t at;
	uint32_t begin; /* sequence numbers of the content */
	uint32_t end;	/* a FIN or SYN included */
	uint32_t ack;
	uint16_t client_port;
	bool by_client;
	bool fin, reset, has_ack;
};

struct capture {
	int fd;
	uint16_t server_port;
	struct segment *segments;
	size_t count;
	size_t room;
};

/* In the kernel, so that what else goes over the device cannot crowd out what is looked for. */
static void see_only_port(int fd, uint16_t port)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 12), /* the kind of packet */
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETHERTYPE_IPV6, 6, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETHERTYPE_IP, 0, 10),
		BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 14), /* length of the IP header */
		BPF_STMT(BPF_LD | BPF_H | BPF_IND, 14),	 /* source port */
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, port, 6, 0),
		BPF_STMT(BPF_LD | BPF_H | BPF_IND, 16), /* destination port */
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, port, 4, 5),
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 54),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, port, 2, 0),
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 56),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, port, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SNAP_BYTES),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog program = { .len = sizeof(code) / sizeof(code[0]), .filter = code };

	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)),
			 0);
}

static uint64_t stamp_of(struct msghdr *message)
{
	struct timespec stamp = { 0 };

	for (struct cmsghdr *header = CMSG_FIRSTHDR(message); header;
	     header = CMSG_NXTHDR(message, header))
		if (header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_TIMESTAMPNS)
			memcpy(&stamp, CMSG_DATA(header), sizeof(stamp));
	return (uint64_t)stamp.tv_sec * 1000000000U + (uint64_t)stamp.tv_nsec;
}

/*
 * The kernel switches its stamping of packets on in the background. Until then, a packet gets the time when it is
 * read from the socket: one that was left lying for some milliseconds tells.
 */
static void wait_for_stamps(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t length = sizeof(address);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int on = 1, tries = 1000;
	struct timespec now;
	uint64_t age;

	assert_int_equal(bind(fd, (struct sockaddr *)&address, length), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on)), 0);
	do {
		_Alignas(struct cmsghdr) char control[256];
		struct msghdr message = { .msg_control = control,
					  .msg_controllen = sizeof(control) };

		assert_true(tries--);
		assert_int_equal(sendto(fd, "", 0, 0, (struct sockaddr *)&address, length), 0);
		usleep(5000);
		assert_int_equal(recvmsg(fd, &message, 0), 0);
		clock_gettime(CLOCK_REALTIME, &now);
		age = (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec -
		      stamp_of(&message);
	} while (age < 4000000);
	close(fd);
}

struct capture *capture_start(uint16_t server_port)
{
	struct capture *capture = calloc(1, sizeof(*capture));
	struct sockaddr_ll address = { .sll_family = AF_PACKET,
				       .sll_protocol = htons(ETH_P_ALL),
				       .sll_ifindex = (int)if_nametoindex("lo") };
	int size = BUFFER_BYTES, on = 1;

	assert_non_null(capture);
	capture->server_port = server_port;
	capture->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_true(capture->fd >= 0);
	see_only_port(capture->fd, server_port);
	if (setsockopt(capture->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)))
		setsockopt(capture->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	assert_int_equal(setsockopt(capture->fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on)), 0);
	assert_int_equal(bind(capture->fd, (struct sockaddr *)&address, sizeof(address)), 0);
	wait_for_stamps();
	return capture;
}

/* Where the TCP header is, and how long the segment with it. 0: it is none. */
static size_t find_tcp(const uint8_t *frame, size_t length, size_t *ret_tcp_length)
{
	uint16_t kind;
	struct ip ip;
	struct ip6_hdr ip6;

	if (length < ETHER_HDR_LEN + sizeof(ip6))
		return 0;
	memcpy(&kind, frame + offsetof(struct ether_header, ether_type), sizeof(kind));
	memcpy(&ip, frame + ETHER_HDR_LEN, sizeof(ip));
	memcpy(&ip6, frame + ETHER_HDR_LEN, sizeof(ip6));
	if (kind == htons(ETHERTYPE_IP) && ip.ip_p == IPPROTO_TCP) {
		*ret_tcp_length = ntohs(ip.ip_len) - ip.ip_hl * 4U;
		return ETHER_HDR_LEN + ip.ip_hl * 4U;
	}
	if (kind == htons(ETHERTYPE_IPV6) && ip6.ip6_nxt == IPPROTO_TCP) {
		*ret_tcp_length = ntohs(ip6.ip6_plen);
		return ETHER_HDR_LEN + sizeof(ip6);
	}
	return 0;
}

/*
 * On a loopback device each segment is seen twice, as it is sent and as it is received, and in between it may wait for
 * a busy CPU. What counts is when the server did either.
 */
static void add(struct capture *capture, const struct tcphdr *tcp, size_t length, bool outgoing,
		uint64_t at)
{
	uint16_t from = ntohs(tcp->source), to = ntohs(tcp->dest);
	struct segment *segment;

	if (outgoing ? from != capture->server_port : to != capture->server_port)
		return;
	if (capture->count == capture->room) {
		capture->room = capture->room * 2 + 1024;
		capture->segments =
			realloc(capture->segments, capture->room * sizeof(capture->segments[0]));
		assert_non_null(capture->segments);
	}
	segment = &capture->segments[capture->count++];
	*segment = (struct segment){
		.at = at,
		.begin = ntohl(tcp->seq),
		.ack = ntohl(tcp->ack_seq),
		.by_client = to == capture->server_port,
		.fin = tcp->fin,
		.reset = tcp->rst,
		.has_ack = tcp->ack,
	};
	segment->client_port = segment->by_client ? from : to;
	segment->end = segment->begin + (uint32_t)(length - tcp->doff * 4U) + tcp->syn + tcp->fin;
}

/* A capture that lost a packet is no judge. */
static void assert_nothing_dropped(const struct capture *capture)
{
	struct tpacket_stats stats = { 0 };
	socklen_t length = sizeof(stats);

	assert_int_equal(getsockopt(capture->fd, SOL_PACKET, PACKET_STATISTICS, &stats, &length),
			 0);
	assert_int_equal(stats.tp_drops, 0);
}

static void drain(struct capture *capture)
{
	for (;;) {
		uint8_t frame[SNAP_BYTES];
		_Alignas(struct cmsghdr) char control[256];
		struct iovec part = { frame, sizeof(frame) };
		struct sockaddr_ll address = { 0 };
		struct msghdr message = { .msg_name = &address,
					  .msg_namelen = sizeof(address),
					  .msg_iov = &part,
					  .msg_iovlen = 1,
					  .msg_control = control,
					  .msg_controllen = sizeof(control) };
		ssize_t length = recvmsg(capture->fd, &message, 0);
		struct tcphdr header;
		size_t offset, tcp_length;

		if (length < 0 && errno == EINTR)
			continue;
		if (length < 0)
			break;
		offset = find_tcp(frame, (size_t)length, &tcp_length);
		if (!offset || offset + sizeof(header) > (size_t)length)
			continue;
		memcpy(&header, frame + offset, sizeof(header));
		add(capture, &header, tcp_length, address.sll_pkttype == PACKET_OUTGOING,
		    stamp_of(&message));
	}
	assert_nothing_dropped(capture);
}

static void set_first(uint64_t *moment, uint64_t at)
{
	if (!*moment)
		*moment = at;
}

static bool acknowledges(const struct segment *segment, uint32_t fin_end)
{
	return segment->has_ack && (int32_t)(segment->ack - fin_end) >= 0;
}

struct wire capture_of(struct capture *capture, uint16_t client_port)
{
	struct wire wire = { 0 };
	uint32_t fin_end = 0, client_fin_end = 0;

	drain(capture);
	for (size_t i = 0; i < capture->count; i++) {
		const struct segment *segment = &capture->segments[i];

		if (segment->client_port != client_port)
			continue;
		if (segment->reset) {
			set_first(segment->by_client ? &wire.reset_received_at
						     : &wire.reset_sent_at,
				  segment->at);
			continue;
		}
		if (segment->by_client) {
			if (wire.fin_sent_at && acknowledges(segment, fin_end))
				set_first(&wire.fin_acked_at, segment->at);
			if (segment->fin) {
				set_first(&wire.fin_received_at, segment->at);
				client_fin_end = segment->end;
			}
		} else {
			if (segment->fin) {
				set_first(&wire.fin_sent_at, segment->at);
				fin_end = segment->end;
			}
			if (wire.fin_received_at && acknowledges(segment, client_fin_end))
				set_first(&wire.fin_answered_at, segment->at);
		}
	}
	return wire;
}

size_t capture_resets_sent(struct capture *capture)
{
	size_t count = 0;

	drain(capture);
	for (size_t i = 0; i < capture->count; i++)
		count += capture->segments[i].reset && !capture->segments[i].by_client;
	return count;
}

void capture_stop(struct capture *capture)
{
	close(capture->fd);
	free(capture->segments);
	free(capture);
}
