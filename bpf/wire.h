/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The wire tap: every packet of every TCP socket in the cgroup tree, always passed on. */
#ifndef SONDE_WIRE_H
#define SONDE_WIRE_H

#include "segment.h"
#include "subflow.h"
#include "watch.h"

#define PASS 1
#define EARLY_ENTRIES 512

/*
 * A handshake may end with a segment that has payload (TCP_DEFER_ACCEPT makes
 * each do so). The hook sees it on the listener, before the connection exists,
 * so its bytes wait in `stash` and what else is known of it waits here.
 */
struct early {
	__u64 start_ns;
	__u32 seq;
	__u32 pad;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, EARLY_ENTRIES);
	__type(key, __u64);
	__type(value, struct early);
} early SEC(".maps");

/* Stands for the connection's four-tuple until it has a cookie; 0: unreadable. */
static __always_inline __u64 early_id(struct __sk_buff *skb, const struct packet *packet,
				      bool arrives)
{
	__u8 *ip = header(skb, 0, IPV6_HEADER);
	__u64 id = hash_seed;

	if (!ip)
		return 0;
	if (ip[0] >> 4 == 6) {
		id = mix(id, *(__u64 *)(ip + (arrives ? 8 : 24)));
		id = mix(id, *(__u64 *)(ip + (arrives ? 16 : 32)));
	} else {
		id = mix(id, *(__u32 *)(ip + (arrives ? 12 : 16)));
	}
	return mix(id, arrives ? (__u32)packet->source << 16 | packet->destination :
				 (__u32)packet->destination << 16 | packet->source);
}

static COLD void keep_early(struct __sk_buff *skb, struct connection *listener,
			    const struct packet *packet)
{
	struct early value = { .start_ns = bpf_ktime_get_ns(), .seq = packet->seq };
	__u64 id = early_id(skb, packet, true);
	struct early *kept;

	if (!id)
		return;
	stash_packet(skb, &listener->request, packet, id, true);
	if (!bpf_map_update_elem(&early, &id, &value, BPF_NOEXIST)) {
		__sync_fetch_and_add(&early_count, 1);
		return;
	}
	/* The listener refused the one before; this one may come before it in order. */
	kept = bpf_map_lookup_elem(&early, &id);
	if (kept && (__s32)(value.seq - kept->seq) < 0)
		kept->seq = value.seq;
}

/*
 * What waits may itself be out of order: then the kernel has not received up to
 * it, and the stream begins where the kernel says.
 */
static COLD void take_early(struct __sk_buff *skb, struct connection *conn,
			    const struct packet *packet, bool arrives)
{
	__u64 id = early_id(skb, packet, arrives);
	struct early *kept = bpf_map_lookup_elem(&early, &id);
	__u32 received;

	if (!kept)
		return;
	conn->stash_id = id;
	conn->request.started = conn->request.stashed = 1;
	conn->request.next = kept->seq;
	if (received_to(skb, &received) && (__s32)(received - kept->seq) < 0)
		conn->request.next = received;
	conn->draft.start_ns = kept->start_ns;
	bpf_map_delete_elem(&early, &id);
	__sync_fetch_and_add(&early_count, -1);
	replay_stash(skb, conn, false);
}

static __always_inline int wire(struct __sk_buff *skb, bool arrives)
{
	struct bpf_sock *sk = skb->sk;
	struct packet packet = {};
	struct connection *conn;
	bool is_response;
	__u8 verdict;

	if (!sk)
		return PASS;
	conn = bpf_sk_storage_get(&connections, sk, NULL, 0);
	if (!conn && unlikely(awaited_subflows) && sk->state == BPF_TCP_LISTEN)
		conn = adopt_awaited(skb);
	if (!conn)
		return PASS;
	verdict = verdict_of(conn);
	if (verdict == VERDICT_TLS) {
		watch_tls(skb, conn, arrives);
		return PASS;
	}
	if (verdict != VERDICT_MEASURE)
		return PASS;
	if (!read_packet(skb, &packet) || (!packet.length && !packet.fin))
		return PASS;
	if (conn->fresh && sk->state == BPF_TCP_LISTEN) {
		if (packet.length)
			keep_early(skb, conn, &packet);
		return PASS;
	}
	is_response = (conn->role == ROLE_SERVER) != arrives;
	conn->server_port = is_response ? packet.source : packet.destination;
	if (conn->fresh) {
		conn->fresh = 0;
		if (early_count && conn->role == ROLE_SERVER)
			take_early(skb, conn, &packet, arrives);
	}
	if (is_response) {
		if (feed(skb, conn, &conn->response, &packet, true, arrives) && packet.fin)
			end_connection(conn, sk, FAILURE_CLOSED, bpf_ktime_get_ns());
	} else if (packet.length) {
		feed(skb, conn, &conn->request, &packet, false, arrives);
	}
	return PASS;
}

SEC("cgroup_skb/ingress")
int wire_ingress(struct __sk_buff *skb)
{
	return wire(skb, true);
}

SEC("cgroup_skb/egress")
int wire_egress(struct __sk_buff *skb)
{
	return wire(skb, false);
}

#endif
