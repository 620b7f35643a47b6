#include "base/sys.h"

#include "base/clock.h"
#include "base/hash.h"
#include "engine/rest.h"

struct rest {
	int64_t until; /* boot ms */
	char *detail;
};

static char *whose(const char *image)
{
	const char *slash = strchr(image, '/');
	return mem_strndup(image, slash ? (size_t)(slash - image) : 0);
}

static void free_rest(struct rest *rest)
{
	free(rest->detail);
	free(rest);
}

void rest_note(struct engine *engine, const struct look_image *image)
{
	AUTO_FREE char *key = whose(image->image);
	if (image->rest_ms <= 0)
		return;
	struct rest *rest = map_get(&engine->rests, key);
	if (rest)
		free_rest(rest);
	rest = mem_zalloc(1, sizeof *rest);
	/* Not all that it sent away come back at once. */
	uint32_t dice;
	hash_random(&dice, sizeof dice);
	int64_t more = dice % (uint32_t)(image->rest_ms / 8 + 1);
	rest->until = clock_boot_ms() + image->rest_ms + more;
	rest->detail = mem_strdup(image->error);
	map_put(&engine->rests, key, rest);
}

int64_t rest_left(const struct engine *engine, const char *image, const char **detail)
{
	AUTO_FREE char *key = whose(image);
	const struct rest *rest = map_get(&engine->rests, key);
	int64_t left = rest ? rest->until - clock_boot_ms() : 0;
	if (left <= 0)
		return 0;
	if (detail)
		*detail = rest->detail;
	return left;
}

void rest_release(struct engine *engine)
{
	for (struct map_entry *e = NULL; (e = map_next(&engine->rests, e));)
		free_rest(e->value);
	map_release(&engine->rests);
}
