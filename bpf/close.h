/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The end of a connection is the end of every request that still waits on it. */
#ifndef SONDE_CLOSE_H
#define SONDE_CLOSE_H

#include "queue.h"

#define DRAIN_CAP (QUEUE_INLINE + QUEUE_SPILL + 1)

struct drain {
	struct answered answered;
	struct connection *conn;
	void *place;
	__u64 end_ns;
	__u32 failure;
};

static long drain_one(__u32 index, struct drain *d)
{
	return !answer(d->conn, d->place, &d->answered, 0, d->failure, d->end_ns);
}

/* What the spill could not hold is only a number, so it is observed as one. */
static __always_inline void drain_excess(struct drain *d)
{
	struct spill *spill = spill_of(d->place, false);
	struct observation *o = &d->answered.observation;

	if (!spill || !spill->excess)
		return;
	*o = (struct observation){
		.key = { .service = d->conn->service, .side = d->conn->role },
		.operation = SONDE_OTHER,
		.failure = d->failure,
		.count = spill->excess,
	};
	spill->excess = 0;
	observe(o);
}

/*
 * The side that answers has said its last, or the socket is closed. FIN is how
 * a close-delimited body ends; any other body is truncated by it. May be called
 * again: it leaves nothing behind.
 */
static COLD void end_connection(struct connection *conn, void *place, __u8 failure, __u64 end_ns)
{
	struct drain d = { .conn = conn, .place = place, .failure = failure, .end_ns = end_ns };
	bool in_order = failure == FAILURE_CLOSED;

	if (conn->response.state == STREAM_UNTIL_CLOSE && in_order)
		answer(conn, place, &d.answered, conn->status, FAILURE_NONE, conn->last_ns);
	else if (conn->response.state >= STREAM_HEADERS && conn->status >= 200)
		answer(conn, place, &d.answered, conn->status,
		       in_order ? FAILURE_TRUNCATED : failure, end_ns);
	conn->response.state = STREAM_RESYNC;
	if (conn->head != conn->tail || conn->pipelined) {
		bpf_loop(DRAIN_CAP, drain_one, &d, 0);
		if (conn->pipelined)
			drain_excess(&d);
	}
	if (conn->draft.named && !conn->answered)
		observe_request(conn, place, &conn->draft, &d.answered.observation, 0, failure,
				end_ns);
	conn->draft.named = 0;
}

#endif
