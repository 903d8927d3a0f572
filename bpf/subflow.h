/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * An MPTCP listener has a file, and inside it a TCP socket that has none. One from
 * before Sonde is awaited until a packet shows that TCP socket.
 */
#ifndef SONDE_SUBFLOW_H
#define SONDE_SUBFLOW_H

#include "maps.h"

/* The instance that awaits this TCP socket; NULL: none does. */
static __always_inline __u32 *awaiting(const struct tcp_sock *sk)
{
	struct mptcp_subflow_context *subflow;
	__u64 address;

	if (!bpf_core_field_exists(struct mptcp_subflow_context, conn))
		return NULL;
	subflow = BPF_CORE_READ((struct inet_connection_sock *)sk, icsk_ulp_data);
	if (!subflow)
		return NULL;
	address = (__u64)BPF_CORE_READ(subflow, conn);
	return bpf_map_lookup_elem(&mptcp_listeners, &address);
}

/* Somebody connects to a listener that was awaited. */
static COLD struct connection *adopt_awaited(struct __sk_buff *skb)
{
	struct bpf_sock *sk = skb->sk;
	struct connection *conn;
	struct tcp_sock *tcp;
	struct service *svc;
	__u32 *service;

	if (!sk)
		return NULL;
	tcp = bpf_skc_to_tcp_sock(sk);
	if (!tcp)
		return NULL;
	service = awaiting(tcp);
	if (!service)
		return NULL;
	svc = bpf_map_lookup_elem(&services, service);
	conn = bpf_sk_storage_get(&connections, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
	if (!svc || !conn) {
		lose(LOSS_CONNECTION_MEMORY, 1);
		return NULL;
	}
	conn->role = ROLE_SERVER;
	conn->fresh = 1;
	conn->verdict = VERDICT_MEASURE;
	conn->generation = 0; /* it may be excluded by now */
	if (__sync_val_compare_and_swap(&conn->service, 0, *service))
		return conn; /* another CPU was first */
	__sync_fetch_and_add(&svc->listeners, 1);
	__sync_fetch_and_add(&awaited_subflows, -1);
	return conn;
}

#endif
