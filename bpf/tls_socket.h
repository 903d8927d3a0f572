/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The sockets of TLS sessions when they are closed; for reads see tls_read.h. */
#ifndef SONDE_TLS_SOCKET_H
#define SONDE_TLS_SOCKET_H

#include "close.h"
#include "failure.h"
#include "tls_end.h"

/* More than a FIN, which takes one sequence number. */
static __always_inline bool has_unread(struct sock *sk)
{
	__u32 received = BPF_CORE_READ((struct tcp_sock *)sk, rcv_nxt);
	__u32 read = BPF_CORE_READ((struct tcp_sock *)sk, copied_seq);

	return (__s32)(received - read) > 1;
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
	/* What has arrived can still be read: then the end of its object is the end. */
	if (has_unread(sk) && !session->freed && session->key.tgid)
		return 0;
	end_session(session);
	if (session->freed || !session->key.tgid)
		forget_session(session);
	return 0;
}

#endif
