/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Stands in for bpf/kernel.h when the parser is compiled for the host: the same
 * names, served by helpers.h instead of by the kernel.
 */
#ifndef SONDE_KERNEL_H
#define SONDE_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* In the kernel's view of itself data and data_end have 32 bits; here they are pointers. */
#define __sk_buff kernel_sk_buff
#include <linux/bpf.h>
#undef __sk_buff

struct __sk_buff {
	struct bpf_sock *sk;
	unsigned long data;
	unsigned long data_end;
	__u32 len;
};

struct task_struct {
	int pid;
	int tgid;
	char comm[16];
};

/* There is no MPTCP on the host. */
struct tcp_sock;
struct sock;

struct inet_connection_sock {
	void *icsk_ulp_data;
};

struct mptcp_subflow_context {
	struct sock *conn;
};

#define bpf_core_field_exists(type, field) false
#define BPF_CORE_READ(from, field) ((from)->field)
#define bpf_skc_to_tcp_sock(sk) ((void)(sk), (struct tcp_sock *)NULL)

#define AF_INET 2
#define AF_INET6 10
#define IPPROTO_TCP 6

#define SEC(name)
#define __uint(name, value) int(*name)[value]
#define __type(name, value) __typeof__(value) *name
#undef __always_inline /* glibc has one as well */
#define __always_inline inline __attribute__((always_inline))
#define __noinline __attribute__((noinline))
#define COLD __attribute__((noinline, cold))
#define likely(condition) __builtin_expect(!!(condition), 1)
#define unlikely(condition) __builtin_expect(!!(condition), 0)
#define barrier_var(variable) __asm__ volatile("" : "+r"(variable))

/* Names of processes are of no interest here. */
#define bpf_core_read_str(to, size, from) ((void)(from))

#define bpf_be64_to_cpu(value) __builtin_bswap64(value)
#define bpf_ntohs(value) __builtin_bswap16(value)
#define bpf_ntohl(value) __builtin_bswap32(value)

static void *bpf_map_lookup_elem(void *map, const void *key);
static long bpf_map_update_elem(void *map, const void *key, const void *value, __u64 flags);
static long bpf_map_delete_elem(void *map, const void *key);
static void *bpf_sk_storage_get(void *map, void *sk, void *value, __u64 flags);
static void *bpf_ringbuf_reserve(void *ring, __u64 size, __u64 flags);
static void bpf_ringbuf_submit(void *event, __u64 flags);
static long bpf_skb_load_bytes(const struct __sk_buff *skb, __u32 offset, void *to, __u32 length);
static long bpf_probe_read_kernel(void *to, __u32 length, const void *from);
static __u64 bpf_ktime_get_ns(void);
static struct task_struct *bpf_get_current_task_btf(void);
static __u32 bpf_get_prandom_u32(void);
static __u64 bpf_get_socket_cookie(struct __sk_buff *skb);
static struct bpf_sock *bpf_sk_fullsock(struct bpf_sock *sk);
static struct bpf_tcp_sock *bpf_tcp_sock(struct bpf_sock *sk);

static void count_steps(const char *callback, __u32 steps, __u32 limit);

/* A macro, so that the callback keeps the type of its context. */
#define bpf_loop(limit, callback, context, flags)                      \
	({                                                             \
		__u32 steps_ = 0;                                      \
		while (steps_ < (limit) && !callback(steps_, context)) \
			steps_++;                                      \
		count_steps(#callback, steps_, limit);                 \
	})

#endif
