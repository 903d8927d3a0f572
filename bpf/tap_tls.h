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

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, MAX_SESSIONS);
	__type(key, struct session_key);
	__type(value, struct traces);
} tls_traces SEC(".maps");

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

/* What a session keeps in a map beside itself; it begins as that part of a blank. */
static __always_inline void *kept_of(void *map, const struct session *session, __u32 part,
				     bool create)
{
	struct session_key key = session->key;
	void *kept = bpf_map_lookup_elem(map, &key), *blank;
	__u32 zero = 0;

	if (kept || !create)
		return kept;
	blank = bpf_map_lookup_elem(&blanks, &zero);
	if (!blank)
		return NULL;
	/* A read and a write at the same time may both come here: one of them is first. */
	bpf_map_update_elem(map, &key, blank + part, BPF_NOEXIST);
	return bpf_map_lookup_elem(map, &key);
}

static __always_inline struct spill *spill_of(void *place, bool create)
{
	return kept_of(&tls_spills, place, offsetof(struct blank, spill), create);
}

static __always_inline struct carries *carries_of(void *place, bool create)
{
	return kept_of(&tls_carries, place, offsetof(struct blank, carries), create);
}

static __always_inline struct traces *traces_of(void *place, bool create)
{
	return kept_of(&tls_traces, place, offsetof(struct blank, traces), create);
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

/* The session of this name, and what it had beside itself. */
static __always_inline void forget_name(const struct session_key *key)
{
	bpf_map_delete_elem(&tls_spills, key);
	bpf_map_delete_elem(&tls_carries, key);
	bpf_map_delete_elem(&tls_traces, key);
	bpf_map_delete_elem(&sessions, key);
}

static __always_inline void forget_session(struct session *session)
{
	struct session_key key = session->key, *holder;
	__u64 cookie = session->cookie;

	holder = bpf_map_lookup_elem(&tls_sockets, &cookie);
	/* A child that was forked may have the socket now. */
	if (holder && holder->object == key.object && holder->tgid == key.tgid)
		bpf_map_delete_elem(&tls_sockets, &cookie);
	forget_name(&key);
}

#endif
