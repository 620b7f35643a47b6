#include "base/sys.h"
#include "schema/decode.h"

#include "base/vec.h"
#include "schema/canon.h"
#include "schema/check.h"
#include "schema/decode_parts.h"
#include "schema/derive.h"
#include "schema/documents.h"
#include "schema/fields.h"

#define API_VERSION "trueup/v1"

/* Keys that every document may have beside its own fields. */
static const char *const common_keys[] = {"kind", "apiVersion", "project", "stage", NULL};

/*
 * Trees of small documents are left until the end of the file: clearing costs more than keeping. So
 * much is kept for the next file, which is what most need.
 */
#define SCRATCH_FIRST 4096
#define SCRATCH_KEPT 65536

struct decoder {
	struct fields_reader fields;
	struct file *file;
	struct arena *scratch; /* the tree of the document in hand */
	VEC(struct document) documents;
};

static const char *hint(struct decoder *decoder, const char *text)
{
	return diags_text(decoder->fields.source.diags, "%s", text);
}

/* ---- kind ---- */

static const char *unknown_kind_hint(struct decoder *decoder, const char *word)
{
	const char *titles[KINDS], *near;

	for (size_t i = 0; i < KINDS; i++)
		titles[i] = kind_type((enum kind)i)->title;
	near = hint_nearest(decoder->fields.source.diags, word, titles, KINDS);
	return near ? near : "trueup explain lists the kinds";
}

static void report_no_kind(struct decoder *decoder, const struct doc_node *root)
{
	static const char *const kind[] = {"kind"};
	struct diag *diag;

	for (size_t i = 0; i < root->n; i++) {
		const struct doc_node *key = root->pairs[i].key;

		if (str_eq(key->text, kind[0]) || !check_nearest(key->text, kind, 1))
			continue;
		source_error(&decoder->fields.source, DIAG_UNKNOWN_FIELD, key->at,
			     "there is no field %s here", key->text)
			->hint = "did you mean kind?";
		return;
	}
	diag = source_error(&decoder->fields.source, DIAG_MISSING_FIELD, root->at,
			    "the field kind is missing: what is this?");
	if (doc_get(root, "services"))
		diag->hint = hint(decoder, "a Compose file stands in a folder of its own in a "
					   "stage, as compose.yaml");
	else
		diag->hint = hint(decoder, "kind: Deployment, for instance");
}

/* The type of a document; NULL after a report. */
static const struct object_type *find_kind(struct decoder *decoder, const struct doc_node *root)
{
	const struct doc_pair *pair = doc_get(root, "kind");
	const struct object_type *type;

	if (!pair || doc_is_null(pair->value)) {
		report_no_kind(decoder, root);
		return NULL;
	}
	if (pair->value->wrong)
		return NULL;
	if (pair->value->type != DOC_SCALAR) {
		source_error(&decoder->fields.source, DIAG_WRONG_TYPE, doc_pair_at(pair),
			     "kind must be a word, not %s", doc_describe(pair->value));
		return NULL;
	}
	type = kind_find(pair->value->text);
	if (!type) {
		source_error(&decoder->fields.source, DIAG_UNKNOWN_KIND, pair->value->at,
			     *pair->value->text ? "there is no kind %.100s"
						: "kind must not be empty%s",
			     pair->value->text)
			->hint = unknown_kind_hint(decoder, pair->value->text);
		return NULL;
	}
	if (type->flags & LATER)
		source_error(&decoder->fields.source, DIAG_NOT_SUPPORTED, pair->value->at,
			     "the kind %s is not supported by this build", type->title);
	/* what is wrong inside is told as well, of kinds that are in the table in full */
	return type->flags & LATER && !type->fields_n ? NULL : type;
}

/* ---- scope ---- */

static const char *const places[] = {
	[SCOPE_NONE] = "",
	[SCOPE_ORGANIZATION] = "organization.yaml or the folders teams, users, nodes, registries",
	[SCOPE_PROJECT] = "projects/<project>/, outside of stages",
	[SCOPE_STAGE] = "projects/<project>/stages/<stage>/",
	[SCOPE_SHARED] = "the folder bundles, or projects/<project>/, outside of stages",
	[SCOPE_ANY] = "",
	[SCOPE_SETTINGS] = "the reconciler's own --config file, never the repository",
};

static bool check_place(struct decoder *decoder, const struct object_type *type,
			const struct doc_node *root)
{
	if (document_belongs(kind_of(type), decoder->file->unit.level))
		return true;
	source_error(&decoder->fields.source, DIAG_MISPLACED, doc_get(root, "kind")->value->at,
		     "%s %s does not belong in this folder",
		     strchr("AEIO", type->title[0]) ? "an" : "a", type->title)
		->hint =
		diags_text(decoder->fields.source.diags, "it belongs in %s", places[type->scope]);
	return false;
}

/* apiVersion, project and stage may be said again, if they say the same. */
static void check_repeated(struct decoder *decoder, const struct doc_node *root, const char *key,
			   const char *wanted, enum diag_code code)
{
	const struct doc_pair *pair = doc_get(root, key);

	if (!pair || doc_is_null(pair->value))
		return;
	if (pair->value->type != DOC_SCALAR)
		source_error(&decoder->fields.source, DIAG_WRONG_TYPE, doc_pair_at(pair),
			     "%s must be a text, not %s", key, doc_describe(pair->value));
	else if (!wanted)
		source_error(&decoder->fields.source, code, doc_pair_at(pair),
			     "%s cannot be said here: the folder is outside of any %s", key, key);
	else if (!str_eq(pair->value->text, wanted))
		source_error(&decoder->fields.source, code, doc_pair_at(pair),
			     "%s must be %s here, not %.100s", key, wanted, pair->value->text);
}

/* ---- documents ---- */

static struct loc first_key(const struct doc_node *root)
{
	return root->n ? root->pairs[0].key->at : root->at;
}

static void take_document(struct decoder *decoder, const struct object_type *type,
			  const struct doc_node *root)
{
	struct document document = {kind_of(type), arena_alloc(decoder->file->arena, type->size)};

	fields_read(&decoder->fields, type, root, document.value);
	*document_origin(&document) = (struct origin){decoder->file, first_key(root), NULL};
	document_check(document.kind, document.value, &decoder->fields.source);
	if (!(type->flags & LATER) && document_is_known(&document, &decoder->fields.source))
		VEC_PUSH(&decoder->documents, document);
}

static void use_document(void *arg, const struct doc_node *root)
{
	struct decoder *decoder = arg;
	const struct unit *unit = &decoder->file->unit;
	const struct object_type *type;

	if (root->type != DOC_MAPPING) {
		source_error(&decoder->fields.source, DIAG_WRONG_TYPE, root->at,
			     "a document must be a mapping, not %s", doc_describe(root));
		return;
	}
	type = find_kind(decoder, root);
	if (type && check_place(decoder, type, root)) {
		check_repeated(decoder, root, "apiVersion", API_VERSION, DIAG_BAD_VALUE);
		check_repeated(decoder, root, "project", unit->project, DIAG_SCOPE_MISMATCH);
		check_repeated(decoder, root, "stage", unit->stage, DIAG_SCOPE_MISMATCH);
		take_document(decoder, type, root);
	}
	if (arena_used(decoder->scratch) > SCRATCH_KEPT)
		arena_clear(decoder->scratch);
}

/* ---- files ---- */

static void read_file(struct decoder *decoder, const char *bytes, size_t len)
{
	static struct arena *scratch;

	document_folders_check(&decoder->fields.source);
	if (!scratch)
		scratch = arena_new(SCRATCH_FIRST);
	decoder->scratch = scratch;
	doc_parse(scratch, bytes, len, &decoder->fields.source, use_document, decoder);
	arena_clear(scratch);
}

struct bytes {
	const char *text;
	size_t len;
};

static int give_bytes(void *arg, const char *path, struct buf *out)
{
	const struct bytes *bytes = arg;

	(void)path;
	if (bytes->len > DOC_BYTES_MAX)
		return -1;
	buf_add(out, bytes->text, bytes->len);
	return 0;
}

void file_keep_diags(struct file *file, struct diags *diags, diag_reader read, void *arg)
{
	if (diags->n == 0)
		return;
	diags_sort(diags);
	diags_excerpts(diags, read, arg);
	file->diags = arena_memdup(file->arena, diags->v, diags->n * sizeof *diags->v);
	file->diags_n = diags->n;
	free(diags->v);
}

/*
 * A file's arena lives as long as the file, and what is not used of it counts, too. A manifest
 * takes some three times its text, and the structs of its kind, which are there however short it
 * is.
 */
static size_t expected_size(size_t len)
{
	return 1024 + 3 * (len < DOC_BYTES_MAX ? len : DOC_BYTES_MAX);
}

struct file *file_decode(const char *path, const struct oid *blob, const char *bytes, size_t len)
{
	struct file *file = file_new(path, blob, expected_size(len));
	struct diags diags = {.arena = file->arena};
	struct decoder decoder = {
		.file = file,
		.fields = {.arena = file->arena,
			   .source = {.path = file->path, .unit = &file->unit, .diags = &diags},
			   .foreign_keys = common_keys},
	};

	read_file(&decoder, bytes, len);
	file->documents = arena_memdup(file->arena, decoder.documents.v,
				       decoder.documents.n * sizeof *decoder.documents.v);
	file->documents_n = decoder.documents.n;
	VEC_FREE(&decoder.documents);
	derive_documents(file, &decoder.fields.source);
	file_keep_diags(file, &diags, give_bytes, &(struct bytes){bytes, len});
	return file;
}

/* ---- canonical form, back ---- */

struct object_target {
	struct fields_reader fields;
	const struct object_type *type;
	void *object;
};

static void use_object(void *arg, const struct doc_node *root)
{
	struct object_target *target = arg;

	if (root->type != DOC_MAPPING) {
		source_error(&target->fields.source, DIAG_WRONG_TYPE, root->at, "not a mapping");
		return;
	}
	target->object = arena_alloc(target->fields.arena, target->type->size);
	fields_read(&target->fields, target->type, root, target->object);
}

void *decode_object(struct arena *arena, const char *type_name, const char *json, size_t len,
		    struct err *err)
{
	static const struct unit nobody = {UNIT_ORGANIZATION, NULL, NULL};
	AUTO_ARENA struct arena *scratch = arena_new(8192);
	AUTO_BUF struct buf text = BUF_INIT(BUF_MAX_OUTPUT);
	AUTO_DIAGS struct diags diags = {0};
	struct object_target target = {
		.fields = {.arena = arena,
			   .source = {.unit = &nobody, .diags = &diags, .own = true},
			   .without_places = true},
		.type = object_type_find(type_name),
	};

	if (!target.type) {
		err_set(err, E_INTERNAL, "%s is no object of the schema", type_name);
		return NULL;
	}
	canon_from_json(json, len, &text);
	doc_parse(scratch, buf_str(&text), text.len, &target.fields.source, use_object, &target);
	if (diags.errors || !target.object) {
		err_set(err, E_BAD_INPUT, "%s: %s", type_name,
			diags.n ? diags.v[0].message : "nothing there");
		return NULL;
	}
	return target.object;
}
