/*
 * Settings from any file, with the same text once more as a flag over them: without a problem they
 * are complete, and they come out the same a second time.
 */
#include "base/sys.h"
#include "schema/decode.h"
#include "tests/fuzz/fuzz.h"

#define FLAG_MARK '\0' /* in front of what is a flag */

static struct settings *read_once(struct arena *arena, const char *file, const char *flag,
				  struct diags *diags)
{
	struct settings *settings = settings_decode(arena, "settings.yaml", file, strlen(file),
						    &flag, flag != NULL, diags);
	AUTO_BUF struct buf shown = BUF_INIT(BUF_MAX_TEXT);

	diags_sort(diags);
	for (size_t i = 0; i < diags->n && i < 100; i++) {
		FUZZ_CHECK(*diags->v[i].message);
		diag_render(&diags->v[i], DIAG_PLAIN, &shown);
	}
	return settings;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text AUTO_FREE = mem_strndup((const char *)data, size);
	const uint8_t *mark = memchr(data, FLAG_MARK, size);
	char *flag AUTO_FREE =
		mark ? mem_strndup((const char *)mark + 1, size - (size_t)(mark + 1 - data)) : NULL;
	AUTO_ARENA struct arena *arena = arena_new(0);
	AUTO_DIAGS struct diags diags = {0}, again = {0};
	const struct settings *settings = read_once(arena, text, flag, &diags);

	FUZZ_CHECK(settings != NULL || diags.errors);
	read_once(arena, text, flag, &again);
	FUZZ_CHECK(diags.n == again.n && diags.errors == again.errors);
	return 0;
}
