#include "base/sys.h"
#include "schema/check_parts.h"

#include "base/buf.h"
#include "schema/graph.h"

/*
 * Deployments of a stage that would wait for each other for ever: for what dependsOn names, and for
 * the providers of what they require. Products that require each other are told with them
 * (check_requires.c); here at least one link of a circle is a dependsOn.
 */

struct dependencies {
	struct checker *checker;
	const struct deployment *const *v; /* of one stage, sorted by name */
	size_t n;
	size_t *by_product; /* their numbers, sorted by product */
};

/* The first of the sorted list whose name is not before `name`. */
static size_t place_of(const struct dependencies *stage, const char *name, bool products)
{
	size_t low = 0, high = stage->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct deployment *deployment =
			stage->v[products ? stage->by_product[middle] : middle];

		if (str_cmp(products ? deployment->product : deployment->name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static size_t named(const struct dependencies *stage, const char *name)
{
	size_t at = place_of(stage, name, false);

	return at < stage->n && str_eq(stage->v[at]->name, name) ? at : GRAPH_NOWHERE;
}

/* The i-th deployment of those that provide what this one requires. */
static size_t provider(const struct dependencies *stage, size_t node, size_t i)
{
	const struct pairs *requires = check_requires_of(stage->checker->model, stage->v[node]);

	for (size_t p = 0; requires && p < requires->n; p++) {
		for (size_t at = place_of(stage, requires->key[p], true);
		     at < stage->n &&
		     str_eq(stage->v[stage->by_product[at]]->product, requires->key[p]);
		     at++) {
			if (i-- == 0)
				return stage->by_product[at];
		}
	}
	return GRAPH_END;
}

/* What waits for itself was told when it was read. */
static size_t dependency_edge(void *arg, size_t node, size_t i)
{
	const struct dependencies *stage = arg;
	const struct strings *names = &stage->v[node]->depends_on;
	size_t to = i < names->n ? named(stage, names->v[i]) : provider(stage, node, i - names->n);

	return to == node ? GRAPH_NOWHERE : to;
}

static bool depends(const struct deployment *one, const struct deployment *other)
{
	for (size_t i = 0; i < one->depends_on.n; i++) {
		if (str_eq(one->depends_on.v[i], other->name))
			return true;
	}
	return false;
}

/* At the first that could do otherwise: what a version requires is the version's. */
static void tell_cycle(void *arg, const size_t *cycle, size_t length)
{
	const struct dependencies *stage = arg;
	const struct deployment *place = NULL, *bound = NULL;
	AUTO_BUF struct buf path = BUF_INIT(BUF_MAX_LINE);
	struct diag *diag;

	for (size_t i = 0; i < length; i++) {
		const struct deployment *one = stage->v[cycle[i]];
		bool by_name = depends(one, stage->v[cycle[(i + 1) % length]]);

		buf_addf(&path, "%s -> ", one->name);
		if (by_name && !place)
			place = one;
		if (!by_name && !bound)
			bound = one;
	}
	if (!place)
		return;
	diag = check_error(stage->checker, DIAG_DEPENDENCY_CYCLE, &place->head, &place->from,
			   deployment_depends_on_F, "deployments wait for each other: %s%s",
			   buf_str(&path), stage->v[cycle[0]]->name);
	if (bound)
		diag->hint = diags_text(stage->checker->diags,
					"%s waits for the product that its version requires",
					bound->name);
}

static int product_cmp(const void *left, const void *right, void *arg)
{
	const struct deployment *const *v = arg;
	size_t a = *(const size_t *)left, b = *(const size_t *)right;
	int order = str_cmp(v[a]->product, v[b]->product);

	return order ? order : (a > b) - (a < b);
}

void check_waiting(struct checker *checker, const struct deployment *const *v, size_t n)
{
	AUTO_FREE size_t *by_product = mem_realloc_array(NULL, n + 1, sizeof *by_product);
	struct dependencies stage = {checker, v, n, by_product};
	struct graph graph = {n, dependency_edge, tell_cycle, &stage};
	bool any = false;

	for (size_t i = 0; i < n; i++) {
		any |= v[i]->depends_on.n > 0;
		by_product[i] = i;
	}
	if (!any)
		return;
	qsort_r(by_product, n, sizeof *by_product, product_cmp, (void *)(uintptr_t)v);
	graph_cycles(&graph);
}
