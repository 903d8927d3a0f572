/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Calls to functions of a TLS library, on their way in. */
#ifndef SONDE_TLS_ENTER_H
#define SONDE_TLS_ENTER_H

#include "plaintext.h"
#include "tls_call.h"

struct call_site {
	__u64 object;
	__u64 depth;
	__u64 below; /* Go moves stacks: a buffer on one is known by its distance from the top */
};

static __always_inline struct caller *new_goroutine(__u32 tgid, __u64 g)
{
	struct goroutine_key key = { .g = g, .tgid = tgid };
	__u32 zero = 0;
	struct blank *blank = bpf_map_lookup_elem(&blanks, &zero);

	if (blank)
		bpf_map_update_elem(&goroutines, &key, &blank->caller, BPF_NOEXIST);
	return bpf_map_lookup_elem(&goroutines, &key);
}

/*
 * A write may show which socket the session has: watch.h looks for it by thread.
 * That is no name for a goroutine, which may go on in another thread while the
 * next one writes in this: what it reads is known by goroutine, and every
 * handshake reads.
 */
static __always_inline void expect_write(struct call *call, const struct session_key *key,
					 __u64 length)
{
	struct writer writer = { .session = *key, .length = length };

	call->is_writer = !bpf_map_update_elem(&writers, &call->thread, &writer, BPF_ANY);
}

/*
 * In Go one goroutine writes requests and another reads the answers: an answer
 * may have been read before the write returns. So requests are parsed on their
 * way in; Go takes them whole, or the connection has failed.
 */
static __always_inline void write_request(struct call *call, struct session *session, __u64 length)
{
	if (call->is_written)
		return;
	call->is_written = 1;
	if (verdict_of(&session->conn) == VERDICT_MEASURE && (__s64)length > 0)
		parse_plaintext(session, call, false, length);
}

static __always_inline void prepare_write(struct pt_regs *ctx, struct call *call, __u32 tgid,
					  bool is_go)
{
	struct session_key key = { .object = call->object, .tgid = tgid };
	struct session *session = bpf_map_lookup_elem(&sessions, &key);
	bool writes = is_write(call->function); /* or shakes hands */

	if (!is_go && !session)
		expect_write(call, &key, writes ? C_ARGUMENT_2(ctx) : 0);
	else if (is_go && writes && session && session->conn.role == ROLE_CLIENT)
		write_request(call, session, GO_ARGUMENT_2(ctx));
}

static __always_inline void begin_nested(struct call *outer, __u8 function, __u64 depth)
{
	if (is_part_of(outer, function) || outer->inner == depth)
		return;
	outer->inner = depth;
	outer->nested++;
}

/* Where a call of this library comes from, what it is about, and how deep it is. */
static __always_inline struct caller *caller_of(struct pt_regs *ctx, __u32 tgid, bool is_go,
						struct call_site *site)
{
	struct go_stack stack;
	struct caller *caller;

	if (!is_go) {
		site->object = C_ARGUMENT_0(ctx);
		site->depth = ~(__u64)ctx->sp;
		return thread_of(bpf_get_current_task_btf(), true);
	}
	if (bpf_probe_read_user(&stack, sizeof(stack), (const void *)GO_GOROUTINE(ctx)))
		return NULL;
	site->object = GO_ARGUMENT_0(ctx);
	site->depth = stack.high - ctx->sp;
	if (GO_ARGUMENT_1(ctx) >= stack.low && GO_ARGUMENT_1(ctx) < stack.high)
		site->below = stack.high - GO_ARGUMENT_1(ctx);
	caller = goroutine_of(tgid, GO_GOROUTINE(ctx));
	return caller ? caller : new_goroutine(tgid, GO_GOROUTINE(ctx));
}

static __always_inline void begin_call(struct pt_regs *ctx, struct call *call,
				       const struct call_site *site, __u8 function, bool is_go)
{
	/* Go begins a call again when its stack has to grow. */
	call->is_written = call->is_written && call->object == site->object &&
			   call->depth == site->depth;
	call->object = site->object;
	call->depth = site->depth;
	call->below = site->below;
	call->buffer = is_go ? GO_ARGUMENT_1(ctx) : C_ARGUMENT_1(ctx);
	call->size_at = 0;
	if (function == TLS_READ_EX || function == TLS_WRITE_EX)
		call->size_at = C_ARGUMENT_3(ctx);
	call->entry_ns = bpf_ktime_get_ns();
	call->thread = bpf_get_current_pid_tgid();
	call->inner = 0;
	call->nested = 0;
	call->is_writer = 0;
	call->function = function;
}

SEC("uprobe")
int tls_enter(struct pt_regs *ctx)
{
	__u64 cookie = bpf_get_attach_cookie(ctx);
	__u32 tgid = bpf_get_current_pid_tgid() >> 32;
	bool is_go = TLS_LIBRARY(cookie) == TLS_GO;
	__u8 function = TLS_FUNCTION(cookie);
	struct call_site site = {};
	struct caller *caller;
	struct call *call;

	keep_own_stack(ctx);
	if (!is_measured(tgid))
		return 0;
	caller = caller_of(ctx, tgid, is_go, &site);
	if (!caller) {
		lose(LOSS_TLS_MEMORY, 1);
		return 0;
	}
	call = &caller->call;
	if (call->object && site.depth > call->depth) {
		begin_nested(call, function, site.depth);
		return 0;
	}
	begin_call(ctx, call, &site, function, is_go);
	if (!is_read(function))
		prepare_write(ctx, call, tgid, is_go);
	return 0;
}

#endif
