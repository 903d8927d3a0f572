/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What Sonde remembers of a TCP connection. It lives in the socket's own
 * storage: a listener's state is cloned into each connection that it accepts,
 * and the kernel frees it with the socket.
 *
 *   connection
 *   ├── request   stream of bytes that carries requests  (towards the server)
 *   ├── response  stream of bytes that carries responses (towards the client)
 *   ├── draft     request whose head has begun but not ended
 *   └── queue     requests that wait for their answer, oldest at `head`
 *
 * Nesting: only the hook of a direction writes that direction's stream; packets
 * leave under the lock of the socket, those that arrive take the stream first.
 * The queue has one producer (request) and one consumer (response).
 */
#ifndef SONDE_CONNECTION_H
#define SONDE_CONNECTION_H

#include "sonde.h"

#define TLS_PACKETS 16	/* with payload: by then what is inside has been seen, or is not */
#define QUEUE_INLINE 2	/* enough for a connection that does not pipeline */
#define QUEUE_SPILL 256 /* deeper pipelines are counted in the overflow series */

enum stream_state {
	STREAM_START = 0,   /* a message, or empty lines before it, comes next */
	STREAM_RESYNC,	    /* the same, but what is no message is silently skipped */
	STREAM_HEADERS,	    /* a header line, or the empty line, comes next */
	STREAM_BODY,	    /* `remaining` bytes of body */
	STREAM_CHUNK_SIZE,  /* a chunk-size line */
	STREAM_CHUNK_DATA,  /* `remaining` bytes of chunk and its line end */
	STREAM_TRAILERS,    /* a trailer line, or the empty line, comes next */
	STREAM_UNTIL_CLOSE, /* body that only the end of the connection ends */
};

enum framing {
	FRAMING_LENGTH = 1,   /* Content-Length was read */
	FRAMING_CHUNKED = 2,  /* Transfer-Encoding ends in chunked */
	FRAMING_TRANSFER = 4, /* Transfer-Encoding is something else */
	FRAMING_EXPECT = 8,   /* Expect: 100-continue, and no byte of body yet */
};

enum long_line {
	LINE_SHORT = 0,
	LINE_LONG,	 /* skipping to the end of a line that was too long */
	LINE_LONG_START, /* the same, of a request line whose version is still to come */
};

struct stream {
	__u64 remaining; /* bytes of body or chunk to skip; while in headers, Content-Length */
	__u32 next;	 /* sequence number of the first byte not yet parsed */
	__u16 carried;	 /* bytes of an incomplete line kept in `carries` */
	__u8 state;
	__u8 framing;
	__u8 long_line;
	__u8 started; /* `next` is known */
	__u8 stashed; /* segments wait in `stash` */
	__u8 pad;
	__u32 stash_low; /* sequence number of the first of them */
	__u32 busy;	 /* a CPU is parsing it; only what arrives needs to know */
	__u32 has_late;	 /* meanwhile another CPU has put a packet into `stash` */
};

struct request {
	__u64 start_ns;
	__u64 hash;
	__u32 operation; /* 0: not known when the request came */
	__u8 method;
	__u8 version;
	__u8 named; /* the request line was read */
	__u8 trace; /* 1 + its slot in struct traces; 0: none */
};

struct connection {
	__u32 service;
	__u32 generation; /* of the verdict */
	__u32 tgid;	  /* of the process that connected; client only */
	__u16 server_port;
	__u8 role;
	__u8 verdict;
	__u8 protocol;
	__u8 fresh;	/* no payload seen; an early segment may wait in `early` */
	__u8 pipelined; /* newer requests are in `spills` */
	__u8 known_reader;
	__u8 answered; /* the draft was answered before its head ended */
	__u8 transport;
	__u8 tied;	    /* a TLS session is known to be that of this socket */
	__u8 tls_packets;   /* that passed while it was not; TLS_PACKETS + 1: counted */
	__u16 status;	    /* of the response in progress */
	__u32 head;	    /* of `queue`: next to be answered */
	__u32 tail;	    /* of `queue`: next free */
	__u64 last_ns;	    /* when the last byte of a close-delimited body, or of TLS, was seen */
	__u64 tls_since_ns; /* when it was seen to speak TLS from its first byte on; else 0 */
	struct stream request;
	struct stream response;
	__u64 last_hash; /* of the last operation that was found, and its number */
	__u32 last_operation;
	__u32 last_method;
	__u64 stash_id;	      /* of segments that came out of order; 0: the socket's cookie */
	struct request draft; /* of a TLS socket: start_ns is that of the oldest byte not read */
	struct request queue[QUEUE_INLINE];
};

/* Requests of a connection that pipelines more than QUEUE_INLINE deep. */
struct spill {
	__u32 head;
	__u32 tail;
	__u64 excess; /* requests beyond QUEUE_SPILL, their details forgotten */
	struct request queue[QUEUE_SPILL];
};

#endif
