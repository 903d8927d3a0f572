/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the parser asks of the TLS tap: bytes from a process, memory from hash maps. */
#ifndef SONDE_TAP_TLS_H
#define SONDE_TAP_TLS_H

#include "caller.h"
#include "http1.h"
#include "session.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, MAX_SESSIONS);
	__type(key, struct session_key);
	__type(value, struct spill);
} tls_spills SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, MAX_SESSIONS);
	__type(key, struct session_key);
	__type(value, struct carries);
} tls_carries SEC(".maps");

/* What new entries of maps begin as: too large for the stack. */
struct blank {
	struct spill spill;
	struct carries carries;
	struct traces traces;
	struct caller caller;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct blank);
} blanks SEC(".maps");

static __always_inline struct spill *spill_of(void *place, bool create)
{
	struct session *session = place;
	struct session_key key = session->key;
	struct spill *spill = bpf_map_lookup_elem(&tls_spills, &key);
	__u32 zero = 0;
	struct blank *blank;

	if (spill || !create)
		return spill;
	blank = bpf_map_lookup_elem(&blanks, &zero);
	if (!blank || bpf_map_update_elem(&tls_spills, &key, &blank->spill, BPF_NOEXIST))
		return NULL;
	return bpf_map_lookup_elem(&tls_spills, &key);
}

static __always_inline struct carries *carries_of(void *place, bool create)
{
	struct session *session = place;
	struct session_key key = session->key;
	struct carries *kept = bpf_map_lookup_elem(&tls_carries, &key);
	__u32 zero = 0;
	struct blank *blank;

	if (kept || !create)
		return kept;
	blank = bpf_map_lookup_elem(&blanks, &zero);
	if (!blank || bpf_map_update_elem(&tls_carries, &key, &blank->carries, BPF_NOEXIST))
		return NULL;
	return bpf_map_lookup_elem(&tls_carries, &key);
}

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, MAX_SESSIONS);
	__type(key, struct session_key);
	__type(value, struct traces);
} tls_traces SEC(".maps");

static __always_inline struct traces *traces_of(void *place, bool create)
{
	struct session *session = place;
	struct session_key key = session->key;
	struct traces *traces = bpf_map_lookup_elem(&tls_traces, &key);
	__u32 zero = 0;
	struct blank *blank;

	if (traces || !create)
		return traces;
	blank = bpf_map_lookup_elem(&blanks, &zero);
	if (!blank || bpf_map_update_elem(&tls_traces, &key, &blank->traces, BPF_NOEXIST))
		return NULL;
	return bpf_map_lookup_elem(&tls_traces, &key);
}

static __always_inline int read_payload(struct parse *p, __u32 from, void *to, __u32 length)
{
	return bpf_probe_read_user(to, show_length(length), p->user + from);
}

static __always_inline void read_ends(struct parse *p, struct ends *ends)
{
	struct session *session = p->place;

	*ends = session->ends;
}

/* What a session had beside itself. */
static __always_inline void forget_session(struct session *session)
{
	struct session_key key = session->key;
	__u64 cookie = session->cookie;

	bpf_map_delete_elem(&tls_sockets, &cookie);
	bpf_map_delete_elem(&tls_spills, &key);
	bpf_map_delete_elem(&tls_carries, &key);
	if (spans_on)
		bpf_map_delete_elem(&tls_traces, &key);
	bpf_map_delete_elem(&sessions, &key);
}

#endif
