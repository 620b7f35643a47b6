/*
 * httpc.h - HTTP requests with every limit set.
 *
 * http and https only, no redirects, no netrc, no proxies from the environment,
 * TLS always verified. Never called in the daemon itself (libcurl's resolver
 * starts threads), only in children.
 *
 *	httpc_curl.c	by TCP and TLS: libcurl, the only includer of <curl/curl.h>
 *	httpc_unix.c	through a socket of the file system, where there is no TLS and no name
 *	http_answer.h	an answer taken apart, for httpc_unix.c
 *
 * libcurl is loaded by the first request that needs it, which ldd does not show: it brings twenty
 * others with it, and a process that sends no such request has no need of them.
 */
#ifndef TRUEUP_BASE_HTTPC_H
#define TRUEUP_BASE_HTTPC_H

#include "base/buf.h"
#include "base/err.h"

struct httpc_request {
	const char *method; /* NULL: GET */
	const char *url;
	const char *const *headers; /* "Name: value", ended by NULL; NULL: none */
	const void *body;
	size_t body_len;
	int64_t connect_ms;  /* 0: 5 s */
	int64_t total_ms;    /* 0: 30 s; below 0: as long as it takes */
	const char *ca_file; /* PEM: trusted instead of the system's authorities; NULL: those */
	/* PEM: what we show a peer that wants to know who we are; both or none. */
	const char *cert_file, *key_file;
	const char *unix_path; /* the peer is behind this socket, whatever host the URL names */
	struct httpc_session *session; /* NULL: a connection for this request alone */
	/*
	 * Takes the body piece by piece instead of reply->body; -1 stops, and httpc_fetch gives
	 * E_TOO_LARGE. NULL: none.
	 */
	int (*sink)(void *arg, const void *bytes, size_t len);
	void *sink_arg;
	/*
	 * Is asked at least once a second while nothing comes, so that whoever waits can say how it
	 * goes, and has a say in how long: -1 stops, and httpc_fetch gives E_DEADLINE. NULL: none.
	 */
	int (*tick)(void *arg);
	void *tick_arg;
	/* Is told each header of the answer, the name as it came (any case). NULL: nobody is. */
	void (*header)(void *arg, const char *name, const char *value);
	void *header_arg;
};

#define HTTPC_LOCATION_MAX 256

struct httpc_reply {
	long status;
	struct buf body;	/* init with BUF_INIT(cap) by the caller, who releases it */
	int64_t retry_after_ms; /* what "Retry-After" (RFC 9110, 10.2.3) asks for; 0: nothing */
	char location[HTTPC_LOCATION_MAX]; /* where a redirect would have led, cut; "": none */
};

/*
 * A connection that is kept for the next request to the same peer, which then spares the way there
 * and the handshake. One request at a time. A peer may close it at any time: what only reads (GET,
 * HEAD) is then asked anew.
 */
struct httpc_session;
struct httpc_session *httpc_session_new(void);
void httpc_session_free(struct httpc_session *session); /* NULL is allowed */

/* Not a constant, so that tests can name one that is not there. */
extern const char *httpc_library;

/*
 * 0 for any complete answer whatever its status; E_LIBRARY (libcurl is not there, or lacks a
 * function); E_NODE_UNREACHABLE (no connection, or one that
 * broke or was not trusted), E_DEADLINE, E_TOO_LARGE, E_BAD_INPUT (the URL). The body is emptied
 * first.
 */
int httpc_fetch(const struct httpc_request *request, struct httpc_reply *reply, struct err *err);

#endif
