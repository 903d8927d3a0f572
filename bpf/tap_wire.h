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

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct traces);
} socket_traces SEC(".maps");

static __always_inline struct traces *traces_of(void *place, bool create)
{
	return bpf_sk_storage_get(&socket_traces, place, NULL,
				  create ? BPF_SK_STORAGE_GET_F_CREATE : 0);
}

static __always_inline int read_payload(struct parse *p, __u32 from, void *to, __u32 length)
{
	length = show_length(length);
	if (p->stash)
		return bpf_probe_read_kernel(to, length, p->stash + from);
	return bpf_skb_load_bytes(p->skb, p->payload + from, to, length);
}

/* Hidden, or two loads become one from a computed address, which is refused. */
#define FIELD(sk, name)                    \
	({                                 \
		__u32 value_ = (sk)->name; \
		barrier_var(value_);       \
		value_;                    \
	})

static __always_inline void read_ends(struct parse *p, struct ends *ends)
{
	struct bpf_sock *sk = p->place;
	__u32 *peer = (__u32 *)ends->peer, *local = (__u32 *)ends->local;

	ends->family = FIELD(sk, family);
	ends->peer_port = bpf_ntohs(FIELD(sk, dst_port));
	ends->local_port = FIELD(sk, src_port);
	if (ends->family != AF_INET6) {
		peer[0] = FIELD(sk, dst_ip4);
		local[0] = FIELD(sk, src_ip4);
		return;
	}
	peer[0] = FIELD(sk, dst_ip6[0]);
	peer[1] = FIELD(sk, dst_ip6[1]);
	peer[2] = FIELD(sk, dst_ip6[2]);
	peer[3] = FIELD(sk, dst_ip6[3]);
	local[0] = FIELD(sk, src_ip6[0]);
	local[1] = FIELD(sk, src_ip6[1]);
	local[2] = FIELD(sk, src_ip6[2]);
	local[3] = FIELD(sk, src_ip6[3]);
}

#endif
