#include "base/sys.h"
#include "schema/decode.h"

#include "schema/fields.h"
#include "schema/merge.h"

/*
 * The reconciler's own settings: one document, and flags over it. Each flag becomes a little
 * document of its own, read by the same functions, so that a wrong value on the command line is
 * told like one in a file.
 */

static const struct unit nobody = {UNIT_ORGANIZATION, NULL, NULL};
static const struct loc nowhere = {0, 0, 0};
static const char *const common_keys[] = {"kind", "apiVersion", NULL};

struct settings_reader {
	struct fields_reader fields;
	struct settings *settings;
};

static bool is_settings(struct settings_reader *reader, const struct doc_node *root)
{
	const struct doc_source *source = &reader->fields.source;
	const struct doc_pair *pair;

	if (root->type != DOC_MAPPING) {
		source_error(source, DIAG_WRONG_TYPE, root->at,
			     "settings must be a mapping, not %s", doc_describe(root));
		return false;
	}
	pair = doc_get(root, "kind");
	if (!pair) {
		source_error(source, DIAG_MISSING_FIELD, root->at, "the field kind is missing")
			->hint = "kind: Settings";
		return false;
	}
	if (pair->value->type == DOC_SCALAR && str_eq(pair->value->text, type_settings.title))
		return true;
	source_error(source, DIAG_MISPLACED, doc_pair_at(pair),
		     "this file holds one document of the kind Settings")
		->hint = "kind: Settings";
	return false;
}

static void use_settings(void *arg, const struct doc_node *root)
{
	struct settings_reader *reader = arg;

	if (!is_settings(reader, root))
		return;
	if (reader->settings) {
		source_error(&reader->fields.source, DIAG_DUPLICATE, root->at,
			     "a second Settings document");
		return;
	}
	reader->settings = ARENA_NEW(reader->fields.arena, struct settings);
	fields_read(&reader->fields, &type_settings, root, reader->settings);
}

/* ---- flags ---- */

static struct doc_node *sequence_of(struct arena *arena, const char *text)
{
	struct doc_node *node = ARENA_NEW(arena, struct doc_node);
	size_t most = 1;

	node->type = DOC_SEQUENCE;
	for (const char *comma = text; (comma = strchr(comma, ',')); comma++)
		most++;
	node->items = ARENA_ARRAY(arena, most, struct doc_node *);
	while (*text) {
		const char *end = strchrnul(text, ',');

		node->items[node->n++] = doc_scalar(arena, text, (size_t)(end - text), false);
		text = *end ? end + 1 : end;
	}
	return node;
}

static struct doc_node *mapping_of(struct arena *arena, const char *key, size_t len,
				   const struct doc_node *value)
{
	struct doc_node *node = ARENA_NEW(arena, struct doc_node);

	node->type = DOC_MAPPING;
	node->n = 1;
	node->pairs = ARENA_NEW(arena, struct doc_pair);
	*node->pairs = (struct doc_pair){doc_scalar(arena, key, len, false), value};
	return node;
}

/*
 * The tree of "a.b.c" with the value at its end. `type` is that of the object in which the path
 * goes on; NULL once it has left what is known, and reading the tree will say so.
 */
static struct doc_node *tree_of(struct arena *arena, const struct object_type *type,
				const char *path, size_t len, const char *value)
{
	const char *dot = memchr(path, '.', len);
	size_t head = dot ? (size_t)(dot - path) : len;
	char *key = arena_strndup(arena, path, head);
	const struct field_type_row *row = type ? object_field(type, key) : NULL;
	struct doc_node *inner;

	if (!dot && row && row->type == TYPE_STRINGS) {
		inner = sequence_of(arena, value);
	} else if (!dot) {
		inner = doc_scalar(arena, value, strlen(value), true);
	} else if (row && row->type == TYPE_OBJMAP) {
		const char *name = dot + 1, *limit = path + len;
		const char *end = memchr(name, '.', (size_t)(limit - name));

		end = end ? end : limit;
		inner = end == limit ? doc_scalar(arena, value, strlen(value), true)
				     : tree_of(arena, row->object, end + 1,
					       (size_t)(limit - end - 1), value);
		inner = mapping_of(arena, name, (size_t)(end - name), inner);
	} else {
		inner = tree_of(arena, row ? row->object : NULL, dot + 1, len - head - 1, value);
	}
	return mapping_of(arena, path, head, inner);
}

static struct settings *read_override(struct arena *arena, const char *override,
				      struct diags *diags)
{
	const char *equals = strchrnul(override, '=');
	size_t len = (size_t)(equals - override);
	const char *flag = arena_printf(arena, "--%.*s", (int)len, override);
	struct settings *settings = ARENA_NEW(arena, struct settings);
	struct fields_reader reader = {.arena = arena,
				       .source = {.path = flag, .unit = &nobody, .diags = diags}};
	AUTO_ARENA struct arena *scratch = arena_new(0);

	if (!*equals)
		source_error(&reader.source, DIAG_BAD_VALUE, nowhere, "the flag needs a value")
			->hint = diags_text(diags, "%s=VALUE", flag);
	else
		fields_read(&reader, &type_settings,
			    tree_of(scratch, &type_settings, override, len, equals + 1), settings);
	return settings;
}

struct settings *settings_decode(struct arena *arena, const char *path, const char *bytes,
				 size_t len, const char *const *overrides, size_t overrides_n,
				 struct diags *diags)
{
	AUTO_ARENA struct arena *scratch = arena_new(8192);
	struct settings_reader reader = {
		.fields = {.arena = arena,
			   .source = {.path = arena_strdup(arena, path),
				      .unit = &nobody,
				      .diags = diags},
			   .foreign_keys = common_keys},
	};
	struct settings *settings;

	if (bytes)
		doc_parse(scratch, bytes, len, &reader.fields.source, use_settings, &reader);
	settings = merge_objects(arena, &type_settings, NULL, reader.settings);
	for (size_t i = 0; i < overrides_n; i++)
		settings = merge_objects(arena, &type_settings, settings,
					 read_override(arena, overrides[i], diags));
	return settings;
}
