#include "base/sys.h"
#include "schema/compose_work.h"

/* From bytes to one tree without variables, `<<` and x- keys; include. */

/* ---- one tree ---- */

static const struct doc_node *expand(struct compose_work *work, const struct doc_node *node,
				     unsigned depth);

static const struct doc_node *expand_scalar(struct compose_work *work, const struct doc_node *node)
{
	const struct compose_source *source = &work->sources[node->file];
	const struct compose_place place = {source->path, node->at};
	const char *text = compose_fill(work, node->text, source->env, &place);
	struct doc_node *filled;

	if (text == node->text)
		return node;
	if (!text)
		return compose_wrong(work, node);
	filled = compose_scalar(work, node, text);
	filled->plain = node->plain;
	if (doc_is_null(filled)) /* it was a text with a variable, and is one still */
		filled->plain = false;
	return filled;
}

static const struct doc_node *expand_list(struct compose_work *work, const struct doc_node *node,
					  unsigned depth)
{
	const struct doc_node **items = ARENA_ARRAY(work->arena, node->n, const struct doc_node *);
	struct doc_node *list;
	bool same = true;

	for (size_t i = 0; i < node->n; i++) {
		items[i] = expand(work, node->items[i], depth);
		same &= items[i] == node->items[i];
	}
	if (same)
		return node;
	list = compose_list(work, node, items, node->n);
	list->block = node->block;
	return list;
}

static bool is_merge_key(const struct doc_pair *pair)
{
	return pair->key->plain && str_eq(pair->key->text, "<<");
}

/* Those of a mapping that `<<` names, which are not there yet. */
static void take_merged(struct compose_work *work, struct compose_build *build, struct map *seen,
			const struct doc_node *from, unsigned depth)
{
	const struct doc_node *mapping = expand(work, from, depth);

	if (mapping->wrong)
		return;
	if (mapping->type != DOC_MAPPING) {
		compose_error(work, DIAG_WRONG_TYPE, from, "<< takes a mapping or a list of them");
		return;
	}
	for (size_t i = 0; i < mapping->n; i++) {
		const struct doc_pair *pair = &mapping->pairs[i];

		if (!map_put(seen, pair->key->text, build))
			compose_put_pair(build, pair);
	}
}

static const struct doc_node *expand_merging(struct compose_work *work, const struct doc_node *node,
					     unsigned depth)
{
	AUTO_MAP struct map seen = {0};
	struct compose_build build = {0};

	for (size_t i = 0; i < node->n; i++) {
		struct doc_pair pair = node->pairs[i];

		if (is_merge_key(&pair))
			continue;
		pair.value = expand(work, pair.value, depth);
		map_put(&seen, pair.key->text, &build);
		compose_put_pair(&build, &pair);
	}
	for (size_t i = 0; i < node->n; i++) {
		const struct doc_node *from = node->pairs[i].value;

		if (!is_merge_key(&node->pairs[i]))
			continue;
		for (size_t j = 0; from->type == DOC_SEQUENCE && j < from->n; j++)
			take_merged(work, &build, &seen, from->items[j], depth);
		if (from->type != DOC_SEQUENCE)
			take_merged(work, &build, &seen, from, depth);
	}
	return compose_built(work, &build, node);
}

static const struct doc_node *expand_mapping(struct compose_work *work, const struct doc_node *node,
					     unsigned depth)
{
	struct compose_build build = {0};
	bool same = true;

	for (size_t i = 0; i < node->n; i++) {
		if (is_merge_key(&node->pairs[i]))
			return expand_merging(work, node, depth);
	}
	for (size_t i = 0; i < node->n; i++) {
		struct doc_pair pair = node->pairs[i];

		if (depth == 1 && str_starts(pair.key->text, "x-")) {
			same = false;
			continue;
		}
		pair.value = expand(work, pair.value, depth);
		same &= pair.value == node->pairs[i].value;
		compose_put_pair(&build, &pair);
	}
	if (!same)
		return compose_built(work, &build, node);
	compose_dropped(&build);
	return node;
}

/* What the value is once variables are filled in and `<<` is gone; the value itself if it is so. */
static const struct doc_node *expand(struct compose_work *work, const struct doc_node *node,
				     unsigned depth)
{
	if (node->wrong || !compose_spend(work, &work->nodes, 1, DOC_NODES_MAX, node,
					  "more than 100,000 values in all Compose files"))
		return compose_wrong(work, node);
	if (depth == DOC_DEPTH_MAX) {
		compose_error(work, DIAG_LIMIT, node, "nested more than 64 deep");
		return compose_wrong(work, node);
	}
	if (node->type == DOC_SCALAR)
		return expand_scalar(work, node);
	return node->type == DOC_SEQUENCE ? expand_list(work, node, depth + 1)
					  : expand_mapping(work, node, depth + 1);
}

/* ---- one file ---- */

struct load {
	struct compose_work *work;
	struct compose_source *source;
	const struct doc_node *tree;
};

/* `name:` says what the project is called, for everything else in the file. */
static void take_name(struct load *load, const struct doc_node *root)
{
	const struct doc_node *name = compose_value(root, "name");

	if (name && name->type == DOC_SCALAR)
		name = expand(load->work, name, 1);
	if (name && name->type == DOC_SCALAR && !name->wrong)
		map_put(&load->source->env->vars, "COMPOSE_PROJECT_NAME",
			(void *)(uintptr_t)name->text);
}

static void take_document(void *arg, const struct doc_node *root)
{
	struct load *load = arg;

	if (root->type != DOC_MAPPING) {
		compose_error(load->work, DIAG_WRONG_TYPE, root,
			      "a Compose file must be a mapping, not %s", doc_describe(root));
		return;
	}
	take_name(load, root);
	root = expand(load->work, root, 0);
	if (root->wrong)
		return;
	load->tree = load->tree ? compose_lay(load->work, COMPOSE_TOP, load->tree, root) : root;
}

static struct compose_source *new_source(struct compose_work *work, const struct compose_file *file,
					 const char *base, struct compose_env *env)
{
	struct compose_source *source = &work->sources[work->sources_n++];

	source->name = arena_strdup(work->arena, file->name);
	source->path = compose_full_path(work, source->name);
	source->base = base;
	source->env = env;
	return source;
}

const struct doc_node *compose_load_file(struct compose_work *work, const struct compose_file *file,
					 const char *base, struct compose_env *env,
					 const struct doc_node *at)
{
	struct load load = {.work = work};
	struct doc_source source = {.unit = work->unit, .diags = work->diags, .compose = true};

	if (work->sources_n == COMPOSE_FILES_MAX || !env) {
		if (!work->full)
			compose_error(work, DIAG_LIMIT, at, "more than %d Compose files in one",
				      COMPOSE_FILES_MAX);
		work->full = true;
		return NULL;
	}
	load.source = new_source(work, file, base, env);
	if (!compose_spend(work, &work->text, file->size, COMPOSE_TEXT_MAX, at,
			   "Compose files and env files of more than 1 MiB"))
		return NULL;
	source.path = load.source->path;
	source.file = (uint32_t)(load.source - work->sources);
	doc_parse(work->arena, file->bytes ? file->bytes : "", file->bytes ? file->size : 0,
		  &source, take_document, &load);
	return load.tree;
}

/* ---- what is in it, and in those that it includes ---- */

/* The files that are being included, innermost first. */
struct chain {
	const char *name;
	const struct chain *outer;
};

static void take_tree(struct compose_work *work, const struct doc_node *tree,
		      const struct chain *chain);

/* The same thing from a file that was included twice is no second one. */
static bool is_again(const struct compose_work *work, const struct doc_node *a,
		     const struct doc_node *b)
{
	return str_eq(work->sources[a->file].name, work->sources[b->file].name) &&
	       a->at.line == b->at.line && a->at.column == b->at.column;
}

static void report_twice(struct compose_work *work, const char *what, const struct doc_node *again,
			 const struct doc_node *first)
{
	struct diag *diag;

	if (is_again(work, first, again))
		return;
	diag = compose_error(work, DIAG_DUPLICATE, again, "there are two %s of the name %.100s",
			     what, again->text);
	diag->related_path = compose_path(work, first);
	diag->related = first->at;
}

static void take_services(struct compose_work *work, const struct doc_node *services)
{
	for (size_t i = 0; i < services->n; i++) {
		const struct doc_pair *pair = &services->pairs[i];
		struct compose_service *service = map_get(&work->services, pair->key->text);

		if (service) {
			report_twice(work, "services", pair->key, service->key);
			continue;
		}
		if (pair->value->over == DOC_RESETS || str_starts(pair->key->text, "x-"))
			continue;
		service = ARENA_NEW(work->arena, struct compose_service);
		service->name = pair->key->text;
		service->key = pair->key;
		service->value = pair->value;
		map_put(&work->services, service->name, service);
	}
}

static const enum compose_section resource_sections[COMPOSE_KINDS] = {
	[COMPOSE_VOLUMES] = COMPOSE_VOLUME,
	[COMPOSE_CONFIGS] = COMPOSE_CONFIG,
	[COMPOSE_SECRETS] = COMPOSE_SECRET,
	[COMPOSE_NETWORKS] = COMPOSE_NETWORK,
};

static void take_resources(struct compose_work *work, const struct doc_node *tree,
			   enum compose_kind kind)
{
	const char *key = compose_sections[resource_sections[kind]].path;
	const struct doc_node *value = compose_value(tree, key);

	if (!value || !compose_is(work, value, DOC_MAPPING, key))
		return;
	for (size_t i = 0; i < value->n; i++) {
		const struct doc_pair *pair = &value->pairs[i], *first;

		if (str_starts(pair->key->text, "x-"))
			continue;
		first = map_get(&work->resources[kind], pair->key->text);
		if (first)
			report_twice(work, key, pair->key, first->key);
		else
			map_put(&work->resources[kind], pair->key->text, (void *)(uintptr_t)pair);
		compose_section(work, resource_sections[kind], pair->value, pair->key->text);
	}
}

/* ---- include ---- */

static bool closes_circle(struct compose_work *work, const struct compose_file *file,
			  const struct chain *chain, const struct doc_node *at)
{
	for (const struct chain *link = chain; link; link = link->outer) {
		if (!str_eq(link->name, file->name))
			continue;
		compose_error(work, DIAG_COMPOSE_CYCLE, at,
			      "%.200s includes itself, by way of the files between", file->name);
		return true;
	}
	return false;
}

/* The folder that relative paths of an included file count from; NULL after a report. */
static const char *included_base(struct compose_work *work, const struct doc_node *entry,
				 const struct compose_file *file)
{
	const struct doc_node *value =
		entry->type == DOC_MAPPING ? compose_value(entry, "project_directory") : NULL;
	const char *text = value ? compose_as_text(work, value, "project_directory") : NULL;
	const char *base;

	if (!text)
		return compose_folder_of(work, file->name);
	base = compose_resolve(work, work->sources[value->file].base, text);
	if (!base)
		compose_outside(work, value, text, NULL);
	return base;
}

static struct compose_env *included_env(struct compose_work *work, const struct doc_node *entry,
					const char *base, const struct compose_env *above)
{
	const struct doc_node *value =
		entry->type == DOC_MAPPING ? compose_value(entry, "env_file") : NULL;
	const struct doc_node *list = value ? compose_as_list(work, value, "env_file") : NULL;
	struct compose_env *env = compose_env_new(work, above);
	const struct compose_file *file;

	for (size_t i = 0; env && list && i < list->n; i++) {
		file = compose_named_file(work, list->items[i], list->items[i]->text, false);
		if (file)
			compose_env_add(work, env, file, list->items[i]);
	}
	if (list || !env)
		return env;
	file = compose_file_find(work->folder, compose_resolve(work, base, ".env"));
	if (file)
		compose_env_add(work, env, file, entry);
	return env;
}

/* The files of one entry, later ones laid over the first. */
static void include_entry(struct compose_work *work, const struct doc_node *entry,
			  const struct chain *chain)
{
	const struct doc_node *paths = entry, *tree = NULL;
	struct chain here = {NULL, chain};
	struct compose_env *env = NULL;
	const char *base = NULL;

	if (entry->type == DOC_MAPPING && compose_section(work, COMPOSE_INCLUDE, entry, "include"))
		paths = compose_value(entry, "path");
	if (!paths || paths->wrong) {
		compose_error(work, DIAG_MISSING_FIELD, entry, "the key path is missing");
		return;
	}
	paths = compose_as_list(work, paths, "include");
	for (size_t i = 0; i < paths->n && !work->full; i++) {
		const struct doc_node *item = paths->items[i], *next;
		const struct compose_file *file = compose_named_file(work, item, item->text, false);

		if (!file || closes_circle(work, file, chain, item))
			return;
		if (!base) {
			here.name = file->name;
			base = included_base(work, entry, file);
			if (!base)
				return;
			env = included_env(work, entry, base, work->sources[entry->file].env);
		}
		next = compose_load_file(work, file, base, env, item);
		if (!next)
			return;
		tree = tree ? compose_lay(work, COMPOSE_TOP, tree, next) : next;
	}
	if (tree)
		take_tree(work, tree, &here);
}

static void take_tree(struct compose_work *work, const struct doc_node *tree,
		      const struct chain *chain)
{
	const struct doc_node *include, *services;

	if (!compose_section(work, COMPOSE_TOP, tree, "the file"))
		return;
	services = compose_value(tree, "services");
	if (services && compose_is(work, services, DOC_MAPPING, "services"))
		take_services(work, services);
	for (int kind = 0; kind < COMPOSE_KINDS; kind++)
		take_resources(work, tree, (enum compose_kind)kind);
	include = compose_value(tree, "include");
	if (!include || !compose_is(work, include, DOC_SEQUENCE, "include"))
		return;
	if (include->n > COMPOSE_FILES_MAX) {
		compose_error(work, DIAG_LIMIT, include, "more than %d entries of include",
			      COMPOSE_FILES_MAX);
		return;
	}
	for (size_t i = 0; i < include->n && !work->full; i++)
		include_entry(work, include->items[i], chain);
}

/* ---- the whole ---- */

/* The file that is laid over the Compose file when it stands beside it, by its usual names. */
static const struct compose_file *find_override(struct compose_work *work, const char *name)
{
	static const char *const names[] = {"compose.override.yaml", "compose.override.yml",
					    "docker-compose.override.yml",
					    "docker-compose.override.yaml"};
	const char *base = compose_folder_of(work, name);
	const struct compose_file *file = NULL;

	for (size_t i = 0; i < ARRAY_LEN(names) && !file; i++)
		file = compose_file_find(work->folder, compose_resolve(work, base, names[i]));
	return file;
}

static const struct doc_node *lay_override(struct compose_work *work, const struct doc_node *tree,
					   const char *name, struct compose_env *env)
{
	const struct compose_file *file = find_override(work, name);
	const struct doc_node *over;

	if (!file)
		return tree;
	over = compose_load_file(work, file, compose_folder_of(work, name), env, tree);
	return over ? compose_lay(work, COMPOSE_TOP, tree, over) : NULL;
}

void compose_load(struct compose_work *work, const char *name)
{
	const struct compose_file *file = compose_file_find(work->folder, name);
	const char *path = compose_full_path(work, name), *base = compose_folder_of(work, name);
	struct compose_env *env = compose_env_new(work, NULL);
	struct doc_node top = {.type = DOC_SCALAR};
	const struct compose_file *variables;
	const struct doc_node *tree;
	struct chain chain = {name, NULL};

	if (!file) {
		diags_add(work->diags, DIAG_COMPOSE_FILE, work->unit, path, top.at,
			  "there is no file %.200s", name);
		return;
	}
	work->sources[0].path = path; /* for what is said before the file is opened */
	if (work->names->project)
		map_put(&env->vars, "COMPOSE_PROJECT_NAME",
			arena_strdup(work->arena, work->names->project));
	map_put(&env->vars, "PWD", (void *)(uintptr_t) ".");
	variables = compose_file_find(work->folder, compose_resolve(work, base, ".env"));
	if (variables)
		compose_env_add(work, env, variables, &top);
	tree = compose_load_file(work, file, base, env, &top);
	if (tree)
		tree = lay_override(work, tree, name, env);
	if (tree)
		take_tree(work, tree, &chain);
}
