/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The first line of a request: RFC 9112, section 3. */
#ifndef SONDE_REQUEST_LINE_H
#define SONDE_REQUEST_LINE_H

#include "path.h"

#define METHOD_CAP 64 /* longer tokens are not taken for a method */
#define METHOD_SURE 8 /* bytes that hold every well-known method and the space after it */

/* RFC 9110, section 5.6.2. */
/* clang-format off */
static const __u8 is_tchar[256] = {
	['!'] = 1, ['#'] = 1, ['$'] = 1, ['%'] = 1, ['&'] = 1, ['\''] = 1, ['*'] = 1,
	['+'] = 1, ['-'] = 1, ['.'] = 1, ['^'] = 1, ['_'] = 1, ['`'] = 1, ['|'] = 1,
	['~'] = 1, ['0' ... '9'] = 1, ['A' ... 'Z'] = 1, ['a' ... 'z'] = 1,
};
/* clang-format on */

/* The length of a token that a space follows, or 0. */
static __always_inline __u32 token_length(struct scratch *s, __u32 from)
{
	for (__u32 i = 0; i <= METHOD_CAP; i++) {
		__u8 byte = byte_at(s, from + i);

		if (byte == ' ')
			return i;
		if (!is_tchar[byte])
			return 0;
	}
	return 0;
}

static __always_inline void set_method(struct scratch *s, __u8 method, __u32 length)
{
	s->method = method;
	s->method_length = length;
}

/* Sets method and method_length; a length of 0 means that there is no token. */
__noinline int read_method(struct scratch *s, __u32 from)
{
	__u64 word;

	if (!s)
		return 0;
	word = word_at(s, from);
	if (STARTS_WITH(word, "GET "))
		set_method(s, METHOD_GET, 3);
	else if (STARTS_WITH(word, "POST "))
		set_method(s, METHOD_POST, 4);
	else if (STARTS_WITH(word, "PUT "))
		set_method(s, METHOD_PUT, 3);
	else if (STARTS_WITH(word, "HEAD "))
		set_method(s, METHOD_HEAD, 4);
	else if (STARTS_WITH(word, "DELETE "))
		set_method(s, METHOD_DELETE, 6);
	else if (STARTS_WITH(word, "PATCH "))
		set_method(s, METHOD_PATCH, 5);
	else if (STARTS_WITH(word, "OPTIONS "))
		set_method(s, METHOD_OPTIONS, 7);
	else if (STARTS_WITH(word, "CONNECT "))
		set_method(s, METHOD_CONNECT, 7);
	else if (STARTS_WITH(word, "TRACE "))
		set_method(s, METHOD_TRACE, 5);
	else
		set_method(s, METHOD_OTHER, token_length(s, from));
	return 0;
}

enum certainty {
	CERTAIN_NOT,
	CERTAIN_NOT_YET, /* the next bytes will tell */
	CERTAIN,
};

/* Whether `left` bytes begin with a well-known method and a space. */
static __always_inline enum certainty is_method(struct scratch *s, __u32 from, __u32 left)
{
	read_method(s, from);
	if (s->method != METHOD_OTHER && s->method_length < left)
		return CERTAIN;
	if (left >= METHOD_SURE)
		return CERTAIN_NOT;
	for (__u32 i = 0; i < METHOD_SURE - 1; i++) {
		__u8 byte = byte_at(s, from + i);

		if (i < left && (byte < 'A' || byte > 'Z'))
			return CERTAIN_NOT;
	}
	return CERTAIN_NOT_YET;
}

/* Whether the line that ends before `end` closes with " HTTP/1.x"; sets x. */
static __always_inline bool read_version(const struct scratch *s, __u32 end, __u8 *version)
{
	__u8 digit;

	if (byte_at(s, end - 1) == '\r')
		end--;
	digit = byte_at(s, end - 1);
	if (byte_at(s, end - 9) != ' ' || !STARTS_WITH(word_at(s, end - 8), "HTTP/1.") ||
	    digit < '0' || digit > '9')
		return false;
	*version = digit - '0';
	return true;
}

/* RFC 9113, section 3.4. */
static __always_inline bool is_http2_preface(const struct scratch *s, __u32 from)
{
	return STARTS_WITH(word_at(s, from), "PRI * HT") &&
	       STARTS_WITH(word_at(s, from + 8), "TP/2.0");
}

/* HAProxy's PROXY protocol, version 1: a line of its own before the first request. */
static __always_inline bool is_proxy_line(const struct scratch *s, __u32 from)
{
	__u64 word = word_at(s, from);

	return STARTS_WITH(word, "PROXY TC") || STARTS_WITH(word, "PROXY UN");
}

#endif
