/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * From packets to streams: every byte of a stream is parsed once and in order,
 * whatever the network repeats, drops or reorders. Packets that leave are in
 * order the first time that they pass here (retransmissions are older); those
 * that arrive may not be, and are kept in `stash` until the gap is filled.
 */
#ifndef SONDE_SEGMENT_H
#define SONDE_SEGMENT_H

#include "close.h"
#include "packet.h"
#include "tap_wire.h"

#define STASH_PIECE 2048
#define STASH_PIECES 32 /* of one packet: 64 KiB */
#define STASH_ENTRIES 512
#define REPLAY_PIECES 64 /* at once; the next packet goes on */

struct stash_key {
	__u64 id; /* the socket's cookie; before there is a socket, see early_id() */
	__u32 seq;
	__u32 pad;
};

struct piece {
	__u32 length;
	__u32 has_data; /* 0: lies inside a body, the bytes are not needed */
	__u8 data[STASH_PIECE];
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, STASH_ENTRIES);
	__type(key, struct stash_key);
	__type(value, struct piece);
} stash SEC(".maps");

/* A piece under construction: too large for the stack. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct piece);
} piece_scratch SEC(".maps");

struct bytes {
	__u64 stash; /* address of stashed bytes; 0: they are in the packet */
	__u32 payload;
	__u32 start;
	__u32 end;
	__u32 is_response;
};

/*
 * Parses bytes that come next in their stream. A global function: the verifier
 * reads the parser once, however many callers it has.
 */
__noinline int parse_bytes(struct __sk_buff *skb, struct connection *conn, struct bytes *bytes)
{
	struct bpf_sock *sk = skb->sk;
	struct parse p = { .skb = skb, .place = sk };
	bool in_sync = false;

	if (!conn || !bytes || !sk)
		return 0;
	p.conn = conn;
	p.stream = bytes->is_response ? &conn->response : &conn->request;
	p.stash = (const void *)bytes->stash;
	p.payload = bytes->payload;
	p.is_response = bytes->is_response;
	p.s = claim_scratch();
	if (p.s) {
		in_sync = parse_http1(&p, bytes->start, bytes->end);
		release_scratch(p.s);
	}
	if (!in_sync)
		p.stream->state = STREAM_RESYNC;
	return 0;
}

static __always_inline void consume(struct __sk_buff *skb, struct connection *conn,
				    struct stream *stream, struct bytes *bytes)
{
	__u32 length = bytes->end - bytes->start;

	stream->next += length;
	if (!skip_inside_body(stream, length))
		parse_bytes(skb, conn, bytes);
}

struct stashing {
	struct __sk_buff *skb;
	struct stash_key key;
	__u32 offset;
	__u32 left;
	__u32 has_data;
};

static long stash_piece(__u32 index, struct stashing *st)
{
	__u32 zero = 0, length = st->left;
	struct piece *piece = bpf_map_lookup_elem(&piece_scratch, &zero);

	if (!piece || !length)
		return 1;
	if (st->has_data && length > STASH_PIECE)
		length = STASH_PIECE;
	piece->length = length;
	piece->has_data = st->has_data;
	length--;
	barrier_var(length);
	length =
		(length & (STASH_PIECE - 1)) + 1; /* unchanged if has_data; shown to the verifier */
	if (st->has_data && bpf_skb_load_bytes(st->skb, st->offset, piece->data, length))
		return 1;
	if (bpf_map_update_elem(&stash, &st->key, piece, BPF_ANY))
		return 1;
	st->key.seq += piece->length;
	st->offset += piece->length;
	st->left -= piece->length;
	return 0;
}

/* is_still: nobody is parsing the stream, so that its state is what it seems. */
static COLD void stash_packet(struct __sk_buff *skb, struct stream *stream,
			      const struct packet *packet, __u64 id, bool is_still)
{
	__u32 gap = packet->seq - stream->next;
	bool in_body = is_still && stream->state == STREAM_BODY &&
		       stream->remaining > (__u64)gap + packet->length;
	struct stashing st = {
		.skb = skb,
		.key = { .id = id, .seq = packet->seq },
		.offset = packet->payload,
		.left = packet->length,
		.has_data = !in_body,
	};

	if (!stream->stashed || (__s32)(packet->seq - stream->stash_low) < 0)
		stream->stash_low = packet->seq;
	stream->stashed = 1;
	bpf_loop(STASH_PIECES, stash_piece, &st, 0);
}

static __always_inline __u64 stash_id(struct __sk_buff *skb, const struct connection *conn)
{
	return conn->stash_id ? conn->stash_id : bpf_get_socket_cookie(skb);
}

/* The piece that `next` lies in, and at which of its bytes. */
static __always_inline struct piece *find_piece(struct stream *stream, struct stash_key *key,
						__u32 *start)
{
	struct piece *piece;

	key->seq = stream->next;
	*start = 0;
	piece = bpf_map_lookup_elem(&stash, key);
	if (piece)
		return piece;
	/* What filled the gap may have gone beyond it, into the first piece. */
	key->seq = stream->stash_low;
	stream->stash_low = stream->next;
	*start = stream->next - key->seq;
	if ((__s32)*start <= 0)
		return NULL;
	piece = bpf_map_lookup_elem(&stash, key);
	return piece && *start < piece->length ? piece : NULL;
}

/*
 * One piece that came before its time and follows now; 0 if there is none. A
 * global function, so that the verifier need not follow it 64 times.
 */
__noinline int replay_piece(struct __sk_buff *skb, struct connection *conn, __u32 is_response)
{
	struct stash_key key = {};
	struct bytes bytes = { .is_response = is_response };
	struct stream *stream;
	struct piece *piece;

	if (!conn)
		return 0;
	stream = is_response ? &conn->response : &conn->request;
	key.id = stash_id(skb, conn);
	piece = find_piece(stream, &key, &bytes.start);
	if (!piece)
		return 0;
	bytes.stash = (__u64)piece->data;
	bytes.end = piece->length;
	if (piece->has_data) {
		consume(skb, conn, stream, &bytes);
	} else {
		skip_inside_body(stream, bytes.end - bytes.start);
		stream->next += bytes.end - bytes.start;
	}
	bpf_map_delete_elem(&stash, &key);
	return 1;
}

static __always_inline void replay_stash(struct __sk_buff *skb, struct connection *conn,
					 bool is_response)
{
	for (__u32 i = 0; i < REPLAY_PIECES; i++)
		if (!replay_piece(skb, conn, is_response))
			break;
}

/* How far the kernel has received in order; what passed here is never behind it. */
static __always_inline bool received_to(struct __sk_buff *skb, __u32 *next)
{
	struct bpf_sock *sk = skb->sk;
	struct bpf_tcp_sock *tcp;

	if (!sk)
		return false;
	sk = bpf_sk_fullsock(sk);
	if (!sk)
		return false;
	tcp = bpf_tcp_sock(sk);
	if (!tcp)
		return false;
	*next = tcp->rcv_nxt;
	return true;
}

/* Bytes passed that nobody can put back: go on with the next message. */
static COLD void resync(struct connection *conn, struct stream *stream, __u32 seq)
{
	lose(LOSS_SEGMENT_GAP, 1 + (conn->tail - conn->head));
	conn->head = conn->tail;
	conn->draft.start_ns = 0;
	conn->draft.named = 0;
	stream->state = STREAM_RESYNC;
	stream->long_line = LINE_SHORT;
	stream->carried = 0;
	stream->next = seq;
}

/* True if the packet is to be parsed now. */
static COLD bool bridge_gap(struct __sk_buff *skb, struct connection *conn, struct stream *stream,
			    const struct packet *packet, bool arrives)
{
	__u32 gap = packet->seq - stream->next, received;

	if (stream->state == STREAM_RESYNC || stream->state == STREAM_UNTIL_CLOSE) {
		stream->next = packet->seq;
		return true;
	}
	if (arrives && received_to(skb, &received) && (__s32)(received - stream->next) <= 0) {
		stash_packet(skb, stream, packet, stash_id(skb, conn), true);
		return false;
	}
	if (skip_inside_body(stream, gap))
		stream->next = packet->seq;
	else
		resync(conn, stream, packet->seq);
	return true;
}

/* The first packet with payload: where the stream begins. */
static COLD void start_stream(struct __sk_buff *skb, struct stream *stream,
			      const struct packet *packet, bool arrives)
{
	__u32 received;

	stream->started = 1;
	stream->next = packet->seq;
	if (arrives && stream->state == STREAM_START && received_to(skb, &received) && received)
		stream->next = received;
}

/* One packet of one direction. True if all that came before its end was parsed. */
static __always_inline bool parse_packet(struct __sk_buff *skb, struct connection *conn,
					 struct stream *stream, const struct packet *packet,
					 bool is_response, bool arrives)
{
	struct bytes bytes = {
		.payload = packet->payload,
		.end = packet->length,
		.is_response = is_response,
	};
	__s32 ahead;

	if (!stream->started)
		start_stream(skb, stream, packet, arrives);
	ahead = packet->seq - stream->next;
	if (ahead > 0 && !bridge_gap(skb, conn, stream, packet, arrives))
		return false;
	ahead = packet->seq - stream->next;
	if (ahead < 0) {
		bytes.start = -ahead;
		if (bytes.start >= bytes.end)
			return bytes.start == bytes.end;
	}
	if (bytes.start < bytes.end)
		consume(skb, conn, stream, &bytes);
	if (stream->stashed)
		replay_stash(skb, conn, is_response);
	return true;
}

static __always_inline bool take_stream(struct stream *stream)
{
	return !__sync_lock_test_and_set(&stream->busy, 1);
}

static __always_inline void leave_stream(struct stream *stream)
{
	*(volatile __u32 *)&stream->busy = 0;
}

/* What another CPU has put into the stash meanwhile. */
static COLD void take_late(struct __sk_buff *skb, struct connection *conn, struct stream *stream,
			   bool is_response)
{
	if (!take_stream(stream))
		return; /* whoever has it now looks again */
	stream->has_late = 0;
	replay_stash(skb, conn, is_response);
	leave_stream(stream);
}

/*
 * Packets that arrive pass here before the socket is locked: where a sender on
 * this machine moves to another CPU, two of one connection may pass at once. One
 * that finds the stream taken waits in the stash, like one that came too early.
 */
static __always_inline bool feed(struct __sk_buff *skb, struct connection *conn,
				 struct stream *stream, const struct packet *packet,
				 bool is_response, bool arrives)
{
	bool all = false;

	if (!arrives)
		return parse_packet(skb, conn, stream, packet, is_response, false);
	if (likely(take_stream(stream))) {
		all = parse_packet(skb, conn, stream, packet, is_response, true);
		leave_stream(stream);
	} else {
		stash_packet(skb, stream, packet, stash_id(skb, conn), false);
		stream->has_late = 1;
	}
	if (unlikely(stream->has_late))
		take_late(skb, conn, stream, is_response);
	return all;
}

#endif
