// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The wire tap and all that is behind it, compiled for the host. */
#include "helpers.h"

#include <sys/mman.h>
#include <unistd.h>

#define PACKET_PAGES 128 /* half a megabyte: what BIG TCP makes of packets */
#define PORT 8080
#define ANNOUNCE_ALL (~0ULL)

_Static_assert(HOST_LONGEST_CARRY == LINE_CAP, "host.h is behind window.h");

/* Settings that user space gives before it loads the programs. */
const volatile __u64 hash_seed = 0x0123456789abcdefULL;
const volatile __u64 slot_bounds[SONDE_BOUNDS] = {
	1000, 2000, 4000, 8000, 16000, [5 ... SONDE_BOUNDS - 1] = ~0ULL >> 1,
};

/* A finding of the sanitizer is a failure, not a remark. */
const char *__ubsan_default_options(void)
{
	return "halt_on_error=1:print_stacktrace=1";
}

/* Behind the buffer lies a page that may not be touched: a packet ends where it begins. */
static __u8 *packet_end(void)
{
	static __u8 *end;
	size_t page = sysconf(_SC_PAGESIZE), size = PACKET_PAGES * page;
	__u8 *memory;

	if (end)
		return end;
	memory =
		mmap(NULL, size + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED || mprotect(memory + size, page, PROT_NONE))
		abort();
	end = memory + size;
	return end;
}

static void open_socket(enum host_socket name, enum role role, __u32 state)
{
	struct socket *s = &sockets[name];

	memset(s, 0, sizeof(*s));
	s->sk.family = AF_INET;
	s->sk.state = state;
	s->sk.dst_ip4 = 0x0100007f;
	s->has_connection = true;
	s->connection.service = HOST_SERVICE;
	s->connection.generation = generation();
	s->connection.role = role;
	s->connection.server_port = PORT;
	s->connection.fresh = 1;
}

void host_boot(enum role role)
{
	memset(&host, 0, offsetof(struct host, operations));
	memset(host.services, 0, sizeof(host) - offsetof(struct host, services));
	host.controls[HOST_SERVICE].announce_limit = ANNOUNCE_ALL;
	for (size_t i = 0; i < TABLES; i++)
		clear_table(&tables[i]);
	memset(scratch_buffers, 0, sizeof(scratch_buffers));
	user_generation = 0;
	kernel_generation = 1;
	series_count = early_count = 0;
	overflow_count = unsolicited_count = 0;
	host_limit_series(~0U, ~0U);
	host_fold_ids(true);
	open_socket(HOST_CONNECTION, role, BPF_TCP_ESTABLISHED);
	open_socket(HOST_LISTENER, role, BPF_TCP_LISTEN);
}

/* Fills what a run of the parser may find from another connection: all but what it keeps at zero. */
static void soil_scratch(void)
{
	struct scratch *s = &scratch_buffers[0];

	for (size_t i = 0; i < LINE_CAP + WINDOW_FRESH; i += sizeof(host.garbage))
		memcpy(s->bytes + i, &host.garbage, sizeof(host.garbage));
	memset(s->path, (int)host.garbage, sizeof(s->path));
	memset(s->host, (int)host.garbage, sizeof(s->host));
	s->path_length = s->host_length = s->newline = (__u32)host.garbage & 0x7f;
	s->path_hash = s->host_hash = s->number = host.garbage;
}

void host_deliver(const __u8 *bytes, const struct host_packet *packet)
{
	struct socket *s = &sockets[packet->socket];
	__u8 *data = packet_end() - packet->length;
	struct __sk_buff skb = {
		.sk = &s->sk,
		.data = (unsigned long)data,
		.data_end = (unsigned long)data + packet->linear,
		.len = packet->length,
	};

	if (packet->length > PACKET_PAGES * (__u32)sysconf(_SC_PAGESIZE)) {
		fail("a packet of %u bytes does not fit into the buffer of the test",
		     packet->length);
		return;
	}
	memcpy(data, bytes, packet->length);
	host.is_broken = packet->is_broken;
	s->tcp.rcv_nxt = packet->received;
	soil_scratch();
	for (__u32 i = 0; i < SCRATCHES; i++)
		scratch_buffers[i].busy = host.is_busy;
	if ((packet->arrives ? wire_ingress(&skb) : wire_egress(&skb)) != PASS)
		fail("the packet was not passed on");
	for (__u32 i = 0; i < SCRATCHES; i++)
		if (scratch_buffers[i].busy != host.is_busy)
			fail("buffer %u of the parser was not given back", i);
}

void host_close(enum failure failure)
{
	struct socket *s = &sockets[HOST_CONNECTION];

	if (s->connection.verdict == VERDICT_MEASURE)
		end_connection(&s->connection, &s->sk, failure, host.now_ns);
	else if (s->connection.verdict == VERDICT_TLS)
		count_unseen(&s->connection, 1 + HOST_CONNECTION);
}

struct connection *host_connection(enum host_socket socket)
{
	return &sockets[socket].connection;
}

void host_learn(const struct operation_key *key, __u32 operation)
{
	bpf_map_update_elem(&operations, key, &operation, BPF_ANY);
}

const struct histogram *host_series(const struct series_key *key)
{
	return bpf_map_lookup_elem(&series, key);
}

void host_limit_series(__u32 all, __u32 per_service)
{
	series_limit = all;
	series_limit_per_service = per_service;
}

void host_fold_ids(bool fold)
{
	fold_ids = fold;
}

__u64 host_overflow(void)
{
	return overflow_count;
}

__u64 host_unsolicited(void)
{
	return unsolicited_count;
}
