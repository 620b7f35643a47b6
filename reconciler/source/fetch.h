/*
 * fetch.h - bring a remote branch into the mirror.
 *
 * Runs in a short-lived child only: it changes HOME, SIGALRM and the timer of the process, and a
 * parent has to kill it at its deadline (the protocol below has no limit on how long a peer that
 * keeps sending may take).
 */
#ifndef TRUEUP_SOURCE_FETCH_H
#define TRUEUP_SOURCE_FETCH_H

#include "base/credentials.h"
#include "source/repo.h"

#define FETCH_PACK_MAX ((size_t)256 << 20) /* bytes received in one fetch */
#define FETCH_OBJECTS_MAX 2000000	   /* objects in one pack */
#define FETCH_DEADLINE_MS 300000	   /* for the parent */
#define FETCH_CONNECT_MS 5000		   /* until the first byte of the answer */
#define FETCH_STALL_MS 60000		   /* of silence after that */

struct fetch_request {
	const char *url;
	const char *branch;
	const char *state_dir;
	/*
	 * NULL: none. https: `token`, or `username` and `password`; `ca.pem` is trusted instead of
	 * the system's authorities. ssh: `id_ed25519` and `known_hosts`.
	 */
	const char *credentials_dir;
	size_t pack_max;    /* 0: FETCH_PACK_MAX */
	int64_t connect_ms; /* 0: FETCH_CONNECT_MS */
	int64_t stall_ms;   /* 0: FETCH_STALL_MS */
};

/*
 * 0: the mirror's branch is at *commit, which the remote's was at a moment during the call.
 *
 * E_REMOTE_UNREACHABLE (also silence, nonsense, a redirect, a pack without all that the commit
 * needs), E_REMOTE_AUTH (also an unknown, changed or revoked host key, a certificate that is not
 * trusted), E_BRANCH_MISSING, E_TOO_LARGE, E_CREDENTIALS, E_USAGE (a branch that cannot be one, a
 * local address), E_IO, E_DISK_FULL. Credentials go only to the exact scheme, host and port of url:
 * redirects are refused. The branch of the mirror moves only when everything was received and
 * synced; until then, and after a kill at any moment, it stays where it was.
 */
int fetch_branch(const struct fetch_request *request, struct oid *commit, struct err *err);

#endif
