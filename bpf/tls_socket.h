/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The sockets of TLS sessions: who reads from them, and when they are closed. */
#ifndef SONDE_TLS_SOCKET_H
#define SONDE_TLS_SOCKET_H

#include "caller.h"
#include "close.h"
#include "failure.h"
#include "tap_tls.h"

static __always_inline void see_peer(const struct sock *sk, struct peer *peer)
{
	const struct sock_common *common = &sk->__sk_common;

	peer->family = common->skc_family;
	__builtin_memset(peer->address, 0, sizeof(peer->address));
	if (common->skc_family == AF_INET)
		*(__u32 *)peer->address = common->skc_daddr;
	else if (bpf_core_field_exists(common->skc_v6_daddr))
		bpf_core_read(peer->address, sizeof(peer->address), &common->skc_v6_daddr);
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
	seen->used = 0;
	if (conn->tied)
		return;
	seen->since_ns = conn->tls_since_ns;
	seen->service = conn->service;
	seen->tgid = conn->tgid;
	seen->server_port = conn->server_port;
	seen->role = conn->role;
	see_peer(sk, &seen->peer);
}

/* The goroutine that this thread runs, if it is inside a function of crypto/tls. */
static __always_inline struct caller *reading_goroutine(struct task_struct *task, __u32 tgid)
{
	struct pt_regs *entry = (struct pt_regs *)bpf_task_pt_regs(task), registers;

	if (bpf_probe_read_kernel(&registers, sizeof(registers), entry))
		return NULL;
	return goroutine_of(tgid, GO_GOROUTINE(&registers));
}

/* Runs in the thread that reads. */
SEC("tp_btf/tcp_rcv_space_adjust")
int BPF_PROG(tls_socket_read, struct sock *sk)
{
	struct connection *conn = bpf_sk_storage_get(&connections, sk, NULL, 0);
	struct task_struct *task;
	struct caller *caller;
	struct session_key key = {};

	if (!conn || conn->verdict != VERDICT_TLS)
		return 0;
	task = bpf_get_current_task_btf();
	key.tgid = bpf_get_current_pid_tgid() >> 32;
	caller = reading_goroutine(task, key.tgid);
	if (!caller)
		caller = thread_of(task, true);
	if (!caller) {
		lose(LOSS_TLS_MEMORY, 1);
		return 0;
	}
	see(sk, conn, &caller->seen);
	if (conn->tied)
		return 0;
	key.object = caller->call.object;
	if (key.object)
		tie(&key, &caller->seen);
	/* Where there was no call, a session may have claimed what was read before. */
	conn->tied = bpf_map_lookup_elem(&tls_sockets, &caller->seen.cookie) != NULL;
	return 0;
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(tls_socket_state, struct sock *sk, int oldstate, int newstate)
{
	struct session_key *found, key;
	struct connection *conn;
	struct session *session;
	__u64 cookie;

	if (newstate != BPF_TCP_CLOSE || sk->sk_protocol != IPPROTO_TCP)
		return 0;
	conn = bpf_sk_storage_get(&connections, sk, NULL, 0);
	if (!conn || conn->verdict != VERDICT_TLS)
		return 0;
	cookie = bpf_get_socket_cookie(sk);
	found = bpf_map_lookup_elem(&tls_sockets, &cookie);
	if (!found)
		return 0;
	key = *found;
	bpf_map_delete_elem(&tls_sockets, &cookie);
	session = bpf_map_lookup_elem(&sessions, &key);
	if (!session || session->cookie != cookie)
		return 0;
	session->ended_ns = bpf_ktime_get_ns();
	session->failure = failure_of(sk);
	if (session->conn.verdict == VERDICT_MEASURE)
		end_connection(&session->conn, session, session->failure, session->ended_ns);
	/* The program may still read what has arrived: then its object has the session. */
	if (session->freed || !session->key.tgid)
		forget_session(session);
	return 0;
}

#endif
