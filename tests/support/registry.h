/*
 * registry.h - registries for tests: the real one (docker-registry), and peers that answer what it
 * never would. All on loopback, each in a process of its own that ends with its test.
 */
#ifndef TRUEUP_TESTS_REGISTRY_H
#define TRUEUP_TESTS_REGISTRY_H

#include <sys/types.h>

#include "base/arena.h"

/* Why there is no docker-registry here; NULL: there is one. */
const char *test_registry_missing(void);

/* How it is reached and who may read it. */
enum registry_kind { REGISTRY_OPEN, REGISTRY_WITH_LOGIN, REGISTRY_BY_TLS };
#define REGISTRY_USER "ann"
#define REGISTRY_PASSWORD "open: sesame"

struct test_registry {
	char *folder;
	pid_t pid;
	char host[32]; /* "127.0.0.1:40001" */
};
/*
 * Starts one in a folder of its own, with images in it, all of the name shop/web: `oci` and
 * `docker` by their media types, `index` of both (linux/amd64,
 * linux/arm64), `foreign` for plan9/mips. REGISTRY_BY_TLS:
 * ca.pem in its folder is its authority.
 */
void test_registry_start(struct test_registry *registry, enum registry_kind kind);
void test_registry_stop(struct test_registry *registry);
/* The digest of what was pushed by that tag: as sha256sum says, in arena. */
const char *test_registry_digest(const struct test_registry *registry, struct arena *arena,
				 const char *tag);

/* ---- peers ---- */

/* Which answer a request gets: that of the first row that fits. */
struct peer_row {
	const char *begins; /* "HEAD /v2/shop/web/" */
	const char *with;   /* a line of the request: "Authorization: Bearer t1"; NULL: any */
	const char *answer; /* as it stands; "": none, the connection is closed */
};
struct peer {
	pid_t pid;
	int listener, log;
	char host[32];
};
/* Listens; who answers there is told apart, so that rows may have the address in them. */
void peer_listen(struct peer *peer, const char *address);
void peer_serve(struct peer *peer, const struct peer_row *rows, size_t n);
void peer_stop(struct peer *peer);
/* All requests so far, as they came; in arena. */
const char *peer_asked(const struct peer *peer, struct arena *arena);
size_t peer_count(const struct peer *peer, const char *begins);
/* An answer with its length, in arena; headers: "Name: value\r\n"... */
const char *peer_answer(struct arena *arena, const char *status, const char *headers,
			const char *body);

#endif
