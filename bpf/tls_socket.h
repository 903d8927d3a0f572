/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The sockets of TLS sessions when they are closed; for reads see tls_read.h. */
#ifndef SONDE_TLS_SOCKET_H
#define SONDE_TLS_SOCKET_H

#include "close.h"
#include "failure.h"
#include "tap_tls.h"

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
