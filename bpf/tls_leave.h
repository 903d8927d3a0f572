/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The same calls on their way out: what they return tells how many bytes they took or gave. */
#ifndef SONDE_TLS_LEAVE_H
#define SONDE_TLS_LEAVE_H

#include "handling.h"
#include "plaintext.h"
#include "tls_call.h"

/* Bytes that the call took or gave; 0 if it failed. */
static __always_inline __u64 bytes_of_call(struct pt_regs *ctx, const struct call *call, bool is_go)
{
	__s64 result = is_go ? (__s64)GO_RESULT(ctx) : (__s64)C_RESULT(ctx);
	__u64 size = 0;

	if (!call->size_at) /* SSL_read() returns an int */
		return is_go ? (result > 0 ? result : 0) : ((__s32)result > 0 ? (__s32)result : 0);
	if ((__s32)result != 1 ||
	    bpf_probe_read_user(&size, sizeof(size), (const void *)call->size_at))
		return 0;
	return size;
}

/* False: what is left is no call that is known, or one within another. */
static __always_inline bool finish_call(struct call *call, __u8 function)
{
	__u64 thread = call->thread;

	if (!call->object || is_part_of(call, function))
		return false;
	if (call->nested) {
		call->nested--;
		call->inner = 0;
		return false;
	}
	if (call->is_writer)
		bpf_map_delete_elem(&writers, &thread);
	return true;
}

/*
 * What the caller read during the call, or just before it if nothing else has
 * claimed that, is from the session's socket.
 */
static __always_inline struct session *session_of_call(const struct session_key *key,
						       struct seen *seen)
{
	struct session *session = bpf_map_lookup_elem(&sessions, key);

	if (!session && seen->cookie && !seen->used) {
		tie(key, seen);
		session = bpf_map_lookup_elem(&sessions, key);
	}
	if (!session || session->cookie != seen->cookie)
		return session;
	seen->used = 1;
	session->first_ns = seen->first_ns;
	session->last_ns = seen->last_ns;
	return session;
}

/* GnuTLS: after GNUTLS_E_AGAIN a caller may pass NULL for the same bytes again. */
static __always_inline void remember_unsent(struct session *session, struct call *call,
					    __u64 length)
{
	if (!call->buffer)
		call->buffer = session->unsent;
	else if (!length)
		session->unsent = call->buffer;
}

static __always_inline void leave(struct pt_regs *ctx, struct caller *caller, __u64 cookie,
				  __u32 tgid)
{
	bool is_go = TLS_LIBRARY(cookie) == TLS_GO;
	__u8 function = TLS_FUNCTION(cookie);
	struct call *call = &caller->call;
	struct session_key key = { .object = call->object, .tgid = tgid };
	struct session *session;
	__u64 length;

	if (!finish_call(call, function))
		return;
	call->object = 0;
	session = session_of_call(&key, &caller->seen);
	if (!session || call->is_written || (!is_read(function) && !is_write(function)))
		return;
	if (verdict_of(&session->conn) != VERDICT_MEASURE)
		return;
	length = bytes_of_call(ctx, call, is_go);
	if (TLS_LIBRARY(cookie) == TLS_GNUTLS && is_write(function))
		remember_unsent(session, call, length);
	if (is_go && call->below) {
		struct go_stack stack;

		if (bpf_probe_read_user(&stack, sizeof(stack), (const void *)GO_GOROUTINE(ctx)))
			return;
		call->buffer = stack.high - call->below;
	}
	if (length)
		parse_plaintext(session, call, is_read(function), length);
	if (unlikely(spans_on) && is_read(function))
		note_request_read(&session->conn, session);
}

/*
 * A Read that waited before anything was attached has no record; every idle
 * connection has one. But Go keeps arguments that live across calls, as these do,
 * where a function that has them in registers finds space for them.
 */
static __always_inline bool recover_go_read(struct pt_regs *ctx, struct call *call)
{
	struct {
		__u64 object, buffer, length;
	} home;
	__s64 result = GO_RESULT(ctx);

	if (result <= 0 ||
	    bpf_probe_read_user(&home, sizeof(home), (const void *)(ctx->sp + sizeof(__u64))))
		return false;
	if (!home.object || home.length < (__u64)result || home.length >= 1ULL << 31)
		return false;
	__builtin_memset(call, 0, sizeof(*call));
	call->object = home.object;
	call->buffer = home.buffer;
	return true;
}

static __always_inline void leave_unentered(struct pt_regs *ctx, __u64 cookie, __u32 tgid)
{
	struct caller *caller = thread_of(bpf_get_current_task_btf(), false);

	/* Only this thread's last read from a socket can show whose connection it is. */
	if (!caller || !caller->seen.cookie || caller->seen.used || caller->call.object ||
	    !is_read(TLS_FUNCTION(cookie)) || !recover_go_read(ctx, &caller->call))
		return;
	leave(ctx, caller, cookie, tgid);
}

SEC("uretprobe")
int tls_leave(struct pt_regs *ctx)
{
	__u64 cookie = bpf_get_attach_cookie(ctx);
	__u32 tgid = bpf_get_current_pid_tgid() >> 32;
	struct goroutine_key key = { .tgid = tgid };
	struct caller *caller;

	keep_own_stack(ctx);
	if (TLS_LIBRARY(cookie) != TLS_GO) {
		caller = thread_of(bpf_get_current_task_btf(), false);
		if (caller)
			leave(ctx, caller, cookie, tgid);
		return 0;
	}
	key.g = GO_GOROUTINE(ctx);
	caller = bpf_map_lookup_elem(&goroutines, &key);
	if (!caller) {
		if (is_measured(tgid))
			leave_unentered(ctx, cookie, tgid);
		return 0;
	}
	leave(ctx, caller, cookie, tgid);
	if (!caller->call.object)
		bpf_map_delete_elem(&goroutines, &key);
	return 0;
}

#endif
