/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The first line of a request and what it names; and what to do with what is no message. */
#ifndef SONDE_MESSAGE_H
#define SONDE_MESSAGE_H

#include "header.h"
#include "request_line.h"
#include "traceparent.h"
#include "verdict.h"

/* A broken answer is still the answer to the oldest request. */
static __always_inline void lose_message(struct parse *p)
{
	lose(LOSS_MALFORMED, 1);
	if (p->is_response)
		answer(p->conn, p->place, &p->s->answered, 0, FAILURE_MALFORMED, now(p));
}

/*
 * Bytes that are no message where one should begin: before the first request
 * they tell another protocol; later, sync is lost until the next one.
 */
static COLD void reject(struct parse *p, __u8 protocol)
{
	struct stream *stream = p->stream;
	struct connection *conn = p->conn;

	if (stream->state != STREAM_RESYNC) {
		if (conn->protocol == PROTOCOL_UNDECIDED)
			classify(conn, protocol);
		else if (conn->protocol == PROTOCOL_HTTP1)
			lose_message(p);
	}
	stream->state = STREAM_RESYNC;
	stream->long_line = LINE_SHORT;
	stream->framing = 0;
	stream->remaining = 0;
	p->s->at = p->s->end;
	if (!p->is_response) {
		__builtin_memset(&conn->draft, 0, sizeof(conn->draft));
		conn->answered = 0;
	}
}

/* The path must outlive the window if it is not needed at once. */
static __always_inline void keep_path(struct scratch *s)
{
	copy_text(s, s->path_at, (__u64 *)s->path);
	s->path_at = PATH_KEPT;
}

/* Shows user space an operation that it has not named yet. */
static COLD void announce_operation(struct parse *p, const struct operation_key *key)
{
	struct service *svc = bpf_map_lookup_elem(&services, &key->service);
	struct control *control = bpf_map_lookup_elem(&controls, &key->service);
	struct operation_event *event;
	struct scratch *s = p->s;
	struct ends ends = {};

	if (!svc || !control || svc->announced >= control->announce_limit)
		return;
	__sync_fetch_and_add(&svc->announced, 1);
	event = bpf_ringbuf_reserve(&request_events, sizeof(*event), 0);
	if (!event)
		return;
	if (s->path_at != PATH_KEPT)
		keep_path(s);
	event->type = EVENT_OPERATION;
	event->key = *key;
	event->path_length = s->path_length < SONDE_PATH ? s->path_length : SONDE_PATH;
	event->host_length = s->host_length;
	read_ends(p, &ends);
	event->family = ends.family;
	__builtin_memset(event->pad, 0, sizeof(event->pad));
	__builtin_memcpy(event->peer, ends.peer, sizeof(event->peer));
	__builtin_memcpy(event->path, s->path, SONDE_PATH);
	__builtin_memcpy(event->host, s->host, SONDE_HOST);
	bpf_ringbuf_submit(event, 0);
}

/*
 * Finds the number of the draft's operation. Zero stays zero when it is not
 * known: observe() asks once more when the answer has come.
 */
static __always_inline void name_draft(struct parse *p)
{
	struct connection *conn = p->conn;
	struct operation_key key = {
		.hash = conn->draft.hash,
		.service = conn->service,
		.server_port = conn->server_port,
		.side = SIDE(conn->role, conn->transport),
		.method = conn->draft.method,
	};
	__u32 *known;

	if (conn->last_operation && conn->last_hash == key.hash &&
	    conn->last_method == key.method) {
		conn->draft.operation = conn->last_operation;
		return;
	}
	known = bpf_map_lookup_elem(&operations, &key);
	if (!known) {
		announce_operation(p, &key);
		return;
	}
	conn->draft.operation = conn->last_operation = *known;
	conn->last_hash = key.hash;
	conn->last_method = key.method;
}

/* [from, end) is the request line, or the first LINE_CAP bytes of a long one. */
static __always_inline bool read_request_line(struct parse *p, __u32 from, __u32 end, bool is_long)
{
	struct connection *conn = p->conn;
	struct request *draft = &conn->draft;

	read_method(p->s, from);
	if (!p->s->method_length || (!is_long && !read_version(p->s, end, &draft->version)))
		return false;
	from += p->s->method_length + 1;
	/* Something must stand between the method and the version. */
	if (!is_long && from + sizeof("HTTP/1.1") - 1 >= trim_end(p->s, end))
		return false;
	draft->method = p->s->method;
	hash_path(p->s, from, end);
	draft->hash = p->s->path_hash;
	draft->named = !is_long;
	p->s->path_at = from;
	p->s->host_length = p->s->host_hash = 0;
	if (conn->role == ROLE_CLIENT || is_long)
		keep_path(p->s);
	if (conn->role == ROLE_SERVER && !is_long)
		p->found = FOUND_OPERATION;
	return true;
}

/* Stands for the host of a request that names none. */
static COLD __u64 hash_peer(struct parse *p)
{
	struct ends ends = {};

	read_ends(p, &ends);
	return mix(*(__u64 *)ends.peer, *(__u64 *)(ends.peer + 8));
}

/* The head of the draft is complete: it waits for its answer now. */
static __always_inline void enqueue_draft(struct parse *p)
{
	struct connection *conn = p->conn;

	if (conn->role == ROLE_CLIENT) {
		if (!p->s->host_length)
			p->s->host_hash = hash_peer(p);
		conn->draft.hash = mix(conn->draft.hash, p->s->host_hash);
		name_draft(p);
	}
	push(conn, p->place, &conn->draft);
	__builtin_memset(&conn->draft, 0, sizeof(conn->draft));
}

#endif
