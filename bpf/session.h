/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A TLS session is an object in the memory of a process (SSL *, *tls.Conn) that
 * passes plaintext on one side and records to a socket on the other. Once it is
 * tied to its socket it is a connection like any other, but inside TLS.
 *
 *   socket (cookie) ──tls_sockets──► session key ──sessions──► struct session
 *        ▲                                ▲
 *        └── seen by a thread             └── named in a call of that thread
 */
#ifndef SONDE_SESSION_H
#define SONDE_SESSION_H

#include "tap.h"

#define MAX_SESSIONS 65536

struct session_key {
	__u64 object; /* its address in the process */
	__u32 tgid;
	__u32 pad;
};

struct session {
	struct connection conn; /* its transport is TLS */
	struct session_key key;
	__u64 cookie;	/* of the socket */
	__u64 first_ns; /* when the oldest byte of what was last read arrived */
	__u64 last_ns;	/* and the newest */
	__u64 ended_ns; /* when the socket was closed; 0: it is open */
	__u64 unsent;	/* what GnuTLS was given and asks to be called again for */
	__u8 failure;	/* how it was closed */
	__u8 freed;	/* nobody will use the object any more */
	__u8 pad[6];
	struct ends ends;
};

/* What is known of a socket whose bytes are a TLS session's. */
struct seen {
	__u64 cookie; /* 0: none */
	__u64 first_ns;
	__u64 last_ns;
	__u64 since_ns; /* connection.tls_since_ns */
	__u32 service;
	__u32 tgid; /* of the process that connected; client only */
	__u16 server_port;
	__u8 role;
	__u8 used; /* it is known whose session this is */
	__u32 pad;
	struct ends ends;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, MAX_SESSIONS);
	__type(key, struct session_key);
	__type(value, struct session);
} sessions SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, MAX_SESSIONS);
	__type(key, __u64); /* cookie */
	__type(value, struct session_key);
} tls_sockets SEC(".maps");

/* A session of zeros: too large for the stack. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct session);
} empty_session SEC(".maps");

/* Threads inside a function that writes for a session that is not tied yet. */
struct writer {
	struct session_key session;
	__u64 length; /* of the plaintext; 0: it is a handshake */
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, MAX_SESSIONS);
	__type(key, __u64); /* tgid and thread, as bpf_get_current_pid_tgid() */
	__type(value, struct writer);
} writers SEC(".maps");

/* What its connection knows of the socket; the caller adds cookie and ends. */
static __always_inline void see_connection(struct seen *seen, const struct connection *conn)
{
	seen->since_ns = conn->tls_since_ns;
	seen->service = conn->service;
	seen->tgid = conn->tgid;
	seen->server_port = conn->server_port;
	seen->role = conn->role;
}

/*
 * Nobody read or wrote inside this connection before: it began when its TLS
 * functions were watched already. If not, go on with the next message.
 */
static __always_inline __u8 first_state(const struct seen *seen)
{
	return seen->since_ns > tls_attached_ns ? STREAM_START : STREAM_RESYNC;
}

/*
 * The object is free for other sockets. What waits for an answer ends with its own
 * socket: until then the session has that socket's name.
 */
static __always_inline void leave_to_socket(struct session *session)
{
	struct session_key key = { .object = session->cookie };
	__u64 cookie = session->cookie;

	session->key = key;
	if (bpf_map_update_elem(&sessions, &key, session, BPF_ANY) ||
	    bpf_map_update_elem(&tls_sockets, &cookie, &key, BPF_ANY))
		lose(LOSS_TLS_MEMORY, 1);
}

/* The session is that of this socket from now on. */
static COLD void tie(const struct session_key *key, const struct seen *seen)
{
	struct session *session = bpf_map_lookup_elem(&sessions, key), *blank;
	__u32 zero = 0;

	if (session && session->cookie == seen->cookie)
		return;
	if (session) { /* the object serves another socket now */
		if (!session->ended_ns)
			leave_to_socket(session);
		bpf_map_delete_elem(&sessions, key);
	}
	blank = bpf_map_lookup_elem(&empty_session, &zero);
	if (!blank)
		return;
	if (bpf_map_update_elem(&tls_sockets, &seen->cookie, key, BPF_ANY) ||
	    bpf_map_update_elem(&sessions, key, blank, BPF_ANY)) {
		lose(LOSS_TLS_MEMORY, 1);
		return;
	}
	session = bpf_map_lookup_elem(&sessions, key);
	if (!session)
		return;
	session->key = *key;
	session->ends = seen->ends;
	session->conn.service = seen->service;
	session->conn.tgid = seen->tgid;
	session->conn.role = seen->role;
	session->conn.server_port = seen->server_port;
	session->conn.transport = TRANSPORT_TLS;
	session->conn.generation = generation();
	session->conn.request.state = session->conn.response.state = first_state(seen);
	session->cookie = seen->cookie; /* last: it says that the rest is there */
}

#endif
