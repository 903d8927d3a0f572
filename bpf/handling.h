/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* When a service reads a request: what its thread does from then on, it does for it. */
#ifndef SONDE_HANDLING_H
#define SONDE_HANDLING_H

#include "tap.h"
#include "trace.h"

/* The service has read the request: from now on this thread handles it. */
static COLD void begin_handling(struct trace *trace, __u64 thread)
{
	struct handling *known = bpf_map_lookup_elem(&handlers, &thread);
	struct handling first = { .context = trace->context, .requests = 1 };

	trace->read_ns = bpf_ktime_get_ns();
	trace->thread = thread;
	if (!known || !known->requests) {
		bpf_map_update_elem(&handlers, &thread, &first, BPF_ANY);
		return;
	}
	known->requests++;
	known->is_ambiguous = 1;
}

/* In the thread that reads a request: it handles it, if services like it do so. */
static COLD void read_request(const struct connection *conn, struct trace *trace)
{
	__u32 id = conn->service;
	struct control *control = bpf_map_lookup_elem(&controls, &id);

	if (control && control->flags & SERVICE_HOPS)
		trace->read_ns = bpf_ktime_get_ns();
	else
		begin_handling(trace, bpf_get_current_pid_tgid());
}

/* What is read is the newest request; one at most, or it is not known which. */
static __always_inline void note_request_read(const struct connection *conn, void *place)
{
	struct traces *traces;

	if (conn->role != ROLE_SERVER || conn->tail - conn->head != 1)
		return;
	traces = traces_of(place, false);
	if (traces && !trace_slot(traces, conn->head)->read_ns)
		read_request(conn, trace_slot(traces, conn->head));
}

#endif
