#include "base/sys.h"
#include "base/hash.h"
#include "base/oid.h"

const char *oid_hex(const struct oid *id, char out[OID_HEX_SIZE])
{
	hash_to_hex(id->raw, sizeof id->raw, out);
	return out;
}

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int oid_parse(const char *hex, struct oid *out)
{
	struct oid id;

	if (strlen(hex) != OID_HEX_SIZE - 1)
		return -1;
	for (size_t i = 0; i < sizeof id.raw; i++) {
		int high = digit_of(hex[2 * i]), low = digit_of(hex[2 * i + 1]);

		if (high < 0 || low < 0)
			return -1;
		id.raw[i] = (unsigned char)(high << 4 | low);
	}
	*out = id;
	return 0;
}

bool oid_is_zero(const struct oid *id)
{
	static const struct oid zero;

	return oid_eq(id, &zero);
}
