/*
 * check.h - what holds between documents: references, chains, ownership, cycles.
 *
 * What needs merged configuration or a node (names and ports taken, policy, drivers) is in
 * plan/desired.h; what needs history is in plan/lifecycle.h. All of them report the same way.
 */
#ifndef TRUEUP_SCHEMA_CHECK_H
#define TRUEUP_SCHEMA_CHECK_H

#include "base/err.h"
#include "schema/diag.h"
#include "schema/model.h"

/* What only the ledger knows; NULL functions: nothing is known. */
struct check_history {
	/* Is there frozen content of this version, though its file may be gone? */
	bool (*version_known)(void *arg, const char *project, const char *product,
			      const char *version);
	void *arg;
};

void check_model(const struct model *model, const struct check_history *history,
		 struct diags *diags);

/*
 * The short way, for a model that differs in n changes (by path) from a base in which no file has
 * an error and check_model found none: true when it would find none in this one either. false says
 * nothing: there is something wrong, or more changed than versions and deployments. As much work as
 * the changes and the documents that name what changed.
 */
bool check_still_holds(const struct model *model, const struct model *base,
		       const struct file_change *changes, size_t n,
		       const struct check_history *history);

/* May the project use the node: is it shared, or of the project's team? */
bool check_node_allowed(const struct project *project, const struct node *node);
/* Does it say itself where it goes? Else it goes to the nodes of its stage. */
bool deployment_names_nodes(const struct deployment *deployment);
/* Has the node all labels of a nodeSelector? */
bool check_node_selected(const struct node *node, const struct pairs *selector);

/* The nearest of the candidates (edit distance at most a third of its length), or NULL. */
const char *check_nearest(const char *word, const char *const *candidates, size_t n);
/* Adds ": did you mean X?" to an error about `word`, if there is a nearest one; returns -1. */
int check_suggest(const char *word, const char *const *candidates, size_t n, struct err *err);

#endif
