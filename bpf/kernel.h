/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The few kernel types that the programs read, instead of a generated vmlinux.h. Only the members
 * that are used stand here; where they lie in the running kernel is filled in at load (CO-RE).
 */
#ifndef KERNEL_H
#define KERNEL_H

typedef unsigned char __u8;
typedef signed char __s8;
typedef unsigned short __u16;
typedef signed short __s16;
typedef unsigned int __u32;
typedef signed int __s32;
typedef unsigned long long __u64;
typedef signed long long __s64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u32 __wsum;
typedef _Bool bool;
#define true 1
#define false 0
#define NULL ((void *)0)

/* uapi/linux/bpf.h: part of the kernel's ABI */
enum bpf_map_type {
	BPF_MAP_TYPE_HASH = 1,
	BPF_MAP_TYPE_ARRAY = 2,
	BPF_MAP_TYPE_SOCKHASH = 18,
	BPF_MAP_TYPE_RINGBUF = 27,
};
enum sk_action { SK_DROP, SK_PASS };
struct __sk_buff;
enum { BPF_ANY, BPF_NOEXIST, BPF_EXIST };
enum { BPF_F_MMAPABLE = 1 << 10 };
enum { BPF_RB_NO_WAKEUP = 1, BPF_RB_FORCE_WAKEUP = 2 };
enum { BPF_RB_AVAIL_DATA = 0 };
enum { RING_HEADER = 8 }; /* before each record of a ring buffer */

/* uapi and net/tcp_states.h; the same numbers reach user space in TCP_INFO */
enum {
	TCP_ESTABLISHED = 1,
	TCP_SYN_SENT = 2,
	TCP_FIN_WAIT1 = 4,
	TCP_FIN_WAIT2 = 5,
	TCP_TIME_WAIT = 6,
	TCP_CLOSE = 7,
	TCP_CLOSE_WAIT = 8,
	TCP_LAST_ACK = 9,
	TCP_CLOSING = 11,
};
/* In the header of a segment */
enum { TCP_DESTINATION_OFFSET = 2, TCP_FLAGS_OFFSET = 13, TCP_FLAG_RST = 4 };
enum { AF_INET = 2, AF_INET6 = 10 };
enum { ENOSPC = 28, ENOSYS = 38 };
enum { PF_EXITING = 4 }; /* linux/sched.h */

#if defined(__TARGET_ARCH_x86)
enum { NR_CLOSE = 3 };
#elif defined(__TARGET_ARCH_arm64) || defined(__TARGET_ARCH_riscv)
enum { NR_CLOSE = 57 };
#else
#error "the number of close() on this architecture is missing"
#endif

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct in6_addr {
	__u8 in6_u[16];
};

typedef struct {
	__s64 counter;
} atomic64_t;

struct ns_common {
	unsigned int inum;
};

struct hlist_nulls_node {
	struct hlist_nulls_node *next;
	struct hlist_nulls_node **pprev; /* NULL: in no list */
};

struct hlist_nulls_head {
	struct hlist_nulls_node *first;
};

struct inet_ehash_bucket {
	struct hlist_nulls_head chain;
};

struct inet_hashinfo {
	struct inet_ehash_bucket *ehash;
	unsigned int ehash_mask;
};

struct inet_timewait_death_row {
	struct inet_hashinfo *hashinfo;
};

struct netns_ipv4 {
	struct inet_timewait_death_row tcp_death_row;
};

struct net {
	struct ns_common ns;
	struct netns_ipv4 ipv4;
};

typedef struct {
	struct net *net;
} possible_net_t;

struct sock_common {
	__be32 skc_daddr;
	__be32 skc_rcv_saddr;
	unsigned int skc_hash;
	__be16 skc_dport;
	__u16 skc_num;
	unsigned short skc_family;
	volatile unsigned char skc_state;
	possible_net_t skc_net;
	struct in6_addr skc_v6_daddr;
	struct in6_addr skc_v6_rcv_saddr;
	atomic64_t skc_cookie;
	unsigned long skc_flags;
	struct hlist_nulls_node skc_nulls_node;
};

typedef struct {
	int owned;
} socket_lock_t;

struct kernfs_node {
	__u64 id;
};

struct cgroup_subsys_state {
	struct cgroup_subsys_state *parent;
};

struct cgroup {
	struct cgroup_subsys_state self; /* first: that of the parent is the parent */
	struct kernfs_node *kn;
	int level;
};

struct sock_cgroup_data {
	struct cgroup *cgroup;
};

struct sock {
	struct sock_common __sk_common;
	struct sock_cgroup_data sk_cgrp_data;
	socket_lock_t sk_lock;
	struct socket *sk_socket;
	unsigned long sk_lingertime;
};

enum sock_flags { SOCK_DEAD, SOCK_DONE, SOCK_LINGER = 4 };

enum tcp_tw_status { TCP_TW_RST = 1 };

struct inet_sock {
	__be16 inet_sport;
};

struct tcp_sock {
	__u64 tcp_clock_cache; /* CLOCK_MONOTONIC, ns */
	__u32 rcv_nxt;
	__u32 copied_seq;
	__u32 snd_una;
	__u32 write_seq;
};

struct timer_list {
	const void *function;
};

struct inet_timewait_sock {
	struct sock_common __tw_common;
	unsigned char tw_substate;
	struct timer_list tw_timer;
};

struct net_device {
	possible_net_t nd_net;
};

struct sk_buff {
	struct net_device *dev;
	unsigned char *head;
	__u16 transport_header;
};

struct socket {
	struct file *file;
};

typedef struct {
	atomic64_t refcnt;
} file_ref_t;

struct file {
	file_ref_t f_ref; /* references minus one */
};

struct file___before_6_13 {
	atomic64_t f_count;
};

struct bpf_iter_meta {
	__u64 session_id;
};

struct bpf_iter__tcp {
	struct bpf_iter_meta *meta;
	struct sock_common *sk_common;
};

struct task_struct {
	unsigned int flags;
};

/* Until a call of close() has a result, its place has what the entry code left there: ENOSYS, or the descriptor. */
#if defined(__TARGET_ARCH_x86)
struct pt_regs {
	unsigned long ax;
	unsigned long orig_ax;
};
#define SYSCALL_NUMBER(regs)	 ((long)(regs)->orig_ax)
#define SYSCALL_HAS_RESULT(regs) ((long)(regs)->ax != -ENOSYS)
#elif defined(__TARGET_ARCH_arm64)
struct pt_regs {
	__u64 regs[31];
	__u64 orig_x0;
	__s32 syscallno;
};
#define SYSCALL_NUMBER(regs)	 ((long)(regs)->syscallno)
#define SYSCALL_HAS_RESULT(regs) ((regs)->regs[0] != (regs)->orig_x0)
#else
struct pt_regs {
	unsigned long orig_a0;
	unsigned long a0;
	unsigned long a7;
};
#define SYSCALL_NUMBER(regs)	 ((long)(regs)->a7)
#define SYSCALL_HAS_RESULT(regs) ((regs)->a0 != (regs)->orig_a0)
#endif

#pragma clang attribute pop

#endif
