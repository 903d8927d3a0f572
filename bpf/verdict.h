/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Whether a connection is measured, and by which tap. */
#ifndef SONDE_VERDICT_H
#define SONDE_VERDICT_H

#include "events.h"

static COLD void count_port(const struct connection *conn, __u8 transport, __u8 protocol)
{
	struct port_key key = {
		.service = conn->service,
		.port = conn->server_port,
		.transport = transport,
		.protocol = protocol,
	};
	__u64 *count = bpf_map_lookup_elem(&ports, &key), none = 0;

	if (!count) {
		bpf_map_update_elem(&ports, &key, &none, BPF_NOEXIST);
		count = bpf_map_lookup_elem(&ports, &key);
	}
	if (count)
		__sync_fetch_and_add(count, 1);
}

static __always_inline void count_connection(struct service *svc, const struct connection *conn,
					     __u8 transport, __u8 protocol)
{
	if (protocol >= PROTOCOLS)
		return;
	__sync_fetch_and_add(&svc->connections[conn->role & 1][transport & 1][protocol], 1);
	if (conn->role == ROLE_SERVER)
		count_port(conn, transport, protocol);
}

/*
 * Once a connection: what it speaks. One that speaks TLS is counted when it is
 * known what is inside, or that this cannot be seen.
 */
static COLD void classify(struct connection *conn, __u8 protocol)
{
	__u32 id = conn->service;
	struct service *svc = bpf_map_lookup_elem(&services, &id);

	conn->protocol = protocol;
	if (protocol == PROTOCOL_TLS && conn->transport == TRANSPORT_TCP) {
		conn->verdict = VERDICT_TLS;
		if (svc)
			tell_tls(svc, conn);
		return;
	}
	if (protocol != PROTOCOL_HTTP1)
		conn->verdict = VERDICT_FOREIGN;
	if (svc)
		count_connection(svc, conn, conn->transport, protocol);
}

/* The set of services moved since this connection was last judged. */
static COLD void judge(struct connection *conn)
{
	struct control *control;
	__u8 before = conn->verdict;

	conn->generation = generation();
	conn->last_operation = 0; /* routes may have new names */
	if (before == VERDICT_FOREIGN)
		return;
	if (!conn->service && conn->role == ROLE_CLIENT) {
		struct process *process = bpf_map_lookup_elem(&processes, &conn->tgid);

		if (process)
			conn->service = process->service;
	}
	control = bpf_map_lookup_elem(&controls, &conn->service);
	if (!conn->service || !control || control->flags & SERVICE_EXCLUDED) {
		conn->verdict = VERDICT_SKIP;
	} else if (before == VERDICT_SKIP) {
		conn->verdict = conn->protocol == PROTOCOL_TLS ? VERDICT_TLS : VERDICT_MEASURE;
		conn->request = conn->response = (struct stream){ .state = STREAM_RESYNC };
		conn->draft = (struct request){};
		conn->answered = 0;
		conn->head = conn->tail;
	}
}

/* By which tap the connection is measured now. */
static __always_inline __u8 verdict_of(struct connection *conn)
{
	if (conn->generation != generation())
		judge(conn);
	return conn->verdict;
}

#endif
