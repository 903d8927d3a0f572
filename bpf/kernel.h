/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The few kernel types that Sonde reads, with only the fields that it reads.
 * preserve_access_index makes each access a CO-RE relocation, so the order and
 * the gaps here need not match any kernel.
 */
#ifndef SONDE_KERNEL_H
#define SONDE_KERNEL_H

#include <linux/bpf.h>
#include <linux/types.h>
#include <stdbool.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#define AF_INET 2
#define AF_INET6 10
#define IPPROTO_TCP 6
#define IPPROTO_MPTCP 262
#define EEXIST 17
#define EPIPE 32
#define ECONNRESET 104
#define ETIMEDOUT 110

/*
 * What is rare stays out of the way of what is not: between two requests the
 * service's own code has taken the instruction cache.
 */
#define COLD __attribute__((noinline, cold, section(".text")))
#define likely(condition) __builtin_expect(!!(condition), 1)
#define unlikely(condition) __builtin_expect(!!(condition), 0)

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

typedef struct {
	int counter;
} atomic_t;

struct ns_common {
	unsigned int inum;
};

struct net {
	struct ns_common ns;
};

typedef struct {
	struct net *net;
} possible_net_t;

struct in6_addr {
	__u8 bytes[16];
};

struct sock_common {
	__be32 skc_daddr;
	__be32 skc_rcv_saddr;
	struct in6_addr skc_v6_daddr; /* CONFIG_IPV6 only */
	struct in6_addr skc_v6_rcv_saddr;
	unsigned short skc_family;
	volatile unsigned char skc_state;
	__be16 skc_dport;
	__u16 skc_num;
	possible_net_t skc_net;
};

struct sock {
	struct sock_common __sk_common;
	__u16 sk_protocol;
	int sk_err;
};

struct tcp_sock {
	__u32 rcv_nxt;
	__u32 copied_seq;
};

struct inet_connection_sock {
	void *icsk_ulp_data;
};

/* CONFIG_MPTCP only */
struct mptcp_subflow_context {
	struct sock *conn; /* the MPTCP socket that the TCP socket is part of */
};

struct socket {
	struct sock *sk;
};

struct file;

struct signal_struct {
	atomic_t live;
};

struct task_struct {
	int pid;
	int tgid;
	struct signal_struct *signal;
	char comm[16];
};

struct linux_binprm;

struct seq_file;

struct bpf_iter_meta {
	struct seq_file *seq;
	__u64 session_id;
	__u64 seq_num;
};

struct bpf_iter__task_file {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
	__u32 fd;
	struct file *file;
};

#pragma clang attribute pop

#endif
