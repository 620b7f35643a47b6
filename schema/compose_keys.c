#include "base/sys.h"
#include "schema/compose_work.h"

#include "base/buf.h"
#include "schema/check.h"

/* The table of keys as data, and what is said about a key because of it. */

#define CARRIED DIAG_NONE
#define IGNORED DIAG_COMPOSE_IGNORED
#define REFUSED DIAG_COMPOSE_REFUSED
#define CODE(x) DIAG_##x

const struct compose_key compose_keys[] = {
#define SECTION(name, path, title)
#define KEY(section, key, fate, merge, text) {COMPOSE_##section, key, fate, MERGE_##merge, text},
#include "schema/compose.def"
#undef SECTION
#undef KEY
};
const size_t compose_keys_n = ARRAY_LEN(compose_keys);

const struct compose_section_row compose_sections[COMPOSE_SECTIONS] = {
#define SECTION(name, path, title) [COMPOSE_##name] = {path, title},
#define KEY(section, key, fate, merge, text)
#include "schema/compose.def"
#undef SECTION
#undef KEY
};

const struct compose_key *compose_key_find(enum compose_section section, const char *key)
{
	for (size_t i = 0; i < compose_keys_n; i++) {
		if (compose_keys[i].section == section && str_eq(compose_keys[i].key, key))
			return &compose_keys[i];
	}
	return NULL;
}

#define SECTION_KEYS_MAX 128 /* more than any section has */

static const char *near_key(struct compose_work *work, enum compose_section section,
			    const char *key)
{
	const char *keys[SECTION_KEYS_MAX], *near;
	size_t n = 0;

	for (size_t i = 0; i < compose_keys_n; i++) {
		if (compose_keys[i].section == section)
			keys[n++] = compose_keys[i].key;
	}
	near = check_nearest(key, keys, n);
	return near ? diags_text(work->diags, "did you mean %s?", near)
		    : "keys of your own begin with x-";
}

/* A value that asks for nothing: null, false, "", or an empty list or mapping. */
static bool asks_nothing(const struct doc_node *value)
{
	bool flag = true;

	if (value->type != DOC_SCALAR)
		return value->n == 0;
	return doc_is_null(value) || value->n == 0 || (doc_bool(value, &flag) == 0 && !flag);
}

static void remark(struct compose_work *work, const struct compose_key *row,
		   const struct doc_pair *pair)
{
	if (row->code == DIAG_NONE || pair->value->over == DOC_RESETS || asks_nothing(pair->value))
		return;
	if (row->code == DIAG_COMPOSE_IGNORED)
		compose_note(work, row->code, pair->key, "%s is ignored: %s", row->key, row->text);
	else if (row->code == DIAG_COMPOSE_BUILD)
		compose_error(work, row->code, pair->key, "nothing is built here")->hint =
			row->text;
	else
		compose_error(work, row->code, pair->key, "%s is not carried out", row->key)->hint =
			row->text;
}

const struct doc_node *compose_section(struct compose_work *work, enum compose_section section,
				       const struct doc_node *value, const char *key)
{
	if (doc_is_null(value) || value->wrong || value->over == DOC_RESETS)
		return NULL;
	if (!compose_is(work, value, DOC_MAPPING, key))
		return NULL;
	for (size_t i = 0; i < value->n; i++) {
		const struct doc_pair *pair = &value->pairs[i];
		const struct compose_key *row = compose_key_find(section, pair->key->text);

		if (row)
			remark(work, row, pair);
		else if (!str_starts(pair->key->text, "x-"))
			compose_error(work, DIAG_UNKNOWN_FIELD, pair->key,
				      "there is no key %.100s here", pair->key->text)
				->hint = near_key(work, section, pair->key->text);
	}
	return value;
}
