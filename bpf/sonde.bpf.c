//go:build ignore

// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * All programs of Sonde in one object, so that they share their maps.
 *
 *   packets:  wire.h ► segment.h ► http1.h ► line.h ► message.h ► queue.h ► series.h
 *   sockets and processes:  lifecycle.h, existing.h
 *   what they share:  sonde.h (with user space), connection.h, maps.h, window.h
 */
#include "existing.h"
#include "wire.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* Exported to Go by bpf2go, which needs to find each type in use. */
const enum role *unused_role __attribute__((unused));
const enum transport *unused_transport __attribute__((unused));
const enum tls_function *unused_tls_function __attribute__((unused));
const enum tls_library *unused_tls_library __attribute__((unused));
const enum protocol *unused_protocol __attribute__((unused));
const enum method *unused_method __attribute__((unused));
const enum failure *unused_failure __attribute__((unused));
const enum loss *unused_loss __attribute__((unused));
const enum event_type *unused_event_type __attribute__((unused));
const enum service_flag *unused_service_flag __attribute__((unused));
const struct control *unused_control __attribute__((unused));
const struct process_event *unused_process_event __attribute__((unused));
const struct operation_event *unused_operation_event __attribute__((unused));
const struct span_event *unused_span_event __attribute__((unused));
const enum trace_flag *unused_trace_flag __attribute__((unused));
const struct observation_event *unused_observation_event __attribute__((unused));
