/*
 * Any text as an image reference: what is taken can be put together again from its parts, and what
 * the host driver takes of it leads nowhere else than below an imageRoot.
 */
#include "base/sys.h"
#include "drivers/host_image.h"
#include "schema/image.h"
#include "tests/fuzz/fuzz.h"

static char *put_together(const struct image_ref *ref)
{
	return mem_printf("%s%s%s%s%s%s%s", ref->registry ? ref->registry : "",
			  ref->registry ? "/" : "", ref->path, ref->tag ? ":" : "",
			  ref->tag ? ref->tag : "", ref->digest ? "@" : "",
			  ref->digest ? ref->digest : "");
}

static bool host_takes(const char *text)
{
	struct host_image image = {0};

	if (host_image_parse(text, &image, NULL) != 0)
		return false;
	host_image_release(&image);
	return true;
}

static void check_ref(const char *text)
{
	AUTO_ARENA struct arena *arena = arena_new(0);
	AUTO_FREE char *again = NULL;
	struct err err = ERR_INIT;
	struct image_ref ref;

	if (image_ref_parse(arena, text, &ref, &err) != 0) {
		FUZZ_CHECK(err.code == E_BAD_INPUT && *err.text);
		FUZZ_CHECK(image_ref_check(text, NULL) != 0);
		return;
	}
	FUZZ_CHECK(image_ref_check(text, NULL) == 0);
	again = put_together(&ref);
	FUZZ_CHECK(str_eq(again, text));
	if (ref.source == IMAGE_LOCAL)
		FUZZ_CHECK(str_eq(ref.registry, "local") && ref.tag && host_takes(text));
}

static void check_host(const char *text)
{
	struct err err = ERR_INIT;
	struct host_image image = {0};

	if (host_image_parse(text, &image, &err) != 0) {
		FUZZ_CHECK(err.code != E_NONE && *err.text);
		return;
	}
	FUZZ_CHECK(image.path[0] && image.path[0] != '/' && image.path[0] != '.');
	FUZZ_CHECK(!strstr(image.path, "/.") && !strstr(image.path, "//"));
	FUZZ_CHECK(image.tag[0] && image.tag[0] != '.' && !strchr(image.tag, '/'));
	host_image_release(&image);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_FREE char *text = mem_strndup((const char *)data, size);

	check_ref(text);
	check_host(text);
	return 0;
}
