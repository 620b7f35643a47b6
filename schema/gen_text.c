#include "base/sys.h"
#include "schema/gen.h"

#include "schema/check.h"
#include "schema/doc.h"
#include "schema/gen_words.h"

/* `explain`, and the two reference pages. */

/* ---- explain ---- */

static void explain_field_line(const struct field_type_row *row, struct buf *out)
{
	AUTO_BUF struct buf type = BUF_INIT(BUF_MAX_LINE);

	gen_type_words(row, &type);
	if (row->flags & LATER) {
		buf_addf(out, "  %-18s (not supported by this build)\n", row->key);
		return;
	}
	buf_addf(out, "  %-18s %s%s", row->key, buf_str(&type),
		 row->flags & REQ ? ", required" : "");
	if (row->fallback)
		buf_addf(out, ", default %s", row->fallback);
	buf_addf(out, "\n  %-18s   %s\n", "", row->text);
}

static void explain_object(const struct object_type *type, struct buf *out)
{
	buf_addf(out, "%s: %s\n", gen_object_name(type), type->text);
	if (type->title)
		buf_addf(out, "belongs in %s\n", gen_scope_words(type->scope));
	if (type->flags & LATER)
		buf_adds(out, "not supported by this build\n");
	if (type->fields_n)
		buf_adds(out, "\n");
	for (size_t i = 0; i < type->fields_n; i++)
		explain_field_line(&type->fields[i], out);
}

static void explain_words(const struct enum_type *type, struct buf *out)
{
	buf_adds(out, "\n");
	for (size_t i = 0; i < type->values_n; i++)
		buf_addf(out, "  %-18s %s%s\n", type->values[i].word, type->values[i].text,
			 type->values[i].flags & LATER ? " (not supported by this build)" : "");
}

static void explain_field(const char *topic, const struct field_type_row *row, struct buf *out)
{
	AUTO_BUF struct buf bounds = BUF_INIT(BUF_MAX_LINE);

	buf_addf(out, "%s: %s\n  type     ", topic, row->text);
	gen_type_words(row, out);
	if (row->flags & REQ)
		buf_adds(out, ", required");
	if (row->fallback)
		buf_addf(out, "\n  default  %s", row->fallback);
	gen_bounds_words(row, &bounds);
	if (bounds.len)
		buf_addf(out, "\n  bounds   %s", buf_str(&bounds));
	if (*gen_part_word(row))
		buf_addf(out, "\n  part     %s", gen_part_word(row));
	buf_adds(out, "\n");
	if (row->enumeration)
		explain_words(row->enumeration, out);
	if (row->object) {
		buf_adds(out, "\n");
		explain_object(row->object, out);
	}
}

static void explain_kinds(struct buf *out)
{
	for (size_t i = 0; i < KINDS; i++) {
		const struct object_type *type = kind_type((enum kind)i);

		buf_addf(out, "  %-14s %s%s\n", type->title, type->text,
			 type->flags & LATER ? " (not supported by this build)" : "");
	}
}

/* Does the whole of name stand in the first len bytes of word, large or small? */
static bool same_word(const char *word, size_t len, const char *name)
{
	return strlen(name) == len && strncasecmp(word, name, len) == 0;
}

static const struct object_type *find_object(const char *word, size_t len)
{
	const struct object_type *type;

	for (size_t i = 0; i < KINDS; i++) {
		if (same_word(word, len, kind_type((enum kind)i)->title))
			return kind_type((enum kind)i);
	}
	for (size_t i = 0; (type = object_type_at(i)); i++) {
		if (!type->title && (same_word(word, len, gen_object_name(type)) ||
				     same_word(word, len, type->name)))
			return type;
	}
	return NULL;
}

static const struct field_type_row *find_field(const struct object_type *type, const char *word,
					       size_t len)
{
	for (size_t i = 0; i < type->fields_n; i++) {
		if (same_word(word, len, type->fields[i].key))
			return &type->fields[i];
	}
	return NULL;
}

static int no_such_kind(const char *word, size_t len, struct err *err)
{
	AUTO_FREE char *copy = mem_strndup(word, len);
	const char *titles[KINDS], *nearest;

	for (size_t i = 0; i < KINDS; i++)
		titles[i] = kind_type((enum kind)i)->title;
	nearest = check_nearest(copy, titles, KINDS);
	return err_set(err, E_NOT_FOUND, "there is no kind %s%s%s%s", copy,
		       nearest ? "; did you mean " : "", nearest ? nearest : "",
		       nearest ? "?" : "");
}

static int no_such_field(const struct object_type *type, const char *word, size_t len,
			 struct err *err)
{
	AUTO_FREE char *copy = mem_strndup(word, len);
	const char *keys[64], *nearest;

	for (size_t i = 0; i < type->fields_n; i++)
		keys[i] = type->fields[i].key;
	nearest = check_nearest(copy, keys, type->fields_n);
	return err_set(err, E_NOT_FOUND, "%s has no field %s%s%s%s", gen_object_name(type), copy,
		       nearest ? "; did you mean " : "", nearest ? nearest : "",
		       nearest ? "?" : "");
}

/* The code of a diagnostic; one of them is called like an object, which is told as well. */
static bool explain_code(const char *topic, struct buf *out)
{
	enum diag_code code = diag_code_find(topic);

	if (code == DIAG_NONE)
		return false;
	buf_addf(out, "%s: %s\n", topic, diag_code_text(code));
	return true;
}

int gen_explain(const char *topic, struct buf *out, struct err *err)
{
	const struct field_type_row *row = NULL;
	const struct object_type *type;
	size_t len;
	bool is_code;

	if (!topic || !*topic) {
		explain_kinds(out);
		return 0;
	}
	is_code = explain_code(topic, out);
	len = strcspn(topic, ".");
	type = find_object(topic, len);
	if (is_code && !type)
		return 0;
	if (is_code)
		buf_adds(out, "\n");
	if (!type)
		return no_such_kind(topic, len, err);
	for (const char *word = topic + len; *word; word += len) {
		word++;
		len = strcspn(word, ".");
		if (row && !row->object)
			return err_set(err, E_NOT_FOUND, "%s has no fields of its own", row->key);
		type = row ? row->object : type;
		row = find_field(type, word, len);
		if (!row)
			return no_such_field(type, word, len, err);
	}
	if (row)
		explain_field(topic, row, out);
	else
		explain_object(type, out);
	return 0;
}

/* ---- reference pages ---- */

static void reference_field(const struct field_type_row *row, struct buf *out)
{
	AUTO_BUF struct buf type = BUF_INIT(BUF_MAX_LINE), bounds = BUF_INIT(BUF_MAX_LINE);
	AUTO_FREE char *key = mem_printf("`%s`%s", row->key, row->flags & REQ ? " *" : "");

	if (!(row->flags & LATER)) {
		gen_type_words(row, &type);
		gen_bounds_words(row, &bounds);
	}
	buf_adds(out, "|");
	gen_cell(key, out);
	gen_cell(buf_str(&type), out);
	gen_cell(row->fallback ? row->fallback : "", out);
	gen_cell(buf_str(&bounds), out);
	gen_cell(gen_part_word(row), out);
	gen_cell(row->text, out);
	buf_adds(out, "\n");
}

static void reference_object(const struct object_type *type, struct buf *out)
{
	buf_addf(out, "\n### %s\n\n%c%s", gen_object_name(type),
		 type->text[0] >= 'a' && type->text[0] <= 'z' ? type->text[0] - 'a' + 'A'
							      : type->text[0],
		 type->text + 1);
	buf_adds(out, type->flags & LATER ? ". Not supported by this build." : ".");
	if (type->flags & LATER && !type->fields_n) {
		buf_adds(out, "\n");
		return;
	}
	if (type->title) {
		buf_adds(out, " Belongs in ");
		gen_markdown(gen_scope_words(type->scope), out);
		buf_adds(out, ".");
	}
	buf_adds(out, "\n\n| field | type | default | bounds | part | meaning |\n"
		      "|---|---|---|---|---|---|\n");
	for (size_t i = 0; i < type->fields_n; i++)
		reference_field(&type->fields[i], out);
}

void gen_reference(struct buf *out)
{
	const struct object_type *type;

	buf_adds(out,
		 "# Manifests\n\n"
		 "Every kind of document and every field. `*` marks required fields. *release* "
		 "fields belong to a release and freeze with an incremental version; *operations* "
		 "never freeze.\n\n"
		 "Every document may also say `apiVersion: trueup/v1`, and `project` and `stage` "
		 "as its path has them.\n\n"
		 "## Kinds\n");
	for (size_t i = 0; i < KINDS; i++) {
		if (!gen_is_settings(kind_type((enum kind)i)))
			reference_object(kind_type((enum kind)i), out);
	}
	gen_services(out);
	buf_adds(out, "\n## Parts of documents\n");
	for (size_t i = 0; (type = object_type_at(i)); i++) {
		if (!type->title && !gen_is_settings(type))
			reference_object(type, out);
	}
	buf_adds(out, "\n## Settings of the reconciler\n");
	reference_object(&type_settings, out);
	for (size_t i = 0; (type = object_type_at(i)); i++) {
		if (!type->title && gen_is_settings(type))
			reference_object(type, out);
	}
}

void gen_codes(struct buf *out)
{
	buf_adds(out, "# Diagnostics\n\n"
		      "What `validate`, `plan`, `apply` and the reconciler say about a commit. "
		      "The codes are stable.\n\n"
		      "| code | meaning |\n|---|---|\n");
	for (int code = DIAG_NONE + 1; code < DIAG_CODES; code++) {
		buf_addf(out, "| `%s` |", diag_code_name((enum diag_code)code));
		gen_cell(diag_code_text((enum diag_code)code), out);
		buf_adds(out, "\n");
	}
	buf_adds(out, "\n`trueup explain CODE` prints the line of one code.\n\n"
		      "## Limits\n\nWhat passes one of these is `limit`:\n\n"
		      "| of | at most |\n|---|---|\n");
	buf_addf(out, "| a manifest | %zu KiB, %d documents, the empty ones counted |\n",
		 DOC_BYTES_MAX / 1024, DOC_DOCUMENTS_MAX);
	buf_addf(out,
		 "| a document | nested %d deep, %d values, %d anchors, %d copies by aliases |\n",
		 DOC_DEPTH_MAX, DOC_NODES_MAX, DOC_ANCHORS_MAX, DOC_ALIASES_MAX);
	buf_addf(out, "| a text | %d KiB |\n", DOC_STRING_MAX / 1024);
	buf_addf(out, "| lines that begin with %% | %d |\n", DOC_DIRECTIVES_MAX);
	buf_addf(out, "| problems that are told of one manifest | %d |\n", DOC_PROBLEMS_MAX);
}
