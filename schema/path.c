#include "base/sys.h"
#include "schema/decode.h"

/* What a path says. The table of the manual: see path_classify in decode.h. */

/* One part of a path: from `text`, `len` bytes. */
struct part {
	const char *text;
	size_t len;
};
#define PARTS_MAX 6 /* more of them make no difference */

static bool part_is(const struct part *part, const char *text)
{
	return strlen(text) == part->len && memcmp(part->text, text, part->len) == 0;
}

static bool part_is_one_of(const struct part *part, const char *const *texts)
{
	while (*texts && !part_is(part, *texts))
		texts++;
	return *texts != NULL;
}

/* The first PARTS_MAX parts and the last one; how many there are in all, 0 for a hidden path. */
static size_t split(const char *path, struct part parts[PARTS_MAX], struct part *last)
{
	size_t n = 0;

	for (;;) {
		const char *end = strchrnul(path, '/');

		if (*path == '.')
			return 0;
		*last = (struct part){path, (size_t)(end - path)};
		if (n < PARTS_MAX)
			parts[n] = *last;
		n++;
		if (!*end)
			return n;
		path = end + 1;
	}
}

static bool is_yaml(const char *path)
{
	return str_ends(path, ".yaml") || str_ends(path, ".yml");
}

static const char *keep_name(const struct part *part, char name[64])
{
	size_t len = part->len < 63 ? part->len : 63;

	memcpy(name, part->text, len);
	name[len] = '\0';
	return name;
}

enum path_class path_classify(const char *path, struct unit *unit, struct unit_names *names)
{
	static const char *const organization[] = {"organization.yaml", "organization.yml", NULL};
	static const char *const folders[] = {"teams",	    "users",   "nodes",
					      "registries", "bundles", NULL};
	struct part parts[PARTS_MAX], last;
	size_t n = is_yaml(path) ? split(path, parts, &last) : 0;

	if (n == 0)
		return PATH_IGNORED;
	*unit = (struct unit){UNIT_ORGANIZATION, NULL, NULL};
	if (n == 1)
		return part_is_one_of(&parts[0], organization) ? PATH_MANIFEST : PATH_ELSEWHERE;
	if (part_is_one_of(&parts[0], folders))
		return PATH_MANIFEST;
	if (!part_is(&parts[0], "projects") || n < 3)
		return PATH_ELSEWHERE;
	unit->level = UNIT_PROJECT;
	unit->project = keep_name(&parts[1], names->project);
	if (part_is(&parts[2], "stages") && n >= 5) {
		unit->level = UNIT_STAGE;
		unit->stage = keep_name(&parts[3], names->stage);
	}
	return PATH_MANIFEST;
}
