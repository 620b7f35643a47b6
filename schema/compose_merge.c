#include "base/sys.h"
#include "schema/compose_work.h"

/* One value laid over a weaker one: extends, several documents, several paths of an include. */

static const struct doc_node *lay_value(struct compose_work *work, enum compose_section section,
					const struct doc_pair *weak, const struct doc_pair *strong);

/* Where an entry of a list is put: the part behind the first colon, or the whole. */
static const char *target_of(struct compose_work *work, const struct doc_node *entry)
{
	const struct doc_node *value;
	const char *colon;

	if (entry->type == DOC_MAPPING) {
		value = compose_value(entry, "target");
		value = value ? value : compose_value(entry, "source");
		return value && value->type == DOC_SCALAR ? value->text : "";
	}
	if (entry->type != DOC_SCALAR)
		return "";
	colon = strchr(entry->text, ':');
	if (!colon)
		return entry->text;
	return arena_strndup(work->arena, colon + 1, strcspn(colon + 1, ":"));
}

/* The weaker list's entries, then the stronger one's; of those with one target the stronger. */
static const struct doc_node *lay_lists(struct compose_work *work, const struct doc_node *weak,
					const struct doc_node *strong, bool targets)
{
	const struct doc_node *const both[] = {weak, strong};
	AUTO_MAP struct map places = {0};
	const struct doc_node **items =
		ARENA_ARRAY(work->arena, weak->n + strong->n, const struct doc_node *);
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(both); i++) {
		for (size_t j = 0; j < both[i]->n; j++) {
			const struct doc_node *item = both[i]->items[j];
			const char *key = targets		     ? target_of(work, item)
					  : item->type == DOC_SCALAR ? item->text
								     : "";
			const struct doc_node **place = *key ? map_get(&places, key) : NULL;

			if (place) {
				*place = item;
				continue;
			}
			items[n] = item;
			if (*key)
				map_put(&places, key, &items[n]);
			n++;
		}
	}
	return compose_list(work, strong, items, n);
}

/* The section of the values of a key: "services" of the file is one of names. */
static enum compose_section section_below(enum compose_section section, const char *key)
{
	const char *above, *path;
	size_t len;

	if (section == COMPOSE_SECTIONS)
		return section;
	above = compose_sections[section].path;
	len = strlen(above);
	for (int i = 0; i < COMPOSE_SECTIONS; i++) {
		path = compose_sections[i].path;
		if (str_starts(path, above) && (!len || path[len] == '.') &&
		    str_eq(path + len + (len > 0), key))
			return (enum compose_section)i;
	}
	return COMPOSE_SECTIONS;
}

static bool is_list(const struct doc_node *node)
{
	return node->type == DOC_SEQUENCE;
}

/* Key by key. things: the keys are names, and what each stands for has the keys of `section`. */
static const struct doc_node *lay_keys(struct compose_work *work, enum compose_section section,
				       const struct doc_node *weak, const struct doc_node *strong,
				       bool things)
{
	struct compose_build build = {0};
	AUTO_MAP struct map index = {0};

	if (!compose_spend(work, &work->nodes, weak->n + strong->n, DOC_NODES_MAX, strong,
			   "more than 100,000 values in all Compose files"))
		return strong;
	for (size_t i = 0; i < strong->n; i++)
		map_put(&index, strong->pairs[i].key->text, &strong->pairs[i]);
	for (size_t i = 0; i < weak->n; i++) {
		const struct doc_pair *over = map_del(&index, weak->pairs[i].key->text);
		struct doc_pair pair = over ? *over : weak->pairs[i];

		if (over && things)
			pair.value = compose_lay(work, section, weak->pairs[i].value, over->value);
		else if (over)
			pair.value = lay_value(work, section, &weak->pairs[i], over);
		if (pair.value->over != DOC_RESETS)
			compose_put_pair(&build, &pair);
	}
	for (size_t i = 0; i < strong->n; i++) {
		if (map_has(&index, strong->pairs[i].key->text))
			compose_put_pair(&build, &strong->pairs[i]);
	}
	return compose_built(work, &build, strong);
}

static const struct doc_node *lay_deep(struct compose_work *work, enum compose_section section,
				       const char *key, const struct doc_node *weak,
				       const struct doc_node *strong, bool targets)
{
	enum compose_section below = section_below(section, key);

	if (weak->type == DOC_MAPPING && strong->type == DOC_MAPPING)
		return lay_keys(work, below, weak, strong, section == COMPOSE_TOP);
	if (is_list(weak) && is_list(strong))
		return lay_lists(work, weak, strong, targets);
	if (is_list(weak) && strong->type == DOC_SCALAR)
		return lay_lists(work, weak, compose_list(work, strong, &strong, 1), targets);
	if (weak->type == DOC_SCALAR && is_list(strong))
		return lay_lists(work, compose_list(work, weak, &weak, 1), strong, targets);
	return strong;
}

static const struct doc_node *lay_value(struct compose_work *work, enum compose_section section,
					const struct doc_pair *weak_pair,
					const struct doc_pair *strong_pair)
{
	const char *key = strong_pair->key->text;
	const struct compose_key *row = compose_key_find(section, key);
	enum compose_merge merge = row ? row->merge : MERGE_DEEP;
	const struct doc_node *weak = weak_pair->value, *strong = strong_pair->value;

	if (strong->over != DOC_MERGES || strong->wrong || weak->wrong)
		return strong;
	if (doc_is_null(strong))
		return weak;
	if (merge == MERGE_WHOLE)
		return strong;
	if (merge == MERGE_PAIRS || merge == MERGE_NAMES) {
		weak = compose_as_mapping(work, weak, key, merge == MERGE_PAIRS);
		strong = compose_as_mapping(work, strong, key, merge == MERGE_PAIRS);
		return lay_keys(work, COMPOSE_SECTIONS, weak, strong, false);
	}
	return lay_deep(work, section, key, weak, strong, merge == MERGE_TARGETS);
}

const struct doc_node *compose_lay(struct compose_work *work, enum compose_section section,
				   const struct doc_node *weak, const struct doc_node *strong)
{
	if (strong->over != DOC_MERGES || weak->type != DOC_MAPPING || strong->type != DOC_MAPPING)
		return doc_is_null(strong) && strong->over == DOC_MERGES ? weak : strong;
	return lay_keys(work, section, weak, strong, false);
}
