/*
 * fetch_http.h - private to this folder: Git's smart HTTP protocol over base/httpc.
 *
 * Used instead of libgit2's own transport, which follows a redirect to another port of the same
 * host whatever it is told, sends the credentials there, and gives no limits on time. The protocol
 * is stateless: each request is answered whole into a file without a name before any of it is
 * looked at (https://git-scm.com/docs/http-protocol).
 */
#ifndef TRUEUP_SOURCE_FETCH_HTTP_H
#define TRUEUP_SOURCE_FETCH_HTTP_H

#include "base/credentials.h"
#include "source/gitlib.h"

struct http_origin {
	const char *url;   /* of the repository */
	const char *spool; /* a folder for the answers */
	size_t max;	   /* bytes of all answers together */
	int64_t connect_ms, stall_ms, total_ms;
	struct buf authorization; /* "Authorization: Basic …", a secret; empty: none */
	char *ca_file;		  /* or NULL */
	size_t received;
	struct err *err; /* the first failure: what libgit2 then says is only that there was one */
};

/* From a credentials folder: token, or username and password; ca.pem. */
int http_login_read(struct http_origin *origin, const char *dir, struct err *err);
void http_origin_release(struct http_origin *origin);

/* A transport for git_remote_connect_ext; origin has to outlive it. */
int http_transport(git_transport **out, git_remote *owner, struct http_origin *origin);

#endif
