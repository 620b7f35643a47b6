/*
 * host_probe.h - a look at a port of this machine from outside: does it accept, what does it say?
 *
 * For health checks. All calls block: they belong into a child that somebody ends in time. HTTP is
 * asked for its status only, which takes none of what an HTTP library brings; a check that runs
 * every few seconds for each workload would load it every time.
 */
#ifndef TRUEUP_DRIVERS_HOST_PROBE_H
#define TRUEUP_DRIVERS_HOST_PROBE_H

#include "base/err.h"

/*
 * Connects to a port of the loopback, IPv4 or IPv6: a descriptor, or -1 and E_NODE_UNREACHABLE.
 */
int host_probe_connect(int64_t port, struct err *err);
/*
 * GET path: the status of the final answer (RFC 9112; interim ones, 1xx, are passed over), once its
 * header is whole. Redirects are not followed. E_NODE_UNREACHABLE; E_BAD_INPUT for an answer that
 * is not HTTP/1; E_TOO_LARGE for a header past 64 KiB.
 */
int host_probe_http(int64_t port, const char *path, int *status, struct err *err);

#endif
