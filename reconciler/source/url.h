/*
 * url.h - where a configuration repository is: a place on this machine or an address to fetch from.
 *
 *	/srv/git/config.git   file:///srv/git/config.git   ./config      this machine
 *	https://host[:port]/path                                         a server with a certificate
 *	ssh://[user@]host[:port]/path   [user@]host:path                 a server with a host key
 *	git://127.0.0.1[:port]/path                                      loopback only: no proof of
 *anything
 *
 * As with git, a path with a colon before its first slash has to be written "./a:b".
 */
#ifndef TRUEUP_SOURCE_URL_H
#define TRUEUP_SOURCE_URL_H

#include "base/err.h"

enum url_scheme { URL_PATH, URL_HTTPS, URL_SSH, URL_GIT };

#define URL_HOST_MAX 256
#define URL_USER_MAX 64

struct url {
	enum url_scheme scheme;
	char user[URL_USER_MAX]; /* ssh: who logs in, "git" when not said; else "" */
	char host[URL_HOST_MAX]; /* in small letters, an IPv6 address without brackets */
	unsigned port;		 /* the scheme's own when not said */
	char *path;		 /* URL_PATH: the path, absolute */
};

/*
 * E_USAGE, with the way out, for what is not one of the forms above, for a password inside it (it
 * would end up in process lists and logs), and for control characters. A relative path is made
 * absolute. Dispose of it with url_release.
 */
int url_parse(const char *text, struct url *out, struct err *err);
void url_release(struct url *url);
#define AUTO_URL CLEANUP(url_release)

#endif
