#include "base/sys.h"
#include "base/hash.h"

#include <sodium.h>

_Static_assert(HASH_SIZE == crypto_hash_sha256_BYTES, "a digest is 32 bytes");
_Static_assert(HASH_STATE_SIZE >= sizeof(crypto_hash_sha256_state), "the state fits");

static crypto_hash_sha256_state *state_of(struct hash *hash)
{
	return (crypto_hash_sha256_state *)(void *)hash->state;
}

void hash_init(struct hash *hash)
{
	crypto_hash_sha256_init(state_of(hash));
}

void hash_add(struct hash *hash, const void *bytes, size_t len)
{
	if (len)
		crypto_hash_sha256_update(state_of(hash), bytes, len);
}

/* Eight bytes, least significant first, whatever the machine: digests are kept and compared. */
static void add_length(struct hash *hash, uint64_t len)
{
	unsigned char bytes[8];

	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (unsigned char)(len >> (8 * i));
	hash_add(hash, bytes, sizeof bytes);
}

void hash_add_text(struct hash *hash, const char *text)
{
	size_t len = text ? strlen(text) : 0;

	add_length(hash, text ? (uint64_t)len : UINT64_MAX);
	hash_add(hash, text, len);
}

void hash_final(struct hash *hash, unsigned char out[HASH_SIZE])
{
	crypto_hash_sha256_final(state_of(hash), out);
}

void hash_final_hex(struct hash *hash, char out[HASH_HEX_SIZE])
{
	unsigned char digest[HASH_SIZE];

	hash_final(hash, digest);
	hash_to_hex(digest, sizeof digest, out);
}

void hash_hex(const void *bytes, size_t len, char out[HASH_HEX_SIZE])
{
	struct hash hash;

	hash_init(&hash);
	hash_add(&hash, bytes, len);
	hash_final_hex(&hash, out);
}

void hash_keyed_hex(const void *key, size_t key_len, const void *bytes, size_t len,
		    char out[HASH_HEX_SIZE])
{
	crypto_auth_hmacsha256_state state;
	unsigned char digest[crypto_auth_hmacsha256_BYTES];

	crypto_auth_hmacsha256_init(&state, key, key_len);
	crypto_auth_hmacsha256_update(&state, bytes, len);
	crypto_auth_hmacsha256_final(&state, digest);
	sodium_memzero(&state, sizeof state);
	hash_to_hex(digest, sizeof digest, out);
}

void hash_random(void *out, size_t len)
{
	randombytes_buf(out, len);
}

bool hash_is_hex(const char *text)
{
	size_t digits = strspn(text, "0123456789abcdef");
	return digits == HASH_HEX_SIZE - 1 && text[digits] == '\0';
}

const char *hash_digest_hex(const char *digest)
{
	const char *hex = str_starts(digest, HASH_PREFIX) ? digest + strlen(HASH_PREFIX) : NULL;

	return hex && hash_is_hex(hex) ? hex : NULL;
}

void hash_to_hex(const unsigned char *bytes, size_t len, char *out)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < len; i++) {
		out[2 * i] = digits[bytes[i] >> 4];
		out[2 * i + 1] = digits[bytes[i] & 15];
	}
	out[2 * len] = '\0';
}

bool hash_same(const void *a, const void *b, size_t len)
{
	return sodium_memcmp(a, b, len) == 0;
}

uint64_t hash_seeded(const void *bytes, size_t len)
{
	static unsigned char seed[crypto_shorthash_KEYBYTES];
	static bool seeded;
	uint64_t hash;

	_Static_assert(sizeof hash == crypto_shorthash_BYTES, "eight bytes");
	if (!seeded) {
		randombytes_buf(seed, sizeof seed);
		seeded = true;
	}
	crypto_shorthash((unsigned char *)&hash, bytes, len, seed);
	return hash;
}
