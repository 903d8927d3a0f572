/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the parser asks of the tap that found the bytes. tap_wire.h answers for
 * packets, tap_tls.h for what passes through a TLS library; each is compiled
 * with the same parser into an object of its own.
 *
 * A place is where a connection keeps what few connections need: its socket, or
 * its TLS session.
 */
#ifndef SONDE_TAP_H
#define SONDE_TAP_H

#include "maps.h"

struct parse;
struct carries;
struct traces;

/* Copies bytes of the payload, 1 to WINDOW_FRESH of them; 0 if that succeeded. */
static __always_inline int read_payload(struct parse *p, __u32 from, void *to, __u32 length);

/* NULL if there is none, or no memory to create it. */
static __always_inline struct spill *spill_of(void *place, bool create);
static __always_inline struct carries *carries_of(void *place, bool create);
static __always_inline struct traces *traces_of(void *place, bool create);

static __always_inline void read_ends(struct parse *p, struct ends *ends);

#endif
