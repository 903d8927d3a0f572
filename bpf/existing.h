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

/*
 * The TCP socket inside an MPTCP listener has no file: the wire tap meets it when
 * somebody connects (subflow.h).
 */
static __always_inline void await_subflow(struct sock *sk, struct task_struct *task, __u32 tgid)
{
	struct listener_key key = listener_key_of(&sk->__sk_common);
	__u64 address = (__u64)sk;
	__u32 *known = bpf_map_lookup_elem(&mptcp_listeners, &address), service;

	if (known) { /* several processes may share it */
		add_process(tgid, *known, OWNER_NO);
		return;
	}
	service = service_of_listener(tgid);
	if (!service)
		return;
	if (bpf_map_update_elem(&mptcp_listeners, &address, &service, BPF_ANY)) {
		lose(LOSS_CONNECTION_MEMORY, 1);
		return;
	}
	bpf_map_update_elem(&listeners, &key, &service, BPF_ANY);
	__sync_fetch_and_add(&awaited_subflows, 1);
	tell(EVENT_LISTEN, service, tgid, key.port, sk->__sk_common.skc_family, task);
}

SEC("iter/task_file")
int existing_listeners(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct sock *sk;

	if (!task || !file || (__u32)task->tgid == self_tgid)
		return 0;
	sk = socket_of(file);
	if (!sk || sk->__sk_common.skc_state != BPF_TCP_LISTEN)
		return 0;
	if (sk->sk_protocol == IPPROTO_TCP)
		adopt_existing_listener(sk, task, task->tgid);
	else if (sk->sk_protocol == IPPROTO_MPTCP)
		await_subflow(sk, task, task->tgid);
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
