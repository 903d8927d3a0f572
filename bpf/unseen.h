/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SONDE_UNSEEN_H
#define SONDE_UNSEEN_H

#include "session.h"
#include "verdict.h"

/* A connection that speaks TLS, of which nobody will know what is inside. */
static COLD void count_unseen(struct connection *conn, __u64 cookie)
{
	__u32 id = conn->service;
	struct service *svc = bpf_map_lookup_elem(&services, &id);

	if (!conn->tied) /* a session may have been tied since its last read */
		conn->tied = bpf_map_lookup_elem(&tls_sockets, &cookie) != NULL;
	if (!svc || conn->tied || conn->tls_packets > TLS_PACKETS)
		return;
	conn->tls_packets = TLS_PACKETS + 1;
	count_connection(svc, conn, TRANSPORT_TLS, PROTOCOL_TLS);
	tell_tls(svc, conn);
}

#endif
