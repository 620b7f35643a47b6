/*
 * fetch_ssh.h - private to this folder: who we are to an SSH server, and whether it is the right
 * one.
 */
#ifndef TRUEUP_SOURCE_FETCH_SSH_H
#define TRUEUP_SOURCE_FETCH_SSH_H

#include "base/credentials.h"
#include "source/gitlib.h"
#include "source/url.h"

struct ssh_login {
	const struct url *url;
	const char *dir;
	struct buf key;	  /* of id_ed25519, a secret */
	struct buf known; /* of known_hosts */
	bool offered;	  /* the key was tried already */
};

/*
 * Reads the key and the known hosts. Also points HOME to a folder of our own in the state
 * directory: libgit2 insists on reading $HOME/.ssh/known_hosts, and asks the server for a key of
 * the type that it finds there.
 */
int ssh_login_read(struct ssh_login *login, const struct url *url, const char *dir,
		   const char *state_dir, struct err *err);
void ssh_login_release(struct ssh_login *login);

/* library_knows: what libgit2 says of that file, which counts for hashed names. 0, or
 * E_REMOTE_AUTH. */
int ssh_judge_host(struct ssh_login *login, const git_cert_hostkey *host, bool library_knows,
		   struct err *err);
/* Answers what libgit2 asks for; the key once: E_REMOTE_AUTH when it asks again. */
int ssh_credential(struct ssh_login *login, unsigned types, git_credential **out, struct err *err);

#endif
