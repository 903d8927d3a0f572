/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The beginning of a trace: ids, the head of the request, and where it comes
 * from: https://www.w3.org/TR/trace-context/#traceparent-header
 */
#ifndef SONDE_TRACEPARENT_H
#define SONDE_TRACEPARENT_H

#include "header.h"
#include "trace.h"

#define TRACEPARENT_LENGTH 55 /* 00-<32 digits>-<16 digits>-<2 digits> */

static __always_inline __u64 random64(void)
{
	return (__u64)bpf_get_prandom_u32() << 32 | bpf_get_prandom_u32();
}

/*
 * Takes over what the thread that sends this request is handling. Where a packet
 * has been waiting, the thread that runs now is not its sender.
 */
static __always_inline void inherit(struct trace *trace, __u32 tgid, __u32 service)
{
	struct task_struct *task = bpf_get_current_task_btf();
	__u64 thread = (__u64)task->tgid << 32 | (__u32)task->pid;
	struct control *control = bpf_map_lookup_elem(&controls, &service);
	struct handling *handling;

	trace->cause = CAUSE_UNKNOWN;
	if ((__u32)task->tgid != tgid || !control || control->flags & SERVICE_HOPS)
		return;
	handling = bpf_map_lookup_elem(&handlers, &thread);
	if (handling && handling->is_ambiguous)
		return;
	trace->cause = CAUSE_NONE;
	if (!handling)
		return;
	trace->cause = CAUSE_REQUEST;
	trace->passed = handling->context.parent_id;
	trace->context = handling->context;
	trace->context.parent_id = handling->context.span_id;
}

/* Adds bytes of the window to the head of a request. */
__noinline int extend_trace(struct scratch *s, struct trace *trace, __u32 from, __u32 length)
{
	__u32 at;

	if (!s || !trace)
		return 0;
	at = trace->head_length;
	if (at >= SONDE_HEAD)
		return 0;
	if (length > SONDE_HEAD - at)
		length = SONDE_HEAD - at;
	trace->head_length = at + length;
	for (__u32 i = 0; i < SONDE_HEAD; i++) {
		if (i >= length)
			break;
		trace->head[(at + i) & (SONDE_HEAD - 1)] = byte_at(s, from + i);
	}
	return 0;
}

/* tgid: the process that makes the request; 0 if it is served. */
__noinline int start_trace(struct scratch *s, struct trace *trace, __u32 from, __u32 tgid,
			   __u32 service)
{
	__u32 length;

	if (!s || !trace)
		return 0;
	trace->context = (struct trace_context){};
	trace->context.trace_id[0] = random64();
	trace->context.trace_id[1] = random64();
	trace->cause = CAUSE_OUTSIDE;
	if (tgid)
		inherit(trace, tgid, service);
	trace->context.span_id = random64();
	trace->read_ns = trace->thread = 0;
	length = s->length - from;
	trace->head_length = length < SONDE_HEAD ? length : SONDE_HEAD;
	length = trace->head_length;
	barrier_var(length);
	length &= 2 * SONDE_HEAD - 1;
	if (length <= SONDE_HEAD)
		bpf_probe_read_kernel(trace->head, length, &s->bytes[from & WINDOW_MASK]);
	return 0;
}

/* The request line at `from` begins a request; the rest of the window is its head. */
static COLD void begin_trace(struct parse *p, __u32 from)
{
	struct traces *traces = traces_of(p->place, true);
	struct connection *conn = p->conn;

	conn->draft.trace = 0;
	if (!traces) {
		lose(LOSS_SPAN_MEMORY, 1);
		return;
	}
	if (!traces->ends.family)
		read_ends(p, &traces->ends);
	start_trace(p->s, trace_slot(traces, conn->tail), from,
		    conn->role == ROLE_CLIENT ? conn->tgid : 0, conn->service);
	conn->draft.trace = 1 + (conn->tail & (TRACE_SLOTS - 1));
}

static __always_inline __u32 is_capital(__u8 byte)
{
	return byte >= 'A' && byte <= 'F';
}

/* Two digits for each of `bytes` of s->hex from `to` on; false if one is none. */
__noinline int read_hex(struct scratch *s, __u32 from, __u32 to, __u32 bytes)
{
	__u32 bad = 0;

	if (!s)
		return 0;
	for (__u32 i = 0; i < 16; i++) {
		__u32 high = digit_of(byte_at(s, from + 2 * i));
		__u32 low = digit_of(byte_at(s, from + 2 * i + 1));

		if (i >= bytes)
			break;
		bad |= (high | low) & 16;
		/* The standard has them in lower case only. */
		bad |= is_capital(byte_at(s, from + 2 * i)) |
		       is_capital(byte_at(s, from + 2 * i + 1));
		s->hex[(to + i) & (sizeof(s->hex) - 1)] = high << 4 | (low & 15);
	}
	return !bad;
}

/* Where read_hex() puts the parts of a traceparent header. */
#define HEX_TRACE 0
#define HEX_PARENT 16
#define HEX_VERSION 24
#define HEX_FLAGS 25

/*
 * Whose child a request with this header is. One that is served is the sender's.
 * One that is made and got its header from the program itself is the span that
 * the program speaks of, so that whoever serves it is its child; but a header
 * that is only handed on names the span of somebody else.
 */
static __always_inline void join_trace(struct trace *trace, const __u64 *trace_id, __u64 parent)
{
	bool same = trace->context.trace_id[0] == trace_id[0] &&
		    trace->context.trace_id[1] == trace_id[1];

	trace->context.trace_id[0] = trace_id[0];
	trace->context.trace_id[1] = trace_id[1];
	if (trace->cause == CAUSE_OUTSIDE || trace->cause == CAUSE_UNKNOWN) {
		trace->context.parent_id = parent;
		return;
	}
	if (!same)
		trace->context.parent_id = 0;
	if (trace->cause == CAUSE_NONE || trace->passed != parent)
		trace->context.span_id = parent;
}

/* The value of a traceparent header, [from, end). What is malformed is no parent. */
__noinline int take_parent(struct scratch *s, struct trace *trace, __u32 from, __u32 end)
{
	const __u64 *ids;

	if (!s || !trace || end < from || end - from < TRACEPARENT_LENGTH)
		return 0;
	ids = (const __u64 *)s->hex;
	if (!read_hex(s, from, HEX_VERSION, 1) || s->hex[HEX_VERSION] == 0xff ||
	    !read_hex(s, from + 3, HEX_TRACE, 16) || !read_hex(s, from + 36, HEX_PARENT, 8) ||
	    !read_hex(s, from + 53, HEX_FLAGS, 1))
		return 0;
	if (byte_at(s, from + 2) != '-' || byte_at(s, from + 35) != '-' ||
	    byte_at(s, from + 52) != '-' ||
	    (!s->hex[HEX_VERSION] && end - from != TRACEPARENT_LENGTH) || !(ids[0] | ids[1]) ||
	    !ids[HEX_PARENT / 8])
		return 0;
	join_trace(trace, ids, ids[HEX_PARENT / 8]);
	trace->context.flags = TRACE_REMOTE | (s->hex[HEX_FLAGS] & 1 ? TRACE_REMOTE_SAMPLED : 0);
	return 0;
}

static COLD void read_traceparent(struct parse *p, __u32 from, __u32 end)
{
	struct traces *traces = traces_of(p->place, false);

	if (traces && p->conn->draft.trace)
		take_parent(p->s, trace_slot(traces, p->conn->draft.trace - 1), from, end);
}

/* A head that goes on in this segment. */
static COLD void extend_head(struct parse *p, __u32 from, __u32 length)
{
	struct traces *traces = traces_of(p->place, false);

	if (traces && p->conn->draft.trace)
		extend_trace(p->s, trace_slot(traces, p->conn->draft.trace - 1), from, length);
}

#endif
