/*
 * probe.h - a look at a port from outside: does it accept, what does it say?
 *
 * For the health checks that no engine makes. Nothing here waits but probe_all: a probe is begun,
 * gets a step whenever its descriptor is ready or its time is over, and says when it is done. So
 * many can go at once, in one thread, beside other work. HTTP is asked for its status only, which
 * takes none of what an HTTP library brings; a check that runs every few seconds for each workload
 * would load it every time.
 */
#ifndef TRUEUP_DRIVERS_PROBE_H
#define TRUEUP_DRIVERS_PROBE_H

#include "base/buf.h"
#include "base/err.h"
#include "schema/kinds.h"

/* Who is asked for what; the caller's, until the probe is released. */
struct probe_target {
	const char *address; /* a number, IPv4 or IPv6; NULL: the loopback, IPv4 and then IPv6 */
	int64_t port;
	const char *path;   /* of an HTTP request; NULL: a connection is all that is asked for */
	int64_t timeout_ms; /* for all of it */
};
/* What a check of that kind asks for. */
struct probe_target probe_target_of(const struct health_check *check, const char *address);
/* Is it one that is made from outside: http or tcp? NULL: no. */
bool probe_is_for(const struct health_check *check);

struct probe {
	const struct probe_target *target;
	int fd;	      /* to wait at; may be another one after a step; -1: none */
	short events; /* POLLIN or POLLOUT */
	bool over;    /* `status` and `err` say how it ended */
	int status;   /* of the answer; 0: none, or none was asked for */
	/*
	 * E_NONE: it accepted, and answered what it was asked. E_NODE_UNREACHABLE;
	 * E_DEADLINE; E_BAD_INPUT for an answer that is not HTTP/1; E_TOO_LARGE for a header past
	 * 64 KiB.
	 */
	struct err err;

	/* Its own. */
	int place; /* of the address that is tried */
	struct buf out, in;
	size_t sent, body; /* bytes */
	int64_t ends_ms;   /* boot ms */
	void (*step)(struct probe *probe);
};
void probe_begin(struct probe *probe, const struct probe_target *target);
/* For when its descriptor is ready, or probe_left_ms is 0; does nothing once it is over. */
void probe_step(struct probe *probe);
/* How long nothing need be done while its descriptor is silent; 0 where it is over. */
int64_t probe_left_ms(const struct probe *probe);
/* Closes what is open: also in the middle. */
void probe_release(struct probe *probe);
#define AUTO_PROBE CLEANUP(probe_release)

/* All of them, begun already, side by side until each is over. */
void probe_all(struct probe *probes, size_t n);

/*
 * Did it say what the check wants? If not, what is appended is for people: "GET /health on port
 * 8080: status 503, wanted 200-399", "port 5432: Connection refused".
 */
bool probe_judge(const struct probe *probe, const struct health_check *check, struct buf *why);
/* "200", "200-399", "200,204": is this status one of them? */
bool probe_accepts(const char *ranges, long status);

/*
 * The status of the final answer at the beginning of what came in (RFC 9112; interim ones, 1xx, are
 * dropped), once its header is whole: 1. 0: there has to be more. E_BAD_INPUT.
 */
int probe_read_status(struct buf *in, int *status, struct err *err);

#endif
