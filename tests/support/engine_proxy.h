/*
 * engine_proxy.h - stands between a driver and a real engine: it counts the requests, and answers
 * one of them with something else, before it reaches the engine or after.
 */
#ifndef TRUEUP_TESTS_ENGINE_PROXY_H
#define TRUEUP_TESTS_ENGINE_PROXY_H

#include "tests/support/test.h"

struct proxy_fault {
	const char *name;
	const char *answer; /* NULL: the engine's own, cut in the middle */
	bool after;	    /* the engine has done it by then */
	bool often;	    /* also in `make check` */
	bool silent;	    /* nothing comes behind it, and the connection stays open */
};

/* Shared with the proxy's process. */
struct proxy_orders {
	int fault_at; /* number of the request that goes wrong, from 1; 0: none */
	int seen;     /* requests since it was set */
	const struct proxy_fault *fault;
};

struct engine_proxy {
	struct proxy_orders *orders;
	pid_t pid;
	char *folder;
	char path[108];
};

/* In a process of its own; engine: path of its socket. */
struct engine_proxy engine_proxy_start(const char *engine);
void engine_proxy_stop(struct engine_proxy *proxy);

#endif
