/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Which process is which service, told by the kernel as it happens: who listens
 * is an instance; its children and whoever reads from its connections belong to
 * it; a child that becomes another program does not.
 */
#ifndef SONDE_LIFECYCLE_H
#define SONDE_LIFECYCLE_H

#include "close.h"
#include "failure.h"
#include "handling.h"
#include "tap_wire.h"
#include "tls_read.h"
#include "unseen.h"

enum process_owner {
	OWNER_NO = 0,
	OWNER_YES = 1,
};

static __always_inline void add_process(__u32 tgid, __u32 service, __u32 owner)
{
	struct process process = { .service = service, .owner = owner };
	struct service *svc = bpf_map_lookup_elem(&services, &service);
	long error;

	if (!svc)
		return;
	error = bpf_map_update_elem(&processes, &tgid, &process, BPF_NOEXIST);
	if (!error)
		__sync_fetch_and_add(&svc->processes, 1);
	else if (error != -EEXIST)
		lose(LOSS_PROCESS_LIMIT, 1);
}

static __always_inline void remove_process(__u32 tgid)
{
	struct process *process = bpf_map_lookup_elem(&processes, &tgid);
	struct service *svc;
	__u32 service;

	if (!process)
		return;
	service = process->service;
	if (bpf_map_delete_elem(&processes, &tgid))
		return;
	svc = bpf_map_lookup_elem(&services, &service);
	if (svc)
		__sync_fetch_and_add(&svc->processes, -1);
}

static __always_inline void create_other(__u32 service)
{
	struct series_key key = {};

	for (__u32 i = 0; i < ROLES * 2; i++) {
		key.operation = other_operation(service, i & 1);
		key.failure = i & 2 ? FAILURE_OTHER : FAILURE_NONE;
		create_series(&key);
	}
}

/* The number of a new instance, or 0 when there is none left. */
static __always_inline __u32 create_service(__u32 tgid)
{
	struct service *svc;
	__u32 id = 0;

	if (bpf_map_pop_elem(&free_services, &id)) {
		lose(LOSS_SERVICE_LIMIT, 1);
		return 0;
	}
	svc = bpf_map_lookup_elem(&services, &id);
	if (!svc)
		return 0;
	__builtin_memset(svc, 0, sizeof(*svc));
	create_other(id);
	add_process(tgid, id, OWNER_YES);
	/* Connections that it made before it listened are measured from now on. */
	__sync_fetch_and_add(&kernel_generation, 1);
	return id;
}

static __always_inline __u32 service_of_listener(__u32 tgid)
{
	struct process *process = bpf_map_lookup_elem(&processes, &tgid);

	if (!process)
		return create_service(tgid);
	process->owner = OWNER_YES;
	return process->service;
}

static __always_inline void count_listener(__u32 service, int by)
{
	struct service *svc = bpf_map_lookup_elem(&services, &service);

	if (svc)
		__sync_fetch_and_add(&svc->listeners, by);
}

/* A socket that listens, seen by its owner's own thread or while walking its files. */
static __always_inline void adopt_listener(struct sock *sk, struct task_struct *task, __u32 tgid)
{
	struct connection *conn;
	__u16 port = sk->__sk_common.skc_num, family = sk->__sk_common.skc_family;
	__u32 service;

	conn = bpf_sk_storage_get(&connections, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
	if (!conn) {
		lose(LOSS_CONNECTION_MEMORY, 1);
		return;
	}
	service = conn->service;
	if (!service) {
		service = service_of_listener(tgid);
		if (!service)
			return;
		conn->service = service;
		conn->role = ROLE_SERVER;
		conn->fresh = 1;
		conn->generation = generation();
		conn->verdict = VERDICT_MEASURE;
		count_listener(service, 1);
	} else if (!bpf_map_lookup_elem(&processes, &tgid)) {
		add_process(tgid, service, OWNER_NO);
	}
	tell(EVENT_LISTEN, service, tgid, port, family, task);
}

/* A socket that this process connects from. */
static __always_inline void adopt_client(struct sock *sk, __u32 tgid)
{
	struct process *process = bpf_map_lookup_elem(&processes, &tgid);
	struct connection *conn;

	conn = bpf_sk_storage_get(&connections, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
	if (!conn) {
		lose(LOSS_CONNECTION_MEMORY, 1);
		return;
	}
	conn->tgid = tgid;
	conn->role = ROLE_CLIENT;
	conn->verdict = VERDICT_MEASURE;
	conn->generation = 0; /* judged at its first packet */
	if (process)
		conn->service = process->service;
}

static __always_inline void close_socket(struct sock *sk, int oldstate)
{
	struct connection *conn = bpf_sk_storage_get(&connections, sk, NULL, 0);

	if (!conn)
		return;
	if (oldstate == BPF_TCP_LISTEN) {
		if (conn->service)
			count_listener(conn->service, -1);
		conn->service = 0;
		conn->verdict = VERDICT_SKIP;
	} else if (conn->verdict == VERDICT_MEASURE && conn->service) {
		end_connection(conn, sk, failure_of(sk), bpf_ktime_get_ns());
	} else if (conn->verdict == VERDICT_TLS) {
		count_unseen(conn, bpf_get_socket_cookie(sk));
	}
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(socket_state, struct sock *sk, int oldstate, int newstate)
{
	__u32 tgid = bpf_get_current_pid_tgid() >> 32;

	if (sk->sk_protocol != IPPROTO_TCP)
		return 0;
	if (newstate == BPF_TCP_CLOSE)
		close_socket(sk, oldstate);
	else if (tgid == self_tgid)
		return 0;
	else if (newstate == BPF_TCP_LISTEN)
		adopt_listener(sk, bpf_get_current_task_btf(), tgid);
	else if (newstate == BPF_TCP_SYN_SENT)
		adopt_client(sk, tgid);
	return 0;
}

/* Runs in the thread that reads: whoever reads a service's connection is part of it. */
SEC("tp_btf/tcp_rcv_space_adjust")
int BPF_PROG(socket_read, struct sock *sk)
{
	struct connection *conn = bpf_sk_storage_get(&connections, sk, NULL, 0);
	__u32 tgid;

	if (conn && conn->verdict == VERDICT_TLS && tls_attached)
		note_tls_read(sk, conn);
	else if (conn && unlikely(spans_on) && conn->verdict == VERDICT_MEASURE)
		note_request_read(conn, sk);
	if (!conn || conn->known_reader || conn->role != ROLE_SERVER || !conn->service)
		return 0;
	conn->known_reader = 1;
	tgid = bpf_get_current_pid_tgid() >> 32;
	if (tgid == self_tgid || bpf_map_lookup_elem(&processes, &tgid))
		return 0;
	add_process(tgid, conn->service, OWNER_NO);
	__sync_fetch_and_add(&kernel_generation, 1);
	tell(EVENT_JOIN, conn->service, tgid, 0, 0, bpf_get_current_task_btf());
	return 0;
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(process_fork, struct task_struct *parent, struct task_struct *child)
{
	__u32 parent_tgid = parent->tgid, tgid = child->tgid;
	struct process *process;

	if (tgid == parent_tgid)
		return 0;
	process = bpf_map_lookup_elem(&processes, &parent_tgid);
	if (process)
		add_process(tgid, process->service, OWNER_NO);
	return 0;
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(process_exec, struct task_struct *task, int old_pid, struct linux_binprm *bprm)
{
	__u32 tgid = task->tgid;
	struct process *process = bpf_map_lookup_elem(&processes, &tgid);

	if (!process)
		return 0;
	if (process->owner == OWNER_YES)
		tell(EVENT_EXEC, process->service, tgid, 0, 0, task);
	else
		remove_process(tgid);
	return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(process_exit, struct task_struct *task)
{
	/* do_exit() has already taken this thread off the count. */
	if (task->signal->live.counter <= 0)
		remove_process(task->tgid);
	return 0;
}

#endif
