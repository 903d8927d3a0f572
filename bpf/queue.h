/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The requests of a connection that wait for their answer, oldest first. The
 * first few live in the connection; one that pipelines deeper gets a `spill`,
 * and beyond that only a number, observed in the overflow series. Once a
 * connection has spilled, new requests go to the spill only, so order holds.
 *
 * Each index has one writer. No barriers: an answer follows its request through
 * the locks of the socket that delivered it.
 */
#ifndef SONDE_QUEUE_H
#define SONDE_QUEUE_H

#include "series.h"
#include "trace.h"

#define INLINE_SLOT(index) ((index) & (QUEUE_INLINE - 1))
#define SPILL_SLOT(index) ((index) & (QUEUE_SPILL - 1))

static COLD void push_spilled(struct connection *conn, void *place, const struct request *request)
{
	struct spill *spill;

	spill = spill_of(place, true);
	if (!spill) {
		lose(LOSS_CONNECTION_MEMORY, 1);
		return;
	}
	if (!conn->pipelined) { /* it may be left of a session that had this object before */
		spill->head = spill->tail = 0;
		spill->excess = 0;
	}
	conn->pipelined = 1;
	if (unlikely(spans_on && request->trace))
		lose_trace(traces_of(place, false), request->trace - 1);
	if (spill->excess || spill->tail - spill->head >= QUEUE_SPILL) {
		__sync_fetch_and_add(&spill->excess, 1);
		return;
	}
	spill->queue[SPILL_SLOT(spill->tail)] = *request;
	spill->queue[SPILL_SLOT(spill->tail)].trace = 0; /* the next draft takes its slot */
	spill->tail++;
}

static __always_inline void push(struct connection *conn, void *place,
				 const struct request *request)
{
	if (conn->pipelined || conn->tail - conn->head >= QUEUE_INLINE) {
		push_spilled(conn, place, request);
		return;
	}
	conn->queue[INLINE_SLOT(conn->tail)] = *request;
	conn->tail++;
}

static COLD bool pop_spilled(struct spill *spill, struct request *request)
{
	if (spill->head != spill->tail) {
		*request = spill->queue[SPILL_SLOT(spill->head)];
		spill->head++;
		return true;
	}
	if (!spill->excess)
		return false;
	__sync_fetch_and_add(&spill->excess, (__u64)-1);
	/* Its start is not known; that of the last one answered is the best bound. */
	*request = spill->queue[SPILL_SLOT(spill->head - 1)];
	request->operation = SONDE_OTHER;
	return true;
}

static __always_inline bool pop(struct connection *conn, void *place, struct request *request)
{
	struct spill *spill;

	if (conn->head != conn->tail) {
		*request = conn->queue[INLINE_SLOT(conn->head)];
		conn->head++;
		return true;
	}
	if (!conn->pipelined)
		return false;
	spill = spill_of(place, false);
	return spill && pop_spilled(spill, request);
}

/* The method decides whether the answer has a body: RFC 9112, section 6.3. */
static __always_inline bool peek_method(struct connection *conn, void *place, __u8 *method)
{
	struct spill *spill;

	if (conn->head != conn->tail) {
		*method = conn->queue[INLINE_SLOT(conn->head)].method;
		return true;
	}
	if (!conn->pipelined)
		return false;
	spill = spill_of(place, false);
	if (!spill || (spill->head == spill->tail && !spill->excess))
		return false;
	*method = spill->head != spill->tail ? spill->queue[SPILL_SLOT(spill->head)].method :
					       METHOD_OTHER;
	return true;
}

/* An answered request and what is observed of it: too large for a deep stack. */
struct answered {
	struct request request;
	struct observation observation;
};

static __always_inline void observe_request(struct connection *conn, void *place,
					    const struct request *request, struct observation *o,
					    __u16 status, __u8 failure, __u64 end_ns)
{
	*o = (struct observation){
		.key = {
			.hash = request->hash,
			.service = conn->service,
			.server_port = conn->server_port,
			.side = SIDE(conn->role, conn->transport),
			.method = request->method,
		},
		.operation = request->operation,
		.status = status,
		.failure = failure,
		.version = request->version,
		.duration_ns = end_ns > request->start_ns ? end_ns - request->start_ns : 0,
		.count = 1,
	};

	if (unlikely(spans_on && request->trace))
		end_trace(traces_of(place, false), o, request->trace - 1, request->start_ns);
	observe(o);
}

/* The oldest request has its answer, or will have none. */
static __always_inline bool answer(struct connection *conn, void *place, struct answered *answered,
				   __u16 status, __u8 failure, __u64 end_ns)
{
	if (!pop(conn, place, &answered->request))
		return false;
	observe_request(conn, place, &answered->request, &answered->observation, status, failure,
			end_ns);
	return true;
}

#endif
