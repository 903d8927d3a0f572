/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The bytes under the parser: a window over the payload of one segment, in
 * front of which stand the bytes of a line that an earlier segment began.
 *
 *   bytes: [ carried ≤ LINE_CAP | fresh ≤ WINDOW_FRESH | slack ]
 *   base:  payload offset of bytes[0]; negative while carried bytes lie there
 *
 * Rule: a line is looked at through its first LINE_CAP bytes only, whether it
 * comes whole or byte by byte, so that the result never depends on how the
 * stream was cut.
 */
#ifndef SONDE_WINDOW_H
#define SONDE_WINDOW_H

#include "queue.h"
#include "text.h"

#define LINE_CAP 256
#define LINE_TAIL 16 /* bytes kept before a search goes on: "HTTP/1.1\r" must fit */
#define WINDOW_FRESH 512
#define WINDOW_SIZE 1024
#define WINDOW_MASK (WINDOW_SIZE - 1)
#define WINDOW_SLACK 136 /* so that a copy of SONDE_PATH bytes may begin anywhere */
#define PATH_KEPT (~0U)
#define SCRATCHES 4 /* per CPU: a task, and what may interrupt or preempt it */

struct scratch {
	__u32 busy;
	__s32 at;  /* payload offset of the next byte to parse */
	__s32 end; /* length of the payload */
	__s32 base;
	__u32 length;  /* bytes that are valid */
	__u32 newline; /* offset of the line end that was found; >= length: none */
	__u32 path_length;
	__u32 host_length;
	__u32 method;
	__u32 method_length;
	__u32 path_at; /* offset of the path in the window; PATH_KEPT: it is in `path` */
	__u32 pad;
	__u64 zero;
	__u64 path_hash;
	__u64 host_hash;
	__u64 number; /* that was read last: a length, or a chunk's size */
	struct answered answered;
	__u8 hex[32] __attribute__((aligned(8))); /* what was read last in hexadecimal */
	__u8 bytes[WINDOW_SIZE + WINDOW_SLACK];
	__u8 path[SONDE_PATH];
	__u8 host[SONDE_HOST];
};

/*
 * Programs of cgroup_skb may be interrupted and, with preemption, suspended, so
 * one buffer a CPU is not enough; each run claims one of several.
 */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SCRATCHES);
	__type(key, __u32);
	__type(value, struct scratch);
} scratches SEC(".maps");

/* What a stream keeps between two segments of one head; index 1: response. */
struct carry {
	__u8 bytes[LINE_CAP];
	__u8 path[SONDE_PATH];
	__u8 host[SONDE_HOST];
	__u64 host_hash;
	__u16 path_length;
	__u16 host_length;
	__u32 pad;
};

struct carries {
	struct carry stream[2];
};

/* One run of the parser over one segment of one stream. */
struct parse {
	struct __sk_buff *skb;
	void *place; /* see tap.h */
	struct connection *conn;
	struct stream *stream;
	struct scratch *s;
	const void *user;  /* bytes in the memory of a process: TLS tap only */
	const void *stash; /* bytes that came out of order; NULL: read from skb */
	__u64 now;	   /* 0: the clock was not read yet */
	__u32 payload;	   /* offset of the payload in skb */
	__u32 is_response;
	__u32 found; /* enum found */
};

/* What a step found; acted on once, at its end, so that the code for it is there once. */
enum found {
	FOUND_NOTHING = 0,
	FOUND_OPERATION, /* the draft can be named */
	FOUND_REQUEST,	 /* the head of the draft is complete */
	FOUND_ANSWER,	 /* the last byte of a response */
};

static __always_inline __u64 now(struct parse *p)
{
	if (!p->now)
		p->now = bpf_ktime_get_ns();
	return p->now;
}

static __always_inline __u8 byte_at(const struct scratch *s, __u32 offset)
{
	return s->bytes[offset & WINDOW_MASK];
}

/* Eight bytes from anywhere: the processors that Sonde runs on do not ask for alignment. */
static __always_inline __u64 load_word(const __u8 *from)
{
#ifdef __bpf__
	return *(const __u64 *)from;
#else
	__u64 word;

	__builtin_memcpy(&word, from, sizeof(word));
	return word;
#endif
}

static __always_inline __u64 word_at(const struct scratch *s, __u32 offset)
{
	return load_word(&s->bytes[offset & WINDOW_MASK]);
}

/* A text of 128 bytes at most. memcpy() would go byte by byte, not knowing the above. */
static __always_inline void copy_text(const struct scratch *s, __u32 offset, __u64 *to)
{
	const __u8 *from = &s->bytes[offset & WINDOW_MASK];

#pragma unroll
	for (__u32 i = 0; i < SONDE_PATH / 8; i++)
		to[i] = load_word(from + i * 8);
}

static __always_inline struct scratch *claim_scratch(void)
{
	for (__u32 i = 0; i < SCRATCHES; i++) {
		__u32 index = i;
		struct scratch *s = bpf_map_lookup_elem(&scratches, &index);

		if (s && !__sync_lock_test_and_set(&s->busy, 1))
			return s;
	}
	lose(LOSS_SCRATCH_BUSY, 1);
	return NULL;
}

static __always_inline void release_scratch(struct scratch *s)
{
	*(volatile __u32 *)&s->busy = 0;
}

/*
 * The mask changes no length from 1 to WINDOW_FRESH; it is what shows the
 * verifier of every kernel that a length is neither 0 nor larger.
 */
static __always_inline __u32 show_length(__u32 length)
{
	length--;
	barrier_var(length);
	return (length & (WINDOW_FRESH - 1)) + 1;
}

/* Makes the window hold LINE_CAP bytes from `at` on, or all that there are. */
static __always_inline int fill(struct parse *p)
{
	struct scratch *s = p->s;
	__s32 valid_to = s->base + (__s32)s->length;
	__u32 fresh;

	if (valid_to >= s->end || valid_to - s->at >= LINE_CAP)
		return 0;
	fresh = s->end - s->at;
	if (fresh > WINDOW_FRESH)
		fresh = WINDOW_FRESH;
	if (!fresh || s->at < 0 || read_payload(p, s->at, s->bytes, fresh)) {
		lose(LOSS_SEGMENT_UNREADABLE, 1);
		return -1;
	}
	s->base = s->at;
	s->length = fresh;
	return 0;
}

/* The text of a draft, as an earlier segment left it. */
static __always_inline void take_text(struct scratch *s, const struct carry *carry)
{
	__builtin_memcpy(s->path, carry->path, SONDE_PATH);
	__builtin_memcpy(s->host, carry->host, SONDE_HOST);
	s->path_length = carry->path_length;
	s->host_length = carry->host_length;
	s->host_hash = carry->host_hash;
	s->path_at = PATH_KEPT;
}

/* Puts what an earlier segment left in front of this one; returns how many bytes. */
static COLD __u32 take_carried(struct parse *p)
{
	struct carries *kept = carries_of(p->place, false);
	__u32 carried = p->stream->carried;
	struct carry *carry;

	p->stream->carried = 0;
	if (!kept)
		return 0;
	carry = &kept->stream[p->is_response & 1];
	__builtin_memcpy(p->s->bytes, carry->bytes, LINE_CAP);
	take_text(p->s, carry);
	return carried < LINE_CAP ? carried : LINE_CAP;
}

/* Defined in traceparent.h. */
static COLD void extend_head(struct parse *p, __u32 fresh_at, __u32 fresh);

/* The first window of a segment: what was carried, then the first fresh bytes. */
static __always_inline int open_window(struct parse *p, __u32 start, __u32 end)
{
	struct scratch *s = p->s;
	__u32 carried = 0, fresh = end - start;

	s->path_length = s->host_length = s->host_hash = 0;
	if (p->stream->carried || p->stream->state == STREAM_HEADERS)
		carried = take_carried(p);
	if (fresh > WINDOW_FRESH)
		fresh = WINDOW_FRESH;
	if (!fresh || read_payload(p, start, s->bytes + (carried & (2 * LINE_CAP - 1)), fresh)) {
		lose(LOSS_SEGMENT_UNREADABLE, 1);
		return -1;
	}
	if (unlikely(spans_on) && p->stream->state == STREAM_HEADERS && !p->is_response)
		extend_head(p, carried, fresh);
	s->at = s->base = start - carried;
	s->end = end;
	s->length = carried + fresh;
	return 0;
}

/* Keeps `left` bytes, which may be 0, and the text of the draft for the next segment. */
static COLD int keep_for_next(struct parse *p, __u32 left)
{
	struct scratch *s = p->s;
	__u32 from = s->at - s->base;
	struct carries *kept;
	struct carry *carry;

	kept = carries_of(p->place, true);
	if (!kept) {
		lose(LOSS_CONNECTION_MEMORY, 1);
		return -1;
	}
	carry = &kept->stream[p->is_response & 1];
	if (left > LINE_CAP)
		left = LINE_CAP;
	p->stream->carried = left;
	barrier_var(left);
	left &= 2 * LINE_CAP - 1;
	if (left > LINE_CAP ||
	    bpf_probe_read_kernel(carry->bytes, left, &s->bytes[from & WINDOW_MASK]))
		return -1;
	carry->path_length = s->path_length;
	carry->host_length = s->host_length;
	carry->host_hash = s->host_hash;
	__builtin_memcpy(carry->path, s->path, SONDE_PATH);
	__builtin_memcpy(carry->host, s->host, SONDE_HOST);
	return 0;
}

/* Keeps the line that this segment left incomplete, and the text of the draft. */
static __always_inline int close_window(struct parse *p)
{
	struct scratch *s = p->s;
	__u32 left = s->at < s->end ? s->end - s->at : 0;
	bool has_text = !p->is_response && p->stream->state == STREAM_HEADERS &&
			(p->conn->role == ROLE_CLIENT || p->stream->long_line == LINE_LONG_START);

	if (!left && !has_text)
		return 0;
	return keep_for_next(p, left);
}

/* Sets newline to the first line end within LINE_CAP bytes of `from`. */
static __always_inline bool find_newline(struct scratch *s, __u32 from)
{
	s->newline = WINDOW_SIZE + LINE_CAP;
	for (__u32 i = 0; i < LINE_CAP; i += 8) {
		__u64 mask = newlines(word_at(s, from + i));

		if (mask) {
			/* Through memory, so that the verifier forgets which i it was. */
			s->newline = from + i + lowest_byte(mask);
			break;
		}
	}
	return s->newline < s->length;
}

#endif
