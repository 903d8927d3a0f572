/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The bytes that a call to a TLS library passed on, given to the parser. */
#ifndef SONDE_PLAINTEXT_H
#define SONDE_PLAINTEXT_H

#include "caller.h"
#include "tap_tls.h"

#define PIECE 32768 /* what the parser is sure to come to the end of: STEPS_CAP */
#define PIECES 4096 /* of one call: 128 MiB */

struct plaintext {
	__u64 from; /* address in the process */
	__u64 left;
	__u64 now; /* 0: ask the clock */
	__u32 is_response;
	__u32 pad;
};

/*
 * All of a body but its last byte needs no parser: a call may write or read more
 * than there are pieces.
 */
static __always_inline void skip_bulk(struct stream *stream, struct plaintext *text)
{
	__u64 bulk = stream->remaining < text->left ? stream->remaining : text->left;

	if (bulk > PIECE && skip_inside_body(stream, bulk - 1)) {
		text->from += bulk - 1;
		text->left -= bulk - 1;
	}
}

/* A global function: the verifier reads the parser once, not for every piece. */
__noinline int parse_plaintext_piece(struct session *session, struct plaintext *text)
{
	struct parse p = { .place = session };
	bool in_sync = false;
	__u32 length;

	if (!session || !text)
		return 1;
	p.conn = &session->conn;
	p.stream = text->is_response ? &session->conn.response : &session->conn.request;
	skip_bulk(p.stream, text);
	length = text->left < PIECE ? text->left : PIECE;
	p.user = (const void *)text->from;
	p.now = text->now;
	p.is_response = text->is_response;
	p.s = claim_scratch();
	if (p.s) {
		in_sync = parse_http1(&p, 0, length);
		release_scratch(p.s);
	}
	if (!in_sync)
		p.stream->state = STREAM_RESYNC;
	text->from += length;
	text->left -= length;
	return !text->left || session->conn.verdict != VERDICT_MEASURE;
}

struct pieces {
	struct session *session;
	struct plaintext text;
};

/* The parser takes no more than a piece at a time. */
static long parse_next_piece(__u32 index, struct pieces *pieces)
{
	__u32 done = parse_plaintext_piece(pieces->session, &pieces->text);

	barrier_var(done); /* or what the verifier is to see is optimised away */
	return done & 1;
}

/*
 * A request that is read begins when its record arrived, like one on the wire;
 * one that is written, when it was handed to the library. An answer that is
 * written ends when the library has sent it; one that is read, on arrival.
 */
static __always_inline __u64 time_of(const struct session *session, const struct call *call,
				     bool reads, bool is_response)
{
	if (reads)
		return is_response ? session->last_ns : session->first_ns;
	return is_response ? 0 : call->entry_ns;
}

static __always_inline void parse_plaintext(struct session *session, const struct call *call,
					    bool reads, __u64 length)
{
	bool is_response = (session->conn.role == ROLE_SERVER) != reads;
	struct stream *stream = is_response ? &session->conn.response : &session->conn.request;
	struct pieces pieces = {
		.session = session,
		.text = {
			.from = call->buffer,
			.left = length,
			.now = time_of(session, call, reads, is_response),
			.is_response = is_response,
		},
	};

	if (!skip_inside_body(stream, length))
		bpf_loop(PIECES, parse_next_piece, &pieces, 0);
}

#endif
