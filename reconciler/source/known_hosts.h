/*
 * known_hosts.h - is this SSH host key the one we know? (the format of sshd(8), SSH_KNOWN_HOSTS)
 *
 * Lines with plain names are judged here: lists, `*`, `?`, `!` and `[host]:port`, `@revoked`;
 * `@cert-authority` means nothing. A port other than 22 needs its own entry. Hashed names are not
 * read here (see known_hosts_for_library).
 */
#ifndef TRUEUP_SOURCE_KNOWN_HOSTS_H
#define TRUEUP_SOURCE_KNOWN_HOSTS_H

#include "base/buf.h"

enum known_host {
	KNOWN_HOST_UNKNOWN,    /* no line names the host */
	KNOWN_HOST_SAME,       /* a line has this key */
	KNOWN_HOST_OTHER_TYPE, /* only keys of other types are known */
	KNOWN_HOST_CHANGED,    /* another key of this type is known */
	KNOWN_HOST_REVOKED,    /* this key is marked as revoked */
};

/*
 * key: the public key as it goes over the wire (RFC 4253, section 6.6). host in small letters.
 * *line is the line that decided, counted from 1, or 0.
 */
enum known_host known_hosts_check(const char *text, const char *host, unsigned port,
				  const void *key, size_t key_len, unsigned *line);
/* "[git.example.org]:2222 ssh-ed25519 AAAA…": what known_hosts has to hold for this key. */
void known_hosts_add_line(struct buf *out, const char *host, unsigned port, const void *key,
			  size_t key_len);
/*
 * What is known of the host, for libssh2, which knows hashed names but no patterns and stops at
 * what it does not understand; newer key types first, since it asks the server for the first that
 * it finds.
 */
void known_hosts_for_library(const char *text, const char *host, unsigned port, struct buf *out);
bool known_hosts_has_hashed(const char *text);

#endif
