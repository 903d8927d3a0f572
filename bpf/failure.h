/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SONDE_FAILURE_H
#define SONDE_FAILURE_H

#include "kernel.h"
#include "sonde.h"

/* How a connection ended, as the kernel tells whoever has the socket. */
static __always_inline __u8 failure_of(const struct sock *sk)
{
	int error = sk->sk_err;

	if (error == ECONNRESET || error == EPIPE)
		return FAILURE_RESET;
	return error == ETIMEDOUT ? FAILURE_TIMEOUT : FAILURE_CLOSED;
}

#endif
