#include "base/sys.h"
#include "schema/model.h"
#include "schema/decode.h"
#include "schema/kinds.h"
#include "base/vec.h"

int unit_cmp(const struct unit *a, const struct unit *b)
{
	int order = str_cmp(a->project, b->project);

	return order ? order : str_cmp(a->stage, b->stage);
}

void head_place(struct arena *arena, struct head *head, uint64_t fields, const struct loc *at,
		const char *const *paths)
{
	size_t n = (size_t)__builtin_popcountll(fields);
	struct loc *places = ARENA_ARRAY(arena, n, struct loc);
	const char **own = NULL;

	for (uint64_t left = fields; paths && !own && left; left &= left - 1) {
		if (paths[__builtin_ctzll(left)] != head->path)
			own = ARENA_ARRAY(arena, n, const char *);
	}
	head->placed = fields;
	head->at = places;
	head->paths = own;
	for (uint64_t left = fields; left; left &= left - 1) {
		unsigned field = (unsigned)__builtin_ctzll(left);

		*places++ = at[field];
		if (own)
			*own++ = paths[field];
	}
}

/* A file larger than this begins with it and grows. */
#define FIRST_SIZE_MAX 4096

struct file *file_new(const char *path, const struct oid *blob, size_t size)
{
	struct arena *arena = arena_new(size < FIRST_SIZE_MAX ? size : FIRST_SIZE_MAX);
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

struct file *file_ref(struct file *file)
{
	file->references++;
	return file;
}

void file_unref(struct file *file)
{
	if (file && --file->references == 0)
		arena_free(file->arena); /* the file itself lives in it */
}

size_t file_written(const struct file *file)
{
	size_t n = 0;

	for (size_t i = 0; i < file->documents_n; i++)
		n += !document_origin(&file->documents[i])->derived;
	return n;
}

/* What a document is known by, within its kind. */
struct identity {
	const char *project, *stage; /* NULL in a wider scope */
	const char *product;	     /* of a Version, else NULL */
	const char *name;
	const struct origin *from;
	const void *document;
};

static int identity_cmp(const struct identity *a, const struct identity *b)
{
	int order = str_cmp(a->project, b->project);

	if (order == 0)
		order = str_cmp(a->stage, b->stage);
	if (order == 0)
		order = str_cmp(a->product, b->product);
	return order ? order : str_cmp(a->name, b->name);
}

/* Which of two documents came first: by path, then by place. */
static int origin_cmp(const struct origin *a, const struct origin *b)
{
	int order = str_cmp(a->file->path, b->file->path);

	if (order == 0)
		order = (a->at.line > b->at.line) - (a->at.line < b->at.line);
	return order ? order : (a->at.column > b->at.column) - (a->at.column < b->at.column);
}

static int identity_sort_cmp(const void *left, const void *right)
{
	const struct identity *a = left, *b = right;
	int order = identity_cmp(a, b);

	return order ? order : origin_cmp(a->from, b->from);
}

static struct identity make_identity(const struct origin *from, const char *product,
				     const char *name, const void *document)
{
	return (struct identity){
		from->file->unit.project, from->file->unit.stage, product, name, from, document};
}

/* The kinds that are indexed: the name of each is a C type with the members from and name. */
#define INDEXED(X)                                                                                 \
	X(team, NULL)                                                                              \
	X(user, NULL)                                                                              \
	X(node, NULL)                                                                              \
	X(registry, NULL)                                                                          \
	X(project, NULL)                                                                           \
	X(product, NULL)                                                                           \
	X(version, document->product)                                                              \
	X(stage, NULL)                                                                             \
	X(deployment, NULL)                                                                        \
	X(bundle, NULL)

#define IDENTITY_OF(kind, product_)                                                                \
	static struct identity kind##_identity(const struct kind *document)                        \
	{                                                                                          \
		return make_identity(&document->from, product_, document->name, document);         \
	}
INDEXED(IDENTITY_OF)
#undef IDENTITY_OF

typedef VEC(struct identity) identities;

static void add_identity(identities *lists, const struct document *document)
{
	switch (document->kind) {
#define ADD(kind, product)                                                                         \
	case KIND_##kind:                                                                          \
		VEC_PUSH(&lists[KIND_##kind], kind##_identity(document->value));                   \
		break;
		INDEXED(ADD)
#undef ADD
	case KIND_organization: {
		const struct organization *organization = document->value;

		/* one a repository, whatever its name */
		VEC_PUSH(&lists[KIND_organization],
			 make_identity(&organization->from, NULL, NULL, organization));
		break;
	}
	default:
		break;
	}
}

/* The kind that was written, where a deployment is derived from another document. */
static const struct object_type *written_type(const struct identity *identity,
					      const struct object_type *type)
{
	const struct document *document =
		type == &type_deployment ? model_written(identity->document) : NULL;

	return document ? kind_type(document->kind) : type;
}

static void report_duplicate(const struct identity *first, const struct identity *again,
			     const struct object_type *type, struct diags *diags)
{
	const struct object_type *before = written_type(first, type);
	const struct file *file = again->from->file;
	struct diag *diag;

	type = written_type(again, type);

	if (again->name && type != before)
		diag = diags_add(diags, DIAG_DUPLICATE, &file->unit, file->path, again->from->at,
				 "%s %s has the name of a %s of its stage", type->title,
				 again->name, before->title);
	else if (again->name)
		diag = diags_add(diags, DIAG_DUPLICATE, &file->unit, file->path, again->from->at,
				 "%s %s is defined twice", type->title, again->name);
	else
		diag = diags_add(diags, DIAG_DUPLICATE, &file->unit, file->path, again->from->at,
				 "there can be one %s", type->title);
	diag->hint = diags_text(diags, "the first one is in %s, line %u", first->from->file->path,
				(unsigned)first->from->at.line);
	diag->related_path = diags_text(diags, "%s", first->from->file->path);
	diag->related = first->from->at;
}

/* Files are mostly named after what is in them, and came by path. */
static bool is_sorted(const identities *list)
{
	for (size_t i = 1; i < list->n; i++) {
		if (identity_sort_cmp(&list->v[i - 1], &list->v[i]) > 0)
			return false;
	}
	return true;
}

/*
 * What is derived from a Compose file stands for the deployment document that may stand beside it:
 * of the two, the one that gives way, or NULL when they are two indeed.
 */
static const struct identity *gives_way(const struct identity *a, const struct identity *b,
					const struct object_type *type)
{
	const struct deployment *one = a->document, *other = b->document;

	if (type != &type_deployment)
		return NULL;
	if (one->from.derived && model_is_stack(one) && !other->from.derived && !other->product)
		return a;
	if (other->from.derived && model_is_stack(other) && !one->from.derived && !one->product)
		return b;
	return NULL;
}

/* Sorts; of equal ones the first stays, the others are reported. */
static void make_unique(identities *list, const struct object_type *type, struct diags *diags)
{
	const struct identity *weak;
	size_t kept = 0;

	if (!is_sorted(list))
		VEC_SORT(list, identity_sort_cmp);
	for (size_t i = 0; i < list->n; i++) {
		if (!kept || identity_cmp(&list->v[kept - 1], &list->v[i]) != 0) {
			list->v[kept++] = list->v[i];
			continue;
		}
		weak = gives_way(&list->v[kept - 1], &list->v[i], type);
		if (!weak)
			report_duplicate(&list->v[kept - 1], &list->v[i], type, diags);
		else if (weak == &list->v[kept - 1])
			list->v[kept - 1] = list->v[i];
	}
	list->n = kept;
}

static int file_cmp(const void *left, const void *right)
{
	const struct file *const *a = left, *const *b = right;

	return str_cmp((*a)->path, (*b)->path);
}

static void fill_index(struct model *model, const identities *lists)
{
#define FILL(kind, product)                                                                        \
	model->kind##s.n = lists[KIND_##kind].n;                                                   \
	model->kind##s.v = mem_realloc_array(NULL, model->kind##s.n + 1, sizeof(struct kind *));   \
	for (size_t i = 0; i < model->kind##s.n; i++)                                              \
		model->kind##s.v[i] = lists[KIND_##kind].v[i].document;
	INDEXED(FILL)
#undef FILL
	if (lists[KIND_organization].n)
		model->organization = lists[KIND_organization].v[0].document;
}

struct model *model_of(const struct file_set *files, struct diags *diags)
{
	struct model *model = mem_zalloc(1, sizeof *model);
	identities lists[KINDS] = {0};

	file_set_copy(&model->files, files);
	for (size_t i = 0; i < files->n; i++) {
		for (size_t j = 0; j < files->v[i]->documents_n; j++)
			add_identity(lists, &files->v[i]->documents[j]);
	}
	for (size_t kind = 0; kind < KINDS; kind++)
		make_unique(&lists[kind], kind_type((enum kind)kind), diags);
	fill_index(model, lists);
	for (size_t kind = 0; kind < KINDS; kind++)
		VEC_FREE(&lists[kind]);
	return model;
}

struct model *model_build(struct file *const *files, size_t n, struct diags *diags)
{
	struct file **sorted AUTO_FREE = mem_realloc_array(NULL, n, sizeof *sorted);
	struct file_set set = {.v = sorted, .n = n};

	if (n)
		memcpy(sorted, files, n * sizeof *sorted);
	if (n > 1)
		qsort(sorted, n, sizeof *sorted, file_cmp);
	return model_of(&set, diags);
}

void model_free(struct model *model)
{
	if (!model)
		return;
#define FREE(kind, product) free(model->kind##s.v);
	INDEXED(FREE)
#undef FREE
	file_set_release(&model->files);
	free(model);
}

/* ---- on top of another model ---- */

/*
 * For each kind: the index of the first document that is not before an identity, and whether that
 * is the one; and a document taken out of the index, or put into it.
 */
#define EDIT(kind, product)                                                                        \
	static size_t place_of_##kind(const struct model *model, const struct identity *wanted,    \
				      bool *found)                                                 \
	{                                                                                          \
		size_t low = 0, high = model->kind##s.n;                                           \
                                                                                                   \
		while (low < high) {                                                               \
			size_t middle = low + (high - low) / 2;                                    \
			struct identity here = kind##_identity(model->kind##s.v[middle]);          \
                                                                                                   \
			if (identity_cmp(&here, wanted) < 0)                                       \
				low = middle + 1;                                                  \
			else                                                                       \
				high = middle;                                                     \
		}                                                                                  \
		*found = false;                                                                    \
		if (low < model->kind##s.n) {                                                      \
			struct identity here = kind##_identity(model->kind##s.v[low]);             \
                                                                                                   \
			*found = identity_cmp(&here, wanted) == 0;                                 \
		}                                                                                  \
		return low;                                                                        \
	}                                                                                          \
	static bool take_out_##kind(struct model *model, const struct kind *document)              \
	{                                                                                          \
		struct identity identity = kind##_identity(document);                              \
		bool found;                                                                        \
		size_t at = place_of_##kind(model, &identity, &found);                             \
		const struct kind **v = model->kind##s.v;                                          \
                                                                                                   \
		if (!found || v[at] != document)                                                   \
			return false;                                                              \
		memmove(v + at, v + at + 1, (--model->kind##s.n - at) * sizeof *v);                \
		return true;                                                                       \
	}                                                                                          \
	static bool put_in_##kind(struct model *model, const struct kind *document)                \
	{                                                                                          \
		struct identity identity = kind##_identity(document);                              \
		bool found;                                                                        \
		size_t at = place_of_##kind(model, &identity, &found);                             \
		const struct kind **v = model->kind##s.v;                                          \
                                                                                                   \
		if (found)                                                                         \
			return false;                                                              \
		memmove(v + at + 1, v + at, (model->kind##s.n++ - at) * sizeof *v);                \
		v[at] = document;                                                                  \
		return true;                                                                       \
	}
INDEXED(EDIT)
#undef EDIT

static bool take_out(struct model *model, const struct document *document)
{
	switch (document->kind) {
#define TAKE_OUT(kind, product)                                                                    \
	case KIND_##kind:                                                                          \
		return take_out_##kind(model, document->value);
		INDEXED(TAKE_OUT)
#undef TAKE_OUT
	case KIND_app:
	case KIND_service:
		return true; /* known by their deployments */
	default:
		return false;
	}
}

static bool put_in(struct model *model, const struct document *document)
{
	switch (document->kind) {
#define PUT_IN(kind, product)                                                                      \
	case KIND_##kind:                                                                          \
		return put_in_##kind(model, document->value);
		INDEXED(PUT_IN)
#undef PUT_IN
	case KIND_app:
	case KIND_service:
		return true;
	default:
		return false;
	}
}

static bool apply_changes(struct model *model, const struct file_change *changes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct file *gone = changes[i].before;

		for (size_t j = 0; gone && j < gone->documents_n; j++) {
			if (!take_out(model, &gone->documents[j]))
				return false;
		}
	}
	for (size_t i = 0; i < n; i++) {
		const struct file *come = changes[i].now;

		for (size_t j = 0; come && j < come->documents_n; j++) {
			if (!put_in(model, &come->documents[j]))
				return false;
		}
	}
	return true;
}

struct model *model_update(const struct model *base, const struct file_set *files,
			   const struct file_change *changes, size_t n)
{
	struct model *model = mem_zalloc(1, sizeof *model);
	size_t more = 0;

	for (size_t i = 0; i < n; i++)
		more += changes[i].now ? changes[i].now->documents_n : 0;
	model->organization = base->organization;
#define COPY(kind, product)                                                                        \
	model->kind##s.n = base->kind##s.n;                                                        \
	model->kind##s.v =                                                                         \
		mem_realloc_array(NULL, base->kind##s.n + more + 1, sizeof(struct kind *));        \
	memcpy(model->kind##s.v, base->kind##s.v, base->kind##s.n * sizeof(struct kind *));
	INDEXED(COPY)
#undef COPY
	if (apply_changes(model, changes, n)) {
		file_set_copy(&model->files, files);
		return model;
	}
	model_free(model);
	return NULL;
}

/* ---- look-ups ---- */

#define FIND(kind, product)                                                                        \
	static const struct kind *find_##kind(const struct model *model,                           \
					      const struct identity *wanted)                       \
	{                                                                                          \
		bool found;                                                                        \
		size_t at = place_of_##kind(model, wanted, &found);                                \
                                                                                                   \
		return found ? model->kind##s.v[at] : NULL;                                        \
	}
INDEXED(FIND)
#undef FIND

const struct team *model_team(const struct model *model, const char *name)
{
	return find_team(model, &(struct identity){.name = name});
}

const struct user *model_user(const struct model *model, const char *name)
{
	return find_user(model, &(struct identity){.name = name});
}

const struct node *model_node(const struct model *model, const char *name)
{
	return find_node(model, &(struct identity){.name = name});
}

const struct registry *model_registry(const struct model *model, const char *name)
{
	return find_registry(model, &(struct identity){.name = name});
}

const struct project *model_project(const struct model *model, const char *name)
{
	return find_project(model, &(struct identity){.project = name, .name = name});
}

const struct product *model_product(const struct model *model, const char *project,
				    const char *name)
{
	return find_product(model, &(struct identity){.project = project, .name = name});
}

const struct version *model_version(const struct model *model, const char *project,
				    const char *product, const char *name)
{
	return find_version(
		model, &(struct identity){.project = project, .product = product, .name = name});
}

const struct stage *model_stage(const struct model *model, const char *project, const char *name)
{
	return find_stage(model,
			  &(struct identity){.project = project, .stage = name, .name = name});
}

/* The Compose file of a folder; path is that of any file in it. */
static const struct file *compose_beside(const struct model *model, const char *path)
{
	static const char *const names[] = {"compose.yaml", "compose.yml", "docker-compose.yml",
					    "docker-compose.yaml"};
	const char *slash = strrchr(path, '/');

	for (size_t i = 0; slash && i < ARRAY_LEN(names); i++) {
		AUTO_FREE char *full = mem_printf("%.*s/%s", (int)(slash - path), path, names[i]);
		const struct file *file = file_set_get(&model->files, full);

		if (file && file->compose)
			return file;
	}
	return NULL;
}

/* The product that was derived from a Compose file, if it is that of a stack. */
static const struct product *stack_of(const struct file *file)
{
	for (size_t i = 0; file && i < file->documents_n; i++) {
		if (file->documents[i].kind == KIND_deployment)
			return document_origin(&file->documents[i])->derived;
	}
	return NULL;
}

bool model_is_stack(const struct deployment *deployment)
{
	return deployment->from.derived ? deployment->from.file->compose != NULL
					: !deployment->product;
}

const struct document *model_written(const struct deployment *deployment)
{
	const struct file *file = deployment->from.file;
	size_t low = 0, high = file->documents_n;

	if (!deployment->from.derived)
		return NULL;
	/* in order of their lines, and a file may hold thousands */
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (document_origin(&file->documents[middle])->at.line < deployment->from.at.line)
			low = middle + 1;
		else
			high = middle;
	}
	for (low++; low < file->documents_n; low++) {
		if (file->documents[low].value == deployment)
			return &file->documents[low - 1];
	}
	return NULL;
}

static const void *written_as(const struct deployment *deployment, enum kind kind)
{
	const struct document *written = deployment ? model_written(deployment) : NULL;

	return written && written->kind == kind ? written->value : NULL;
}

const struct app *model_app_of(const struct deployment *deployment)
{
	return written_as(deployment, KIND_app);
}

const struct service *model_service_of(const struct deployment *deployment)
{
	return written_as(deployment, KIND_service);
}

const struct product *model_product_of(const struct model *model,
				       const struct deployment *deployment)
{
	const struct file *file = deployment->from.file;

	if (deployment->from.derived)
		return deployment->from.derived;
	if (deployment->product)
		return model_product(model, file->unit.project, deployment->product);
	return stack_of(compose_beside(model, file->path));
}

const struct file *model_compose(const struct model *model, const struct origin *from,
				 const char *path)
{
	const char *slash = strrchr(from->file->path, '/');
	AUTO_FREE char *full = mem_printf("%.*s%s", slash ? (int)(slash + 1 - from->file->path) : 0,
					  from->file->path, path);
	const struct file *file = file_set_get(&model->files, full);

	return file && file->compose ? file : NULL;
}

/* Its own, or those of the Compose file that it names. */
static const struct image_list *images_of(const struct model *model, const struct origin *from,
					  const struct image_list *own, const char *compose)
{
	const struct file *file;

	if (own->n || from->derived)
		return own;
	file = compose ? model_compose(model, from, compose) : NULL;
	return file ? file->compose : NULL;
}

const struct image_list *model_version_images(const struct model *model,
					      const struct version *version)
{
	return images_of(model, &version->from, &version->images, version->compose);
}

const struct image_list *model_product_images(const struct model *model,
					      const struct product *product)
{
	return images_of(model, &product->from, &product->images, product->compose);
}

const struct bundle *model_bundle(const struct model *model, const char *project, const char *name)
{
	const struct bundle *own =
		find_bundle(model, &(struct identity){.project = project, .name = name});

	return own ? own : find_bundle(model, &(struct identity){.name = name});
}

const struct deployment *model_deployment(const struct model *model, const char *project,
					  const char *stage, const char *name)
{
	return find_deployment(
		model, &(struct identity){.project = project, .stage = stage, .name = name});
}
