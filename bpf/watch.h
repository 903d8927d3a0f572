/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the wire tells of a connection that speaks TLS: when its records arrived,
 * and which session wrote them, if no read has shown that before.
 */
#ifndef SONDE_WATCH_H
#define SONDE_WATCH_H

#include "packet.h"
#include "session.h"
#include "tap_wire.h"
#include "unseen.h"

#define TLS_RECORD_HEADER 5
#define TLS_APPLICATION_DATA 23
#define TLS_OVERHEAD 256 /* more than any cipher adds to a record */
#define TLS_RECORD_MAX 16384

/*
 * The thread on this CPU may be another than the one that wrote the packet, if
 * the kernel sends what had to wait. So the record must fit what is written.
 */
static __always_inline bool fits(struct __sk_buff *skb, const struct packet *packet, __u64 length)
{
	__u8 record[TLS_RECORD_HEADER];
	__u32 size;

	if (packet->length < sizeof(record) ||
	    bpf_skb_load_bytes(skb, packet->payload, record, sizeof(record)))
		return false;
	if (!length)
		return record[0] != TLS_APPLICATION_DATA;
	size = record[3] << 8 | record[4];
	/* A library may split what it is given, but adds no more than the overhead. */
	return record[0] == TLS_APPLICATION_DATA && size <= TLS_RECORD_MAX + TLS_OVERHEAD &&
	       size <= length + TLS_OVERHEAD && (size > length || length > 1024);
}

static COLD void tie_writer(struct __sk_buff *skb, struct connection *conn,
			    const struct packet *packet)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct parse p = { .place = skb->sk };
	__u64 thread = (__u64)task->tgid << 32 | (__u32)task->pid;
	struct writer *writer = bpf_map_lookup_elem(&writers, &thread);
	struct session_key key;
	struct seen seen = {};

	if (!writer || !p.place || !fits(skb, packet, writer->length))
		return;
	key = writer->session;
	seen.cookie = bpf_get_socket_cookie(skb);
	see_connection(&seen, conn);
	read_ends(&p, &seen.ends);
	tie(&key, &seen);
	conn->tied = 1;
}

static __noinline void watch_tls(struct __sk_buff *skb, struct connection *conn, bool arrives)
{
	struct packet packet = {};

	if (!read_packet(skb, &packet) || !packet.length)
		return;
	if (arrives) {
		conn->last_ns = bpf_ktime_get_ns();
		if (!conn->draft.start_ns)
			conn->draft.start_ns = conn->last_ns;
	} else if (!conn->tied && tls_attached) {
		tie_writer(skb, conn, &packet);
	}
	if (!conn->tied && conn->tls_packets < TLS_PACKETS && ++conn->tls_packets == TLS_PACKETS)
		count_unseen(conn, bpf_get_socket_cookie(skb));
}

#endif
