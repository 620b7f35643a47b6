/*
 * oci.h - registries: which digest a reference means now, and with which login they are asked.
 *
 * In reading order:
 *
 *	oci.c		one question: the manifest, what its answer means
 *	oci_ask.c	one request: redirects, authorization, tokens, registries that do not answer
 *	oci_challenge.c	pure: what a registry wants to see before it answers
 *	oci_manifest.c	pure: what a manifest is, and which platforms an index has
 *	oci_login.c	the login of a Registry, for registries and for engines
 *
 * The protocol is the distribution specification of the Open Container Initiative, version 1.1
 * (github.com/opencontainers/distribution-spec), and for tokens the specification of the
 * distribution project (distribution.github.io/distribution/spec/auth/token). It stands beside the
 * drivers, because it knows Registries (schema) and drivers ask it.
 *
 * A registry is not believed: what it sends is capped, what it says is cleaned before anybody reads
 * it, and a body that has not the digest that was announced is refused. A login goes to the host of
 * its Registry, by https or on loopback, and to nobody else: not to where a redirect leads, and to
 * a token server elsewhere only if that is known of the Registry's type, or if the file `realm` in
 * the folder of its credentials is that address.
 *
 * Nothing here waits: whoever asks has its own back-off.
 */
#ifndef TRUEUP_DRIVERS_OCI_H
#define TRUEUP_DRIVERS_OCI_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "schema/kinds.h"

struct driver_env;

/* ---- asking ---- */

/*
 * What is remembered while a node is looked at: connections, tokens until they expire, and who did
 * not answer and so is not asked for the next image.
 */
struct oci;
/* A registry that asks for more rest than this is asked again all the same. */
#define OCI_REST_MAX_MS 3600000
struct oci *oci_new(const struct driver_env *env);
void oci_free(struct oci *oci); /* NULL is allowed */

struct oci_question {
	const char *image;		 /* as it is written, for errors */
	const struct registry *registry; /* NULL: without a document */
	const char
		*repository;   /* "host/path": "docker.io/library/web", "127.0.0.1:5000/shop/web" */
	const char *reference; /* a tag or a digest */
	/*
	 * Only asked where the reference means an index: what it must have, "linux/amd64". NULL, or
	 * one that gives NULL: it is not known.
	 */
	const char *(*platform)(void *arg);
	void *platform_arg;
};

/*
 * Appends the digest ("sha256:<hex>") that the reference means: that of the index where there is
 * one, since by that it can be pulled on every platform.
 *
 * E_IMAGE_UNKNOWN: there is none of that name, or the index lacks the platform.
 * E_CREDENTIALS: it wants a login, or another one; the text says where it is to be put.
 * E_REGISTRY: it does not answer, has no time (429) or is ill (5xx); err->rest_ms is what
 *	it says of waiting ("Retry-After"), at most OCI_REST_MAX_MS.
 * E_CERTIFICATE: it does not prove who it is.
 * E_BAD_INPUT: it answers what no registry may, or by plain http where it must not.
 *
 * answered: did anybody answer at all? May be NULL.
 */
int oci_resolve(struct oci *oci, const struct oci_question *question, struct buf *digest,
		bool *answered, struct err *err);

/* ---- logins ---- */

struct oci_login {
	struct buf user, password; /* empty: none */
	struct buf token;	   /* a bearer token as it is to be sent; empty: none */
	struct buf realm;	   /* address of a token server that may have the login */
};
#define OCI_LOGIN_INIT                                                                             \
	{                                                                                          \
		.user = BUF_INIT(CREDENTIALS_FILE_MAX),                                            \
		.password = BUF_INIT(CREDENTIALS_FILE_MAX),                                        \
		.token = BUF_INIT(CREDENTIALS_FILE_MAX), .realm = BUF_INIT(CREDENTIALS_FILE_MAX)   \
	}
/* The folder of that name with credentials; the caller frees it. */
char *oci_credentials_folder(const struct driver_env *env, const char *name);
/*
 * The login of a Registry: `username` and `password`, or `token`, which is what the type's registry
 * takes for a password (a personal access token; at Google an access token or the JSON key of a
 * service account), and of v2 a bearer token. All empty where it names no credentials.
 * E_CREDENTIALS.
 */
int oci_login_read(const struct driver_env *env, const struct registry *registry,
		   struct oci_login *out, struct err *err);
bool oci_login_is_empty(const struct oci_login *login);
/* Overwrites what it held. */
void oci_login_wipe(struct oci_login *login);
#define AUTO_LOGIN CLEANUP(oci_login_wipe)
/* The value of the header X-Registry-Auth, by which an engine is told a login; "" for none. */
void oci_login_for_engine(const struct oci_login *login, const char *host, struct buf *out);

/* ---- what is known of a type of registry ---- */

struct oci_type {
	const char *api_host;	/* who is asked; NULL: the host of the reference */
	const char *realm_host; /* another one that may have the login; NULL: none */
	const char *token_user; /* the user of a token; NULL: it needs one, or is a bearer token */
	const char *key_user;	/* the user of a token that is a JSON object; NULL: none */
};
const struct oci_type *oci_type_of(const struct registry *registry, const char *host);

/* ---- pure parts, for the tests ---- */

enum oci_scheme { OCI_BASIC = 1, OCI_BEARER };
/* What a registry wants: RFC 9110, 11.6.1, "WWW-Authenticate". NULL: not given. */
struct oci_challenge {
	enum oci_scheme scheme;
	const char *realm, *service, *scope;
};
#define OCI_CHALLENGE_MAX ((size_t)8 << 10)
/*
 * The best of the challenges in a header's value, Bearer before Basic; others are passed over.
 * E_NOT_SUPPORTED: there is none of these; E_BAD_INPUT: it has not the form. Texts go to the arena.
 */
int oci_challenge_read(const char *header, struct arena *arena, struct oci_challenge *out,
		       struct err *err);

/* The media types that are asked for, as the value of Accept. */
extern const char oci_accept[];
enum oci_manifest_kind { OCI_NO_MANIFEST, OCI_IMAGE, OCI_INDEX };
/* By its media type; parameters behind it do not count. */
enum oci_manifest_kind oci_manifest_kind(const char *media_type);
#define OCI_MANIFEST_MAX ((size_t)4 << 20) /* what a registry must take, by the specification */
/*
 * Does an index have the platform ("linux/arm64"; of variants any will do)? One that says nothing
 * of platforms has all. E_IMAGE_UNKNOWN names those that it has; E_BAD_INPUT.
 */
int oci_index_check(const char *text, size_t len, const char *platform, struct err *err);

#endif
