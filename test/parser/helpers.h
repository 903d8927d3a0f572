/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The helpers of the kernel that the parser calls, and the maps behind them. */
#ifndef SONDE_HELPERS_H
#define SONDE_HELPERS_H

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "host.h"
#include "wire.h"

#define KEY_SIZE 32

struct host host;

static struct scratch scratch_buffers[SCRATCHES];
static struct piece piece_buffer;
static struct histogram empty_histogram;
static struct session blank_session;

static struct socket {
	struct bpf_sock sk; /* first: a socket is known by it */
	struct bpf_tcp_sock tcp;
	struct connection connection;
	struct spill spill;
	struct carries carries;
	struct traces traces;
	bool has_connection, has_spill, has_carries, has_traces;
} sockets[HOST_SOCKETS];

/* A hash map: cells of { used, key, value }, of which the first `reached` were ever used. */
struct cell {
	__u64 used;
	__u8 key[KEY_SIZE];
	__u8 value[] __attribute__((aligned(8)));
};

_Static_assert(sizeof(struct operation_key) <= KEY_SIZE, "the largest key of a table");

static struct table {
	void *map;
	__u32 key_size, value_size, capacity;
	bool evicts;
	__u32 reached, oldest;
	__u8 *cells;
} tables[] = {
#define TABLE(name, evicts_)                       \
	{ &name,                                   \
	  sizeof(*name.key),                       \
	  sizeof(*name.value),                     \
	  sizeof(*name.max_entries) / sizeof(int), \
	  evicts_,                                 \
	  0,                                       \
	  0,                                       \
	  NULL }
	TABLE(operations, true), TABLE(series, false), TABLE(processes, false),
	TABLE(stash, true),	 TABLE(early, true),	TABLE(sessions, false),
	TABLE(tls_sockets, false), TABLE(writers, false), TABLE(handlers, true),
	TABLE(ports, true),
};

#define TABLES (sizeof(tables) / sizeof(*tables))

/* Only the first fault is kept: the others follow from it. */
static void fail(const char *format, ...)
{
	va_list arguments;

	if (host.fault[0])
		return;
	va_start(arguments, format);
	vsnprintf(host.fault, sizeof(host.fault), format, arguments);
	va_end(arguments);
}

static struct table *table_of(const void *map)
{
	for (size_t i = 0; i < TABLES; i++)
		if (tables[i].map == map)
			return &tables[i];
	return NULL;
}

static struct cell *cell_at(const struct table *t, __u32 index)
{
	size_t stride = (sizeof(struct cell) + t->value_size + 7) & ~7UL;

	return (struct cell *)(t->cells + index * stride);
}

static struct cell *find_cell(const struct table *t, const void *key)
{
	for (__u32 i = 0; i < t->reached; i++) {
		struct cell *cell = cell_at(t, i);

		if (cell->used && !memcmp(cell->key, key, t->key_size))
			return cell;
	}
	return NULL;
}

static struct cell *free_cell(struct table *t)
{
	for (__u32 i = 0; i < t->reached; i++)
		if (!cell_at(t, i)->used)
			return cell_at(t, i);
	if (t->reached < t->capacity)
		return cell_at(t, t->reached++);
	return t->evicts ? cell_at(t, t->oldest++ % t->capacity) : NULL;
}

static void clear_table(struct table *t)
{
	size_t stride = (sizeof(struct cell) + t->value_size + 7) & ~7UL;

	if (!t->cells)
		t->cells = calloc(t->capacity, stride);
	for (__u32 i = 0; i < t->reached; i++)
		cell_at(t, i)->used = 0;
	t->reached = t->oldest = 0;
}

static void *array_element(void *map, __u32 index)
{
	if (map == &scratches)
		return index < SCRATCHES ? &scratch_buffers[index] : NULL;
	if (map == &services)
		return index < HOST_SERVICES ? &host.services[index] : NULL;
	if (map == &controls)
		return index < HOST_SERVICES ? &host.controls[index] : NULL;
	if (map == &losses)
		return index < LOSSES ? &host.losses[index] : NULL;
	if (map == &empty)
		return index ? NULL : &empty_histogram;
	if (map == &piece_scratch)
		return index ? NULL : &piece_buffer;
	if (map == &empty_session)
		return index ? NULL : &blank_session;
	fail("a map that the host does not know was looked up");
	return NULL;
}

static void *bpf_map_lookup_elem(void *map, const void *key)
{
	struct table *t = table_of(map);
	struct cell *cell;

	if (!t)
		return array_element(map, *(const __u32 *)key);
	cell = find_cell(t, key);
	return cell ? cell->value : NULL;
}

static long bpf_map_update_elem(void *map, const void *key, const void *value, __u64 flags)
{
	struct table *t = table_of(map);
	struct cell *cell;

	if (!t) {
		fail("a map that the host does not know was written");
		return -EINVAL;
	}
	cell = find_cell(t, key);
	if (cell && flags == BPF_NOEXIST)
		return -EEXIST;
	if (!cell)
		cell = free_cell(t);
	if (!cell)
		return -E2BIG;
	cell->used = 1;
	memcpy(cell->key, key, t->key_size);
	memcpy(cell->value, value, t->value_size);
	return 0;
}

static long bpf_map_delete_elem(void *map, const void *key)
{
	struct table *t = table_of(map);
	struct cell *cell = t ? find_cell(t, key) : NULL;

	if (!cell)
		return -ENOENT;
	cell->used = 0;
	return 0;
}

static void *storage(void *value, size_t size, bool *exists, __u64 flags)
{
	if (*exists)
		return value;
	if (!(flags & BPF_SK_STORAGE_GET_F_CREATE) || host.no_memory)
		return NULL;
	memset(value, 0, size);
	*exists = true;
	return value;
}

static void *bpf_sk_storage_get(void *map, void *sk, void *value, __u64 flags)
{
	struct socket *s = sk;

	(void)value;
	if (map == &connections)
		return storage(&s->connection, sizeof(s->connection), &s->has_connection, flags);
	if (map == &spills)
		return storage(&s->spill, sizeof(s->spill), &s->has_spill, flags);
	if (map == &carries)
		return storage(&s->carries, sizeof(s->carries), &s->has_carries, flags);
	if (map == &socket_traces)
		return storage(&s->traces, sizeof(s->traces), &s->has_traces, flags);
	fail("a socket storage that the host does not know was asked for");
	return NULL;
}

static void *bpf_ringbuf_reserve(void *ring, __u64 size, __u64 flags)
{
	(void)flags;
	if (ring == &process_events)
		return &host.process;
	if (ring == &spans)
		return host.ring_full ? NULL : &host.span;
	if (host.ring_full || ring != &request_events)
		return NULL;
	if (size == sizeof(struct operation_event) && host.operation_count < HOST_EVENTS)
		return &host.operations[host.operation_count];
	if (size == sizeof(struct observation_event) && host.observation_count < HOST_EVENTS)
		return &host.observations[host.observation_count];
	return NULL;
}

static void bpf_ringbuf_submit(void *event, __u64 flags)
{
	struct operation_event *operation = event;

	(void)flags;
	if (event == &host.process)
		return;
	if (event == &host.span) {
		host.span_count++;
		return;
	}
	if (operation->type != EVENT_OPERATION) {
		host.observation_count++;
		return;
	}
	if (operation->path_length > SONDE_PATH || operation->host_length > SONDE_HOST)
		fail("an event with a path of %u and a host of %u bytes", operation->path_length,
		     operation->host_length);
	host.operation_count++;
}

static long bpf_skb_load_bytes(const struct __sk_buff *skb, __u32 offset, void *to, __u32 length)
{
	if (!length || offset > skb->len || length > skb->len - offset) {
		if (!host.is_broken)
			fail("%u bytes were read at %u of a packet of %u", length, offset,
			     skb->len);
		return -EFAULT;
	}
	memcpy(to, (const void *)(skb->data + offset), length);
	return 0;
}

static bool is_within(const void *from, __u32 length, const void *bytes, size_t size)
{
	const __u8 *start = bytes, *at = from;

	return at >= start && at <= start + size && length <= (size_t)(start + size - at);
}

/* Kernel memory is read for two ends: stashed bytes, and the window of a buffer in use. */
static bool is_readable(const void *from, __u32 length)
{
	struct table *t = table_of(&stash);

	for (__u32 i = 0; i < SCRATCHES; i++)
		if (is_within(from, length, scratch_buffers[i].bytes, LINE_CAP + WINDOW_FRESH))
			return true;
	for (__u32 i = 0; i < t->reached; i++) {
		struct piece *piece = (struct piece *)cell_at(t, i)->value;

		if (piece->has_data && is_within(from, length, piece->data, piece->length))
			return true;
	}
	return false;
}

static long bpf_probe_read_kernel(void *to, __u32 length, const void *from)
{
	if (length && !is_readable(from, length)) {
		fail("%u bytes were read where no bytes of a stream are", length);
		return -EFAULT;
	}
	memcpy(to, from, length);
	return 0;
}

static __u64 bpf_ktime_get_ns(void)
{
	return host.now_ns;
}

/* No thread of the host is inside a TLS library. */
static struct task_struct *bpf_get_current_task_btf(void)
{
	static struct task_struct task;

	return &task;
}

static __u32 bpf_get_prandom_u32(void)
{
	return ++host.random;
}

static __u64 bpf_get_socket_cookie(struct __sk_buff *skb)
{
	return 1 + (__u64)((struct socket *)skb->sk - sockets);
}

static struct bpf_sock *bpf_sk_fullsock(struct bpf_sock *sk)
{
	return sk;
}

static struct bpf_tcp_sock *bpf_tcp_sock(struct bpf_sock *sk)
{
	return &((struct socket *)sk)->tcp;
}

/* The parser proper must always come to its end; the other loops are bounded by what they hold. */
static void count_steps(const char *callback, __u32 steps, __u32 limit)
{
	host.steps += steps;
	if (steps == limit && !strcmp(callback, "step"))
		fail("the parser did not end within %u steps", limit);
}

#endif
