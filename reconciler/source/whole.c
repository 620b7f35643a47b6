#include "base/sys.h"
#include "source/whole.h"

enum whole_place whole_place(const char *folder)
{
	static const enum whole_place by_parts[] = {WHOLE_ROOT, WHOLE_PROJECTS, WHOLE_PROJECT,
						    WHOLE_PROJECT_PART, WHOLE_POSSIBLE};
	static const enum whole_place in_stages[] = {WHOLE_STAGES, WHOLE_STAGE,
						     WHOLE_POSSIBLE_STACK};
	size_t parts = 0;
	bool stages = false;

	for (const char *end; *folder; folder = end + (*end != '\0'), parts++) {
		size_t len = (size_t)((end = strchrnul(folder, '/')) - folder);

		if (parts == 0 && !(len == 8 && memcmp(folder, "projects", 8) == 0))
			return WHOLE_ELSEWHERE;
		if (parts == 2)
			stages = len == 6 && memcmp(folder, "stages", 6) == 0;
	}
	if (stages)
		return parts - 3 < ARRAY_LEN(in_stages) ? in_stages[parts - 3] : WHOLE_ELSEWHERE;
	return by_parts[parts < ARRAY_LEN(by_parts) ? parts : ARRAY_LEN(by_parts) - 1];
}

bool whole_possible(enum whole_place place)
{
	return place == WHOLE_POSSIBLE || place == WHOLE_POSSIBLE_STACK;
}

/* The smaller the number the better; 0: it is none. */
static size_t rank(const char *name)
{
	static const char *const names[] = {"compose.yaml", "compose.yml", "docker-compose.yml",
					    "docker-compose.yaml"};

	for (size_t i = 0; name && i < ARRAY_LEN(names); i++) {
		if (str_eq(name, names[i]))
			return i + 1;
	}
	return 0;
}

const char *whole_prefer(const char *name, const char *other)
{
	size_t first = rank(name), second = rank(other);

	if (!first || !second)
		return first ? name : second ? other : NULL;
	return first < second ? name : other;
}

const char *whole_file(struct tree_cursor items)
{
	const char *found = NULL;
	struct tree_item item;

	while (tree_item_next(&items, &item) == 1) {
		if (item.kind == TREE_FILE)
			found = whole_prefer(found, item.name);
	}
	return found;
}

bool whole_has_manifest(const char *name)
{
	return str_eq(name, "deployment.yaml") || str_eq(name, "deployment.yml");
}
