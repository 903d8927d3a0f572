/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Calls to the functions of TLS libraries: what is called is in the cookie of
 * the probe, so that one program serves all. Only what a function returns tells
 * how many bytes it took, so that each call of a service's process passes here
 * twice; other processes leave after one look-up.
 */
#ifndef SONDE_TLS_CALL_H
#define SONDE_TLS_CALL_H

#include "caller.h"
#include "verdict.h"

/*
 * Linux gives programs like these a private stack per CPU, since 6.13, as if no
 * run could begin before another on its CPU has ended. But a thread in a uprobe
 * can be preempted, and another run into one. A program with a tail call keeps
 * the stack of its thread; this one is never made.
 */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} nothing SEC(".maps");

static __always_inline void keep_own_stack(struct pt_regs *ctx)
{
	if (unlikely(!self_tgid))
		bpf_tail_call(ctx, &nothing, 0);
}

/* Where a goroutine's stack lies: what runtime.g begins with, since Go 1.4. */
struct go_stack {
	__u64 low;
	__u64 high;
};

static __always_inline bool is_measured(__u32 tgid)
{
	struct process *process = bpf_map_lookup_elem(&processes, &tgid);
	struct control *control;
	__u32 service;

	if (!process)
		return false;
	service = process->service;
	control = bpf_map_lookup_elem(&controls, &service);
	return control && !(control->flags & SERVICE_EXCLUDED);
}

static __always_inline bool is_write(__u8 function)
{
	return function == TLS_WRITE || function == TLS_WRITE_EX;
}

static __always_inline bool is_read(__u8 function)
{
	return function == TLS_READ || function == TLS_READ_EX;
}

/*
 * A handshake within a read or write ends before it and takes nothing from it.
 * Other calls within calls are those of TLS inside TLS, of which the outer is the
 * one that holds plaintext; Go begins a call again when its stack has to grow.
 */
static __always_inline bool is_part_of(const struct call *outer, __u8 function)
{
	return function == TLS_HANDSHAKE && outer->function != TLS_HANDSHAKE;
}

#endif
