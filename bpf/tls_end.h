/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Ends of TLS sessions: their socket is closed, or their program shuts them down or frees them. */
#ifndef SONDE_TLS_END_H
#define SONDE_TLS_END_H

#include "close.h"
#include "tap_tls.h"
#include "tls_call.h"

/* Its socket was closed, and nobody reads on. */
static __always_inline void end_session(struct session *session)
{
	if (session->conn.verdict == VERDICT_MEASURE)
		end_connection(&session->conn, session, session->failure, session->ended_ns);
}

/* Whether requests wait, or an answer has begun. */
static __always_inline bool is_unfinished(const struct connection *conn)
{
	return conn->head != conn->tail || conn->draft.named ||
	       conn->response.state >= STREAM_HEADERS;
}

/* The object is freed before its socket is closed, which will tell how the connection ended. */
static __always_inline void rename_session(struct session *session)
{
	struct session_key object = session->key;

	leave_to_socket(session);
	forget_name(&object);
}

SEC("uprobe")
int tls_end(struct pt_regs *ctx)
{
	__u64 cookie = bpf_get_attach_cookie(ctx);
	bool is_go = TLS_LIBRARY(cookie) == TLS_GO;
	struct session_key key = {
		.object = is_go ? GO_ARGUMENT_0(ctx) : C_ARGUMENT_0(ctx),
		.tgid = bpf_get_current_pid_tgid() >> 32,
	};
	struct session *session = bpf_map_lookup_elem(&sessions, &key);
	struct connection *conn;

	keep_own_stack(ctx);
	if (!session)
		return 0;
	conn = &session->conn;
	if (session->ended_ns) {
		end_session(session);
		forget_session(session);
		return 0;
	}
	if (TLS_FUNCTION(cookie) == TLS_FREE) {
		if (conn->verdict == VERDICT_MEASURE && is_unfinished(conn) && !conn->pipelined)
			rename_session(session);
		else
			forget_session(session);
	} else if (conn->verdict == VERDICT_MEASURE && conn->role == ROLE_SERVER &&
		   conn->response.state == STREAM_UNTIL_CLOSE) {
		end_connection(conn, session, FAILURE_CLOSED, bpf_ktime_get_ns());
	}
	if (is_go) /* freed whenever the garbage collector likes */
		session->freed = 1;
	return 0;
}

#endif
