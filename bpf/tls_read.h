/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a read from a socket that speaks TLS tells: whose session it is, and when its bytes arrived. */
#ifndef SONDE_TLS_READ_H
#define SONDE_TLS_READ_H

#include "caller.h"

static __always_inline void see_ends(const struct sock *sk, struct ends *ends)
{
	const struct sock_common *common = &sk->__sk_common;

	__builtin_memset(ends, 0, sizeof(*ends));
	ends->family = common->skc_family;
	ends->peer_port = bpf_ntohs(common->skc_dport);
	ends->local_port = common->skc_num;
	if (common->skc_family == AF_INET) {
		*(__u32 *)ends->peer = common->skc_daddr;
		*(__u32 *)ends->local = common->skc_rcv_saddr;
	} else if (bpf_core_field_exists(common->skc_v6_daddr)) {
		bpf_core_read(ends->peer, sizeof(ends->peer), &common->skc_v6_daddr);
		bpf_core_read(ends->local, sizeof(ends->local), &common->skc_v6_rcv_saddr);
	}
}

static __always_inline void see(struct sock *sk, struct connection *conn, struct seen *seen)
{
	__u64 cookie = bpf_get_socket_cookie(sk);

	/* A record in several reads arrived when the first of its bytes did. */
	if (seen->cookie != cookie || conn->draft.start_ns)
		seen->first_ns = conn->draft.start_ns;
	conn->draft.start_ns = 0;
	seen->last_ns = conn->last_ns;
	seen->cookie = cookie;
	if (!conn->tied) /* a session may have claimed what was read before */
		conn->tied = bpf_map_lookup_elem(&tls_sockets, &cookie) != NULL;
	seen->used = conn->tied;
	if (conn->tied)
		return;
	see_connection(seen, conn);
	see_ends(sk, &seen->ends);
}

/* The goroutine that this thread runs, if it is inside a function of crypto/tls. */
static __always_inline struct caller *reading_goroutine(struct task_struct *task, __u32 tgid)
{
	struct pt_regs *entry = (struct pt_regs *)bpf_task_pt_regs(task), registers;

	if (bpf_probe_read_kernel(&registers, sizeof(registers), entry))
		return NULL;
	return goroutine_of(tgid, GO_GOROUTINE(&registers));
}

/*
 * Whether this process has no session for a socket that another has one for, or had:
 * a parent that shook hands before it forked. One that only waits for how the
 * connection ends is nobody's.
 */
static __always_inline bool is_inherited(const struct seen *seen, __u32 tgid)
{
	__u64 cookie = seen->cookie;
	struct session_key *holder = bpf_map_lookup_elem(&tls_sockets, &cookie);

	return !holder || (holder->tgid && holder->tgid != tgid);
}

/* In the thread that reads, after each read from a socket that speaks TLS. */
static __noinline void note_tls_read(struct sock *sk, struct connection *conn)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct session_key key = { .tgid = bpf_get_current_pid_tgid() >> 32 };
	struct caller *caller = reading_goroutine(task, key.tgid);

	if (!caller)
		caller = thread_of(task, true);
	if (!caller) {
		lose(LOSS_TLS_MEMORY, 1);
		return;
	}
	see(sk, conn, &caller->seen);
	key.object = caller->call.object;
	if (!key.object)
		return;
	if (conn->tied) {
		if (!is_inherited(&caller->seen, key.tgid))
			return;
		see_connection(&caller->seen, conn);
		see_ends(sk, &caller->seen.ends);
	}
	tie(&key, &caller->seen);
	conn->tied = caller->seen.used = 1;
}

#endif
