/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What user space is told of processes and services as it happens. */
#ifndef SONDE_EVENTS_H
#define SONDE_EVENTS_H

#include "maps.h"

#define TLS_EVERY_NS 1000000000ULL /* a service tells at most once a second that it speaks TLS */

static __always_inline void tell(__u32 type, __u32 service, __u32 tgid, __u16 port, __u16 family,
				 struct task_struct *task)
{
	struct process_event *event = bpf_ringbuf_reserve(&process_events, sizeof(*event), 0);

	if (!event) {
		lose(LOSS_CONTROL_RING, 1);
		return;
	}
	event->type = type;
	event->service = service;
	event->tgid = tgid;
	event->port = port;
	event->family = family;
	__builtin_memset(event->comm, 0, sizeof(event->comm));
	if (task)
		bpf_core_read_str(event->comm, sizeof(event->comm), &task->comm);
	bpf_ringbuf_submit(event, 0);
}

/* Two CPUs may both tell: once too often does no harm. */
static __always_inline void tell_tls(struct service *svc, const struct connection *conn)
{
	__u64 now = bpf_ktime_get_ns();

	if (svc->tls_told_ns && now - svc->tls_told_ns < TLS_EVERY_NS)
		return;
	svc->tls_told_ns = now;
	tell(EVENT_TLS, conn->service, conn->tgid, conn->server_port, 0, NULL);
}

#endif
