/*
 * desired.h - what the accepted documents ask for: one slot per deployment and node.
 *
 * Pure. Slots whose inputs are the same files as before are taken over from the previous desired
 * state without being looked at again: that is what makes a no-op free.
 */
#ifndef TRUEUP_PLAN_DESIRED_H
#define TRUEUP_PLAN_DESIRED_H

#include "drivers/driver.h"
#include "plan/content.h"
#include "plan/record.h"
#include "schema/diag.h"
#include "schema/model.h"

struct slot {
	struct slot_key key;
	struct unit unit;
	const struct deployment *deployment;
	const struct product *product;
	const struct version *version; /* NULL: simple product, or only the ledger has it */
	const struct node *node;
	const struct stage *stage;
	const char *version_name; /* NULL: simple product */
	const char *parent;
	enum version_type_value type;
	const char *prefix;
	/* Merged, expanded, all fields (release and operations); digests are NULL. */
	struct content content;
	char version_id[RECORD_ID_SIZE], source_id[RECORD_ID_SIZE], input_id[RECORD_ID_SIZE];
	enum strategy_type_value strategy;
	const char *strategy_reason; /* why recreate, or NULL: "writable volume data" */
	/* The files it was read from. */
	const struct file **inputs;
	size_t inputs_n;
};

struct desired {
	struct slot *slots; /* by slot key */
	size_t slots_n;
	struct arena *arena; /* its own; texts of the model are shared: free it before the model */
};
void desired_free(struct desired *desired);
const struct slot *desired_find(const struct desired *desired, const struct slot_key *key);

/*
 * Builds the slots of all deployments. `history` gives the content of versions whose file is gone;
 * `previous` (NULL: none) must have been built from a model that is still alive, and `model` shares
 * its unchanged files. Problems (templates, names too long, ...) go to *diags.
 */
struct desired *desired_build(const struct model *model, const struct history *history,
			      const struct desired *previous, struct diags *diags);
/*
 * What must hold between slots and on nodes: duplicate-slot, prefix-taken, name-taken, port-taken,
 * volume-taken, duplicate-node, strategy-impossible, and each driver's and the policy's own check.
 * env NULL: policy is not checked (validate without settings).
 */
void desired_check(const struct desired *desired, const struct model *model,
		   const struct driver_env *env, struct diags *diags);

/* The specs of one slot for a given content: instances by scale, names, labels, operations of the
 * slot over the release fields of the content. *n of them, in order of start, in arena. */
struct spec *desired_specs(const struct slot *slot, const struct content *content,
			   const struct record *record, const char *owner, struct arena *arena,
			   size_t *n);

#endif
