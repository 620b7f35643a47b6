#include "tests/support/test.h"

#include "base/hash.h"
#include "base/oid.h"

/* FIPS 180-2, appendix B. */
static void test_known_answers(void **state)
{
	char hex[HASH_HEX_SIZE];
	char *million AUTO_FREE = mem_alloc(1000000);

	(void)state;
	hash_hex("", 0, hex);
	assert_string_equal(hex,
			    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	hash_hex("abc", 3, hex);
	assert_string_equal(hex,
			    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	memset(million, 'a', 1000000);
	hash_hex(million, 1000000, hex);
	assert_string_equal(hex,
			    "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

/* RFC 4231, test cases 1, 2 and 6. */
static void test_keyed(void **state)
{
	unsigned char key[131];
	char hex[HASH_HEX_SIZE];

	(void)state;
	memset(key, 0x0b, 20);
	hash_keyed_hex(key, 20, "Hi There", 8, hex);
	assert_string_equal(hex,
			    "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
	hash_keyed_hex("Jefe", 4, "what do ya want for nothing?", 28, hex);
	assert_string_equal(hex,
			    "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	memset(key, 0xaa, sizeof key);
	hash_keyed_hex(key, sizeof key, "Test Using Larger Than Block-Size Key - Hash Key First",
		       54, hex);
	assert_string_equal(hex,
			    "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

static void pieces(char out[HASH_HEX_SIZE], const char *a, const char *b)
{
	struct hash hash;

	hash_init(&hash);
	hash_add_text(&hash, a);
	hash_add_text(&hash, b);
	hash_final_hex(&hash, out);
}

static void test_texts_keep_their_borders(void **state)
{
	static const char *const pairs[][2] = {{"ab", "c"},  {"a", "bc"},   {"abc", ""},
					       {"", "abc"},  {"abc", NULL}, {NULL, "abc"},
					       {NULL, NULL}, {"", ""}};
	char hex[ARRAY_LEN(pairs)][HASH_HEX_SIZE];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		pieces(hex[i], pairs[i][0], pairs[i][1]);
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(hex[i], hex[j]);
	}
	/* kept for ever: the length is eight bytes, least significant first */
	hash_hex("\2\0\0\0\0\0\0\0ab\1\0\0\0\0\0\0\0c", 19, hex[1]);
	assert_string_equal(hex[0], hex[1]);
}

static void test_pieces_are_one_stream(void **state)
{
	struct hash hash;
	char one[HASH_HEX_SIZE], other[HASH_HEX_SIZE];

	(void)state;
	hash_init(&hash);
	hash_add(&hash, "a", 1);
	hash_add(&hash, NULL, 0);
	hash_add(&hash, "bc", 2);
	hash_final_hex(&hash, one);
	hash_hex("abc", 3, other);
	assert_string_equal(one, other);
}

static void test_randomness_differs(void **state)
{
	unsigned char a[16], b[16];

	(void)state;
	hash_random(a, sizeof a);
	hash_random(b, sizeof b);
	assert_false(hash_same(a, b, sizeof a));
	assert_true(hash_same(a, a, sizeof a));
	assert_true(hash_same(a, b, 0));
	assert_true(hash_seeded("a", 1) == hash_seeded("a", 1));
	assert_true(hash_seeded("a", 1) != hash_seeded("b", 1));
}

static void test_object_ids(void **state)
{
	static const char text[] = "0123456789abcdef0123456789ABCDEF01234567";
	static const char *const bad[] = {"", "0123456789abcdef0123456789abcdef0123456",
					  "0123456789abcdef0123456789abcdef012345678",
					  "0123456789abcdef0123456789abcdef0123456g",
					  "0123456789abcdef0123456789abcdef0123456 "};
	struct oid id = {{7}}, before = id, zero = {{0}};
	char hex[OID_HEX_SIZE];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(oid_parse(bad[i], &id), -1);
	assert_true(oid_eq(&id, &before));
	assert_int_equal(oid_parse(text, &id), 0);
	assert_string_equal(oid_hex(&id, hex), "0123456789abcdef0123456789abcdef01234567");
	assert_false(oid_is_zero(&id));
	assert_true(oid_is_zero(&zero));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known_answers),
		cmocka_unit_test(test_keyed),
		cmocka_unit_test(test_texts_keep_their_borders),
		cmocka_unit_test(test_pieces_are_one_stream),
		cmocka_unit_test(test_randomness_differs),
		cmocka_unit_test(test_object_ids),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
