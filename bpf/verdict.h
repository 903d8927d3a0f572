/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Whether a connection is measured, and by which tap. */
#ifndef SONDE_VERDICT_H
#define SONDE_VERDICT_H

#include "events.h"

static __always_inline void count_connection(struct service *svc, const struct connection *conn,
					     __u8 transport, __u8 protocol)
{
	if (protocol < PROTOCOLS)
		__sync_fetch_and_add(&svc->connections[conn->role & 1][transport & 1][protocol], 1);
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

#endif
