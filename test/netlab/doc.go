// Package netlab connects two network namespaces through a bad wire.
//
// The wire is a relay in user space between two TUN devices. It loses,
// duplicates, reorders and delays packets with given probabilities, and counts
// what it did. It stands in for the netem queueing discipline, which many
// kernels (those of microVMs among them) are built without.
//
//	client namespace                                server namespace
//	198.18.0.1  2001:2::1                           198.18.0.2  2001:2::2
//	      wire (TUN) <────── relay in this process ──────> wire (TUN)
//
// The devices have an MTU of 1500 and no offloads: each packet that the relay
// reads is one that a real wire would carry, with a complete checksum, and the
// receiving kernel sees each packet by itself.
//
// The namespaces have no name in the file system. Only file descriptors of this
// process and the programs inside keep them alive, so nothing stays behind when
// the process dies.
//
// A lab needs Linux, root (CAP_SYS_ADMIN and CAP_NET_ADMIN), /dev/net/tun, and
// nsenter (part of util-linux) for [Namespace.Command].
package netlab
