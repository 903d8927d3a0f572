/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SONDE_TLS_END_H
#define SONDE_TLS_END_H

#include "close.h"
#include "tap_tls.h"

/* Its socket was closed, and nobody reads on. */
static __always_inline void end_session(struct session *session)
{
	if (session->conn.verdict == VERDICT_MEASURE)
		end_connection(&session->conn, session, session->failure, session->ended_ns);
}

#endif
