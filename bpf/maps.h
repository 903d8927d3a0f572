/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Every map and every setting that the programs share. */
#ifndef SONDE_MAPS_H
#define SONDE_MAPS_H

#include "connection.h"
#include "kernel.h"

#define MAX_PROCESSES 65536
#define MAX_OPERATIONS 32768 /* least recently used ones are learned again */
#define MAX_SERIES 20000     /* user space sets it from --series.limit */
#define MAX_LISTENERS 16384
#define MAX_PORTS 8192 /* and what is spoken on them; least recently used ones are forgotten */

/* Set by user space before the programs are loaded. */
const volatile __u32 self_tgid;
const volatile __u64 hash_seed;
const volatile __u64 slot_bounds[SONDE_BOUNDS];

/* In a section of their own, so that both objects have the same ones. */
#define SHARED SEC(".data.shared")

/* Set by user space at any time. */
volatile __u32 user_generation SHARED = 0; /* moves when user space changes a verdict */
volatile __u32 series_limit SHARED = 10000;
volatile __u32 series_limit_per_service SHARED = 1000;
volatile __u32 fold_ids SHARED = 1;	   /* path segments that look like ids count as one */
volatile __u32 user_series SHARED = 0;	   /* created by user space, ever */
volatile __u32 series_retired SHARED = 0;  /* removed, ever */
volatile __u32 tls_attached SHARED = 0;	   /* files whose TLS functions are watched */
volatile __u64 tls_attached_ns SHARED = 0; /* when the last of them was attached to */

/* Which requests become spans; all of it set by user space. */
volatile __u32 spans_on SHARED = 0;
volatile __u32 span_parent_based SHARED = 0; /* a parent's decision is taken over */
volatile __u32 span_keep_errors SHARED = 0;
volatile __u64 span_bound SHARED = 0;	       /* trace ids below it are sampled, of 2^63 */
volatile __u64 span_keep_slower_ns SHARED = 0; /* 0: no request is kept for being slow */

/* Kept by the programs. */
volatile __u32 kernel_generation SHARED = 1; /* moves when a process joins a service */
volatile __u32 series_count SHARED = 0;	     /* created, ever */
volatile __u32 early_count SHARED = 0;	     /* entries in `early` */
volatile __u32 awaited_subflows SHARED = 0;  /* of `mptcp_listeners`, not met yet */
volatile __u64 overflow_count SHARED = 0;    /* observations that went to an overflow series */
volatile __u64 unsolicited_count SHARED = 0; /* responses to no request, such as a 408 on idle */

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC | BPF_F_CLONE);
	__type(key, int);
	__type(value, struct connection);
} connections SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SONDE_SERVICES);
	__type(key, __u32);
	__type(value, struct service);
} services SEC(".maps");

/* Connections to the ports of services. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, MAX_PORTS);
	__type(key, struct port_key);
	__type(value, __u64);
} ports SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SONDE_SERVICES);
	__type(key, __u32);
	__type(value, struct control);
} controls SEC(".maps");

/* Instance numbers that are free; filled and refilled by user space. */
struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, SONDE_SERVICES);
	__type(value, __u32);
} free_services SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, MAX_PROCESSES);
	__type(key, __u32); /* tgid */
	__type(value, struct process);
} processes SEC(".maps");

/* Listening ports found at start, so that older connections know their role. */
struct listener_key {
	__u32 netns; /* inode number */
	__u32 port;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, MAX_LISTENERS);
	__type(key, struct listener_key);
	__type(value, __u32); /* instance */
} listeners SEC(".maps");

/* MPTCP listeners found at start, by address. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, MAX_LISTENERS);
	__type(key, __u64);
	__type(value, __u32); /* instance */
} mptcp_listeners SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, MAX_OPERATIONS);
	__type(key, struct operation_key);
	__type(value, __u32); /* operation number */
} operations SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, MAX_SERIES);
	__type(key, struct series_key);
	__type(value, struct histogram);
} series SEC(".maps");

/* A histogram of zeros: too large for the stack. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct histogram);
} empty SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 256 * 1024);
} process_events SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1024 * 1024);
} request_events SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096); /* user space makes it larger if there are to be spans */
} spans SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, LOSSES);
	__type(key, __u32);
	__type(value, __u64);
} losses SEC(".maps");

/* A connection whose generation differs is to be judged again. */
static __always_inline __u32 generation(void)
{
	return user_generation + kernel_generation;
}

static __always_inline void lose(__u32 reason, __u64 count)
{
	__u64 *lost = bpf_map_lookup_elem(&losses, &reason);

	if (lost)
		__sync_fetch_and_add(lost, count);
}

#endif
