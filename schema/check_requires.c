#include "base/sys.h"
#include "schema/check_parts.h"

#include "base/buf.h"
#include "base/vec.h"
#include "schema/graph.h"

/*
 * What versions and simple products require of other products, as far as it can be told without
 * knowing what is deployed where; the rest is the plan's (desired_requires.c).
 */

const struct pairs *check_requires_of(const struct model *model,
				      const struct deployment *deployment)
{
	const char *project = deployment->from.file->unit.project;
	const struct product *product = model_product_of(model, deployment);
	const struct version *version;

	if (product && product->type == PRODUCT_SIMPLE)
		return &product->requires;
	if (!product || !deployment->version)
		return NULL;
	version = model_version(model, project, deployment->product, deployment->version);
	return version ? &version->requires : NULL;
}

/* ---- one document ---- */

static void check_requirement(struct checker *checker, const struct origin *from, const char *name,
			      const char *range, struct loc at)
{
	struct unit unit = check_project_unit(from);
	const struct product *product = model_product(checker->model, unit.project, name);

	if (!product && !check_is_broken(checker, &unit))
		check_error_at(checker, DIAG_UNKNOWN_PRODUCT, from, at,
			       "the project %s has no product %s", unit.project, name)
			->hint = check_product_hint(checker, unit.project, name);
	if (product && product->type == PRODUCT_SIMPLE)
		check_error_at(checker, DIAG_REQUIRES_NOT_COMPARABLE, from, at,
			       "%s is a simple product: it has no version to be \"%s\"", name,
			       range)
			->hint = "dependsOn of a deployment says what has to be there first";
}

void check_requires(struct checker *checker, const struct origin *from, const char *product,
		    const struct pairs *requires)
{
	for (size_t i = 0; i < requires->n; i++) {
		if (str_eq(requires->key[i], product))
			check_error_at(checker, DIAG_REQUIRES_CYCLE, from, requires->at[i],
				       "a product cannot require itself");
		else
			check_requirement(checker, from, requires->key[i], requires->value[i],
					  requires->at[i]);
	}
}

/* ---- products that require each other ---- */

/* Some version of one product requires another product. Products are numbered as in the model. */
struct edge {
	size_t from, to;
	const char *version; /* NULL: a simple product */
	const struct origin *origin;
	struct loc at;
};

struct edges {
	struct checker *checker;
	VEC(struct edge) list; /* sorted; of two between the same products only the first stays */
};

static int product_cmp(const void *key, const void *item)
{
	const struct product *a = key, *b = *(const struct product *const *)item;
	int order = str_cmp(a->from.file->unit.project, b->from.file->unit.project);

	return order ? order : str_cmp(a->name, b->name);
}

static size_t number_of(const struct model *model, const char *project, const char *name)
{
	const struct product *product = model_product(model, project, name);
	const struct product **at = product ? bsearch(product, model->products.v, model->products.n,
						      sizeof(*at), product_cmp)
					    : NULL;

	return at ? (size_t)(at - model->products.v) : GRAPH_NOWHERE;
}

/* A product that requires itself was told with its document. */
static void add_edges(struct edges *edges, const char *product, const char *version,
		      const struct origin *origin, const struct pairs *requires)
{
	const struct model *model = edges->checker->model;
	const char *project = origin->file->unit.project;

	for (size_t i = 0; i < requires->n; i++) {
		struct edge edge = {
			.from = number_of(model, project, product),
			.to = number_of(model, project, requires->key[i]),
			.version = version,
			.origin = origin,
			.at = requires->at[i],
		};

		if (edge.from != GRAPH_NOWHERE && edge.to != GRAPH_NOWHERE && edge.from != edge.to)
			VEC_PUSH(&edges->list, edge);
	}
}

static int ends_cmp(const struct edge *a, const struct edge *b)
{
	int order = (a->from > b->from) - (a->from < b->from);

	return order ? order : (a->to > b->to) - (a->to < b->to);
}

static int edge_cmp(const void *left, const void *right)
{
	const struct edge *a = left, *b = right;
	int order = ends_cmp(a, b);

	return order ? order : str_cmp(a->version, b->version);
}

/* The first edge that is not before one from `from` to `to`. */
static size_t first_edge(const struct edges *edges, size_t from, size_t to)
{
	const struct edge wanted = {.from = from, .to = to};
	size_t low = 0, high = edges->list.n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (ends_cmp(&edges->list.v[middle], &wanted) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static size_t product_edge(void *arg, size_t node, size_t i)
{
	const struct edges *edges = arg;
	size_t at = first_edge(edges, node, 0) + i;

	return at < edges->list.n && edges->list.v[at].from == node ? edges->list.v[at].to
								    : GRAPH_END;
}

/* "ledger 2.0.0 -> storefront 1.4.0 -> ledger": of each the version that requires the next. */
static void tell_cycle(void *arg, const size_t *cycle, size_t length)
{
	const struct edges *edges = arg;
	const struct model *model = edges->checker->model;
	const struct edge *first = &edges->list.v[first_edge(edges, cycle[0], cycle[1])];
	AUTO_BUF struct buf path = BUF_INIT(BUF_MAX_LINE);

	for (size_t i = 0; i < length; i++) {
		const char *version =
			edges->list.v[first_edge(edges, cycle[i], cycle[(i + 1) % length])].version;

		buf_addf(&path, "%s%s%s -> ", model->products.v[cycle[i]]->name, version ? " " : "",
			 version ? version : "");
	}
	check_error_at(edges->checker, DIAG_REQUIRES_CYCLE, first->origin, first->at,
		       "products require each other: %s%s", buf_str(&path),
		       model->products.v[cycle[0]]->name)
		->hint = "between two products one comes first, whatever their versions";
}

static void keep_first(struct edges *edges)
{
	size_t kept = 0;

	VEC_SORT(&edges->list, edge_cmp);
	for (size_t i = 0; i < edges->list.n; i++) {
		if (!kept || ends_cmp(&edges->list.v[kept - 1], &edges->list.v[i]) != 0)
			edges->list.v[kept++] = edges->list.v[i];
	}
	edges->list.n = kept;
}

void check_requirements(struct checker *checker)
{
	const struct model *model = checker->model;
	struct edges edges = {.checker = checker};
	struct graph graph = {model->products.n, product_edge, tell_cycle, &edges};

	for (size_t i = 0; i < model->products.n; i++) {
		const struct product *product = model->products.v[i];

		check_requires(checker, &product->from, product->name, &product->requires);
		check_compose(checker, &product->from, product->compose,
			      AT(product, product, compose));
		add_edges(&edges, product->name, NULL, &product->from, &product->requires);
	}
	for (size_t i = 0; i < model->versions.n; i++) {
		const struct version *version = model->versions.v[i];

		add_edges(&edges, version->product, version->name, &version->from,
			  &version->requires);
	}
	keep_first(&edges);
	if (edges.list.n)
		graph_cycles(&graph);
	VEC_FREE(&edges.list);
}
