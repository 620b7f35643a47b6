/*
 * httpc_ways.h - the two ways to a peer behind httpc.h; for httpc*.c alone.
 *
 * Behind a socket of the file system there is neither TLS nor a name to look up, so that way needs
 * nothing but a parser of answers. libcurl and the twenty libraries that it brings cost a process
 * ten milliseconds and five MiB; a node's engine is asked by many processes that live for less.
 */
#ifndef TRUEUP_BASE_HTTPC_WAYS_H
#define TRUEUP_BASE_HTTPC_WAYS_H

#include "base/httpc.h"

struct httpc_session {
	void *curl;	 /* httpc_curl.c's; NULL: not used yet */
	int unix_fd;	 /* httpc_unix.c's; -1: no connection */
	char *unix_path; /* to whom */
};

/* As httpc_fetch, each for the requests that are its own. */
int httpc_curl_fetch(const struct httpc_request *request, struct httpc_reply *reply,
		     struct err *err);
int httpc_unix_fetch(const struct httpc_request *request, struct httpc_reply *reply,
		     struct err *err);
/* Close what a session keeps. */
void httpc_curl_end(struct httpc_session *session);
void httpc_unix_end(struct httpc_session *session);

#endif
