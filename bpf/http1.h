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

#include "message.h"

#define STEPS_CAP 32768 /* of one segment; 64 KiB of the shortest chunks need fewer */
#define CONTINUE 0
#define STOP 1

static __always_inline void begin_message(struct stream *stream)
{
	stream->state = STREAM_START;
	stream->framing = 0;
	stream->remaining = 0;
}

/* The last byte of a response, or of a request. */
static __always_inline void end_message(struct parse *p)
{
	struct bpf_sock *sk = p->skb->sk;

	if (p->is_response && sk &&
	    !answer(p->conn, sk, &p->s->answered, p->conn->status, FAILURE_NONE, now(p)))
		__sync_fetch_and_add(&unsolicited_count, 1);
	begin_message(p->stream);
}

/* Where the body ends is known, or there is none. */
static __always_inline void begin_body(struct parse *p)
{
	struct stream *stream = p->stream;

	if (stream->framing & FRAMING_CHUNKED) {
		stream->state = STREAM_CHUNK_SIZE;
		stream->remaining = 0;
	} else if (stream->framing & FRAMING_LENGTH && stream->remaining) {
		stream->state = STREAM_BODY;
	} else {
		end_message(p);
	}
}

static __always_inline void end_request_head(struct parse *p)
{
	struct connection *conn = p->conn;

	if ((p->stream->framing & (FRAMING_TRANSFER | FRAMING_CHUNKED)) == FRAMING_TRANSFER) {
		reject(p, PROTOCOL_UNKNOWN); /* RFC 9112, section 6.1: its end cannot be known */
		return;
	}
	if (conn->protocol == PROTOCOL_UNDECIDED)
		classify(conn, PROTOCOL_HTTP1);
	if (conn->answered) {
		conn->answered = 0;
		__builtin_memset(&conn->draft, 0, sizeof(conn->draft));
	} else {
		enqueue_draft(p);
	}
	begin_body(p);
}

/* A request is answered before its head has ended, as with 414 and 431. */
static COLD void enqueue_early(struct parse *p, struct bpf_sock *sk)
{
	struct connection *conn = p->conn;
	struct carries *kept = bpf_sk_storage_get(&carries, sk, NULL, 0);

	if (conn->request.long_line == LINE_LONG_START) {
		conn->draft.named = 1;
		conn->draft.version = 1; /* it stands at the end of the line */
	}
	if (!conn->draft.named)
		return;
	if (kept)
		take_text(p->s, &kept->stream[0]);
	if (conn->role == ROLE_SERVER && conn->request.long_line == LINE_LONG_START)
		name_draft(p);
	enqueue_draft(p);
	conn->answered = 1;
}

static __always_inline void end_response_head(struct parse *p)
{
	struct connection *conn = p->conn;
	struct bpf_sock *sk = p->skb->sk;
	__u16 status = conn->status;
	__u8 method = METHOD_GET;

	if (!sk)
		return;
	if (status >= 100 && status < 200 && status != 101) {
		begin_message(p->stream); /* the final answer is still to come */
		return;
	}
	if (!peek_method(conn, sk, &method))
		enqueue_early(p, sk);
	if (status == 101 || (method == METHOD_CONNECT && status >= 200 && status < 300)) {
		end_message(p);
		classify(conn, PROTOCOL_UPGRADED);
		p->s->at = p->s->end;
	} else if (method == METHOD_HEAD || status == 204 || status == 304) {
		end_message(p);
	} else if (!(p->stream->framing & (FRAMING_CHUNKED | FRAMING_LENGTH)) ||
		   (p->stream->framing & (FRAMING_TRANSFER | FRAMING_CHUNKED)) ==
			   FRAMING_TRANSFER) {
		p->stream->state = STREAM_UNTIL_CLOSE;
		conn->last_ns = now(p);
	} else {
		begin_body(p);
	}
}

/* RFC 9112, section 4. Only the version and the code count, as in net/http. */
static __always_inline bool read_status_line(struct parse *p, __u32 from, __u32 end)
{
	__u32 status = 0;

	if (end - from < 12 || !STARTS_WITH(word_at(p->s, from), "HTTP/1.") ||
	    byte_at(p->s, from + 8) != ' ')
		return false;
	for (__u32 i = 9; i < 12; i++) {
		__u8 byte = byte_at(p->s, from + i);

		if (byte < '0' || byte > '9')
			return false;
		status = status * 10 + (byte - '0');
	}
	p->conn->status = status;
	return true;
}

/* The first line of a message; empty lines before it are skipped (RFC 9112, 2.2). */
static __always_inline void read_start_line(struct parse *p, __u32 from, __u32 end, bool is_long)
{
	struct connection *conn = p->conn;
	bool is_empty = end == from || (end - from == 1 && byte_at(p->s, from) == '\r');

	if (is_empty) {
		if (!p->is_response)
			conn->draft.start_ns = 0;
		return;
	}
	if (p->is_response) {
		if (!read_status_line(p, from, end)) {
			reject(p, PROTOCOL_UNKNOWN);
			return;
		}
	} else if (is_http2_preface(p->s, from)) {
		reject(p, PROTOCOL_HTTP2);
		return;
	} else if (is_proxy_line(p->s, from) && conn->protocol == PROTOCOL_UNDECIDED && !is_long) {
		conn->draft.start_ns = 0;
		return;
	} else if (!read_request_line(p, from, end, is_long)) {
		reject(p, PROTOCOL_UNKNOWN);
		return;
	}
	p->stream->framing = 0;
	p->stream->remaining = 0;
	p->stream->state = STREAM_HEADERS;
	if (is_long)
		p->stream->long_line = p->is_response ? LINE_LONG : LINE_LONG_START;
}

static __always_inline void read_chunk_size(struct parse *p, __u32 from, __u32 end)
{
	__u32 digits = read_number(p->s, from, end, 16);
	__u8 after = byte_at(p->s, from + digits);

	if (!digits || (from + digits < end && after != '\r' && after != ';' && !is_blank(after))) {
		reject(p, PROTOCOL_UNKNOWN);
	} else if (!p->s->number) {
		p->stream->state = STREAM_TRAILERS;
	} else {
		p->stream->state = STREAM_CHUNK_DATA;
		p->stream->remaining = p->s->number + 2; /* the line end after the data */
	}
}

/* One line [from, end) of the window, or the first LINE_CAP bytes of a long one. */
static __always_inline void read_line(struct parse *p, __u32 from, __u32 end, bool is_long)
{
	bool is_empty = end == from || (end - from == 1 && byte_at(p->s, from) == '\r');

	if (is_long)
		p->stream->long_line = LINE_LONG;
	switch (p->stream->state) {
	case STREAM_HEADERS:
		if (!is_empty) {
			if (!read_header(p, from, end))
				reject(p, PROTOCOL_UNKNOWN);
		} else if (p->is_response) {
			end_response_head(p);
		} else {
			end_request_head(p);
		}
		break;
	case STREAM_CHUNK_SIZE:
		read_chunk_size(p, from, end);
		break;
	case STREAM_TRAILERS:
		if (is_empty)
			end_message(p);
		break;
	default:
		read_start_line(p, from, end, is_long);
	}
}

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
		name_draft(p);
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
	    is_tls_record(p->s, from))
		classify(p->conn, PROTOCOL_TLS);
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
	if (find_newline(s, from) && s->newline - from < LINE_CAP) {
		newline = s->newline;
		s->at = s->base + newline + 1;
		if (p->stream->long_line)
			end_long_line(p, newline);
		else
			read_line(p, from, newline, false);
		return more(s);
	}
	if (left < LINE_CAP)
		return STOP; /* incomplete: carried to the next segment */
	/* So that the version at the end of a long request line stays in view. */
	s->at += LINE_CAP - LINE_TAIL;
	if (!p->stream->long_line)
		read_line(p, from, from + LINE_CAP, true);
	return CONTINUE;
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
static __always_inline void begin_request(struct parse *p)
{
	struct connection *conn = p->conn;
	struct bpf_sock *sk = p->skb->sk;

	conn->draft.start_ns = now(p);
	if (conn->response.state == STREAM_UNTIL_CLOSE && sk) {
		answer(conn, sk, &p->s->answered, conn->status, FAILURE_NONE, conn->last_ns);
		begin_message(&conn->response);
	}
}

static long step(__u32 index, struct parse *p)
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

/*
 * Parses [start, end) of the payload. False: the stream cannot go on from here
 * and waits for the next message.
 */
static __always_inline bool parse_http1(struct parse *p, void *sk, __u32 start, __u32 end)
{
	if (open_window(p, sk, start, end))
		return false;
	bpf_loop(STEPS_CAP, step, p, 0);
	return !close_window(p, sk);
}

#endif
