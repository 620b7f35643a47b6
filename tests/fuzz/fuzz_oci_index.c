/*
 * Any bytes as an index of images: refused with a short text that is fit for a terminal, or it has
 * the platform.
 */
#include "base/sys.h"
#include "drivers/oci.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err err = ERR_INIT;

	if (oci_index_check((const char *)data, size, "linux/amd64", &err) == 0) {
		FUZZ_CHECK(err.code == E_NONE);
		return 0;
	}
	FUZZ_CHECK(err.code == E_IMAGE_UNKNOWN || err.code == E_BAD_INPUT);
	FUZZ_CHECK(*err.text && strlen(err.text) < 600);
	for (const char *at = err.text; *at; at++)
		FUZZ_CHECK((unsigned char)*at >= ' ' && *at != 0x7f);
	return 0;
}
