/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Who is inside a function of a TLS library: a thread, or in Go a goroutine,
 * which may go on in another thread. What the caller reads from a socket
 * meanwhile shows which socket its session has; where a library is handed the
 * records by the program (memory BIOs), what it has read just before does.
 */
#ifndef SONDE_CALLER_H
#define SONDE_CALLER_H

#include "registers.h"
#include "session.h"

#define MAX_GOROUTINES 262144 /* those that wait in a Read are in the map all the time */

/* What a probe is attached to: its cookie. */
#define TLS_FUNCTION(cookie) ((cookie) & 0xff)
#define TLS_LIBRARY(cookie) ((cookie) >> 8 & 0xff)

struct call {
	__u64 object;  /* 0: no call */
	__u64 buffer;  /* plaintext */
	__u64 size_at; /* where the number of bytes will be; 0: it is the result */
	__u64 depth;   /* of the stack: a call within a call has more */
	__u64 below;   /* Go: bytes from the buffer to the top of its stack; 0: not on it */
	__u64 entry_ns;
	__u64 inner;  /* depth of the call within this one that began last */
	__u32 nested; /* calls within this one */
	__u8 function;
	__u8 is_writer;	 /* has an entry in `writers` */
	__u8 is_written; /* its plaintext has been parsed */
	__u8 pad;
	__u64 thread; /* that entered */
};

struct caller {
	struct call call;
	struct seen seen;
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct caller);
} threads SEC(".maps");

struct goroutine_key {
	__u64 g; /* address of the runtime's struct */
	__u32 tgid;
	__u32 pad;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, MAX_GOROUTINES);
	__type(key, struct goroutine_key);
	__type(value, struct caller);
} goroutines SEC(".maps");

static __always_inline struct caller *thread_of(struct task_struct *task, bool create)
{
	return bpf_task_storage_get(&threads, task, NULL,
				    create ? BPF_LOCAL_STORAGE_GET_F_CREATE : 0);
}

static __always_inline struct caller *goroutine_of(__u32 tgid, __u64 g)
{
	struct goroutine_key key = { .g = g, .tgid = tgid };

	return bpf_map_lookup_elem(&goroutines, &key);
}

#endif
