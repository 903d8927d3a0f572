/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the parser asks of the wire tap: bytes from packets, memory from sockets. */
#ifndef SONDE_TAP_WIRE_H
#define SONDE_TAP_WIRE_H

#include "http1.h"

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct spill);
} spills SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct carries);
} carries SEC(".maps");

static __always_inline struct spill *spill_of(void *place, bool create)
{
	return bpf_sk_storage_get(&spills, place, NULL, create ? BPF_SK_STORAGE_GET_F_CREATE : 0);
}

static __always_inline struct carries *carries_of(void *place, bool create)
{
	return bpf_sk_storage_get(&carries, place, NULL, create ? BPF_SK_STORAGE_GET_F_CREATE : 0);
}

static __always_inline int read_payload(struct parse *p, __u32 from, void *to, __u32 length)
{
	length = show_length(length);
	if (p->stash)
		return bpf_probe_read_kernel(to, length, p->stash + from);
	return bpf_skb_load_bytes(p->skb, p->payload + from, to, length);
}

static __always_inline void read_peer(struct parse *p, struct peer *peer)
{
	/* Volatile, or the loads become one from a computed address, which is refused. */
	volatile struct bpf_sock *sk = p->place;
	__u32 *address = (__u32 *)peer->address;

	peer->family = sk->family;
	if (sk->family == AF_INET6) {
		address[0] = sk->dst_ip6[0];
		address[1] = sk->dst_ip6[1];
		address[2] = sk->dst_ip6[2];
		address[3] = sk->dst_ip6[3];
	} else {
		address[0] = sk->dst_ip4;
		address[1] = address[2] = address[3] = 0;
	}
}

#endif
