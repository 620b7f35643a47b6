#include "base/sys.h"
#include "schema/check_parts.h"

#include "base/buf.h"
#include "schema/graph.h"

/* Versions: their product, their parents, chains without forks and circles. */

/* Index of the first version that is not before (project, product, name). */
static size_t lower_bound(const struct model *model, const char *project, const char *product,
			  const char *name)
{
	size_t low = 0, high = model->versions.n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct version *version = model->versions.v[middle];
		int order = str_cmp(version->from.file->unit.project, project);

		if (order == 0)
			order = str_cmp(version->product, product);
		if (order == 0)
			order = str_cmp(version->name, name);
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool is_of(const struct version *version, const char *project, const char *product)
{
	return str_eq(version->from.file->unit.project, project) &&
	       str_eq(version->product, product);
}

size_t check_version_run(const struct model *model, const char *project, const char *product,
			 size_t *n)
{
	size_t first = lower_bound(model, project, product, NULL), end = first;

	while (end < model->versions.n && is_of(model->versions.v[end], project, product))
		end++;
	*n = end - first;
	return first;
}

/* ---- the product ---- */

const char *check_product_hint(struct checker *checker, const char *project, const char *name)
{
	const struct model *model = checker->model;
	AUTO_FREE const char **names =
		mem_realloc_array(NULL, model->products.n + 1, sizeof *names);
	size_t n = 0;

	for (size_t i = 0; i < model->products.n; i++) {
		if (str_eq(model->products.v[i]->from.file->unit.project, project))
			names[n++] = model->products.v[i]->name;
	}
	return check_hint(checker, name, names, n);
}

const struct product *check_product_name(struct checker *checker, const struct head *head,
					 const struct origin *from, unsigned field,
					 const char *name)
{
	struct unit unit = check_project_unit(from);
	const struct product *product;

	if (!name)
		return NULL;
	product = model_product(checker->model, unit.project, name);
	if (!product && !check_is_broken(checker, &unit))
		check_error(checker, DIAG_UNKNOWN_PRODUCT, head, from, field,
			    "the project %s has no product %s", unit.project, name)
			->hint = check_product_hint(checker, unit.project, name);
	return product;
}

/* The Compose file that a version or simple product names: is it one, and could it be read? */
void check_compose(struct checker *checker, const struct origin *from, const char *path,
		   struct loc at)
{
	if (!path || model_compose(checker->model, from, path) ||
	    check_is_broken(checker, &from->file->unit))
		return;
	check_error_at(checker, DIAG_UNKNOWN_COMPOSE, from, at, "there is no Compose file %s", path)
		->hint =
		"it stands in a folder of its own beside this file, and not inside of that of "
		"another Compose file";
}

static void check_version_product(struct checker *checker, const struct version *version)
{
	const struct product *product = check_product_name(checker, &version->head, &version->from,
							   version_product_F, version->product);

	if (product && product->type == PRODUCT_SIMPLE)
		check_error(checker, DIAG_FIELDS_EXCLUDE, &version->head, &version->from,
			    version_product_F, "%s is a simple product: it has no versions",
			    product->name)
			->hint = "its images stand in its Product document";
}

/* ---- parents ---- */

bool check_version_known(const struct checker *checker, const char *project, const char *product,
			 const char *name)
{
	const struct check_history *history = checker->history;

	return model_version(checker->model, project, product, name) ||
	       (history->version_known &&
		history->version_known(history->arg, project, product, name));
}

/* What is near, or else where more is known. */
const char *check_version_hint(struct checker *checker, const char *project, const char *product,
			       const char *name, const struct version *asking)
{
	size_t n, first = check_version_run(checker->model, project, product, &n), near = 0;
	AUTO_FREE const char **names = mem_realloc_array(NULL, n + 1, sizeof *names);
	const char *hint;

	for (size_t i = 0; i < n; i++) {
		const struct version *version = checker->model->versions.v[first + i];

		if (version != asking)
			names[near++] = version->name;
	}
	hint = check_hint(checker, name, names, near);
	if (hint || checker->history->version_known)
		return hint;
	return "if it was deployed before, plan --state knows it";
}

const char *check_newest_hint(struct checker *checker, const char *project, const char *product)
{
	size_t n, first = check_version_run(checker->model, project, product, &n);

	if (n == 0)
		return NULL;
	return diags_text(checker->diags, "version: %s, for instance",
			  checker->model->versions.v[first + n - 1]->name);
}

static void check_parent(struct checker *checker, const struct version *version,
			 const struct version *parent)
{
	struct unit unit = check_project_unit(&version->from);

	if (!version->parent)
		return;
	if (parent && parent->type == VERSION_ROLLING)
		check_error(checker, DIAG_ROLLING_PARENT, &version->head, &version->from,
			    version_parent_F, "%s is a rolling version: it cannot be a parent",
			    version->parent);
	if (parent || check_is_broken(checker, &unit) ||
	    check_version_known(checker, unit.project, version->product, version->parent))
		return;
	check_error(checker, DIAG_UNKNOWN_PARENT, &version->head, &version->from, version_parent_F,
		    "product %s has no version %s to be the parent", version->product,
		    version->parent)
		->hint = check_version_hint(checker, unit.project, version->product,
					    version->parent, version);
}

/* ---- chains of one product ---- */

struct chains {
	struct checker *checker;
	const struct version *const *v;
	size_t n;
	size_t *parent; /* of each, its index; GRAPH_NOWHERE: none, or not among them */
};

static size_t find_in_run(const struct chains *chains, const char *name)
{
	size_t low = 0, high = chains->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(chains->v[middle]->name, name);

		if (order == 0)
			return middle;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return GRAPH_NOWHERE;
}

/* A version that is its own parent was told when it was read. */
static size_t parent_edge(void *arg, size_t node, size_t i)
{
	const struct chains *chains = arg;

	return i > 0 || chains->parent[node] == node ? GRAPH_END : chains->parent[node];
}

static void tell_cycle(void *arg, const size_t *cycle, size_t length)
{
	const struct chains *chains = arg;
	const struct version *first = chains->v[cycle[0]];
	AUTO_BUF struct buf path = BUF_INIT(BUF_MAX_LINE);

	for (size_t i = 0; i < length; i++)
		buf_addf(&path, "%s -> ", chains->v[cycle[i]]->name);
	check_error(chains->checker, DIAG_VERSION_CYCLE, &first->head, &first->from,
		    version_parent_F, "versions are their own ancestors: %s%s", buf_str(&path),
		    first->name);
}

static void check_forks(const struct chains *chains)
{
	AUTO_FREE const struct version **children = mem_zalloc(chains->n + 1, sizeof(*children));

	for (size_t i = 0; i < chains->n; i++) {
		const struct version *version = chains->v[i], *other;
		size_t parent = chains->parent[i];
		struct diag *diag;

		/* of a rolling parent it was told that it has no children at all */
		if (parent == GRAPH_NOWHERE || chains->v[parent]->type == VERSION_ROLLING)
			continue;
		other = children[parent];
		if (!other) {
			children[parent] = version;
			continue;
		}
		diag = check_error(chains->checker, DIAG_SECOND_CHILD, &version->head,
				   &version->from, version_parent_F, "%s has a child already: %s",
				   version->parent, other->name);
		diag->related_path =
			diags_text(chains->checker->diags, "%s", other->from.file->path);
		diag->related = AT(other, version, parent);
	}
}

/* All but its place in the chain of versions. */
static void check_parts(struct checker *checker, const struct version *version)
{
	check_version_product(checker, version);
	check_version_images(checker, version);
	check_requires(checker, &version->from, version->product, &version->requires);
	check_compose(checker, &version->from, version->compose, AT(version, version, compose));
}

static void check_chains(struct checker *checker, size_t first, size_t n)
{
	AUTO_FREE size_t *parent = mem_realloc_array(NULL, n, sizeof *parent);
	struct chains chains = {checker, checker->model->versions.v + first, n, parent};
	struct graph graph = {n, parent_edge, tell_cycle, &chains};

	for (size_t i = 0; i < n; i++) {
		const struct version *version = chains.v[i];

		parent[i] = version->parent ? find_in_run(&chains, version->parent) : GRAPH_NOWHERE;
		check_parts(checker, version);
		check_parent(checker, version,
			     parent[i] == GRAPH_NOWHERE ? NULL : chains.v[parent[i]]);
	}
	graph_cycles(&graph);
	check_forks(&chains);
}

void check_version(struct checker *checker, const struct version *version)
{
	const char *project = version->from.file->unit.project;

	check_parts(checker, version);
	check_parent(checker, version,
		     version->parent ? model_version(checker->model, project, version->product,
						     version->parent)
				     : NULL);
}

void check_versions(struct checker *checker)
{
	const struct model *model = checker->model;

	for (size_t i = 0; i < model->versions.n;) {
		const struct version *version = model->versions.v[i];
		size_t n, first = check_version_run(model, version->from.file->unit.project,
						    version->product, &n);

		check_chains(checker, first, n);
		i = first + n;
	}
}
