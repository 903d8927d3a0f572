/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Sockets that were open before Sonde: walked once at start, first the
 * listeners, then the connections, which need them to know their role.
 */
#ifndef SONDE_EXISTING_H
#define SONDE_EXISTING_H

#include "lifecycle.h"

/* The socket behind a file, if it is one of IPv4 or IPv6. */
static __always_inline struct sock *socket_of(struct file *file)
{
	struct socket *socket = bpf_sock_from_file(file);
	struct sock *sk;

	if (!socket)
		return NULL;
	sk = socket->sk;
	if (!sk ||
	    (sk->__sk_common.skc_family != AF_INET && sk->__sk_common.skc_family != AF_INET6))
		return NULL;
	return sk;
}

static __always_inline struct listener_key listener_key_of(const struct sock_common *sk)
{
	return (struct listener_key){
		.netns = sk->skc_net.net->ns.inum,
		.port = sk->skc_num,
	};
}

static __always_inline void adopt_existing_listener(struct sock *sk, struct task_struct *task,
						    __u32 tgid)
{
	struct connection *conn;
	struct listener_key key;

	adopt_listener(sk, task, tgid);
	conn = bpf_sk_storage_get(&connections, sk, NULL, 0);
	if (!conn)
		return;
	key = listener_key_of(&sk->__sk_common);
	bpf_map_update_elem(&listeners, &key, &conn->service, BPF_ANY);
}

SEC("iter/task_file")
int existing_listeners(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct sock *sk;
	__u32 tgid;
	__u64 address;

	if (!task || !file || (__u32)task->tgid == self_tgid)
		return 0;
	sk = socket_of(file);
	if (!sk || sk->__sk_common.skc_state != BPF_TCP_LISTEN)
		return 0;
	tgid = task->tgid;
	address = (__u64)sk;
	if (sk->sk_protocol == IPPROTO_TCP)
		adopt_existing_listener(sk, task, tgid);
	else if (sk->sk_protocol == IPPROTO_MPTCP)
		bpf_map_update_elem(&mptcp_owners, &address, &tgid, BPF_NOEXIST);
	return 0;
}

/*
 * The TCP socket inside an MPTCP socket has no file, so it is found among all
 * TCP sockets of its network namespace, and its owner by the MPTCP socket.
 */
SEC("iter/tcp")
int existing_subflows(struct bpf_iter__tcp *ctx)
{
	struct sock_common *sk = ctx->sk_common;
	struct mptcp_subflow_context *subflow;
	__u64 address;
	__u32 *tgid;

	if (!sk || sk->skc_state != BPF_TCP_LISTEN ||
	    !bpf_core_field_exists(struct mptcp_subflow_context, conn))
		return 0;
	subflow = BPF_CORE_READ((struct inet_connection_sock *)sk, icsk_ulp_data);
	if (!subflow)
		return 0;
	address = (__u64)BPF_CORE_READ(subflow, conn);
	tgid = bpf_map_lookup_elem(&mptcp_owners, &address);
	if (tgid)
		adopt_existing_listener((struct sock *)sk, NULL, *tgid);
	return 0;
}

SEC("iter/task_file")
int existing_connections(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct connection *conn;
	struct listener_key key;
	struct sock *sk;
	__u32 *service, tgid;

	if (!task || !file || (__u32)task->tgid == self_tgid)
		return 0;
	sk = socket_of(file);
	if (!sk || sk->sk_protocol != IPPROTO_TCP ||
	    sk->__sk_common.skc_state != BPF_TCP_ESTABLISHED)
		return 0;
	if (bpf_sk_storage_get(&connections, sk, NULL, 0))
		return 0;
	tgid = task->tgid;
	key = listener_key_of(&sk->__sk_common);
	service = bpf_map_lookup_elem(&listeners, &key);
	adopt_client(sk, tgid);
	conn = bpf_sk_storage_get(&connections, sk, NULL, 0);
	if (!conn)
		return 0;
	conn->request.state = conn->response.state = STREAM_RESYNC;
	if (service) {
		conn->role = ROLE_SERVER;
		conn->service = *service;
	}
	return 0;
}

#endif
