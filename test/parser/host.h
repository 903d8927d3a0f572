/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What Go sees of the parser on the host: one kernel with one connection. */
#ifndef SONDE_HOST_H
#define SONDE_HOST_H

#include <stdbool.h>

#include "connection.h"

#define HOST_EVENTS 8192
#define HOST_SERVICES 2 /* number 0 means none */
#define HOST_SERVICE 1	/* whose connection it is */
#define HOST_FAULT 160
#define HOST_LONGEST_CARRY 256 /* LINE_CAP */

enum host_socket {
	HOST_CONNECTION,
	HOST_LISTENER,
	HOST_SOCKETS,
};

struct host {
	/* Set from Go at any time. */
	__u64 now_ns;
	__u64 garbage;	/* what other connections left in the parser's buffers */
	bool ring_full; /* events are refused */
	bool no_memory; /* new socket storage is refused */
	bool is_busy;	/* all buffers of the parser are in use */
	bool is_broken; /* so is the packet that passes */

	/* What happened. */
	__u64 steps; /* turns of every bpf_loop */
	__u32 operation_count;
	__u32 observation_count;
	struct operation_event operations[HOST_EVENTS];
	struct observation_event observations[HOST_EVENTS];
	struct service services[HOST_SERVICES];
	struct control controls[HOST_SERVICES];
	__u64 losses[LOSSES];
	struct process_event process; /* the last one */
	struct span_event span;	      /* likewise */
	__u64 span_count;
	__u32 random; /* the last number that was random */
	char fault[HOST_FAULT]; /* first rule that the parser broke; empty: none */
};

extern struct host host;

/* A packet, from its IP header on, of which the kernel has the first `linear` bytes at hand. */
struct host_packet {
	__u32 length;
	__u32 linear;
	__u32 received; /* rcv_nxt of the socket */
	enum host_socket socket;
	bool arrives;
	bool is_broken; /* its headers lie, so bytes behind its end may be asked for */
};

/* Forgets everything, and opens a connection (and, for a server, its listener). */
void host_boot(enum role role);
void host_deliver(const __u8 *bytes, const struct host_packet *packet);
/* The connection's socket is closed, as lifecycle.h tells it. */
void host_close(enum failure failure);
struct connection *host_connection(enum host_socket socket);

/* User space's side of the maps. */
void host_learn(const struct operation_key *key, __u32 operation);
const struct histogram *host_series(const struct series_key *key);
void host_limit_series(__u32 all, __u32 per_service);
void host_fold_ids(bool fold);
__u64 host_overflow(void);
__u64 host_unsolicited(void);

#endif
