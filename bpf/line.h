/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What each line of a message does to its stream: http1.h finds the lines. */
#ifndef SONDE_LINE_H
#define SONDE_LINE_H

#include "message.h"

static __always_inline void begin_message(struct stream *stream)
{
	stream->state = STREAM_START;
	stream->framing = 0;
	stream->remaining = 0;
}

/* The last byte of a response, or of a request. */
static __always_inline void end_message(struct parse *p)
{
	if (p->is_response)
		p->found = FOUND_ANSWER;
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
		p->found = FOUND_REQUEST;
	}
	begin_body(p);
}

/* A request is answered before its head has ended, as with 414 and 431. */
static COLD void enqueue_early(struct parse *p)
{
	struct connection *conn = p->conn;
	struct carries *kept = carries_of(p->place, false);

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
	__u16 status = conn->status;
	__u8 method = METHOD_GET;

	if (status >= 100 && status < 200 && status != 101) {
		begin_message(p->stream); /* the final answer is still to come */
		return;
	}
	if (!peek_method(conn, p->place, &method))
		enqueue_early(p);
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
	if (unlikely(spans_on) && !p->is_response)
		begin_trace(p, from);
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

#endif
