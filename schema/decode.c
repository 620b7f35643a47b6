#include "base/sys.h"
#include "schema/decode.h"

#include "base/vec.h"
#include "schema/canon.h"
#include "schema/documents.h"
#include "schema/fields.h"
#include "schema/forms.h"

#define API_VERSION "trueup/v1"

/* Keys that every document may have beside its own fields. */
static const char *const common_keys[] = {"kind", "apiVersion", "project", "stage", NULL};

/* Trees of small documents are left until the end of the file: clearing costs more than keeping. */
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
	const char *titles[KINDS];

	for (size_t i = 0; i < KINDS; i++)
		titles[i] = kind_type((enum kind)i)->title;
	return hint_nearest(decoder->fields.source.diags, word, titles, KINDS);
}

static void report_no_kind(struct decoder *decoder, const struct doc_node *root)
{
	struct diag *diag = source_error(&decoder->fields.source, DIAG_MISSING_FIELD, root->at,
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
	if (pair->value->type != DOC_SCALAR) {
		source_error(&decoder->fields.source, DIAG_WRONG_TYPE, doc_pair_at(pair),
			     "kind must be a word, not %s", doc_describe(pair->value));
		return NULL;
	}
	type = kind_find(pair->value->text);
	if (!type) {
		source_error(&decoder->fields.source, DIAG_UNKNOWN_KIND, pair->value->at,
			     "there is no kind %.100s", pair->value->text)
			->hint = unknown_kind_hint(decoder, pair->value->text);
		return NULL;
	}
	if (type->flags & LATER) {
		source_error(&decoder->fields.source, DIAG_NOT_SUPPORTED, pair->value->at,
			     "the kind %s is not supported by this build", type->title);
		return NULL;
	}
	return type;
}

/* ---- scope ---- */

static const char *const places[] = {
	[SCOPE_NONE] = "",
	[SCOPE_ORGANIZATION] = "organization.yaml or the folders teams, users, nodes",
	[SCOPE_PROJECT] = "projects/<project>/, outside of stages",
	[SCOPE_STAGE] = "projects/<project>/stages/<stage>/",
	[SCOPE_ANY] = "",
	[SCOPE_SETTINGS] = "the reconciler's own --config file, never the repository",
};

static bool scope_fits(enum kind_scope scope, enum unit_level level)
{
	switch (scope) {
	case SCOPE_ORGANIZATION:
		return level == UNIT_ORGANIZATION;
	case SCOPE_PROJECT:
		return level == UNIT_PROJECT;
	case SCOPE_STAGE:
		return level == UNIT_STAGE;
	case SCOPE_ANY:
		return true;
	case SCOPE_NONE:
	case SCOPE_SETTINGS:
		break;
	}
	return false;
}

static bool check_place(struct decoder *decoder, const struct object_type *type,
			const struct doc_node *root)
{
	if (scope_fits(type->scope, decoder->file->unit.level))
		return true;
	source_error(&decoder->fields.source, DIAG_MISPLACED, doc_get(root, "kind")->value->at,
		     "%s %s does not belong in this folder",
		     strchr("AEIOU", type->title[0]) ? "an" : "a", type->title)
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
			     "%s cannot be said here: the folder is outside of any", key);
	else if (!str_eq(pair->value->text, wanted))
		source_error(&decoder->fields.source, code, doc_pair_at(pair),
			     "%s must be %s here, not %.100s", key, wanted, pair->value->text);
}

/* ---- documents ---- */

/* A Project or Stage is named by its folder. */
static bool check_folder_name(struct decoder *decoder, const char **name, const struct head *head,
			      unsigned field, const char *wanted)
{
	if (*name && !str_eq(*name, wanted)) {
		source_error(&decoder->fields.source, DIAG_SCOPE_MISMATCH, head->at[field],
			     "the name must be that of the folder, %s", wanted);
		*name = wanted;
	}
	return *name != NULL;
}

/* Is it known what the document is? Without that it cannot be referred to. */
static bool has_identity(struct decoder *decoder, enum kind kind, void *value)
{
	const struct unit *unit = &decoder->file->unit;

	switch (kind) {
	case KIND_project: {
		struct project *project = value;

		return check_folder_name(decoder, &project->name, &project->head, project_name_F,
					 unit->project);
	}
	case KIND_stage: {
		struct stage *stage = value;

		return check_folder_name(decoder, &stage->name, &stage->head, stage_name_F,
					 unit->stage);
	}
	case KIND_version: {
		const struct version *version = value;

		return version->product && version->name;
	}
	default: {
		const struct object_type *type = kind_type(kind);
		const struct field_type_row *row = object_field(type, "name");

		return *(const char *const *)field_const_slot(value, row) != NULL;
	}
	}
}

static struct loc first_key(const struct doc_node *root)
{
	return root->n ? root->pairs[0].key->at : root->at;
}

static void take_document(struct decoder *decoder, const struct object_type *type,
			  const struct doc_node *root)
{
	enum kind kind = kind_of(type);
	void *value = arena_alloc(decoder->file->arena, type->size);
	struct origin *from = (struct origin *)(void *)((char *)value + sizeof(struct head));

	fields_read(&decoder->fields, type, root, value);
	*from = (struct origin){decoder->file, first_key(root)};
	document_check(kind, value, &decoder->fields.source);
	if (has_identity(decoder, kind, value))
		VEC_PUSH(&decoder->documents, (struct document){kind, value});
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

static void check_folder(struct decoder *decoder, const char *what, const char *name, int64_t max)
{
	static const struct loc nowhere = {0, 0, 0};

	if (!name || (form_text_fits(FORM_NAME, name) && (int64_t)strlen(name) <= max))
		return;
	source_error(&decoder->fields.source, DIAG_BAD_NAME, nowhere,
		     "the %s folder %s must be named with at most %lld small letters, digits and "
		     "inner dashes",
		     what, name, (long long)max);
}

static void read_file(struct decoder *decoder, const char *bytes, size_t len)
{
	static const struct loc nowhere = {0, 0, 0};
	const struct file *file = decoder->file;

	check_folder(decoder, "project", file->unit.project,
		     type_project.fields[project_name_F].max);
	check_folder(decoder, "stage", file->unit.stage, type_stage.fields[stage_name_F].max);
	if (path_is_compose(file->path)) {
		source_error(&decoder->fields.source, DIAG_NOT_SUPPORTED, nowhere,
			     "Compose files are not supported by this build");
		return;
	}
	decoder->scratch = arena_new(SCRATCH_FIRST);
	doc_parse(decoder->scratch, bytes, len, &decoder->fields.source, use_document, decoder);
	arena_free(decoder->scratch);
}

struct bytes {
	const char *text;
	size_t len;
};

static int give_bytes(void *arg, const char *path, struct buf *out)
{
	const struct bytes *bytes = arg;

	(void)path;
	buf_add(out, bytes->text, bytes->len);
	return 0;
}

/* The list's texts are in the file's arena already; only the array moves there. */
static void keep_diags(struct file *file, struct diags *diags, const char *bytes, size_t len)
{
	struct bytes text = {bytes, len};

	if (diags->n == 0)
		return;
	diags_sort(diags);
	if (len <= DOC_BYTES_MAX)
		diags_excerpts(diags, give_bytes, &text);
	file->diags = arena_memdup(file->arena, diags->v, diags->n * sizeof *diags->v);
	file->diags_n = diags->n;
	free(diags->v);
}

/*
 * A file's arena lives as long as the file, so it should begin as large as it will be: the structs
 * of a manifest take some six times its text.
 */
static size_t expected_size(size_t len)
{
	size_t size = 1024 + 6 * (len < DOC_BYTES_MAX ? len : DOC_BYTES_MAX);

	return size < 4096 ? size : 4096;
}

static struct file *new_file(const char *path, const struct oid *blob, size_t len)
{
	struct arena *arena = arena_new(expected_size(len));
	struct file *file = ARENA_NEW(arena, struct file);
	struct unit_names names;
	struct unit unit = {UNIT_ORGANIZATION, NULL, NULL};

	path_classify(path, &unit, &names);
	file->arena = arena;
	file->references = 1;
	file->path = arena_strdup(arena, path);
	file->blob = *blob;
	file->unit.level = unit.level;
	file->unit.project = arena_strdup(arena, unit.project);
	file->unit.stage = arena_strdup(arena, unit.stage);
	return file;
}

struct file *file_decode(const char *path, const struct oid *blob, const char *bytes, size_t len)
{
	struct file *file = new_file(path, blob, len);
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
	keep_diags(file, &diags, bytes, len);
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
