/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the programs and user space share. The enums and structs here reach Go
 * through bpf2go and are written down nowhere else.
 */
#ifndef SONDE_H
#define SONDE_H

#include <linux/types.h>

#define SONDE_SLOTS 240	       /* counters of a histogram: series.MaxSlots */
#define SONDE_BOUNDS 256       /* slot bounds, padded to a power of two */
#define SONDE_SERVICES 4096    /* instances at one time; number 0 means none */
#define SONDE_PATH 128	       /* bytes of a path that user space is shown */
#define SONDE_HOST 128	       /* bytes of a Host header, likewise */
#define SONDE_HEAD 512	       /* bytes of a request that a span shows */
#define SONDE_OTHER (1U << 31) /* operation numbers of overflow series have this bit */
#define SONDE_IGNORED (~0U)    /* operation number of what the operator wants ignored */

enum role {
	ROLE_SERVER = 0,
	ROLE_CLIENT = 1,
	ROLES,
};

/* What the bytes of a connection pass through. */
enum transport {
	TRANSPORT_TCP = 0,
	TRANSPORT_TLS,
	TRANSPORTS,
};

/* Application protocol of a connection, as far as its first bytes tell. */
enum protocol {
	PROTOCOL_UNDECIDED = 0,
	PROTOCOL_HTTP1,
	PROTOCOL_HTTP2,
	PROTOCOL_TLS, /* over TRANSPORT_TLS: what is inside cannot be seen */
	PROTOCOL_UPGRADED,
	PROTOCOL_UNKNOWN,
	PROTOCOLS,
};

/* The methods of RFC 9110 and RFC 5789 (PATCH); every other token is OTHER. */
enum method {
	METHOD_OTHER = 0,
	METHOD_GET,
	METHOD_HEAD,
	METHOD_POST,
	METHOD_PUT,
	METHOD_DELETE,
	METHOD_CONNECT,
	METHOD_OPTIONS,
	METHOD_TRACE,
	METHOD_PATCH,
	METHODS,
};

/* Why a request has no complete answer. */
enum failure {
	FAILURE_NONE = 0,
	FAILURE_CLOSED,	   /* the connection ended in order, without an answer */
	FAILURE_RESET,	   /* a reset ended it: ECONNRESET or EPIPE */
	FAILURE_TIMEOUT,   /* TCP gave up: ETIMEDOUT */
	FAILURE_TRUNCATED, /* the answer began but did not reach its end */
	FAILURE_MALFORMED, /* the answer is not HTTP/1 */
	FAILURE_OTHER,	   /* any failure, in an overflow series */
	FAILURES,
};

/* Why an observation, or what is needed to make one, was lost. */
enum loss {
	LOSS_SERIES_MEMORY = 0,	 /* no memory for a series nor for its overflow series */
	LOSS_SERVICE_LIMIT,	 /* a listener found no free instance number */
	LOSS_PROCESS_LIMIT,	 /* the table of processes is full */
	LOSS_CONNECTION_MEMORY,	 /* the kernel refused state for a socket */
	LOSS_CONTROL_RING,	 /* a listen, exec or join event found its ring full */
	LOSS_SCRATCH_BUSY,	 /* every parser buffer of a CPU was in use */
	LOSS_SEGMENT_GAP,	 /* bytes passed that could not be put back in order */
	LOSS_MALFORMED,		 /* bytes that are not HTTP/1 where a message should be */
	LOSS_SEGMENT_UNREADABLE, /* the bytes of a segment could not be read */
	LOSS_TLS_MEMORY,	 /* no memory for a TLS session, or for a call to its library */
	LOSS_SPAN_MEMORY,	 /* no memory for the trace of a connection: a span is missing */
	LOSS_SPAN_RING,		 /* a sampled span found its ring full */
	LOSS_SPAN_PIPELINED,	 /* a request behind others on its connection has no span */
	LOSSES,
};

enum event_type {
	EVENT_LISTEN = 1,  /* a process listens on a port */
	EVENT_EXEC,	   /* a process that owns listeners became another program */
	EVENT_JOIN,	   /* a process reads from a connection of the service */
	EVENT_OPERATION,   /* an operation not seen before */
	EVENT_OBSERVATION, /* a request of an operation not yet named */
	EVENT_TLS,	   /* a service speaks TLS, and it is not known whether it can be seen */
};

/* A connection that is not measured costs one look-up a segment. */
enum verdict {
	VERDICT_MEASURE = 0,
	VERDICT_SKIP,	 /* not a selected service; asked again when `generation` moves */
	VERDICT_FOREIGN, /* its protocol is not parsed here; final */
	VERDICT_TLS,	 /* another tap may see what is inside */
};

/* What the functions of a TLS library do: with `library`, the cookie of a probe. */
enum tls_function {
	TLS_READ = 0,
	TLS_READ_EX,
	TLS_WRITE,
	TLS_WRITE_EX,
	TLS_HANDSHAKE,
	TLS_SHUTDOWN,
	TLS_FREE,
};

enum tls_library {
	TLS_OPENSSL = 0,
	TLS_GNUTLS,
	TLS_GO,
};

enum service_flag {
	SERVICE_EXCLUDED = 1,
	SERVICE_HOPS = 2, /* what handles a request moves between threads, as goroutines do */
};

/* One instance: a process that listens, and its children. Written by the kernel only. */
struct service {
	__s32 listeners; /* sockets in LISTEN */
	__s32 processes; /* processes alive */
	__u32 series;	 /* series created, overflow series aside */
	__u32 pad;
	__u64 announced;   /* operations shown to user space */
	__u64 tls_told_ns; /* when user space was last told that it speaks TLS */
	__u64 connections[ROLES][TRANSPORTS][PROTOCOLS];
};

/* What clients of an instance speak on one of its ports. */
struct port_key {
	__u32 service;
	__u16 port;
	__u8 transport;
	__u8 protocol;
};

/* What user space decided for an instance. Written by user space only. */
struct control {
	__u32 flags;
	__u32 series;	      /* series that user space created */
	__u64 announce_limit; /* `announced` may grow to this; moved forward each second */
};

struct process {
	__u32 service;
	__u32 owner; /* 1: called listen itself; 0: child or reader */
};

/* An operation as the kernel knows it: hash of path (and host), and its place. */
struct operation_key {
	__u64 hash;
	__u32 service;
	__u16 server_port;
	__u8 side; /* SIDE(role, transport) */
	__u8 method;
};

#define SIDE(role, transport) ((role) | (transport) << 1)

struct series_key {
	__u32 operation;
	__u16 status; /* 0: no answer */
	__u8 failure;
	__u8 version; /* minor version of HTTP/1 */
};

/* Layout of series.Histogram. */
struct histogram {
	__u64 sum_ns;
	__u64 slots[SONDE_SLOTS];
};

/* On the ring `process_events`. */
struct process_event {
	__u32 type;
	__u32 service;
	__u32 tgid;
	__u16 port;
	__u16 family;
	char comm[16];
};

/* On the ring `request_events`. */
struct operation_event {
	__u32 type;
	__u16 path_length;
	__u16 host_length;
	struct operation_key key;
	__u16 family; /* of peer */
	__u16 pad[3];
	__u8 peer[16];
	__u8 path[SONDE_PATH];
	__u8 host[SONDE_HOST];
};

/* On the ring `request_events`. */
struct observation_event {
	__u32 type;
	__u16 status;
	__u8 failure;
	__u8 version;
	struct operation_key key;
	__u64 duration_ns;
};

/* The two ends of a connection. IPv4 addresses are in the first four bytes. */
struct ends {
	__u8 peer[16];
	__u8 local[16];
	__u16 peer_port;
	__u16 local_port;
	__u16 family;
	__u16 pad;
};

/* Where a request stands among others: https://www.w3.org/TR/trace-context/ */
struct trace_context {
	__u64 trace_id[2]; /* in the order of its bytes */
	__u64 span_id;
	__u64 parent_id; /* 0: a root */
	__u8 flags;	 /* enum trace_flag */
	__u8 pad[7];
};

enum trace_flag {
	TRACE_REMOTE = 1,	  /* the parent came in a traceparent header */
	TRACE_REMOTE_SAMPLED = 2, /* which says that it is sampled */
};

/* On the ring `spans`: a request that is sampled. */
struct span_event {
	struct trace_context context;
	__u64 start_ns;
	__u64 read_ns; /* when the service read the request; 0: not known */
	__u64 end_ns;
	__u32 service;
	__u32 operation; /* 0: not known */
	struct ends ends;
	__u16 status;
	__u8 side;
	__u8 method;
	__u8 version;
	__u8 failure;
	__u16 head_length;
	__u8 head[SONDE_HEAD];
};

#endif
