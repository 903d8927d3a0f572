/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * HTTP/1.0 and 1.1 (RFC 9112), as a state machine that takes the stream in any
 * cut. Each step of it skips a body, reads a line, or refills the window.
 *
 *   START ─► HEADERS ─► (no body) ───────────────────────► START
 *                  ├──► BODY ────────────────────────────► START
 *                  ├──► CHUNK_SIZE ⇄ CHUNK_DATA ─► TRAILERS ─► START
 *                  └──► UNTIL_CLOSE (responses only)
 */
#ifndef SONDE_HTTP1_H
#define SONDE_HTTP1_H

#include "line.h"

#define STEPS_CAP 32768 /* of one segment; 64 KiB of the shortest chunks need fewer */
#define CONTINUE 0
#define STOP 1

/* The line end of a long line was found at `newline`. */
static __always_inline void end_long_line(struct parse *p, __u32 newline)
{
	struct connection *conn = p->conn;
	__u8 kind = p->stream->long_line;

	p->stream->long_line = LINE_SHORT;
	if (kind != LINE_LONG_START)
		return;
	if (!read_version(p->s, newline, &conn->draft.version)) {
		reject(p, PROTOCOL_UNKNOWN);
		return;
	}
	conn->draft.named = 1;
	if (conn->role == ROLE_SERVER)
		p->found = FOUND_OPERATION;
}

/* A TLS record: RFC 8446, section 5.1. */
#define TLS_FIRST 20 /* types: change_cipher_spec to application_data */
#define TLS_LAST 23
#define TLS_SURE 3 /* bytes that tell: type and version */

static __always_inline bool is_tls_record(const struct scratch *s, __u32 from)
{
	__u8 type = byte_at(s, from);

	return type >= TLS_FIRST && type <= TLS_LAST && byte_at(s, from + 1) == 3 &&
	       byte_at(s, from + 2) <= 4;
}

/*
 * Most other protocols are known by their first byte, before there is a line.
 * To find back into a stream only the well-known methods are taken for one.
 */
static __always_inline bool may_begin_message(struct parse *p, __u32 from)
{
	__u32 left = p->s->end - p->s->at;
	__u8 first = byte_at(p->s, from);

	if (left < TLS_SURE && first >= TLS_FIRST && first <= TLS_LAST)
		return true; /* the next bytes will tell */
	if (first == '\r' || first == '\n' || (p->is_response ? first == 'H' : is_tchar[first]))
		if (likely(p->stream->state == STREAM_START) || p->is_response ||
		    is_method(p->s, from, left) != CERTAIN_NOT)
			return true;
	if (left >= TLS_SURE && p->conn->protocol == PROTOCOL_UNDECIDED &&
	    is_tls_record(p->s, from)) {
		p->conn->tls_since_ns = p->stream->state == STREAM_START ? now(p) : 0;
		classify(p->conn, PROTOCOL_TLS);
	}
	reject(p, PROTOCOL_UNKNOWN);
	return false;
}

static __always_inline __u8 use_of_lines(const struct parse *p)
{
	if (p->is_response)
		return USE_RESPONSE;
	return p->conn->role == ROLE_SERVER ? USE_SERVER : USE_CLIENT;
}

static __always_inline long more(const struct scratch *s)
{
	return s->at < s->end ? CONTINUE : STOP;
}

static __always_inline long step_line(struct parse *p)
{
	struct scratch *s = p->s;
	__u32 from, newline;
	bool is_whole;
	__s32 left;

	if (fill(p))
		return STOP;
	from = s->at - s->base;
	if (p->stream->state == STREAM_HEADERS && !p->stream->long_line) {
		skip_lines(s, from, use_of_lines(p));
		s->at = s->base + s->newline;
		if (fill(p))
			return STOP;
		from = s->at - s->base;
	}
	if (p->stream->state <= STREAM_RESYNC && !p->stream->long_line &&
	    !may_begin_message(p, from))
		return CONTINUE;
	left = s->end - s->at;
	is_whole = find_newline(s, from) && s->newline - from < LINE_CAP;
	if (likely(is_whole)) {
		newline = s->newline;
		s->at = s->base + newline + 1;
	} else if (left < LINE_CAP) {
		return STOP; /* incomplete: carried to the next segment */
	} else {
		newline = from + LINE_CAP;
		/* So that the version at the end of a long request line stays in view. */
		s->at += LINE_CAP - LINE_TAIL;
	}
	if (likely(!p->stream->long_line))
		read_line(p, from, newline, !is_whole);
	else if (is_whole)
		end_long_line(p, newline);
	return more(s);
}

/*
 * RFC 9110, section 10.1.1: a client that expected 100 (Continue) and got its
 * final answer may leave the body out and send the next request. False: a few
 * more bytes are needed to tell.
 */
static COLD bool settle_expectation(struct parse *p)
{
	struct connection *conn = p->conn;
	struct stream *stream = p->stream;
	struct scratch *s = p->s;
	__u32 left = s->end - s->at;

	if (fill(p))
		return false;
	if (!conn->pipelined && conn->head == conn->tail) {
		enum certainty is_request = is_method(s, s->at - s->base, left);
		bool all = stream->state == STREAM_BODY && left >= stream->remaining;

		if (is_request == CERTAIN_NOT_YET && !all)
			return false;
		if (is_request == CERTAIN)
			begin_message(stream);
	}
	stream->framing &= ~FRAMING_EXPECT;
	return true;
}

static __always_inline long step_skip(struct parse *p)
{
	struct stream *stream = p->stream;
	struct scratch *s = p->s;
	__u64 left = s->end - s->at;

	if (left > stream->remaining)
		left = stream->remaining;
	stream->remaining -= left;
	s->at += left;
	if (stream->remaining)
		return CONTINUE;
	if (stream->state == STREAM_BODY)
		end_message(p);
	else
		stream->state = STREAM_CHUNK_SIZE;
	return more(s);
}

/* A new request after a body that nothing ended: the body had ended. */
static COLD void end_unframed_answer(struct parse *p)
{
	struct connection *conn = p->conn;

	answer(conn, p->place, &p->s->answered, conn->status, FAILURE_NONE, conn->last_ns);
	begin_message(&conn->response);
}

static __always_inline void begin_request(struct parse *p)
{
	p->conn->draft.start_ns = now(p);
	if (unlikely(p->conn->response.state == STREAM_UNTIL_CLOSE))
		end_unframed_answer(p);
}

static __always_inline void act_on(struct parse *p, __u32 found)
{
	p->found = FOUND_NOTHING;
	if (found == FOUND_OPERATION)
		name_draft(p);
	else if (found == FOUND_REQUEST)
		enqueue_draft(p);
	else if (!answer(p->conn, p->place, &p->s->answered, p->conn->status, FAILURE_NONE, now(p)))
		__sync_fetch_and_add(&unsolicited_count, 1);
}

static __always_inline long step_on(struct parse *p)
{
	struct stream *stream = p->stream;
	struct scratch *s = p->s;
	/* The rest of a long line is a line, whatever it announced. */
	__u8 state = unlikely(stream->long_line) ? STREAM_HEADERS : stream->state;

	if (s->at >= s->end || p->conn->verdict != VERDICT_MEASURE)
		return STOP;
	if (unlikely(stream->framing & FRAMING_EXPECT) && state >= STREAM_BODY) {
		if (!settle_expectation(p))
			return STOP;
		state = stream->state;
	}
	switch (state) {
	case STREAM_BODY:
	case STREAM_CHUNK_DATA:
		return step_skip(p);
	case STREAM_UNTIL_CLOSE:
		p->conn->last_ns = now(p);
		s->at = s->end;
		return STOP;
	case STREAM_START:
	case STREAM_RESYNC:
		if (!p->is_response && !p->conn->draft.start_ns)
			begin_request(p);
		/* fall through */
	default:
		return step_line(p);
	}
}

static long step(__u32 index, struct parse *p)
{
	long next = step_on(p);

	if (p->found)
		act_on(p, p->found);
	return next;
}

/* Bytes of a body that goes on after them need no parser. */
static __always_inline bool skip_inside_body(struct stream *stream, __u64 length)
{
	if ((stream->state != STREAM_BODY && stream->state != STREAM_CHUNK_DATA) ||
	    stream->remaining <= length || stream->framing & FRAMING_EXPECT || stream->long_line)
		return false;
	stream->remaining -= length;
	return true;
}

/*
 * Parses [start, end) of the payload. False: the stream cannot go on from here
 * and waits for the next message.
 */
static __always_inline bool parse_http1(struct parse *p, __u32 start, __u32 end)
{
	if (open_window(p, start, end))
		return false;
	bpf_loop(STEPS_CAP, step, p, 0);
	return !close_window(p);
}

#endif
