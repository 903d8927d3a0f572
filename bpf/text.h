/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Text eight bytes at a time. A word holds its first byte lowest, as every
 * machine that Sonde runs on (little-endian) loads it.
 */
#ifndef SONDE_TEXT_H
#define SONDE_TEXT_H

#include "kernel.h"

static __always_inline __u64 word_of(const char *text, __u32 length)
{
	__u64 word = 0;

#pragma unroll
	for (__u32 i = 0; i < 8; i++)
		if (i < length)
			word |= (__u64)(__u8)text[i] << 8 * i;
	return word;
}

/* Both fold to constants; a literal has at most eight bytes. */
#define WORD(literal) word_of(literal, sizeof(literal) - 1)
#define STARTS_WITH(word, literal) \
	(((word) & (~0ULL >> (64 - 8 * (sizeof(literal) - 1)))) == WORD(literal))

/*
 * Lower case for letters. It also moves some controls onto punctuation, which
 * only bytes that no field name may contain can exploit.
 */
#define LOWER(word) ((word) | 0x2020202020202020ULL)

/*
 * The lowest bit set marks the first byte equal to '\n' (the classic "has zero
 * byte" test: higher bits may lie, the lowest does not).
 */
static __always_inline __u64 newlines(__u64 word)
{
	word ^= 0x0a0a0a0a0a0a0a0aULL;
	return (word - 0x0101010101010101ULL) & ~word & 0x8080808080808080ULL;
}

/* Which byte the lowest bit of the mask is in, without a branch. */
static __always_inline __u32 lowest_byte(__u64 mask)
{
	__u64 below = (mask & -mask) - 1;

	/* One bit of each byte up to that one, added up in the highest byte. */
	return ((below & 0x0101010101010101ULL) * 0x0101010101010101ULL >> 56) - 1;
}

#endif
