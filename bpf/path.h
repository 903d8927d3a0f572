/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The hash under which an operation is known. Segments of the path that look
 * like ids count as one placeholder; routes.LooksLikeID in Go is the same rule.
 */
#ifndef SONDE_PATH_H
#define SONDE_PATH_H

#include "window.h"

#define PATH_CAP 224 /* bytes of a target that are hashed */
#define HASH_PRIME 0x9e3779b97f4a7c15ULL
#define PLACEHOLDER 0x2a

/*
 * What a byte adds to the account of its segment: how many bytes (bits 0-9), how
 * many digits (10-19), how many that ids alone have (20-29); or that it ends it.
 */
#define PATH_WORD 1u
#define PATH_DIGIT (1u << 10 | PATH_WORD)
#define PATH_ODD (1u << 20 | PATH_WORD)
#define PATH_SLASH (1u << 30)
#define PATH_STOP (1u << 31) /* ends the path: space, '?', '#', controls */
#define PATH_FIELD 1023

/* clang-format off */
static const __u32 path_account[256] = {
	[0 ... ' '] = PATH_STOP,
	['!' ... '"'] = PATH_ODD,
	['#'] = PATH_STOP,
	['$' ... ','] = PATH_ODD,
	['-' ... '.'] = PATH_WORD,
	['/'] = PATH_SLASH,
	['0' ... '9'] = PATH_DIGIT,
	[':' ... '>'] = PATH_ODD,
	['?'] = PATH_STOP,
	['@'] = PATH_ODD,
	['A' ... 'Z'] = PATH_WORD,
	['[' ... '^'] = PATH_ODD,
	['_'] = PATH_WORD,
	['`'] = PATH_ODD,
	['a' ... 'z'] = PATH_WORD,
	['{' ... '}'] = PATH_ODD,
	['~'] = PATH_WORD,
	[0x7f] = PATH_STOP,
	[0x80 ... 0xff] = PATH_ODD,
};
/* clang-format on */

static __always_inline __u64 mix(__u64 hash, __u64 value)
{
	hash = (hash ^ value) * HASH_PRIME;
	return hash ^ hash >> 29;
}

/* 1 if a >= b, else 0, for small numbers; without a branch, of which the verifier takes both sides. */
static __always_inline __u32 at_least(__u32 a, __u32 b)
{
	return 1 ^ (a - b) >> 31;
}

/* 1 or 0: the rule of routes.LooksLikeID. */
static __always_inline __u32 looks_like_id(__u32 account)
{
	__u32 n = account & PATH_FIELD, digits = account >> 10 & PATH_FIELD, odd = account >> 20;

	return at_least(n, 1) &
	       (at_least(digits, n) | at_least(digits, 3) |
		(at_least(digits, 1) & at_least(n, 16)) | at_least(n, 41) | at_least(odd, 1));
}

/*
 * Hashes the path from `from` to the end of the line at most; sets path_length
 * and path_hash. Global functions like this one are verified once, on their own.
 * Zeros come from memory, where the verifier cannot follow them: it would visit
 * every length of every segment otherwise.
 */
__noinline int hash_path(struct scratch *s, __u32 from, __u32 line_end)
{
	__u64 hash = hash_seed, segment;
	__u32 account, i;
	__u32 fold = fold_ids & 1;

	if (!s)
		return 0;
	segment = account = s->zero;
	for (i = 0; i < PATH_CAP; i++) {
		__u8 byte = byte_at(s, from + i);
		__u32 adds = from + i < line_end ? path_account[byte] : PATH_STOP;

		if (adds & (PATH_SLASH | PATH_STOP)) {
			__u64 folded = -(__u64)(looks_like_id(account) & fold);

			hash = mix(hash, segment ^ ((segment ^ PLACEHOLDER) & folded));
			if (adds & PATH_STOP)
				break;
			segment = account = s->zero;
		} else {
			segment = (segment ^ byte) * HASH_PRIME;
			account += adds;
		}
	}
	s->path_length = i;
	s->path_hash = hash;
	return 0;
}

/* Hashes a Host header; sets host_hash. */
__noinline int hash_host(struct scratch *s, __u32 from, __u32 length)
{
	__u64 hash = hash_seed;

	if (!s)
		return 0;
	for (__u32 i = 0; i < SONDE_HOST; i += 8) {
		__u64 word = word_at(s, from + i);

		if (i >= length)
			break;
		if (length - i < 8)
			word &= (1ULL << (length - i) * 8) - 1;
		hash = mix(hash, word);
	}
	s->host_hash = hash;
	return 0;
}

#endif
