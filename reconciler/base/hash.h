/*
 * hash.h - SHA-256, keyed digests and randomness; the only includer of <sodium.h>.
 *
 * Digests are written "sha256:<64 hex>" where they name an image and as bare hex elsewhere.
 */
#ifndef TRUEUP_BASE_HASH_H
#define TRUEUP_BASE_HASH_H

#include "base/sys.h"

#define HASH_SIZE 32
#define HASH_HEX_SIZE 65 /* with the NUL */
#define HASH_STATE_SIZE 128

struct hash {
	_Alignas(16) unsigned char state[HASH_STATE_SIZE];
};

void hash_init(struct hash *hash);
void hash_add(struct hash *hash, const void *bytes, size_t len);
/* Adds the length first, so that two texts cannot be told apart wrongly; NULL is not "". */
void hash_add_text(struct hash *hash, const char *text);
void hash_final(struct hash *hash, unsigned char out[HASH_SIZE]);
void hash_final_hex(struct hash *hash, char out[HASH_HEX_SIZE]);
/* One call for a whole text, in hex. */
void hash_hex(const void *bytes, size_t len, char out[HASH_HEX_SIZE]);
/* HMAC-SHA-256 in hex. */
void hash_keyed_hex(const void *key, size_t key_len, const void *bytes, size_t len,
		    char out[HASH_HEX_SIZE]);
void hash_random(void *out, size_t len);
/* Is it a bare digest: 64 lower-case hex digits and nothing else? */
bool hash_is_hex(const char *text);
#define HASH_PREFIX "sha256:"
/* The bare digest in "sha256:<64 hex>", borrowed; NULL when the text is anything else. */
const char *hash_digest_hex(const char *digest);
/* 2 * len hex digits and a NUL. */
void hash_to_hex(const unsigned char *bytes, size_t len, char *out);
/*
 * SipHash with a key drawn once per process: for tables whose keys come from outside. Differs
 * from process to process; never store it.
 */
uint64_t hash_seeded(const void *bytes, size_t len);
/* Compares in constant time. */
bool hash_same(const void *a, const void *b, size_t len);

#endif
