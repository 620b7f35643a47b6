/*
 * Packed files from a child that may have been turned: what is taken packs to bytes from which the
 * same comes back, and its problems have been told by then. In front of the bytes: path, NUL.
 */
#include "base/sys.h"
#include "schema/decode.h"
#include "schema/pack.h"
#include "tests/fuzz/fuzz.h"

static const struct oid blob;

static struct file *take(const char *path, const char *bytes, size_t len)
{
	struct unit unit;
	struct unit_names names;

	return path_classify(path, &unit, &names) == PATH_MANIFEST
		       ? file_unpack(path, &blob, bytes, len)
		       : NULL;
}

/* Behind how much memory it took, which is only an advice. */
static const char *content(const struct buf *packed)
{
	const char *next = packed->ptr;

	while (*next & 0x80)
		next++;
	return next + 1;
}

static size_t content_length(const struct buf *packed)
{
	return packed->len - (size_t)(content(packed) - packed->ptr);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *mark = memchr(data, '\0', size);
	const char *bytes = mark ? (const char *)mark + 1 : NULL;
	char *path AUTO_FREE = mem_strndup((const char *)data, size);
	struct file *file, *again;
	AUTO_BUF struct buf first = BUF_INIT(BUF_MAX_TEXT), second = BUF_INIT(BUF_MAX_TEXT);

	file = bytes ? take(path, bytes, size - (size_t)(mark + 1 - data)) : NULL;
	if (!file)
		return 0;
	FUZZ_CHECK(file_pack(file, &first));
	again = file_unpack(path, &blob, buf_str(&first), first.len);
	FUZZ_CHECK(again != NULL);
	FUZZ_CHECK(again->documents_n == file->documents_n);
	FUZZ_CHECK(file_pack(again, &second));
	FUZZ_CHECK(content_length(&first) == content_length(&second));
	FUZZ_CHECK(memcmp(content(&first), content(&second), content_length(&first)) == 0);
	file_unref(again);
	file_unref(file);
	return 0;
}
