//go:build ignore

// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The TLS tap: what passes through the functions of TLS libraries, on its way
 * between a program and its sockets. An object of its own, with the parser and
 * the maps of sonde.bpf.c, that is attached only to files of processes that were
 * seen to speak TLS.
 *
 *   calls:    tls_enter.h, tls_leave.h ► plaintext.h ► the parser; tls_end.h
 *   sockets:  tls_socket.h, and tls_read.h in the other object
 *   what ties the two:  session.h, caller.h
 */
#include "tls_enter.h"
#include "tls_leave.h"
#include "tls_socket.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";
