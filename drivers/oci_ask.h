/*
 * oci_ask.h - one request to a registry; internal to oci*.c.
 */
#ifndef TRUEUP_DRIVERS_OCI_ASK_H
#define TRUEUP_DRIVERS_OCI_ASK_H

#include "base/credentials.h"
#include "base/httpc.h"
#include "base/vec.h"
#include "drivers/oci.h"

/* A token as a token server gave it. */
struct oci_token {
	char *key;     /* whose, and for what */
	char *value;   /* secret */
	int64_t until; /* boot ms */
};
/* A registry that is left alone, and why. */
struct oci_silent {
	char *base;
	struct err why;
};
struct oci {
	const struct driver_env *env;
	struct httpc_session *session;
	VEC(struct oci_token) tokens;
	VEC(struct oci_silent) silent;
};

/* A question, and whom it goes to. */
struct oci_asking {
	struct oci *oci;
	const struct oci_question *question;
	struct arena *arena;
	const struct oci_type *type;
	const char *host;	/* as references have it */
	const char *base;	/* "https://registry-1.docker.io" */
	const char *name;	/* "library/web" */
	const char *folder;	/* of the credentials; NULL: the Registry names none */
	const char *ca_file;	/* NULL: the system's authorities */
	struct oci_login login; /* released by whoever made this */
	struct buf permit;	/* "Authorization: ..."; empty: none is shown. Likewise. */
	bool answered;
};

struct oci_answer {
	long status;
	struct buf body;       /* BUF_INIT(OCI_MANIFEST_MAX), released by the caller */
	struct buf challenges; /* BUF_INIT(OCI_CHALLENGE_MAX), likewise */
	char digest[96], type[128];
	int64_t rest_ms; /* it asks to be left alone for so long; 0: it does not */
	bool elsewhere;	 /* a redirect led to another host */
};
#define OCI_ANSWER_INIT                                                                            \
	{                                                                                          \
		.body = BUF_INIT(OCI_MANIFEST_MAX), .challenges = BUF_INIT(OCI_CHALLENGE_MAX)      \
	}
void oci_answer_release(struct oci_answer *answer);

/* A manifest. 0 for any complete answer but those by which it wants to see a login: E_CREDENTIALS.
 */
int oci_ask(struct oci_asking *asking, const char *method, const char *reference,
	    struct oci_answer *out, struct err *err);
/* Fills *err for an answer that is none of those that are good, and returns -1. */
int oci_refused(struct oci_asking *asking, const struct oci_answer *answer, struct err *err);

/* Where the login of the question's Registry is to be put, as the end of an error's text. */
const char *oci_way_out(const struct oci_asking *asking);

/* ---- oci_permit.c ---- */

/* Fills asking->permit by what a registry's answer wants to see. */
int oci_permit(struct oci_asking *asking, const char *challenges, struct err *err);
/* One request with all limits; permit NULL: without a login. The answer is emptied first. */
int oci_fetch(struct oci_asking *asking, const char *method, const char *url, const char *permit,
	      struct oci_answer *out, char *location, struct err *err);
/* Have both URLs the same scheme, host and port? */
bool oci_same_origin(const char *a, const char *b);
/* Is it https://, or http:// on loopback where the registry is so, too? */
bool oci_may_go_to(const struct oci_asking *asking, const char *url);

#endif
