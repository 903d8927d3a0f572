/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a request needs to become a span, kept only while spans are asked for:
 * its place in a trace, and its head. Whether it does become one is decided at
 * its end, when its outcome is known.
 */
#ifndef SONDE_TRACE_H
#define SONDE_TRACE_H

#include "series.h"
#include "tap.h"

#define TRACE_SLOTS 4 /* a draft, QUEUE_INLINE that wait, and one to spare */
#define MAX_HANDLERS 65536

struct trace {
	struct trace_context context;
	__u64 read_ns; /* when a thread of the service read it; 0: not known */
	__u64 thread;  /* that one; 0: none, or it has done with it */
	__u64 passed;  /* parent of the request that the caller handles */
	__u32 head_length;
	__u32 cause; /* enum cause */
	__u8 head[SONDE_HEAD];
};

/* What a request comes of. */
enum cause {
	CAUSE_NONE = 0, /* it is made, but not while another is handled */
	CAUSE_REQUEST,	/* it is made for the one that its thread handles */
	CAUSE_UNKNOWN,	/* it is made while several are handled, or by who knows which thread */
	CAUSE_OUTSIDE,	/* it is served */
};

struct traces {
	struct ends ends;
	struct trace slots[TRACE_SLOTS];
};

/*
 * The request that a thread handles, so that calls it makes meanwhile are its
 * children. A thread that handles several at once makes calls for none of them.
 */
struct handling {
	struct trace_context context;
	__u32 requests; /* that this thread has read and that are not answered */
	__u32 is_ambiguous;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, MAX_HANDLERS);
	__type(key, __u64); /* as bpf_get_current_pid_tgid() */
	__type(value, struct handling);
} handlers SEC(".maps");

static __always_inline struct trace *trace_slot(struct traces *traces, __u32 index)
{
	return &traces->slots[index & (TRACE_SLOTS - 1)];
}

static __always_inline void end_handling(struct trace *trace)
{
	__u64 thread = trace->thread;
	struct handling *handling;

	if (!thread)
		return;
	trace->thread = 0;
	handling = bpf_map_lookup_elem(&handlers, &thread);
	if (handling && handling->requests && !--handling->requests)
		bpf_map_delete_elem(&handlers, &thread);
}

/* OpenTelemetry's TraceIdRatioBased: the last eight bytes of the id decide. */
static __always_inline bool is_sampled(const struct trace_context *context)
{
	if (span_parent_based && context->flags & TRACE_REMOTE)
		return context->flags & TRACE_REMOTE_SAMPLED;
	return bpf_be64_to_cpu(context->trace_id[1]) >> 1 < span_bound;
}

static __always_inline bool is_kept(const struct trace_context *context,
				    const struct observation *o)
{
	return is_sampled(context) ||
	       (span_keep_errors && is_error(role_of(o->key.side), o->status, o->failure)) ||
	       (span_keep_slower_ns && o->duration_ns >= span_keep_slower_ns);
}

/* A request has to wait where there is no room for its trace. */
static COLD void lose_trace(struct traces *traces, __u32 index)
{
	if (traces && is_sampled(&trace_slot(traces, index)->context))
		lose(LOSS_SPAN_PIPELINED, 1);
}

/* A request with a trace has ended. A global function, as the others here: verified once. */
__noinline int end_trace(struct traces *traces, struct observation *o, __u32 index, __u64 start_ns)
{
	struct span_event *event;
	struct trace *trace;

	if (!traces || !o)
		return 0;
	trace = trace_slot(traces, index);
	end_handling(trace);
	if (!is_kept(&trace->context, o))
		return 0;
	event = bpf_ringbuf_reserve(&spans, sizeof(*event), 0);
	if (!event) {
		lose(LOSS_SPAN_RING, 1);
		return 0;
	}
	event->context = trace->context;
	event->start_ns = start_ns;
	event->read_ns = trace->read_ns;
	event->end_ns = start_ns + o->duration_ns;
	event->service = o->key.service;
	event->operation = o->operation;
	event->ends = traces->ends;
	event->status = o->status;
	event->side = o->key.side;
	event->method = o->key.method;
	event->version = o->version;
	event->failure = o->failure;
	event->head_length = trace->head_length;
	__builtin_memcpy(event->head, trace->head, SONDE_HEAD);
	bpf_ringbuf_submit(event, 0);
	return 0;
}

#endif
