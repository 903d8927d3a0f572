/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Where an observation goes: into its series, else to user space by the ring
 * `requests`, else into the overflow series of its service. Count is the sum of
 * the slots; nothing is counted twice and nothing is dropped without a loss.
 */
#ifndef SONDE_SERIES_H
#define SONDE_SERIES_H

#include "maps.h"

struct observation {
	struct operation_key key;
	__u32 operation; /* 0: not known yet */
	__u16 status;
	__u8 failure;
	__u8 version;
	__u64 duration_ns;
	__u64 count;
};

static __always_inline __u8 role_of(__u8 side)
{
	return side & 1;
}

/* Each service has four overflow series: per role, with and without an error. */
static __always_inline __u32 other_operation(__u32 service, __u8 role)
{
	return SONDE_OTHER | service << 1 | role;
}

static __always_inline bool is_error(__u8 role, __u16 status, __u8 failure)
{
	return failure || status >= (role == ROLE_CLIENT ? 400 : 500);
}

/* The first slot whose bound is not below the value: slot_bounds ascends. */
static __always_inline __u32 slot_of(__u64 ns)
{
	__u32 slot = 0;

	/* Without branches, which no processor could predict. Bounds are below 2^63. */
#pragma unroll
	for (__u32 step = SONDE_BOUNDS / 2; step; step /= 2) {
		__u32 at = slot + step - 1;
		__u64 bound;

		barrier_var(at); /* or the mask is optimised away, which Linux 6.1 refuses */
		bound = slot_bounds[at & (SONDE_BOUNDS - 1)];
		slot += step & (__s64)(bound - ns) >> 63;
	}
	return slot < SONDE_SLOTS ? slot : SONDE_SLOTS - 1;
}

static __always_inline void add(struct histogram *h, __u64 ns, __u64 count)
{
	__u32 slot = slot_of(ns);

	if (slot >= SONDE_SLOTS)
		return;
	__sync_fetch_and_add(&h->slots[slot], count);
	__sync_fetch_and_add(&h->sum_ns, ns * count);
}

static __always_inline struct histogram *create_series(const struct series_key *key)
{
	__u32 zero = 0;
	struct histogram *blank = bpf_map_lookup_elem(&empty, &zero);

	if (!blank)
		return NULL;
	/* EEXIST means that another CPU was faster, which serves as well. */
	bpf_map_update_elem(&series, key, blank, BPF_NOEXIST);
	return bpf_map_lookup_elem(&series, key);
}

/* The limits hold to within one series per CPU: the check and the count are two steps. */
static COLD struct histogram *create_within_limits(const struct series_key *key, __u32 service)
{
	struct service *svc = bpf_map_lookup_elem(&services, &service);
	struct control *control = bpf_map_lookup_elem(&controls, &service);
	struct histogram *h;

	if (!svc || !control || svc->series + control->series >= series_limit_per_service ||
	    series_count + user_series - series_retired >= series_limit)
		return NULL;
	h = create_series(key);
	if (h) {
		__sync_fetch_and_add(&svc->series, 1);
		__sync_fetch_and_add(&series_count, 1);
	}
	return h;
}

static COLD void add_to_other(const struct observation *o)
{
	__u8 role = role_of(o->key.side);
	struct series_key key = {
		.operation = other_operation(o->key.service, role),
		.failure = is_error(role, o->status, o->failure) ? FAILURE_OTHER : FAILURE_NONE,
	};
	struct histogram *h = bpf_map_lookup_elem(&series, &key);

	if (!h)
		h = create_series(&key);
	if (!h) {
		lose(LOSS_SERIES_MEMORY, o->count);
		return;
	}
	add(h, o->duration_ns, o->count);
	__sync_fetch_and_add(&overflow_count, o->count);
}

/* Hands the observation to user space, which knows or will learn the operation. */
static COLD bool announce_observation(const struct observation *o)
{
	struct observation_event *event;

	event = bpf_ringbuf_reserve(&request_events, sizeof(*event), 0);
	if (!event)
		return false;
	event->type = EVENT_OBSERVATION;
	event->status = o->status;
	event->failure = o->failure;
	event->version = o->version;
	event->key = o->key;
	event->duration_ns = o->duration_ns;
	bpf_ringbuf_submit(event, 0);
	return true;
}

/*
 * A global function, so that the verifier reads it once however many callers
 * it has.
 */
__noinline int observe(struct observation *o)
{
	struct operation_key operation;
	struct series_key key = {};
	struct histogram *h;

	if (!o)
		return 0;
	key.operation = o->operation;
	if (!key.operation) {
		__u32 *known;

		operation = o->key; /* Linux 6.1 takes keys from the stack only */
		known = bpf_map_lookup_elem(&operations, &operation);
		if (known)
			key.operation = *known;
		else if (o->key.hash && announce_observation(o))
			return 0;
	}
	if (key.operation == SONDE_IGNORED)
		return 0;
	if (!key.operation || key.operation & SONDE_OTHER) {
		add_to_other(o);
		return 0;
	}
	key.status = o->status;
	key.failure = o->failure;
	key.version = o->version;
	h = bpf_map_lookup_elem(&series, &key);
	if (!h)
		h = create_within_limits(&key, o->key.service);
	if (h)
		add(h, o->duration_ns, o->count);
	else
		add_to_other(o);
	return 0;
}

#endif
