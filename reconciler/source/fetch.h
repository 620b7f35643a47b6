/*
 * fetch.h - bring a remote branch into the mirror. Runs in a child only: libgit2 has no timeout, so
 * the parent kills it at its deadline.
 */
#ifndef TRUEUP_SOURCE_FETCH_H
#define TRUEUP_SOURCE_FETCH_H

#include "source/repo.h"

#define FETCH_PACK_MAX ((size_t)256 << 20) /* bytes received in one fetch */
#define FETCH_DEADLINE_MS 300000
#define FETCH_CONNECT_MS 5000 /* until the first byte of the answer */

struct fetch_request {
	const char *url;
	const char *branch;
	const char *state_dir;
	const char *credentials_dir; /* NULL: none; holds username+password, token, or
					id_ed25519+known_hosts, ca.pem */
};

/*
 * E_REMOTE_UNREACHABLE, E_REMOTE_AUTH (also an unknown or changed host key, a bad certificate),
 * E_BRANCH_MISSING, E_TOO_LARGE, E_CREDENTIALS (files readable by others). Credentials go only to
 * the exact scheme, host and port of url; redirects are refused. The branch of the mirror moves
 * only when everything was received.
 */
int fetch_branch(const struct fetch_request *request, struct oid *commit, struct err *err);

/* One value of a credentials folder ("token"), with its permissions checked; trailing newline off.
 */
int credentials_read(const char *dir, const char *name, struct buf *out, struct err *err);

#endif
