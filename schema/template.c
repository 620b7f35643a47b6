#include "base/sys.h"
#include "schema/merge.h"

#include "base/buf.h"
#include "schema/fields.h"

#define OPEN "{{"
#define CLOSE "}}"

struct expansion {
	struct arena *arena;
	const struct template_values *values;
	const struct unit *unit;
	struct diags *diags;
	bool only_looking; /* at templates; forms show with the real values only */
};

static const struct {
	const char *name;
	size_t offset;
} names[] = {
	{"version", offsetof(struct template_values, version)},
	{"stage", offsetof(struct template_values, stage)},
	{"project", offsetof(struct template_values, project)},
	{"node", offsetof(struct template_values, node)},
	{"prefix", offsetof(struct template_values, prefix)},
};

/* ---- one text ---- */

/* The value of the name between the braces, "" where there is none; NULL for an unknown name. */
static const char *look_up(const struct template_values *values, const char *name, size_t len)
{
	while (len && *name == ' ')
		name++, len--;
	while (len && name[len - 1] == ' ')
		len--;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const char *value;

		if (strlen(names[i].name) != len || memcmp(names[i].name, name, len) != 0)
			continue;
		memcpy(&value, (const char *)values + names[i].offset, sizeof value);
		return value ? value : "";
	}
	return NULL;
}

static int unknown_template(struct err *err, const char *text, size_t len)
{
	return err_set(err, E_BAD_INPUT, "unknown template %.*s", (int)(len < 60 ? len : 60), text);
}

/*
 * Adds what stands at *text (which begins with "{{") and moves behind it. A template that is none
 * is added as it is where that is allowed.
 */
static int add_template(const struct template_values *values, const char **text, bool lenient,
			struct buf *out, struct err *err)
{
	const char *name = *text + strlen(OPEN), *close, *value;
	size_t len;

	if (str_starts(name, OPEN)) {
		buf_adds(out, OPEN);
		*text = name + strlen(OPEN);
		return 0;
	}
	close = strstr(name, CLOSE);
	len = close ? (size_t)(close + strlen(CLOSE) - *text) : strlen(*text);
	value = close ? look_up(values, name, (size_t)(close - name)) : NULL;
	if (value) {
		buf_adds(out, value);
		*text += len;
		return 0;
	}
	if (!lenient)
		return unknown_template(err, *text, len);
	buf_adds(out, OPEN);
	*text = name;
	return 0;
}

static const char *render(struct arena *arena, const char *text,
			  const struct template_values *values, bool lenient, struct err *err)
{
	AUTO_BUF struct buf out = BUF_INIT(BUF_MAX_TEXT);
	const char *mark = strstr(text, OPEN);

	if (!mark)
		return text;
	while (mark) {
		buf_add(&out, text, (size_t)(mark - text));
		text = mark;
		if (add_template(values, &text, lenient, &out, err) != 0)
			return NULL;
		mark = strstr(text, OPEN);
	}
	buf_adds(&out, text);
	return arena_strdup(arena, buf_str(&out));
}

const char *template_text(struct arena *arena, const char *text,
			  const struct template_values *values, struct err *err)
{
	return render(arena, text, values, false, err);
}

/* ---- is there anything to do? ---- */

static bool object_has_templates(const struct object_type *type, const void *object);

static bool items_have_templates(const struct object_type *type, const char *items, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (object_has_templates(type, items + i * type->size))
			return true;
	}
	return false;
}

static bool texts_have_templates(const char *const *texts, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (texts[i] && strstr(texts[i], OPEN))
			return true;
	}
	return false;
}

static bool slot_has_templates(const struct field_type_row *row, const void *slot)
{
	const struct strings *strings = slot;
	const struct pairs *pairs = slot;
	struct any_list list;
	const void *object;

	switch (row->type) {
	case TYPE_STRING:
	case TYPE_NAME:
		return texts_have_templates(slot, 1);
	case TYPE_STRINGS:
		return texts_have_templates(strings->v, strings->n);
	case TYPE_MAP:
		return texts_have_templates(pairs->value, pairs->n);
	case TYPE_OBJECT:
		memcpy(&object, slot, sizeof object);
		return object_has_templates(row->object, object);
	case TYPE_LIST:
		memcpy(&list, slot, sizeof list);
		return items_have_templates(row->object, list.v, list.n);
	default:
		return false;
	}
}

static bool object_has_templates(const struct object_type *type, const void *object)
{
	const struct head *head = object;

	for (unsigned i = 0; i < type->fields_n; i++) {
		if (((head->set >> i) & 1) &&
		    slot_has_templates(&type->fields[i],
				       field_const_slot(object, &type->fields[i])))
			return true;
	}
	return false;
}

/* ---- a whole configuration ---- */

/* The text itself where nothing is to be replaced, or where a problem was reported. */
static const char *expand_text(struct expansion *expansion, const struct field_type_row *row,
			       const char *text, struct loc at, const char *path)
{
	struct doc_source source = {
		.path = path, .unit = expansion->unit, .diags = expansion->diags};
	bool lenient = row == &type_config_file.fields[config_file_content_F];
	struct err err = ERR_INIT;
	const char *out = render(expansion->arena, text, expansion->values, lenient, &err);

	if (!out) {
		source_error(&source, DIAG_BAD_TEMPLATE, at, "%s", err.text)->hint = TEMPLATE_HINT;
		return text;
	}
	if (out != text && !expansion->only_looking && row->type != TYPE_MAP &&
	    !field_text_fits(row, out, at, &source) && source.diags->n)
		source.diags->v[source.diags->n - 1].hint =
			diags_text(source.diags, "filled in it is %.100s", out);
	return out;
}

static void *expand_object(struct expansion *expansion, const struct object_type *type,
			   const void *object);

static void expand_strings(struct expansion *expansion, const struct field_type_row *row,
			   struct strings *list, struct loc at, const char *path)
{
	const char **texts = arena_memdup(expansion->arena, list->v, list->n * sizeof *texts);

	for (size_t i = 0; i < list->n; i++)
		texts[i] = expand_text(expansion, row, texts[i], list->at ? list->at[i] : at, path);
	list->v = texts;
}

static void expand_pairs(struct expansion *expansion, const struct field_type_row *row,
			 struct pairs *pairs, struct loc at, const char *path)
{
	const char **values =
		arena_memdup(expansion->arena, pairs->value, pairs->n * sizeof *values);

	for (size_t i = 0; i < pairs->n; i++) {
		if (values[i])
			values[i] = expand_text(expansion, row, values[i],
						pairs->at ? pairs->at[i] : at,
						pairs->paths ? pairs->paths[i] : path);
	}
	pairs->value = values;
}

static void expand_list(struct expansion *expansion, const struct object_type *type, void *slot)
{
	struct any_list list;
	char *items;

	memcpy(&list, slot, sizeof list);
	items = arena_memdup(expansion->arena, list.v, list.n * type->size);
	for (size_t i = 0; i < list.n; i++)
		memcpy(items + i * type->size,
		       expand_object(expansion, type, items + i * type->size), type->size);
	list.v = items;
	memcpy(slot, &list, sizeof list);
}

static void expand_field(struct expansion *expansion, const struct field_type_row *row, void *slot,
			 struct loc at, const char *path)
{
	const void *object;

	switch (row->type) {
	case TYPE_STRING:
	case TYPE_NAME:
		*(const char **)slot = expand_text(expansion, row, *(const char **)slot, at, path);
		return;
	case TYPE_STRINGS:
		expand_strings(expansion, row, slot, at, path);
		return;
	case TYPE_MAP:
		expand_pairs(expansion, row, slot, at, path);
		return;
	case TYPE_OBJECT:
		memcpy(&object, slot, sizeof object);
		object = expand_object(expansion, row->object, object);
		memcpy(slot, &object, sizeof object);
		return;
	case TYPE_LIST:
		expand_list(expansion, row->object, slot);
		return;
	default:
		return;
	}
}

static void *expand_object(struct expansion *expansion, const struct object_type *type,
			   const void *object)
{
	struct head *copy = arena_memdup(expansion->arena, object, type->size);

	for (unsigned i = 0; i < type->fields_n; i++) {
		if ((copy->set >> i) & 1)
			expand_field(expansion, &type->fields[i],
				     field_slot(copy, &type->fields[i]), head_at(copy, i),
				     head_path(copy, i));
	}
	return copy;
}

const struct container *template_expand(struct arena *arena, const struct container *config,
					const struct template_values *values,
					const struct unit *unit, struct diags *diags)
{
	struct expansion expansion = {arena, values, unit, diags, false};

	if (!object_has_templates(&type_container, config))
		return config;
	return expand_object(&expansion, &type_container, config);
}

void template_check(const struct container *config, const struct unit *unit, struct diags *diags)
{
	static const struct template_values sample = {"1", "s", "p", "n", "p-s"};
	struct expansion expansion = {NULL, &sample, unit, diags, true};

	if (!object_has_templates(&type_container, config))
		return;
	expansion.arena = arena_new(0);
	expand_object(&expansion, &type_container, config);
	arena_free(expansion.arena);
}
