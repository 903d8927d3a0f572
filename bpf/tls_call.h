/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Calls to the functions of TLS libraries: what is called is in the cookie of
 * the probe, so that one program serves all. Only what a function returns tells
 * how many bytes it took, so that each call of a service's process passes here
 * twice; other processes leave after one look-up.
 */
#ifndef SONDE_TLS_CALL_H
#define SONDE_TLS_CALL_H

#include "handling.h"
#include "plaintext.h"
#include "tls_end.h"

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

/* What a goroutine begins with in the kernel's runtime.g, since Go 1.4. */
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

/* A write may show which socket the session has: watch.h looks for it. */
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
	if (session->conn.generation != generation())
		judge(&session->conn);
	if (session->conn.verdict == VERDICT_MEASURE && (__s64)length > 0)
		parse_plaintext(session, call, false, length);
}

static __always_inline void prepare_write(struct call *call, __u32 tgid, __u64 length, bool is_go)
{
	struct session_key key = { .object = call->object, .tgid = tgid };
	struct session *session = bpf_map_lookup_elem(&sessions, &key);

	if (!session)
		expect_write(call, &key, length);
	else if (is_go && session->conn.role == ROLE_CLIENT && is_write(call->function))
		write_request(call, session, length);
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
	if (is_write(function))
		prepare_write(call, tgid, is_go ? GO_ARGUMENT_2(ctx) : C_ARGUMENT_2(ctx), is_go);
	else if (function == TLS_HANDSHAKE)
		prepare_write(call, tgid, 0, false);
	return 0;
}

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

/* What was read inside TLS is read by the program in this moment. */
static __always_inline void note_request(struct session *session)
{
	struct connection *conn = &session->conn;
	struct traces *traces;

	if (conn->role != ROLE_SERVER || conn->tail - conn->head != 1)
		return;
	traces = traces_of(session, false);
	if (traces && !trace_slot(traces, conn->head)->read_ns)
		read_request(conn, trace_slot(traces, conn->head));
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
	if (session->conn.generation != generation())
		judge(&session->conn);
	if (session->conn.verdict != VERDICT_MEASURE)
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
		note_request(session);
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

/* Whether requests wait, or an answer has begun. */
static __always_inline bool is_unfinished(const struct connection *conn)
{
	return conn->head != conn->tail || conn->draft.named ||
	       conn->response.state >= STREAM_HEADERS;
}

/*
 * The object is freed before its socket is closed, which will tell how the
 * connection ended: until then the session has its socket's name.
 */
static __always_inline void rename_session(struct session *session)
{
	struct session_key key = { .object = session->cookie };
	__u64 cookie = session->cookie;

	forget_session(session);
	session->key = key;
	if (bpf_map_update_elem(&sessions, &key, session, BPF_ANY) ||
	    bpf_map_update_elem(&tls_sockets, &cookie, &key, BPF_ANY))
		lose(LOSS_TLS_MEMORY, 1);
}

SEC("uprobe")
int tls_end(struct pt_regs *ctx)
{
	__u64 cookie = bpf_get_attach_cookie(ctx);
	bool is_go = TLS_LIBRARY(cookie) == TLS_GO;
	struct session_key key = {
		.object = is_go ? GO_ARGUMENT_0(ctx) : C_ARGUMENT_0(ctx),
		.tgid = bpf_get_current_pid_tgid() >> 32,
	};
	struct session *session = bpf_map_lookup_elem(&sessions, &key);
	struct connection *conn;

	keep_own_stack(ctx);
	if (!session)
		return 0;
	conn = &session->conn;
	if (session->ended_ns) {
		end_session(session);
		forget_session(session);
		return 0;
	}
	if (TLS_FUNCTION(cookie) == TLS_FREE) {
		if (conn->verdict == VERDICT_MEASURE && is_unfinished(conn) && !conn->pipelined)
			rename_session(session);
		else
			forget_session(session);
	} else if (conn->verdict == VERDICT_MEASURE && conn->role == ROLE_SERVER &&
		   conn->response.state == STREAM_UNTIL_CLOSE) {
		end_connection(conn, session, FAILURE_CLOSED, bpf_ktime_get_ns());
	}
	if (is_go) /* freed whenever the garbage collector likes */
		session->freed = 1;
	return 0;
}

#endif
