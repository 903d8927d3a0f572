/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The header fields that decide where a message ends (RFC 9112, section 6), and
 * the Host of a request. All others are passed over after one look at their
 * first eight bytes.
 */
#ifndef SONDE_HEADER_H
#define SONDE_HEADER_H

#include "path.h"

#define NUMBER_DIGITS 15 /* decimal or hexadecimal: fits in 64 bits; more is an attack */
#define SKIP_STEPS 160	 /* blocks and lines of a window, in one go */
#define SPACES_CAP 8	 /* blanks around a value that are looked through */

static __always_inline bool is_blank(__u8 byte)
{
	return byte == ' ' || byte == '\t';
}

/* Global functions hide from the verifier how many blanks there were. */
__noinline __u32 skip_blanks(struct scratch *s, __u32 from)
{
	if (!s)
		return from;
	for (__u32 i = 0; i < SPACES_CAP; i++) {
		if (!is_blank(byte_at(s, from)))
			break;
		from++;
	}
	return from;
}

/* The end of the value without the line's '\r' and the blanks before it. */
__noinline __u32 trim_end(struct scratch *s, __u32 end)
{
	if (!s)
		return end;
	for (__u32 i = 0; i < SPACES_CAP; i++) {
		__u8 byte = byte_at(s, end - 1);

		if (byte != '\r' && !is_blank(byte))
			break;
		end--;
	}
	return end;
}

static __always_inline __u32 digit_of(__u8 byte)
{
	__u8 letter = byte | 0x20;

	if (byte >= '0' && byte <= '9')
		return byte - '0';
	return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : 16;
}

/* Sets `number`; returns how many digits it has. Base 10 or 16. */
__noinline int read_number(struct scratch *s, __u32 from, __u32 end, __u32 base)
{
	__u64 number = 0;
	int digits = 0;

	if (!s)
		return 0;
	for (__u32 i = 0; i < NUMBER_DIGITS; i++) {
		__u32 digit = digit_of(byte_at(s, from + i));

		if (from + i >= end || digit >= base)
			break;
		number = number * base + digit;
		digits++;
	}
	s->number = number;
	return digits;
}

/* False if the value is not a number, or contradicts an earlier one. */
static __always_inline bool read_length(struct parse *p, __u32 from, __u32 end)
{
	struct stream *stream = p->stream;
	__u32 digits = read_number(p->s, from, end, 10);

	if (!digits || from + digits != end)
		return false;
	if (stream->framing & FRAMING_LENGTH)
		return stream->remaining == p->s->number;
	stream->framing |= FRAMING_LENGTH;
	stream->remaining = p->s->number;
	return true;
}

static COLD void read_transfer_encoding(struct parse *p, __u32 from, __u32 end)
{
	/* Chunked must be the last coding, so the end of the value tells. */
	if (end - from >= 7 && STARTS_WITH(LOWER(word_at(p->s, end - 7)), "chunked"))
		p->stream->framing |= FRAMING_CHUNKED;
	else
		p->stream->framing |= FRAMING_TRANSFER;
}

static __always_inline void read_host(struct parse *p, __u32 from, __u32 end)
{
	struct scratch *s = p->s;

	if (p->conn->role != ROLE_CLIENT)
		return;
	if (end < from)
		end = from; /* nothing but blanks */
	s->host_length = end - from < SONDE_HOST ? end - from : SONDE_HOST;
	hash_host(s, from, s->host_length);
	copy_text(s, from, (__u64 *)s->host);
}

/* First bytes of the lines that are of use: to a response, a server's request, a client's. */
enum line_use {
	USE_RESPONSE = 1,
	USE_SERVER = 2,
	USE_CLIENT = 4,
	USE_ALL = 7,
};

static const __u8 line_use[256] = {
	['\r'] = USE_ALL,
	['\n'] = USE_ALL,
	['c'] = USE_ALL,
	['C'] = USE_ALL,
	['t'] = USE_ALL,
	['T'] = USE_ALL,
	['e'] = USE_SERVER | USE_CLIENT,
	['E'] = USE_SERVER | USE_CLIENT,
	['h'] = USE_CLIENT,
	['H'] = USE_CLIENT,
};

/* Whether read_header() would do something with the line that begins here. */
static __always_inline bool is_of_use(struct scratch *s, __u32 at, __u8 use)
{
	if (!(line_use[byte_at(s, at)] & use))
		return false;
	/* Of the fields that begin with c, only Content-Length. */
	return (byte_at(s, at) | 0x20) != 'c' || (byte_at(s, at + 8) | 0x20) == 'l';
}

/*
 * Moves on from a line's first byte to the first line that is of use, or to the
 * last one that begins in the window; sets `newline` to its first byte. Most
 * bytes of a head go by here. The loop is small on purpose: between two requests
 * the service's own code has taken the instruction cache.
 */
__noinline int skip_lines(struct scratch *s, __u32 from, __u8 use)
{
	__u32 at = from;

	if (!s)
		return 0;
	s->newline = from;
	if (is_of_use(s, at, use))
		return 0;
	for (__u32 i = 0; i < SKIP_STEPS; i++) {
		__u64 mask = newlines(word_at(s, at));

		at += mask ? lowest_byte(mask) + 1 : 8;
		if (at >= s->length)
			break;
		if (!mask)
			continue;
		s->newline = at;
		if (is_of_use(s, at, use))
			break;
	}
	return 0;
}

/* Defined in traceparent.h. */
static COLD void read_traceparent(struct parse *p, __u32 from, __u32 end);

/* One header line [from, end) of the window, line end excluded. False: malformed. */
static __always_inline bool read_header(struct parse *p, __u32 from, __u32 end)
{
	struct scratch *s = p->s;
	__u64 word = LOWER(word_at(s, from));

	if (STARTS_WITH(word, "content-")) {
		if (!STARTS_WITH(LOWER(word_at(s, from + 8)), "length:"))
			return true;
		return read_length(p, skip_blanks(s, from + 15), trim_end(s, end));
	}
	if (STARTS_WITH(word, "transfer")) {
		if (STARTS_WITH(LOWER(word_at(s, from + 8)), "-encodin") &&
		    STARTS_WITH(LOWER(word_at(s, from + 16)), "g:"))
			read_transfer_encoding(p, skip_blanks(s, from + 18), trim_end(s, end));
		return true;
	}
	if (p->is_response)
		return true;
	if (unlikely(spans_on) && STARTS_WITH(word, "tracepar") &&
	    STARTS_WITH(LOWER(word_at(s, from + 8)), "ent:"))
		read_traceparent(p, skip_blanks(s, from + 12), trim_end(s, end));
	else if (STARTS_WITH(word, "host:"))
		read_host(p, skip_blanks(s, from + 5), trim_end(s, end));
	else if (STARTS_WITH(word, "expect:") &&
		 STARTS_WITH(LOWER(word_at(s, skip_blanks(s, from + 7))), "100-cont"))
		p->stream->framing |= FRAMING_EXPECT;
	return true;
}

#endif
