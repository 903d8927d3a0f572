/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The IP and TCP headers of a packet, as cgroup_skb shows it: from the IP header on. */
#ifndef SONDE_PACKET_H
#define SONDE_PACKET_H

#include "kernel.h"

#define IPV6_HEADER 40
#define IPV6_EXTENSIONS 4 /* of which more than one is rare */
#define IPV6_HOP_BY_HOP 0 /* also what BIG TCP puts in front */
#define IPV6_ROUTING 43
#define IPV6_DESTINATION 60
#define TCP_FIN 1

struct packet {
	__u32 payload; /* offset of the first byte after the TCP header */
	__u32 length;  /* bytes of payload */
	__u32 seq;     /* of its first byte */
	__u16 source;  /* ports, in host order */
	__u16 destination;
	__u32 fin;
};

static __always_inline __u8 *header(struct __sk_buff *skb, __u32 offset, __u32 length)
{
	__u8 *data = (void *)(long)skb->data;
	__u8 *end = (void *)(long)skb->data_end;

	return data + offset + length <= end ? data + offset : NULL;
}

/* The offset of the TCP header, or 0. */
static COLD __u32 tcp_after_ipv6(struct __sk_buff *skb, __u8 next)
{
	__u32 offset = IPV6_HEADER;

	for (int i = 0; i < IPV6_EXTENSIONS; i++) {
		__u8 extension[2];

		if (next == IPPROTO_TCP)
			return offset;
		if (next != IPV6_HOP_BY_HOP && next != IPV6_ROUTING && next != IPV6_DESTINATION)
			return 0;
		if (bpf_skb_load_bytes(skb, offset, extension, sizeof(extension)))
			return 0;
		next = extension[0];
		offset += (extension[1] + 1) * 8;
	}
	return 0;
}

/*
 * The header's own protocol counts, not the socket's: a tunnel sends packets of
 * a TCP socket inside other packets, and each passes here.
 */
static __always_inline __u32 tcp_offset(struct __sk_buff *skb)
{
	__u8 *ip = header(skb, 0, 20);

	if (!ip)
		return 0;
	if (ip[0] >> 4 == 4)
		return ip[9] == IPPROTO_TCP ? (ip[0] & 0xf) * 4 : 0;
	if (ip[0] >> 4 != 6)
		return 0;
	return ip[6] == IPPROTO_TCP ? IPV6_HEADER : tcp_after_ipv6(skb, ip[6]);
}

static __always_inline bool read_packet(struct __sk_buff *skb, struct packet *packet)
{
	__u32 offset = tcp_offset(skb);
	__u8 *tcp;

	if (!offset || offset > 256)
		return false;
	tcp = header(skb, offset, 20);
	if (!tcp)
		return false;
	packet->payload = offset + (tcp[12] >> 4) * 4;
	if (packet->payload > skb->len)
		return false;
	packet->length = skb->len - packet->payload;
	packet->seq = bpf_ntohl(*(__be32 *)(tcp + 4));
	packet->source = bpf_ntohs(*(__be16 *)tcp);
	packet->destination = bpf_ntohs(*(__be16 *)(tcp + 2));
	packet->fin = tcp[13] & TCP_FIN;
	return true;
}

#endif
