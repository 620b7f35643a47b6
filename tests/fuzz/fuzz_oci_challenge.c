/*
 * Any text as WWW-Authenticate: refused with a text, or taken, and then written in the plainest way
 * and read again the same; and nothing in it could end a line of a header.
 */
#include "base/sys.h"
#include "drivers/oci.h"
#include "tests/fuzz/fuzz.h"

static void add_parameter(struct buf *out, const char *name, const char *value)
{
	if (!value)
		return;
	buf_addf(out, "%c%s=\"", strchr(buf_str(out), ' ') ? ',' : ' ', name);
	for (; *value; value++) {
		if (*value == '"' || *value == '\\')
			buf_addc(out, '\\');
		buf_addc(out, *value);
	}
	buf_addc(out, '"');
}

static void check_same(const char *one, const char *two)
{
	FUZZ_CHECK(str_eq(one, two));
	for (; one && *one; one++)
		FUZZ_CHECK((unsigned char)*one >= ' ' && *one != 0x7f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_ARENA struct arena *arena = arena_new(0);
	char *text AUTO_FREE = mem_strndup((const char *)data, size);
	struct buf again AUTO_BUF = BUF_INIT(4 * OCI_CHALLENGE_MAX);
	struct oci_challenge one, two;
	struct err err = ERR_INIT;

	if (oci_challenge_read(text, arena, &one, &err) != 0) {
		FUZZ_CHECK((err.code == E_BAD_INPUT || err.code == E_NOT_SUPPORTED) && *err.text);
		return 0;
	}
	FUZZ_CHECK(one.scheme == OCI_BASIC || one.scheme == OCI_BEARER);
	buf_adds(&again, one.scheme == OCI_BASIC ? "Basic" : "Bearer");
	add_parameter(&again, "realm", one.realm);
	add_parameter(&again, "service", one.service);
	add_parameter(&again, "scope", one.scope);
	if (again.len > OCI_CHALLENGE_MAX) /* the quotes made it longer */
		return 0;
	FUZZ_CHECK(oci_challenge_read(buf_str(&again), arena, &two, &err) == 0);
	FUZZ_CHECK(one.scheme == two.scheme);
	check_same(one.realm, two.realm);
	check_same(one.service, two.service);
	check_same(one.scope, two.scope);
	return 0;
}
